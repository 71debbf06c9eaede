"""`validate`: counts, problems by row id and line, all formats, constant memory."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import xsd
from node.cli import exits
from node.validate import Specification, Specifications, faults, plant, sample, to_json, to_xml
from tests.cli.shell import Shell
from tests.crypto.papers import CRYPTO
from tests.house.scan import CHECKS, WEIGHTS
from tests.validate.workshop import document, workshop

NAMES = ("population-basic/1.0", "legal-entity-basic/1.0", "region-code/1.0")


@pytest.fixture(scope="module")
def specifications() -> Specifications:
    return Specifications.load(xsd.FOLDER, CRYPTO.sm3)


def spec_of(specifications: Specifications, name: str = NAMES[0]) -> Specification:
    found = specifications.get(name)
    assert found is not None
    return found


def planted(spec: Specification, rule: str, number: int) -> dict[str, Any]:
    """Return a record with one fault of a rule."""
    fault = next(one for one in faults(spec) if one.rule == rule and one.field != "RecordId")
    return plant(spec, sample(spec, 3, number), fault, number)


@pytest.mark.parametrize("name", NAMES)
def test_good_records_of_every_specification_pass_in_every_format(
    name: str, specifications: Specifications, shell: Shell, tmp_path: Path
) -> None:
    spec = spec_of(specifications, name)
    twins = [sample(spec, 5, number) for number in range(5)]
    (tmp_path / "a.ndjson").write_bytes(b"\n".join(map(to_json, twins)))
    (tmp_path / "b.json").write_bytes(to_json(twins[0]))
    (tmp_path / "c.xml").write_bytes(to_xml(spec, twins))
    answer = shell("validate", "--spec", name, *(tmp_path / file for file in ("a.ndjson", "b.json", "c.xml")), "--json")
    assert answer.status == 0 and answer.json == {"problems": [], "accepted": 11, "refused": 0}


def test_refusals_are_told_by_row_id_line_and_rule_in_both_languages(
    specifications: Specifications, shell: Shell, tmp_path: Path
) -> None:
    spec, path = spec_of(specifications), tmp_path / "a.ndjson"
    path.write_bytes(b"\n".join([
        to_json(sample(spec, 3, 0)), b"", to_json(planted(spec, "required", 1)), b"{broken",
        to_json(planted(spec, "empty", 2)),
    ]))
    answer = shell("validate", "--spec", NAMES[0], path, "--json")
    assert answer.status == exits.DATA and (answer.json["accepted"], answer.json["refused"]) == (1, 3)
    found = [(one["index"], one["line"], one["key"], one["rule"]) for one in answer.json["problems"]]
    assert found == [
        (1, 3, "row-3-1", "required"), (2, 4, None, "malformed"), (3, 5, "row-3-2", "empty"),
    ]
    assert {"index", "key", "field", "rule", "severity", "zh", "en"} <= set(answer.json["problems"][0])
    chinese = shell("validate", "--spec", NAMES[0], path, "--lang", "zh")
    assert "通过1条，退回3条" in chinese.out and f"{path}:3  row-3-1" in chinese.out


def test_several_files_are_told_apart_and_xml_by_index(
    specifications: Specifications, shell: Shell, tmp_path: Path
) -> None:
    spec = spec_of(specifications)
    for name in ("a.xml", "b.xml"):
        (tmp_path / name).write_bytes(to_xml(spec, [sample(spec, 3, 0), planted(spec, "required", 1)]))
    told = shell("validate", "--spec", NAMES[0], tmp_path / "a.xml", tmp_path / "b.xml", "--json").json
    assert [(Path(one["file"]).name, one["index"]) for one in told["problems"]] == [("a.xml", 1), ("b.xml", 1)]
    assert all("line" not in one for one in told["problems"])


def test_gb18030_is_read_when_it_is_said(specifications: Specifications, shell: Shell, tmp_path: Path) -> None:
    spec, path = spec_of(specifications), tmp_path / "a.ndjson"
    path.write_bytes(to_json(sample(spec, 3, 0)).decode().encode("gb18030") + b"\n\x81\n")
    answer = shell("validate", "--spec", NAMES[0], path, "--charset", "gb18030", "--json")
    assert (answer.json["accepted"], answer.json["refused"]) == (1, 1)
    assert answer.json["problems"][0]["rule"] == "charset"
    assert shell("validate", "--spec", NAMES[0], path, "--json").json["accepted"] == 0


def test_what_is_no_body_at_all_is_refused_before_anything_is_printed(shell: Shell, tmp_path: Path) -> None:
    for name, octets in (
        ("a.json", b"{"), ("a.xml", b"<x/>"), ("b.xml", b"<!DOCTYPE x><x/>"), ("b.json", b"\xef\xbb\xbf{}"),
        ("c.json", b""),
    ):
        (tmp_path / name).write_bytes(octets)
        answer = shell("validate", "--spec", NAMES[0], tmp_path / name, "--json")
        assert answer.status == exits.DATA and not answer.out and json.loads(answer.err)["error"]["code"]


def test_an_unknown_specification_names_those_there_are(shell: Shell, tmp_path: Path) -> None:
    answer = shell("validate", "--spec", "nothing/1.0", tmp_path / "a.json")
    assert answer.status == exits.USAGE and all(name in answer.err for name in NAMES)


def test_warnings_are_told_when_asked_for(specifications: Specifications, shell: Shell, tmp_path: Path) -> None:
    spec, path = spec_of(specifications), tmp_path / "a.ndjson"
    path.write_bytes(to_json(_born(sample(spec, 3, 0), "18991231")))
    quiet = shell("validate", "--spec", NAMES[0], path, "--json")
    assert quiet.status == 0 and quiet.json["problems"] == []
    told = shell("validate", "--spec", NAMES[0], path, "--warnings", "--json")
    assert told.status == 0
    assert [(one["rule"], one["severity"]) for one in told.json["problems"]] == [("citizen-old", "warn")]


def _born(twin: dict[str, Any], day: str) -> dict[str, Any]:
    """Return a person born on another day, the number's check digit made anew (GB 11643)."""
    front = twin["IdNumber"][:6] + day + twin["IdNumber"][14:17]
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, front))
    return {**twin, "BirthDate": day, "IdNumber": front + chr(CHECKS[total % 11])}


MOST = 64 << 10
"""KiB of resident memory that a file of any size may take."""


@pytest.mark.parametrize("octets", [24 << 20, pytest.param(104 << 20, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", ["ndjson", "xml"])
def test_a_file_that_memory_would_not_hold_takes_64_mib_at_most(
    kind: str, octets: int, specifications: Specifications, tmp_path: Path
) -> None:
    spec, path = spec_of(specifications), tmp_path / f"large.{kind}"
    twins = [sample(spec, 3, number) for number in range(199)] + [planted(spec, "citizen-check", 199)]
    head, block, foot = b"", b"".join(to_json(twin) + b"\n" for twin in twins), b"x" * (8 << 20)
    if kind == "xml":
        whole = to_xml(spec, twins)
        start, end = whole.index(b"<PopulationBasic>"), whole.rindex(b"</PopulationBasicList>")
        head, block, foot = whole[:start], whole[start:end], b"<" * 999  # and there it breaks
    times = octets // len(block) + 1
    with path.open("wb") as file:
        file.write(head)
        for _ in range(times):
            file.write(block)
        file.write(foot)
    assert path.stat().st_size > octets
    peak, said = _run(path, exits.DATA, "--report", str(tmp_path / "report"))
    assert peak < MOST, peak
    assert f"{199 * times} accepted, {times + 1} refused" in said
    rows = (tmp_path / "report" / "refusals.json").read_text().splitlines()
    assert len(rows) == times + 1 and {json.loads(row)["rule"] for row in rows[:-1]} == {"citizen-check"}
    path.unlink()


def _run(path: Path, status: int, *more: str) -> tuple[int, str]:
    """Return the peak of resident memory (KiB) of a run over a file, and what it printed."""
    ask = ["validate", "--spec", NAMES[0], "--lang", "en", str(path), *more]
    # Not ru_maxrss: a process inherits that of the one that started it.
    script = (
        f"import re, sys\nfrom node.cli.call import call\nstatus = call({ask!r})\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], file=sys.stderr)\nsys.exit(status)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, timeout=240)
    assert done.returncode == status, done.stderr
    return int(done.stderr.splitlines()[-1]), done.stdout.decode()


def test_a_bar_shows_how_far_a_file_is_read_while_a_person_looks_on(
    specifications: Specifications, tmp_path: Path
) -> None:
    spec, path = spec_of(specifications), tmp_path / "a.ndjson"
    path.write_bytes(b"\n".join(to_json(sample(spec, 3, number)) for number in range(50)))
    ours, theirs = pty.openpty()
    ask = [sys.executable, "-m", "node", "validate", "--spec", NAMES[0], "--lang", "zh", str(path)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    root = Path(__file__).parents[2]
    with subprocess.Popen(ask, cwd=root, stdout=subprocess.PIPE, stderr=theirs, env=environment) as run:
        os.close(theirs)
        shown = b"".join(iter(partial(_read, ours), b"")).decode()
        out = run.stdout.read().decode() if run.stdout else ""
    os.close(ours)
    assert run.returncode == 0 and "通过50条，退回0条" in out
    assert "校验" in shown and "━" in shown and f"/{path.stat().st_size / 1000:.1f} kB" in shown
    assert "校验" not in out  # what is piped on holds no bar


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # a terminal of nobody
        return b""


# --- the report -------------------------------------------------------------------------------------------------


def test_the_report_is_for_excel_and_for_programs(specifications: Specifications, zh: Shell, tmp_path: Path) -> None:
    spec, path, folder = spec_of(specifications), tmp_path / "a.ndjson", tmp_path / "r"
    path.write_bytes(b"\n".join([
        to_json(sample(spec, 3, 0)), b"", to_json(planted(spec, "required", 1)),
        to_json({**sample(spec, 3, 2), "Wrong": "x"}),
    ]))
    answer = zh("validate", "--spec", NAMES[0], path, "--report", folder)
    assert answer.status == exits.DATA and "通过1条，退回2条" in answer.out and str(folder) in answer.err
    raw = (folder / "refusals.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and (folder / "refusals.csv").stat().st_mode & 0o777 == 0o600
    rows = list(csv.reader(StringIO(raw.decode("utf-8-sig"))))
    assert [cell.partition(" ")[0] for cell in rows[0]] == [
        "文件", "行号或记录号", "来源记录号", "字段", "含义", "规则", "后果", "说明", "说明",
    ]
    assert rows[1][:4] == [str(path), "3", "row-3-1", "Operation"] and rows[1][4] == "同步类型 operation"
    assert rows[1][5:] == ["required", "退回 refuses", "同步类型必填，请补填", "operation is required; fill it in"]
    assert rows[2][3:6] == ["Wrong", "", "unknown"]
    lines = [json.loads(line) for line in (folder / "refusals.json").read_text().splitlines()]
    assert [(one["line"], one["record"], one["key"], one["rule"]) for one in lines] == [
        (3, 2, "row-3-1", "required"), (4, 3, "row-3-2", "unknown"),
    ]
    again = zh("validate", "--spec", NAMES[0], path, "--report", folder)
    assert again.status == exits.USAGE and "不会覆盖" in again.err and (folder / "refusals.csv").read_bytes() == raw


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["ndjson", "xml"])
def test_no_report_holds_a_value_of_a_record(
    name: str, kind: str, specifications: Specifications, shell: Shell, tmp_path: Path
) -> None:
    spec, path = spec_of(specifications, name), tmp_path / f"a.{kind}"
    twins = [plant(spec, sample(spec, 8, number), fault, number) for number, fault in enumerate(faults(spec))]
    path.write_bytes(to_xml(spec, twins) if kind == "xml" else b"\n".join(map(to_json, twins)))
    told = shell("validate", "--spec", name, path, "--report", tmp_path / "r", "--warnings", "--json")
    assert (told.json["accepted"], told.json["refused"]) == (0, len(twins))
    texts = [told.out, *(file.read_text() for file in (tmp_path / "r").iterdir())]
    # What a specification fixes itself stands in its sentences; everything else of six characters must not.
    values = {text for twin in twins for field, text in _texts(twin) if field != "RecordId" and len(text) >= 6}
    assert len(values) > 100 and len(texts) == 3
    assert not [value for value in values for text in texts if value in text]
    bad = {str(twin["RecordId"]) for twin in twins if isinstance(twin.get("RecordId"), str)
           and not re.fullmatch("row-8-[0-9]+", twin["RecordId"]) and len(twin["RecordId"]) > 1}
    assert bad and not [row for row in bad for text in texts if row in text]


def _texts(twin: Any, field: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(twin, dict):
        for name, inner in twin.items():
            yield from _texts(inner, name)
    elif isinstance(twin, list):
        for inner in twin:
            yield from _texts(inner, field)
    else:
        yield field, str(twin)


def test_no_cell_of_a_report_is_a_formula(specifications: Specifications, shell: Shell, tmp_path: Path) -> None:
    spec, path = spec_of(specifications), tmp_path / "a.ndjson"
    twin = {**planted(spec, "required", 1), "RecordId": "=cmd|'/c'!A1", "+1": "x", "@a": "x"}
    path.write_bytes(to_json(twin))
    shell("validate", "--spec", NAMES[0], path, "--report", tmp_path / "r")
    rows = list(csv.reader(StringIO((tmp_path / "r" / "refusals.csv").read_bytes().decode("utf-8-sig"))))
    cells = [cell for row in rows for cell in row]
    assert "'=cmd|'/c'!A1" in cells and "'+1" in cells and "'@a" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_a_file_that_breaks_keeps_its_good_records_and_names_the_place(
    specifications: Specifications, shell: Shell, tmp_path: Path
) -> None:
    spec = spec_of(specifications)
    whole = to_xml(spec, [sample(spec, 3, number) for number in range(4)])
    lines = whole.split(b"\n")
    lines[4] = lines[4].replace(b"</RecordId>", b"</Record>")
    (tmp_path / "a.xml").write_bytes(b"\n".join(lines))
    told = shell("validate", "--spec", NAMES[0], tmp_path / "a.xml", "--json")
    assert told.status == exits.DATA and (told.json["accepted"], told.json["refused"]) == (2, 1)
    (problem,) = told.json["problems"]
    assert (problem["index"], problem["key"], problem["rule"]) == (2, None, "malformed")
    assert "line 5" in problem["en"] and "第5行" in problem["zh"] and "the 2 records before" in problem["en"]


def test_a_later_file_that_cannot_be_read_does_not_break_the_document(
    specifications: Specifications, shell: Shell, tmp_path: Path
) -> None:
    (tmp_path / "a.xml").write_bytes(to_xml(spec_of(specifications), [sample(spec_of(specifications), 3, 1)]))
    (tmp_path / "b.xml").write_bytes(b"<!DOCTYPE x><x/>")
    told = shell("validate", "--spec", NAMES[0], tmp_path / "a.xml", tmp_path / "b.xml", "--json")
    assert (told.json["accepted"], told.json["refused"]) == (1, 1)
    assert told.json["problems"][0]["file"].endswith("b.xml")


def test_a_report_of_nothing_leaves_no_file_behind(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(b"<x/>")
    answer = shell("validate", "--spec", NAMES[0], tmp_path / "a.xml", "--report", tmp_path / "r")
    assert answer.status == exits.DATA and not list((tmp_path / "r").iterdir())


def test_records_are_judged_by_an_own_specification(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "own.xsd").write_bytes(document())
    (tmp_path / "a.json").write_bytes(to_json(sample(workshop(), 1, 1)))
    assert shell.fine("validate", "--spec", tmp_path / "own.xsd", tmp_path / "a.json", "--json").json["accepted"] == 1


def test_a_json_file_of_a_record_a_line_is_read_as_such(shell: Shell, zh: Shell, tmp_path: Path) -> None:
    path = tmp_path / "many.json"
    path.write_text(shell.fine("spec", "sample", NAMES[0], "--format", "json", "--count", 3).out)
    assert shell("validate", "--spec", NAMES[0], path, "--json").json["accepted"] == 3
    first = json.loads(path.read_text().splitlines()[0])
    path.write_text(json.dumps(first, indent=1) + "\n")  # one record over many lines
    assert shell("validate", "--spec", NAMES[0], path, "--json").json["accepted"] == 1
    path.write_text(json.dumps([first, first]))
    assert "每行写一个对象" in zh("validate", "--spec", NAMES[0], path).out
