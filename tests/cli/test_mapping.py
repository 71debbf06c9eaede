"""`validate --mapping`: files as a legacy system exports them, and faults of the mapping itself."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from node.cli import exits
from tests.cli.shell import Shell

MAPPING = """
[mapping]
specification = "region-code/1.0"
charset = "gb18030"
[fields]
RecordId = "编号"
Operation = { value = "I" }
EventTime = { from = "更新", date = "YYYY/M/D" }
RegionCode = "代码"
RegionName = "名称"
FirstRevision = { value = "198012" }
LastRevision = { value = "201904" }
"""
ROWS = [
    {"编号": "r-1", "代码": "441802", "名称": "清城区", "更新": "2024/5/1"},
    {"编号": "r-2", "代码": "441803", "名称": "清\n新区", "更新": "2024/5/1"},
    {"编号": "r-3", "代码": "441804", "名称": "", "更新": "2024/2/30"},
]


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """Return the file of a mapping."""
    path = tmp_path / "old.toml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def table(path: Path, rows: list[dict[str, str]] = ROWS, charset: str = "gb18030") -> Path:
    """Write rows as CSV."""
    with path.open("w", encoding=charset, newline="") as stream:
        writer = csv.DictWriter(stream, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def lines(path: Path, charset: str) -> Path:
    """Write the rows as NDJSON."""
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS), encoding=charset)
    return path


def told(answer: Any) -> list[tuple[int, str, str, str]]:
    """Return the problems as (line, row id, field, rule)."""
    return [(one["line"], one["key"], one["field"], one["rule"]) for one in answer.json["problems"]]


WANTED = [("r-2", "RegionName", "text"), ("r-3", "EventTime", "mapping-date"), ("r-3", "RegionName", "required")]


@pytest.mark.parametrize("charset", ["gb18030", "utf-8", "utf-8-sig"])
def test_a_table_is_judged_by_its_lines_and_problems_name_its_columns(
    mapping: Path, tmp_path: Path, shell: Shell, charset: str
) -> None:
    path = table(tmp_path / "rows.csv", charset=charset)
    given = ("--charset", "utf-8") if charset == "utf-8" else ()
    answer = shell("validate", "--mapping", mapping, path, *given, "--json")
    assert answer.status == exits.DATA and (answer.json["accepted"], answer.json["refused"]) == (1, 2)
    assert told(answer) == [(line, *one) for line, one in zip((3, 5, 5), WANTED)]
    assert answer.json["problems"][1]["zh"].endswith("（来源列：更新）")


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
def test_lines_of_json_are_judged_too_and_a_specification_may_be_named(
    mapping: Path, tmp_path: Path, shell: Shell, charset: str
) -> None:
    path = lines(tmp_path / "rows.ndjson", charset)
    given = ("--charset", "utf-8") if charset == "utf-8" else ()
    answer = shell("validate", "--spec", "region-code/1.0", "--mapping", mapping, path, *given, "--json")
    assert told(answer) == [(line, *one) for line, one in zip((2, 3, 3), WANTED)]
    single = tmp_path / "one.json"
    single.write_text(json.dumps(ROWS[0]), encoding="ascii")
    assert shell("validate", "--mapping", mapping, single).status == exits.OK


def test_a_report_names_fields_and_columns(mapping: Path, tmp_path: Path, shell: Shell) -> None:
    path = table(tmp_path / "rows.csv")
    assert shell("validate", "--mapping", mapping, path, "--report", tmp_path / "out").status == exits.DATA
    text = (tmp_path / "out" / "refusals.csv").read_text(encoding="utf-8-sig")
    assert "（来源列：名称）" in text and "r-3" in text and "02/30" not in text


def test_every_fault_of_a_mapping_is_told_with_its_line(tmp_path: Path, shell: Shell) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(MAPPING.replace('"代码"', '{ fron = "代码" }').replace('"198012"', '"1"'), encoding="utf-8")
    answer = shell("validate", "--mapping", path, table(tmp_path / "rows.csv"))
    assert answer.status == exits.CONFIG
    assert "EXN-MAPPING-FORM" in answer.err and "bad.toml:9" in answer.err and "bad.toml:11" in answer.err
    faults = shell("validate", "--mapping", path, table(tmp_path / "rows.csv"), "--json")
    assert {one["line"] for one in json.loads(faults.err)["error"]["faults"]} == {9, 11}


@pytest.mark.parametrize(("given", "status"), [
    (("rows.csv",), exits.USAGE), (("--spec", "region-code/1.0", "rows.csv"), exits.DATA),
    (("--mapping", "old.toml", "rows.xml"), exits.DATA), (("--mapping", "none.toml", "rows.csv"), exits.CONFIG),
    (("--spec", "population-basic/1.0", "--mapping", "old.toml", "rows.csv"), exits.CONFIG),
    (("--mapping", "old.toml", "other.csv"), exits.DATA),
])
def test_what_does_not_go_together_is_told(
    mapping: Path, tmp_path: Path, shell: Shell, given: tuple[str, ...], status: int
) -> None:
    table(tmp_path / "rows.csv")
    (tmp_path / "rows.xml").write_bytes(b"<a/>")
    (tmp_path / "other.csv").write_bytes(b"a,b\n1,2\n")
    answer = shell("validate", *(one if one[0] == "-" or "/" in one else tmp_path / one for one in given))
    assert answer.status == status, answer.err


def test_a_table_broken_in_the_middle_keeps_its_good_rows(mapping: Path, tmp_path: Path, shell: Shell) -> None:
    path = table(tmp_path / "rows.csv", ROWS[:1])
    with path.open("ab") as stream:
        stream.write(b'"r-9,never closed')
    answer = shell("validate", "--mapping", mapping, path, "--json")
    assert (answer.json["accepted"], answer.json["refused"]) == (1, 1)
    assert [one["rule"] for one in answer.json["problems"]] == ["malformed"]


def test_a_table_of_any_number_of_rows_is_read(mapping: Path, tmp_path: Path, shell: Shell) -> None:
    rows = [{**ROWS[0], "编号": f"r-{number}"} for number in range(12_000)]
    answer = shell("validate", "--mapping", mapping, table(tmp_path / "rows.csv", rows), "--json")
    assert answer.json["accepted"] == 12_000
