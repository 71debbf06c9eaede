"""Nothing but the mapping and the tables of codes beside it is ever opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from node.model import codes
from node.model.trouble import Hold
from node.validate.mapping import OCTETS, BadMapping, load_mapping
from node.validate.mapping.beside import beside
from tests.validate.held import sm3
from tests.validate.mapping.made import document, specifications


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of a mapping, with a secret above it."""
    (tmp_path / "secret.tsv").write_text("a\tx\n")
    inner = tmp_path / "mappings"
    (inner / "codes").mkdir(parents=True)
    (inner / "codes" / "是否.tsv").write_text("是\tY\n", encoding="utf-8")
    return inner


def rules(path: Path, wanted: str | None = None) -> list[str]:
    """Return the rules that a mapping's file breaks."""
    try:
        load_mapping(path, specifications(), sm3, wanted)
    except BadMapping as bad:
        assert bad.code is codes.MAPPING_FORM and all(one.file == path.name for one in bad.faults)
        return [one.rule for one in bad.faults]
    return []


def test_a_table_of_codes_lies_beside_its_mapping_or_below(folder: Path) -> None:
    path = folder / "old.toml"
    path.write_bytes(document({"Remark": '{ from = "A", file = "codes/是否.tsv" }'}))
    assert load_mapping(path, specifications(), sm3).twin({"A": "是"})["Remark"] == "Y"


@pytest.mark.parametrize("name", [
    "../secret.tsv", "codes/../../secret.tsv", "./codes/是否.tsv", "/etc/passwd", "link.tsv", "out/secret.tsv",
    "codes", "none.tsv", "pipe.tsv", "", "a" * 200, "codes//是否.tsv", "a\0b", "large.tsv", "codes/是否.tsv/", "~/x",
])
def test_no_other_file_is_opened(folder: Path, name: str) -> None:
    (folder / "link.tsv").symlink_to(folder.parent / "secret.tsv")
    (folder / "out").symlink_to(folder.parent)
    (folder / "large.tsv").write_bytes(b"x" * (OCTETS + 1))
    os.mkfifo(folder / "pipe.tsv")
    with pytest.raises(Hold):
        beside(folder)(name)


def test_a_mapping_that_cannot_be_read_is_told(folder: Path) -> None:
    os.mkfifo(folder / "pipe.toml")
    (folder / "large.toml").write_bytes(b"#" * (OCTETS + 1))
    assert rules(folder / "none.toml") == rules(folder) == rules(folder / "pipe.toml") == ["unreadable"]
    assert rules(folder / "large.toml") == ["size"]


def test_a_mapping_to_another_interface_is_told(folder: Path) -> None:
    path = folder / "old.toml"
    path.write_bytes(document({}))
    assert rules(path) == rules(path, "population-basic/1.0") == rules(path, "population-basic/2.0") == []
    assert rules(path, "region-code/1.0") == ["other"]
