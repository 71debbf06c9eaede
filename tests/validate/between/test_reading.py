"""Declarations of rules between records: what is wrong is told with its line and key, all at once."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from node.model import codes
from node.validate.between import BadBetween, load_between, read_between
from node.validate.between.case import RECORDS
from node.validate.between.reading import KINDS, OCTETS, RULES
from tests.validate.held import held
from xsd import FOLDER

GOOD = (FOLDER / "between/case/1.0.toml").read_text()
SMALL = """[between]
zh = "办件"
en = "case"

[sets]
a = "case-application"
b = "case-acceptance"
plain = "population-basic"
steps = "case-step"

[[rule]]
id = "one"
kind = "order"
first = "a.ApplyTime"
then = "b.AcceptTime"
zh = "顺序"
en = "order"
"""


def faults(text: str | bytes) -> list[tuple[int | None, str, str]]:
    with pytest.raises(BadBetween) as caught:
        read_between("case/1.0", text.encode() if isinstance(text, str) else text, held())
    met = caught.value
    assert met.code is codes.BETWEEN_FORM and len(met.faults) == met.details["count"]
    for one in met.faults:
        assert one.says.zh and one.says.en and "{" not in one.text("zh") + one.text("en") and one.hint.zh
    return [(one.line, one.key, one.rule) for one in met.faults]


def test_what_is_published_is_read() -> None:
    made = read_between("case/1.0", GOOD.encode(), held())
    assert (made.name, made.version, made.wait) == ("case", "1.0", 86_400_000)
    assert len(made.interfaces) == 7 and all(rule.says.zh and rule.says.en for rule in made.rules)
    (rule,) = read_between("case/1.0", SMALL.encode(), held()).rules
    assert (rule.name, rule.severity) == ("case.one", "warn")


@pytest.mark.parametrize("was, becomes, told", [
    ('kind = "order"', 'kind = "ordre"', (13, "rule.0.kind", "word")),
    ('id = "one"', 'id = "One"', (12, "rule.0.id", "form")),
    ('zh = "顺序"\n', "", (11, "rule.0.zh", "form")),
    ('en = "case"', 'en = ""', (3, "between.en", "form")),
    ('en = "case"', 'en = "case"\nwait = "a day"', (4, "between.wait", "form")),
    ('en = "case"', 'en = "case"\nwhat = 1', (4, "between.what", "word")),
    ('a = "case-application"', 'a = "case-nothing"', (6, "sets.a", "interface")),
    ('a.ApplyTime', 'c.ApplyTime', (14, "rule.0.first", "set")),
    ('a.ApplyTime', 'ApplyTime', (14, "rule.0.first", "form")),
    ('a.ApplyTime', 'a.Nothing', (14, "rule.0.first", "field")),
    ('a.ApplyTime', 'a.TaskCode', (14, "rule.0.first", "time")),
    ('a.ApplyTime', 'plain.BirthDate', (14, "rule.0.first", "correlation")),
    ('zh = "顺序"', 'zh = "顺序"\nof = "a"', (17, "rule.0.of", "word")),
    ('zh = "顺序"', 'zh = "顺序"\nseverity = "fatal"', (17, "rule.0.severity", "word")),
    ('[[rule]]', '[more]\n[[rule]]', (11, "more", "word")),
])
def test_each_fault_is_told_at_its_line(was: str, becomes: str, told: tuple[int, str, str]) -> None:
    assert was in SMALL
    assert told in faults(SMALL.replace(was, becomes))


@pytest.mark.parametrize("kind, words, key, rule", [
    ("needs", 'of = "a"\nwants = []', "of", "form"),
    ("needs", 'of = ["a", "x"]\nwants = ["b"]', "of", "set"),
    ("one", 'of = "plain"', "of", "correlation"),
    ("same", 'fields = ["a.TaskCode"]', "fields", "form"),
    ("same", 'fields = ["a.TaskCode", 7]', "fields", "form"),
    ("refers", 'field = "a.TaskCode"\nto = "steps"', "to", "key"),
    ("open", 'until = "a.ApplyTime"', "closed", "set"),
    ("overdue", 'by = "b.PromiseTime"\ndone = "b.TaskCode"', "done", "time"),
    ("overdue", 'by = "b.PromiseTime"\ndone = "b.AcceptTime"\nunless = 1', "unless", "set"),
])
def test_each_kind_says_what_it_takes(kind: str, words: str, key: str, rule: str) -> None:
    text = SMALL.replace('kind = "order"\nfirst = "a.ApplyTime"\nthen = "b.AcceptTime"', f'kind = "{kind}"\n{words}')
    assert [(each, why) for _, each, why in faults(text) if each == f"rule.0.{key}"] == [(f"rule.0.{key}", rule)]


def test_what_is_no_declaration_is_told_in_bounded_time() -> None:
    assert faults(b"\xff\xfe") == [(None, "", "toml")]
    assert faults("[between") == [(None, "", "toml")]
    assert faults("a = " + "[" * 20_000) == [(None, "", "toml")]
    assert faults("a" + ".a" * 20_000 + " = 1") == [(None, "", "toml")]
    assert faults(b"#" * (OCTETS + 1)) == [(None, "", "unreadable")]
    assert {(key, rule) for _, key, rule in faults("")} >= {("between", "missing"), ("rule", "missing")}
    rule = SMALL[SMALL.index("[[rule]]"):]
    assert (11, "rule", "many") in faults(SMALL + rule.replace("[[rule]]", "\n[[rule]]") * RULES)
    assert faults(SMALL + "\n" + rule) == [(20, "rule.1.id", "twice")]


def test_of_each_name_the_newest_version_is_in_force(tmp_path: Path) -> None:
    folder = tmp_path / "between/case"
    folder.mkdir(parents=True)
    (folder / "1.10.toml").write_text(SMALL)
    (folder / "1.9.toml").write_text(GOOD)
    other = tmp_path / "between/theme"
    other.mkdir()
    (other / "1.0.toml").write_text(SMALL)
    made = load_between(FOLDER, held(), [tmp_path], wait=5)
    assert sorted(made.rules) == ["case.one", "theme.one"]
    assert (made.wait("case.one"), load_between(FOLDER, held()).wait("case.overdue")) == (5, 86_400_000)


def test_a_declaration_that_cannot_be_read_holds_the_start(tmp_path: Path) -> None:
    (tmp_path / "between/case/2.0.toml").mkdir(parents=True)
    with pytest.raises(BadBetween) as caught:
        load_between(FOLDER, held(), [tmp_path])
    assert [one.rule for one in caught.value.faults] == ["unreadable"] and "case/2.0" in str(caught.value)


def test_the_readme_names_every_kind() -> None:
    text = (FOLDER / "README.md").read_text()
    section = text[text.index("## Rules between records"):]
    assert [kind for kind in KINDS if f"| `{kind}` |" not in section] == [] and str(RECORDS) in section


def test_a_spoiled_declaration_is_read_or_told_and_nothing_else(seed: int) -> None:
    random = Random(seed)
    words = sorted(set(re.findall(r"[\w.-]+", GOOD))) + ["[", "]", "=", '"', "{", "}", "\n", "0", "true", "1979-05-27"]
    read = 0
    for _ in range(150):
        text = GOOD
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(text))
            text = text[:at] + random.choice(words) + text[at + random.randint(0, 12):]
        try:
            read_between("case/1.0", text.encode(), held())
            read += 1
        except BadBetween as met:
            assert all(one.says.zh and one.text("en") for one in met.faults), text
    assert read < 150
