"""What is published is never edited, and a node finds a specification by the digest of all it stands on."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from node.model import codes
from node.model.record import SpecificationId
from node.model.trouble import Hold
from node.validate import Files, Specifications, check_profile, regions
from node.validate.shape import leaves
from tests.validate.held import NAMES, by_json, by_xml, found, held, sm3, spec
from xsd import FOLDER

CONTROL = "RecordId Operation EventTime BatchNo SyncTime SourceOrgCode SourceSystem DataVersion Remark".split()
READMES = ("README.md", "README.zh-CN.md")
PUBLISHED = [line.split("  ") for line in (FOLDER / "PUBLISHED").read_text().splitlines() if line[:1] != "#"]


def test_every_file_is_as_it_was_published() -> None:
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.suffix in (".xsd", ".tsv")}
    files |= {str(path.relative_to(FOLDER)) for path in FOLDER.glob("between/*/*.toml")}
    recorded = {name: digest for digest, name in PUBLISHED}
    assert files == {name for name in recorded if name.endswith((".xsd", ".tsv", ".toml"))}
    for name in files:
        assert sm3((FOLDER / name).read_bytes()).hex() == recorded[name], f"{name}: publish a new version instead"


def test_the_digest_of_a_specification_is_recorded_and_covers_all_it_stands_on(tmp_path: Path) -> None:
    recorded = {name: digest for digest, name in PUBLISHED}
    assert held().names() == list(NAMES)
    for name in NAMES:
        assert spec(name).id == SpecificationId(name.split("/")[0], "1.0", recorded[name])
    for changed in ("population-basic/1.0.xsd", "types/1.0.xsd", "tables/sex/1.0.tsv", "tables/gb2260/2019-04.tsv"):
        folder = tmp_path / changed.replace("/", "-")
        shutil.copytree(FOLDER, folder)
        with (folder / changed).open("a") as file:
            file.write("99999\tx\tx\n" if changed == "tables/sex/1.0.tsv" else "" if "gb2260" in changed else "\n")
        if "gb2260" in changed:
            text = (folder / changed).read_text()
            (folder / changed).write_text(text.replace("东城区", "东城县", 1))
        other = Specifications.load(folder, sm3).get("population-basic/1.0")
        assert other is not None and other.id.digest != spec().id.digest


def test_a_specification_is_found_by_its_very_digest_only() -> None:
    assert held().find(spec().id) is spec()
    own = spec().id
    for id in (replace(own, digest="0" * 64), replace(own, version="1.1"), SpecificationId("x", "1.0", "0")):
        with pytest.raises(Hold) as caught:
            held().find(id)
        assert caught.value.code is codes.UNKNOWN_SPECIFICATION
    assert held().get("nothing/1.0") is None


@pytest.mark.parametrize("name", NAMES)
def test_a_published_specification_fits_the_profile_and_is_labelled(name: str) -> None:
    files = Files(FOLDER)
    assert check_profile(name, files.fetch(name + ".xsd"), files.fetch, files.table) == []
    of = spec(name)
    for path, leaf in leaves(of.shape.record):
        assert leaf.label.zh and leaf.label.en, path
    assert of.title.zh and of.title.en
    block = list(of.shape.record.members.items())[:len(CONTROL)]
    assert [name for name, _ in block] == CONTROL and [one.least for _, one in block] == [1, 1, 1] + [0] * 6
    assert (of.shape.row, of.shape.operation, of.shape.time) == tuple(CONTROL[:3]) and of.shape.row not in of.key_fields
    personal = {name: leaf for name, leaf in leaves(of.shape.record) if leaf.mask in ("id", "phone", "address")}
    assert all(leaf.grade >= 3 for leaf in personal.values()), personal
    assert all(rule.says.zh and rule.says.en and "{" not in rule.says.zh + rule.says.en for rule in of.rules.all)


def test_the_readme_names_every_rule() -> None:
    from node.validate.rules.kinds import KINDS
    from node.validate.rules.wording import DOORS, FACETS
    for page in READMES:
        text = (FOLDER / page).read_text()
        assert [name for name in (*KINDS, *DOORS, *FACETS) if f"`{name}`" not in text] == []


def test_the_readme_says_the_same_in_both_languages() -> None:
    """What a program reads is the same in both: code, names, parameters, rows of tables, headings, bounds."""
    one, other = ((FOLDER / page).read_text() for page in READMES)
    for what in (r"(?s)```.*?```", "(?m)^##? ", r"(?m)^\| `[^|]+\|", "(?m)^- ", r"(?<![0-9])[1-9][0-9]{2,}(?![0-9])"):
        first, second = (re.findall(what, text) for text in (one, other))
        assert len(first) > 2 and sorted(first) == sorted(second), what
    outside = [re.sub(r"(?s)```.*?```", "", text) for text in (one, other)]
    names = [set(re.findall("`([^`\n]+)`", text)) for text in outside]
    assert names[0] ^ names[1] == set()


def test_the_real_region_table_passes_its_specification_row_by_row() -> None:
    of, table = spec("region-code/1.0"), Files(FOLDER).table("gb2260/2019-04")
    assert (len(table.rows), len(table.current)) == (7042, 3219)
    judged = [by_json(of, twin) for twin in regions(table, "2019-04-30T00:00:00+08:00")]
    assert [found(one) for one in judged if found(one)] == []
    assert len({one.key for one in judged if hasattr(one, "key")}) == 7042
    assert by_xml(of, next(regions(table, "2019-04-30T00:00:00+08:00"))) == judged[0]
