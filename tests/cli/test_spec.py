"""`spec list`, `show`, `jsonschema`, `sample`: what an integrator reads and takes of a specification."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from node.cli import exits
from node.model.record import Record
from node.validate import Media, Specification, faults, plant, read_drafts, sample, warnings
from node.validate.rules.kinds import KINDS
from node.validate.shape import leaves
from node.validate.told.words import form
from tests.cli.shell import Shell
from tests.validate.held import NAMES, TODAY, by_json, spec
from tests.validate.workshop import document, workshop
from xsd import FOLDER

PERSON = "population-basic/1.0"
CHINESE = re.compile("[一-鿿]")


def test_the_list_names_everything_that_is_held_with_its_digest(shell: Shell, zh: Shell) -> None:
    told = shell.fine("spec", "list", "--json").json
    published = dict(
        reversed(line.split("  ")) for line in (FOLDER / "PUBLISHED").read_text().splitlines() if line[:1] != "#"
    )
    assert {one["id"] for one in told["specifications"]} >= set(NAMES)
    for one in told["specifications"]:
        assert one["digest"] == published[one["id"]] and one["fields"] >= 10 and CHINESE.search(one["title"]["zh"])
    assert {f"tables/{one['name']}.tsv": one["digest"] for one in told["tables"]} == {
        name: digest for name, digest in published.items() if name.startswith("tables/")
    }
    people = zh.fine("spec", "list").out
    assert "人口基本信息" in people and "gb2260/2019-04" in people and told["specifications"][0]["digest"][:16] in people


@pytest.mark.parametrize("name", NAMES)
def test_one_specification_is_shown_with_every_field_rule_and_table(name: str, shell: Shell) -> None:
    told, of = shell.fine("spec", "show", name, "--json").json, spec(name)
    assert [one["field"] for one in told["fields"] if one["kind"] != "group"] == [p for p, _ in leaves(of.shape.record)]
    assert (told["row"], tuple(told["key"]), told["digest"]) == (of.shape.row, of.key_fields, of.id.digest)
    assert len(told["rules"]) == sum(1 for rule in of.rules.all if rule.kind in KINDS)
    assert [one["name"] for one in told["tables"]] == list(of.tables)
    for one in told["fields"]:
        assert CHINESE.search(one["label"]["zh"]) and one["form"]["zh"] and one["form"]["en"], one
        assert not CHINESE.search(one["form"]["en"]), one
    assert all(CHINESE.search(one["zh"]) and one["severity"] in ("refuse", "warn") for one in told["rules"])
    people = shell.fine("spec", "show", name).out
    assert all(part in people for part in (of.id.digest, of.shape.row, told["rules"][0]["en"]))


def test_a_form_is_told_in_words() -> None:
    said = {path: form(leaf) for path, leaf in leaves(spec().shape.record)}
    assert said["SexCode"].zh == "1位数字；代码表sex/1.0" and said["HouseholdNo"].en == "1 to 20 digits or capital letters"
    assert said["DataVersion"].zh == "整数；不小于0；至多10位有效数字" and said["IdTypeCode"].en == "one of: 111"
    other = {path: form(leaf) for path, leaf in leaves(workshop().shape.record)}
    assert other["Name"].en.endswith("; 2 to 20 characters") and other["Tags"].zh == "模式：[a-z]+；至多5个字符"


def test_an_own_file_is_shown_like_an_installed_one(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "draft.xsd").write_bytes(document())
    told = shell.fine("spec", "show", tmp_path / "draft.xsd", "--json").json
    assert told["id"] == "workshop/2.1" and told["correlation"] == "CaseNo"
    assert {one["field"]: one["kind"] for one in told["fields"]}["Steps/Person"] == "group"


def test_an_unknown_specification_names_those_there_are(shell: Shell) -> None:
    for wrong in ("nothing/1.0", "../types/1.0", "types", "population-basic/1.0\n"):
        answer = shell("spec", "show", wrong)
        assert answer.status == exits.USAGE and PERSON in answer.err
    assert shell("spec", "show", "nothing.xsd").status == exits.USAGE


# --- the JSON Schema --------------------------------------------------------------------------------------------

_RULES = set(KINDS) | {"digits", "total-digits", "fraction-digits"} | {
    f"{end}-{kind}" for end in ("min", "max") for kind in ("inclusive", "exclusive")
}


def _says_no_schema(of: Specification, problems: Any) -> bool:
    """Whether only rules refuse a record, of which a schema knows nothing."""
    ids = {rule.id for rule in of.rules.all if rule.kind in _RULES}
    return all(problem.rule in ids for problem in problems)


@pytest.mark.parametrize("name", [*NAMES, "workshop/2.1"])
def test_the_json_schema_is_valid_and_judges_form_as_the_node_does(name: str, shell: Shell, tmp_path: Path) -> None:
    of = workshop() if name == "workshop/2.1" else spec(name)
    (tmp_path / "own.xsd").write_bytes(document())
    told = shell.fine("spec", "jsonschema", tmp_path / "own.xsd" if name == "workshop/2.1" else name).json
    jsonschema_rs.meta.validate(told)
    assert told["$schema"].endswith("2020-12/schema") and told["$id"] == f"urn:exn:schema:{name.replace('/', ':')}"
    gate = jsonschema_rs.Draft202012Validator(told)
    for path, leaf in leaves(of.shape.record):
        inner: Any = told
        for step in path.split("/"):
            inner = (inner["items"] if inner.get("type") == "array" else inner)["properties"][step]
        assert inner["title"] == f"{leaf.label.zh} / {leaf.label.en}" and CHINESE.search(inner["description"])
    for operation in "IUD":
        twins = [sample(of, 4, number, operation=operation) for number in range(8)]
        assert all(gate.is_valid(twin) for twin in twins)
    refused, good = 0, [sample(of, 4, number) for number in range(5)]
    for number, fault in enumerate(faults(of)):
        twin = plant(of, good[number % len(good)], fault, number)
        judged = by_json(of, twin)
        assert not isinstance(judged, Record)
        wanted = _says_no_schema(of, judged.problems)
        assert gate.is_valid(twin) == wanted, (name, fault.name)
        refused += not wanted
    assert refused > 10


# --- samples ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["I", "U", "D"])
@pytest.mark.parametrize("kind", ["ndjson", "xml", "json"])
def test_samples_are_repeatable_and_good(kind: str, operation: str, shell: Shell) -> None:
    count = 5
    ask = ("spec", "sample", PERSON, "--format", kind, "--count", count, "--seed", 9, "--operation", operation)
    first = shell.fine(*ask).out
    assert first == shell.fine(*ask).out != shell.fine(*ask[:-3], 10, *ask[-2:]).out
    drafts = read_drafts(first.encode(), Media("xml" if kind == "xml" else "ndjson"), spec(PERSON))
    judged = [spec(PERSON).judge(one, TODAY) for one in drafts]
    assert len(judged) == count and all(isinstance(one, Record) for one in judged)
    assert {json.loads(one.body)["Operation"] for one in judged if isinstance(one, Record)} == {operation}


def test_a_fault_is_planted_by_its_name_or_by_its_rule(shell: Shell) -> None:
    of = spec()
    listed = shell.fine("spec", "sample", PERSON, "--bad", "list", "--json").json
    assert [one["name"] for one in listed] == [fault.name for fault in (*faults(of), *warnings(of))]
    for bad, rules in (("IdNumber:citizen-check", {"citizen-check"}), ("required", {"required"})):
        out = shell.fine("spec", "sample", PERSON, "--bad", bad, "--count", 6).out
        judged = [of.judge(one, TODAY) for one in read_drafts(out.encode(), Media("ndjson"), of)]
        fields = set()
        for one in judged:
            assert not isinstance(one, Record) and rules <= {problem.rule for problem in one.problems}
            fields |= {problem.field for problem in one.problems if problem.rule in rules}
        assert len(fields) == (1 if ":" in bad else 6)


@pytest.mark.parametrize("ask", [
    ("--bad", "nothing"), ("--bad", "required", "--operation", "D"),
    ("--count", "0"), ("--format", "csv"),
])
def test_what_cannot_be_made_is_told(ask: tuple[str, ...], shell: Shell) -> None:
    answer = shell("spec", "sample", PERSON, *ask)
    assert answer.status == exits.USAGE and answer.err and not answer.out


# --- two versions -----------------------------------------------------------------------------------------------


def test_two_versions_are_compared_field_by_field(shell: Shell, zh: Shell, tmp_path: Path) -> None:
    old, new = tmp_path / "old.xsd", tmp_path / "new.xsd"
    old.write_bytes(document())
    new.write_bytes(document().replace(b'maxLength value="20"', b'maxLength value="30"').replace(
        b'totalDigits value="6"', b'totalDigits value="5"'))
    told = shell.fine("spec", "diff", old, new, "--json").json
    assert told["verdict"] == "breaking" and told["old"]["digest"] != told["new"]["digest"]
    assert [(one["field"], one["what"], one["verdict"]) for one in told["differences"]] == [
        ("Amounts", "total-digits", "breaking"), ("Name", "max-length", "widening"),
    ]
    people = zh.fine("spec", "diff", old, new).out
    assert "最多字符数由20改为30" in people and "整体：不兼容（workshop/2.1 → workshop/2.1）" in people
    assert "There is no difference" in shell.fine("spec", "diff", PERSON, PERSON).out


@pytest.mark.parametrize(("change", "fail_on", "status"), [
    (b'"20"', "breaking", 0), (b'"21"', "breaking", 0), (b'"21"', "widening", exits.DATA),
    (b'"19"', "breaking", exits.DATA), (b'"19"', "widening", exits.DATA), (b'"20"', "widening", 0),
])
def test_a_verdict_can_fail_a_build(change: bytes, fail_on: str, status: int, shell: Shell, tmp_path: Path) -> None:
    old, new = tmp_path / "old.xsd", tmp_path / "new.xsd"
    old.write_bytes(document())
    new.write_bytes(document().replace(b'"20"', change, 1))
    assert shell("spec", "diff", old, new, "--fail-on", fail_on).status == status
    assert shell("spec", "diff", old, new).status == 0


# --- the page ---------------------------------------------------------------------------------------------------


def test_the_page_is_written_to_a_file_or_all_of_them_to_a_folder(shell: Shell, tmp_path: Path) -> None:
    out, folder = tmp_path / "a.html", tmp_path / "pages"
    shell.fine("spec", "doc", PERSON, "--out", out)
    text = out.read_text()
    assert text == shell.fine("spec", "doc", PERSON).out and text.startswith("<!DOCTYPE html>")
    for _ in range(2):  # it can be made again over the old one
        told = shell.fine("spec", "doc", "--all", folder)
    names = {path.name for path in folder.iterdir()}
    assert names >= {f"{name.replace('/', '-')}.html" for name in NAMES} | {"index.html"} and not told.out
    assert all(f'href="{name}"' in (folder / "index.html").read_text() for name in names - {"index.html"})
    for path in (out, folder / "population-basic-1.0.html"):
        path.unlink()  # it shows a number of a 30th of February, which this session's guard takes for a person's


def test_the_page_of_an_own_file_tells_what_changed_since_the_installed_version(shell: Shell, tmp_path: Path) -> None:
    newer = (FOLDER / "region-code" / "1.0.xsd").read_bytes().replace(b'version="1.0" row', b'version="1.99" row')
    (tmp_path / "a.xsd").write_bytes(newer.replace(b'value="1000"', b'value="900"', 1))
    assert "最多字符数由1000改为900" in shell.fine("spec", "doc", tmp_path / "a.xsd").out


@pytest.mark.parametrize("ask", [(), (PERSON, "--all", "x"), ("--all", "x", "--out", "y")])
def test_a_page_of_nothing_is_not_made(ask: tuple[str, ...], shell: Shell, tmp_path: Path) -> None:
    assert shell("spec", "doc", *(tmp_path / one if one == "x" else one for one in ask)).status == exits.USAGE
    assert shell("spec", "doc", PERSON, "--out", tmp_path / "none" / "a.html").status == exits.PERMISSION
