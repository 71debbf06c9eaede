"""What `adapters/README.md` tells is true of the kinds there are, and its Chinese page tells the same."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from importlib.metadata import entry_points
from typing import Any

import pytest

from adapters.contract import Adapter
from adapters.schema import fit
from node.cli.adapter import adapter as commands
from tests.adapters.scaffolded import ROOT
from tests.adapters.test_sql_dialects import URLS

FOLDER = ROOT / "adapters"
PAGES = ("README.md", "README.zh-CN.md")
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
COMMENT = re.compile(r"(?:^|(?<=\s))(?:#|--(?=\s)).*$", re.MULTILINE)
NUMBER = re.compile(r"(?<![\d.])(?:[1-9]\d{0,2}(?: \d{3})+|\d+\.\d+|[1-9]\d{2,})(?![\d.]\d)")
HAN = "\u4e00-\u9fff"
LONGEST = 8
"""Most Chinese characters of a word that the English page quotes: 统一社会信用代码."""

KINDS = {one.name: one.load() for one in entry_points(group="exchange_node.adapters")
         if one.value.startswith("adapters.")}
NEVER = "gbase8s+gbase8sdb"
"""A driver that is not to be had here."""
AS = {"sftp": ("file_drop",), "http_push": ("http_poll",)}
"""What is told of another kind and is true of this one."""


def page(name: str) -> str:
    """Return a page, its links to other pages as the English one has them."""
    return (FOLDER / name).read_text(encoding="utf-8").replace("README.zh-CN.md", "README.md")


def blocks(text: str) -> list[str]:
    """Return the code that stands between fences, then that which is indented."""
    return [found[2] for found in FENCED.findall(text)] + INDENTED.findall(FENCED.sub("", text))


def prose(text: str) -> str:
    """Return what is no block of code."""
    return INDENTED.sub("", FENCED.sub("", text))


def spans(text: str) -> set[str]:
    """Return the code within sentences."""
    return {" ".join(one.split()) for one in re.findall("`([^`]+)`", prose(text))}


def section(text: str, kind: str) -> str:
    """Return what is told of a kind."""
    return "\n".join(one for one in re.split("^#{2,3} ", text, flags=re.MULTILINE) if re.match(rf"{kind}\b", one))


def bare(code: str) -> list[str]:
    """Return the lines of code without comments."""
    return [line.rstrip() for line in COMMENT.sub("", code).splitlines() if line.strip()]


def tables(text: str) -> list[list[str]]:
    """Return the rows of tables, each as the code and the numbers in its cells."""
    return [re.findall(r"`[^`]+`|\d[\d.]*", row) for row in re.findall(r"^\|.*\|$", text, re.MULTILINE)]


def test_the_readme_says_the_same_in_both_languages() -> None:
    """What a program reads, and what can be counted, is the same in both."""
    one, other = map(page, PAGES)
    for what in ("^#+ ", "^- ", r"^\d\. "):
        first, second = (re.findall(what, prose(text), re.MULTILINE) for text in (one, other))
        assert len(first) > 5 and first == second, what
    first, second = ([bare(code) for code in blocks(text)] for text in (one, other))
    assert len(first) > 20 and first == second
    assert len(tables(one)) > 15 and tables(one) == tables(other)
    assert spans(one) ^ spans(other) == set()
    numbers = [sorted(NUMBER.findall(" ".join(prose(text).split()))) for text in (one, other)]
    assert len(numbers[0]) > 50 and numbers[0] == numbers[1]
    comments = [len(COMMENT.findall("".join(blocks(text)))) for text in (one, other)]
    assert comments[0] == comments[1] > 20


def test_each_page_is_in_its_language_and_leads_to_the_other() -> None:
    raw = [(FOLDER / name).read_text(encoding="utf-8") for name in PAGES]
    assert raw[0].split("\n")[2] == "[中文](README.zh-CN.md)" and raw[1].split("\n")[2] == "[English](README.md)"
    english, chinese = (re.sub("`[^`]+`", "", prose(text)) for text in raw)
    assert not re.search("[，。；：（）、]", english) and not re.search(f"[{HAN}]{{{LONGEST + 1},}}", english)
    untold = [one for one in re.split(r"\n\s*\n|^- |^\|", chinese, flags=re.MULTILINE)
              if len(one) > 100 and len(re.findall(f"[{HAN}]", one)) * 5 < len(one)]
    assert untold == []


def test_the_main_page_leads_there_in_each_language() -> None:
    for name in PAGES:
        assert f"`adapters/{name}`" in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_of_a_kind_is_told(kind: str, name: str) -> None:
    text = page(name)
    told = "\n".join(section(text, one) for one in (kind, *AS.get(kind, ())))
    assert section(text, kind).startswith(kind)
    words = set(re.findall(r"\w+", " ".join([*blocks(told), *spans(told)]), re.ASCII))
    assert _settings(KINDS[kind]) - words == set()


def _settings(kind: type[Adapter]) -> set[str]:
    return {one for schema in (kind.settings, kind.reads, kind.writes) if schema for one in schema["properties"]}


@pytest.mark.parametrize("name", PAGES)
def test_every_configuration_that_is_shown_fits_its_kind(name: str) -> None:
    seen = 0
    for kind, said in _configured(page(name)):
        made, settings, secrets = KINDS[kind], said.get("settings"), said.get("secrets", {})
        if settings is not None:
            fit(made.settings, {**settings, **secrets}, kind, kind)
        assert all("/" in one for one in secrets.values()), f"{kind}: a secret without a slash is refused"
        for part, schema in (("read", made.reads), ("write", made.writes)):
            for one in said.get(part, ()):
                fit(schema, one["what"], kind, kind)
                seen += 1
    assert seen > 10


def _configured(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for title, told in re.findall(r"^#{2,3} (.*)\n((?:(?!^#{2,3} )[\s\S])*)", text, re.MULTILINE):
        for _, language, code in FENCED.findall(told):
            if language == "toml":
                for one in _adapters(tomllib.loads(code)):
                    yield one.get("kind") or re.split("[,，]", title)[0], one


def _adapters(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = said["adapter"]  # a lone [[adapter.write]] makes a table of it
    return [found] if isinstance(found, dict) else found


@pytest.mark.parametrize("name", PAGES)
def test_every_database_that_statements_are_compiled_for_has_its_state_told(name: str) -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    (told,) = re.findall(r"^\| [^|]+\| URL \|[^\n]*\n\|---[^\n]*\n((?:\|[^\n]*\n)+)", page(name), re.MULTILINE)
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in told.splitlines()]
    assert {row[1].strip("`") for row in rows} == {url.partition(":")[0] for url in URLS.values()} | {NEVER}
    extras = {row[2].strip("`") for row in rows if row[2].startswith("`")}
    assert len(extras) > 7 and extras - set(setup["options.extras_require"]) == set()


def test_every_command_of_adapters_that_is_named_exists() -> None:
    text = page(PAGES[0])
    named = set(re.findall(r"(?:exchange-node |`)adapter ([a-z]+)", text))
    assert len(named) > 8 and named - commands.commands.keys() == set()
