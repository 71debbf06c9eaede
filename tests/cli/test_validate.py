"""`validate`: counts, problems by row id and line, all formats, constant memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import xsd
from node.cli import exits
from node.validate import Specification, Specifications, faults, plant, sample, to_json, to_xml
from tests.cli.shell import Shell
from tests.crypto.papers import CRYPTO
from tests.house.scan import CHECKS, WEIGHTS

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


def test_a_file_of_any_size_is_judged_in_the_memory_of_one_record(
    specifications: Specifications, tmp_path: Path
) -> None:
    spec = spec_of(specifications)
    block = b"".join(to_json(sample(spec, 3, number)) + b"\n" for number in range(200))
    small, large = tmp_path / "small.ndjson", tmp_path / "large.ndjson"
    small.write_bytes(block)
    with large.open("wb") as file:
        for _ in range(100):
            file.write(block)
        file.write(b"x" * (32 << 20))  # and a line that never ends
    peaks = [_peak(small, 0), _peak(large, exits.DATA)]
    assert peaks[1] - peaks[0] < 12 << 10, peaks


def _peak(path: Path, status: int) -> int:
    """Return the peak of resident memory (KiB) of a run over a file."""
    script = (
        "import resource, sys\nfrom node.cli.call import call\n"
        f"status = call(['validate', '--spec', {NAMES[0]!r}, {str(path)!r}, '--json'])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\nsys.exit(status)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, timeout=120)
    assert done.returncode == status, done.stderr
    return int(done.stderr.splitlines()[-1])
