"""Documents say what is true: examples load, front pages are complete, every code has its sentences."""

from __future__ import annotations

import ast
import re
from configparser import ConfigParser
from pathlib import Path

import pytest

from node.config import load
from node.model.codes import TABLE
from node.model.sentence import Sentence
from tests.house.plan import FLOOR, NODE, ROOT, modules
from tests.house.rules import marks

CODE = re.compile(r"\bEXN-[A-Z][A-Z0-9-]*[A-Z0-9](?![A-Z0-9-])")
CHINESE = re.compile("[一-鿿]")
HEADINGS = ("For:", "Hides:", "Who may call:", "Promises:", "Fails:")
READMES = ("README.md", "README.zh-CN.md")


@pytest.mark.parametrize("name", ["department", "central"])
def test_the_examples_in_config_load(name: str) -> None:
    settings = load(ROOT / "config" / f"{name}.toml", {"CREDENTIALS_DIRECTORY": "/run/credentials/exchange-node"})
    assert (settings.gateway is None) == (name == "department")


@pytest.mark.parametrize("name", ["department", "central"])
def test_the_examples_still_load_with_every_default_written_out(name: str, tmp_path: Path) -> None:
    """A key that stands in a comment is a key: with the mark taken off, only what it would add may be at fault."""
    text = (ROOT / "config" / f"{name}.toml").read_text(encoding="utf-8")
    plain = re.sub(r"^# (?=(?:\[{0,2}[a-z_.]+\]{0,2}|[a-z_]+ = .*?)(?:\s+#.*)?$)", "", text, flags=re.MULTILINE)
    # What is "..." in the example stands for a path of the reader's own.
    own = r'^(?:\[api\.tls\]|old|key|cert|ca|crl|profile) .*"\.\.\.".*\n|^\[api\.tls\].*\n'
    plain = re.sub(own, "", plain, flags=re.MULTILINE)
    path = tmp_path / "node.toml"
    path.write_text(plain, encoding="utf-8")
    written = load(path, {"CREDENTIALS_DIRECTORY": "/run"})
    given = load(ROOT / "config" / f"{name}.toml", {"CREDENTIALS_DIRECTORY": "/run"})
    for section in ("api", "admin", "gateway", "disk", "retention", "clock", "timers"):
        for key, value in getattr(given, section) or ():
            if key != "token":
                assert getattr(getattr(written, section), key) == value, (section, key)


@pytest.mark.parametrize("room", sorted(path.parent.name for path in NODE.glob("*/__init__.py")))
def test_each_room_has_its_front_page(room: str) -> None:
    page = ast.get_docstring(ast.parse((NODE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    lacking = [heading for heading in HEADINGS if heading not in page]
    assert not lacking, f"the front page of node/{room} lacks {lacking}: what it is for, what it hides, who may call " \
                        "it, what it promises and how it fails"
    assert room in FLOOR


@pytest.mark.parametrize("name", READMES)
def test_the_readme_shows_the_two_commands_and_files_that_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "make demo" in text and "make test" in text
    named = re.findall(r"`((?:node|config|systemd|keys|xsd|tests)/[A-Za-z0-9_./-]*)`", text)
    assert len(named) > 15
    missing = [path for path in named if not (ROOT / path).exists()]
    assert not missing, f"{name} names files that are not there: {missing}"


def test_both_readmes_name_the_same_files() -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in READMES]
    first, second = (re.findall(r"`(node/[a-z_/]+\.py)`", text) for text in texts)
    assert first == second


@pytest.mark.parametrize("name", ["NEWS.md", "DECISIONS.md"])
def test_news_and_decisions_exist(name: str) -> None:
    assert len((NODE / name).read_text(encoding="utf-8")) > 200


def test_every_dependency_is_bounded_and_has_its_reason() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    reasons = (NODE / "DECISIONS.md").read_text(encoding="utf-8").lower()
    needed = setup["options"]["install_requires"].split("\n")
    extras = [line for text in setup["options.extras_require"].values() for line in text.split("\n")]
    for line in filter(None, needed + extras):
        if line.startswith("exchange-node["):
            continue  # our own extras
        name = re.split(r"[\[<>=~!]", line)[0].strip()
        assert f"**{name}**" in reasons, f"{name}: say in node/DECISIONS.md why it is here"
        assert line not in needed or re.search(r"==|<", line), f"{line}: bound it above"


@pytest.mark.parametrize("code", TABLE.values(), ids=lambda code: code.name)
def test_every_code_says_what_and_how_to_cure_it_in_both_languages(code: object) -> None:
    name, says, cure = (getattr(code, part) for part in ("name", "says", "cure"))
    assert re.fullmatch(r"EXN-[A-Z0-9]+(-[A-Z0-9]+)*", name) and len(name) <= 52
    for sentence in (says, cure):
        assert isinstance(sentence, Sentence)
        assert CHINESE.search(sentence.zh), name
        assert sentence.en and not CHINESE.search(sentence.en), name
    assert marks(says.zh) == marks(says.en) and marks(cure.zh) | marks(cure.en) <= marks(says.zh), name


def test_every_code_that_is_named_exists() -> None:
    named: dict[str, str] = {}
    for module in modules():
        for spot in ast.walk(module.tree):
            if isinstance(spot, ast.Constant) and isinstance(spot.value, str):
                named |= {code: module.at(spot, code) for code in CODE.findall(spot.value)}
    for path in [*NODE.glob("*.md"), *(ROOT / name for name in READMES)]:
        text = path.read_text(encoding="utf-8")
        named |= {code: f"{path.name}: {code}" for code in CODE.findall(text)}
    unknown = [place for code, place in named.items() if code not in TABLE]
    assert not unknown, f"codes without zh, en and cure in node/model/codes.py: {unknown}"
