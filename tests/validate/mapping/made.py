"""Mappings made for tests: a whole one around the words under test, and short ways to use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from node.model import codes
from node.model.record import Draft, Record, Refusal
from node.model.trouble import trouble
from node.validate import Specifications, sample
from node.validate.declared import DeclaredFault
from node.validate.mapping import SourceMapping, check_mapping, read_mapping
from tests.validate import held
from tests.validate.held import TODAY, sm3
from tests.validate.workshop import workshop

PERSON = "population-basic/1.0"
JOB = "workshop/2.1"
FILES: dict[str, bytes] = {}

PERSON_FIELDS = {
    "RecordId": '"XH"', "Operation": '{ value = "I" }', "EventTime": '{ value = "2024-01-02T03:04:05+08:00" }',
    "PersonName": '"XM"', "IdTypeCode": '{ value = "111" }', "IdNumber": '"SFZH"', "SexCode": '"XB"',
    "EthnicityCode": '{ value = "01" }', "BirthDate": '"CSRQ"', "DomicileRegionCode": '{ value = "441802" }',
    "PersonStatusCode": '{ value = "1" }',
}
_SOMEBODY = sample(held.spec(), 1, 1)  # a number that nobody has, drawn at run time
PERSON_ROW = {
    "XH": "r-1", "XM": "张三", "SFZH": _SOMEBODY["IdNumber"], "XB": _SOMEBODY["SexCode"], "CSRQ": _SOMEBODY["BirthDate"],
}
JOB_FIELDS = {
    "RecordId": '"ID"', "Operation": '{ value = "U" }', "EventTime": '{ value = "2024-01-02T03:04:05" }',
    "CaseNo": '"NO"', "Name": '"NAME"',
}
JOB_ROW = {"ID": "r1", "NO": "AB12", "NAME": "名称"}


def specifications() -> Specifications:
    """Return the published specifications, and the one of every shape."""
    found = {name: held.spec(name) for name in held.held().names()}
    return Specifications({**found, JOB: workshop()})


def fetch(name: str) -> bytes:
    """Return a file of `FILES`."""
    if name not in FILES:
        raise trouble(codes.MAPPING_FORM, name=name, count=1, line=1, key="file")
    return FILES[name]


def document(fields: Mapping[str, str], spec: str = PERSON, head: str = "", rest: str = "") -> bytes:
    """Return the TOML of a mapping; `fields` stand before those that make it whole, line 4 is the first of them."""
    base = JOB_FIELDS if spec == JOB else PERSON_FIELDS
    whole = {**fields, **{name: said for name, said in base.items() if name not in fields}}
    lines = [f"{name} = {said}" for name, said in whole.items()]
    first = f'[mapping]\nspecification = "{spec}"\n{head}' + "[fields]\n"
    return (first + "\n".join(lines) + "\n" + rest).encode()


def made(fields: Mapping[str, str], spec: str = PERSON, head: str = "", rest: str = "") -> SourceMapping:
    """Return a mapping that has no fault."""
    return read_mapping("test", document(fields, spec, head, rest), specifications(), fetch, sm3)


def checked(content: bytes) -> Sequence[DeclaredFault]:
    """Return the faults of a mapping."""
    return check_mapping("test", content, specifications(), fetch, sm3)


def faults(
    fields: Mapping[str, str], spec: str = PERSON, head: str = "", rest: str = ""
) -> list[tuple[int | None, str, str]]:
    """Return the faults as (line, key, rule)."""
    return [(one.line, one.key, one.rule) for one in checked(document(fields, spec, head, rest))]


def judged(mapping: SourceMapping, row: Mapping[str, Any]) -> Record | Refusal:
    """Judge one row."""
    return mapping.judge(Draft(0, "row", row), TODAY)


def found(one: Record | Refusal) -> list[tuple[str, str]]:
    """Return (field, rule) of each problem."""
    return held.found(one)
