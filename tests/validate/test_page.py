"""The page of an interface: complete, self-contained, escaped; its examples do what it says and are nobody's."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser

import pytest

from node.model.record import Draft, Record
from node.validate import Files, Specification, compile_specification
from node.validate.shape import leaves
from node.validate.told.page import index, page
from node.validate.told.showing import TODAY, Examples
from node.validate.told.style import STYLE
from node.validate.told.words import named
from tests.house.scan import PRINTED, in_bytes
from tests.validate.held import NAMES, sm3, spec
from tests.validate.workshop import FIELDS, document, leaf, workshop
from xsd import FOLDER

EVERY = [*NAMES, "workshop/2.1"]


def _spec(name: str) -> Specification:
    return workshop() if name == "workshop/2.1" else spec(name)


@cache
def _page(name: str) -> str:
    return page(_spec(name))


class Outline(HTMLParser):
    """What a page is made of; an element that is not closed in order is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        given = dict(attrs)
        assert len(given) == len(attrs)
        self.attributes |= set(given)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links |= {given["href"] or ""} if "href" in given else set()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data if self.open[-1:] != ["style"] else ""


@pytest.mark.parametrize("name", EVERY)
def test_a_page_holds_all_of_a_specification_and_its_links_lead_somewhere(name: str) -> None:
    of = _spec(name)
    text = _page(name)
    found = Outline(text)
    assert text == page(of) and of.id.digest in found.words and of.title.en in found.words
    for path, one in leaves(of.shape.record):
        assert f"field-{path}" in found.ids and one.label.zh in found.words and one.label.en in found.words
    for rule in named(of):
        assert rule.says.zh in found.words and rule.says.en in found.words
    for table in of.tables.values():
        assert f"table-{table.name}" in found.ids
        assert all(code in found.words for code in table.listed["current"])
    assert len(found.ids) == len(set(found.ids)) and found.links <= {f"#{name}" for name in found.ids}
    assert "lang" in found.attributes and 'lang="zh-CN"' in text


@pytest.mark.parametrize("name", EVERY)
def test_a_page_needs_nothing_and_runs_nothing(name: str) -> None:
    text = _page(name)
    found = Outline(text)
    assert "Content-Security-Policy" in text and "default-src 'none'" in text.replace("&#x27;", "'")
    assert not found.tags & {"script", "link", "img", "iframe", "object", "svg", "form", "base"}
    assert not [name for name in found.attributes if name.startswith("on") or name in ("src", "style")]
    assert not re.search(r"url\(|@import|https?:", STYLE) and "@media print" in STYLE
    assert STYLE.count("{") == STYLE.count("}") and STYLE.count('"') % 2 == 0
    assert not any(line.count('"') % 2 for line in STYLE.splitlines())


def test_whatever_a_specification_says_is_escaped() -> None:
    evil = '&lt;script&gt;alert(1)&lt;/script&gt;"\'&gt;&lt;img src=x onerror=alert(2)&gt;&amp;amp;'
    rule = '<x:rule kind="table" table="sex/1.0" id="i"/>'
    content = document(FIELDS + leaf("More", "p:Date", 'minOccurs="0"', rule))
    text = content.decode().replace(">Workshop<", f">{evil}\n{evil}<").replace(">More<", f">{evil}<").replace(
        ">More项<", f">{evil}<").replace("先{后}", evil).replace("first {last}", evil).replace(
        'id="i"', 'id="&lt;b&gt;&quot;x"')
    files = Files(FOLDER)
    files.read["workshop/2.1.xsd"] = text.encode()
    files.read["tables/sex/1.0.tsv"] = "code\tzh\n1<i>\t<b onclick=x>\n2\t</ul></details>\n".encode()
    of = compile_specification("workshop/2.1", files, sm3)
    made = page(of, workshop())
    found = Outline(made)
    assert not found.tags & {"script", "img", "b onclick=x", "i"} and "onerror" not in found.attributes
    assert "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;" in found.words and "1<i>" in found.words
    assert found.tags == Outline(page(workshop(), workshop())).tags | found.tags & {"mark"}
    assert '<code>&lt;b&gt;&quot;x</code>' in made
    assert "onerror" not in Outline(index([('a"><script>.html', of)])).attributes


@pytest.mark.parametrize("name", EVERY)
def test_the_good_example_is_good_and_each_rule_shows_a_bad_one(name: str) -> None:
    of = _spec(name)
    examples = Examples(of)
    assert isinstance(of.judge(Draft(0, "json", examples.record), TODAY), Record)
    lacking = []
    for rule in named(of):
        shown = examples.of(rule)
        if shown is None or shown.bad is None:
            lacking.append((rule.path, rule.id))
        else:
            assert shown.bad != shown.good and [path for path, _ in shown.good] == [path for path, _ in shown.bad]
    assert not lacking


@pytest.mark.parametrize("name", EVERY)
def test_no_page_holds_a_number_that_could_be_a_persons(name: str) -> None:
    made = _page(name).encode()
    # Nobody was born in 2999, on a 30th of February, or a thousand years ago; they show the rules that forbid it.
    assert all(made[at + 6:at + 14] in (b"29990101", b"19490230", b"10000101") for at in in_bytes(made, PRINTED))


def test_changes_since_an_older_version_are_told() -> None:
    files = Files(FOLDER)
    files.read["workshop/2.1.xsd"] = document().replace(b'maxLength value="20"', b'maxLength value="30"')
    newer = compile_specification("workshop/2.1", files, sm3)
    told = Outline(page(newer, workshop()))
    assert "最多字符数由20改为30" in told.words and "at most 20 characters, now 30" in told.words
    assert "changes" in told.ids and "changes" not in Outline(page(newer)).ids


def test_a_long_table_is_folded_and_lists_what_stands_today() -> None:
    text = _page("population-basic/1.0")
    folded = dict(re.findall(r'<details id="table-([^"]+)"( open="")?', text))
    assert folded["gb2260/2019-04"] == "" and folded["sex/1.0"] and text.count("<li>") < 4500
    assert "3219" in text


def test_the_index_leads_to_every_page() -> None:
    every = [(f"{name.replace('/', '-')}.html", spec(name)) for name in NAMES]
    found = Outline(index(every))
    assert found.links == {name for name, _ in every} and all(name in found.words for name in NAMES)
    assert "index.html" in Outline(page(spec(NAMES[0]), None, "index.html")).links
