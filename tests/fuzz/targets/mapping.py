"""Rows of a legacy source as a mapping takes them, and mapping files as an operator writes them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache, partial

import orjson

from node.model.record import Record, Refusal
from node.model.trouble import Trouble
from node.validate import Limits, Media
from node.validate.mapping import SourceMapping, check_mapping, read_mapping
from tests.fuzz.mutate import any_of, json_text, octets
from tests.fuzz.target import MARKER, Target, hidden
from tests.validate.held import TODAY, sm3
from tests.validate.mapping.made import JOB, JOB_ROW, PERSON_ROW, document, fetch, specifications
from xsd import FOLDER

LIMITS = Limits(octets=256 << 10, records=200, record_octets=64 << 10)
PERSON_WORDS = {
    "EventTime": '{ from = "T", date = ["YYYY-MM-DD hh:mm:ssf", "GB/T 39046"], default = "2024-01-02T03:04:05" }',
    "SexCode": '{ from = "XB", codes = { "男" = "1", "女" = "2" }, keep = true }',
    "Remark": '{ join = ["A", "B"], by = "；", width = "half-all" }',
    "DataVersion": '{ from = "N", number = true, thousands = ",", factor = "10" }',
    "HouseholdNo": '{ from = "H", split = "/", part = 2, case = "upper", without = " -", empty = ["无"] }',
}
JOB_WORDS = {
    "Tags": '{ from = "T{n}", repeat = 3 }', "Amounts": '{ from = "M", items = ";", number = true }',
    "Steps": '{ repeat = 2, From = { from = "S{n}", date = "YYYY/M/D" }, Person.Sex = "P{n}" }',
}
ROWS = (
    PERSON_ROW | {"T": "2024-01-02 03:04:05.0", "XB": "男", "A": "１", "B": "x", "N": "1,000", "H": "a/b-1"},
    PERSON_ROW | {"XM": MARKER.decode(), "T": "20240102030405", "N": "1.5", "A": MARKER.decode()},
    JOB_ROW | {"T1": "a", "T3": "b", "M": "1;2.50", "S1": "2020/1/2", "P1": "1", "S2": MARKER.decode()},
)


@cache
def mappings() -> tuple[SourceMapping, ...]:
    """Return a mapping to a published specification, and one to every shape the profile allows."""
    return tuple(
        read_mapping("fuzz", content, specifications(), fetch, sm3)
        for content in (document(PERSON_WORDS), document(JOB_WORDS, JOB, 'strict = true\ncharset = "gb18030"\n'))
    )


def tables() -> Iterator[bytes]:
    """Yield tables with good rows and with rows whose texts nobody may be told."""
    for row in ROWS:
        for charset in ("utf-8", "gb18030", "utf-8-sig"):
            yield "\r\n".join([",".join(row), *[",".join(f'"{cell}"' for cell in row.values())] * 2]).encode(charset)


def lines() -> Iterator[bytes]:
    """Yield the rows as lines of JSON."""
    for row in ROWS:
        yield b"\n".join([orjson.dumps(row), orjson.dumps(row | {"N": 12.5, "A": None, "B": True}), b"[]"])


def run(kind: str, data: bytes) -> Hashable:
    """Judge a body by both mappings, in both charsets."""
    return tuple(_by(one, Media(kind, charset), data) for one in mappings() for charset in (None, "gb18030"))


def _by(mapping: SourceMapping, media: Media, data: bytes) -> Hashable:
    try:
        drafts = list(mapping.read_drafts(data, media, LIMITS))[:20]
    except Trouble as refusal:
        hidden(*([refusal, refusal.details] if MARKER in data else []))
        return refusal.code.name, str(refusal.details.get("reason"))
    told: list[Hashable] = []
    for draft in drafts:
        judged = mapping.judge(draft, TODAY)
        assert judged == mapping.judge(draft, TODAY), "judged twice, it is not the same"
        if isinstance(judged, Record):
            again = mapping.spec.judge_body(judged.index, judged.body, TODAY)
            assert isinstance(again, Record) and again.body == judged.body, "the second door says otherwise"
        else:
            _told(judged)
        rules = () if isinstance(judged, Record) else sorted({one.rule for one in judged.problems})
        told.append(tuple(rules)[:4])
    assert not mapping.spec.disagreements
    return tuple(told[:4])


def _told(refusal: Refusal) -> None:
    assert any(problem.severity == "refuse" for problem in refusal.problems), "refused without a reason"
    for problem in refusal.problems:
        assert problem.says.zh and problem.says.en
        if problem.rule != "mapping-column":  # the one rule that tells a name of the sender's own choice
            hidden(problem.says, problem.field)


def files() -> Iterator[bytes]:
    """Yield mappings: those shipped, and one with many words."""
    yield document(PERSON_WORDS)
    yield document(JOB_WORDS, JOB)
    yield from (path.read_bytes() for path in sorted((FOLDER / "mappings").glob("*.toml")))


def run_file(data: bytes) -> Hashable:
    """Check and read: one takes what the other does; what is taken judges an empty row."""
    faults = check_mapping("fuzz", data, specifications(), fetch, sm3)
    for one in faults:
        assert one.says.zh and one.says.en and one.line != 0
    try:
        mapping = read_mapping("fuzz", data, specifications(), fetch, sm3)
    except Trouble:
        assert faults, "it cannot be read, and the check finds no fault"
        return tuple(sorted({one.rule for one in faults}))[:4]
    assert not faults, "it is read with a fault"
    (judged,) = mapping.judge_all(mapping.read_drafts(b"{}", Media("json")), TODAY)
    return type(judged).__name__


TARGETS = (
    Target("mapping-csv", "tables of a legacy source", tables, partial(run, "csv"), octets, most=256 << 10, rounds=120),
    Target("mapping-ndjson", "rows of a legacy source", lines, partial(run, "ndjson"), any_of(json_text, octets),
           most=256 << 10, rounds=80),
    Target("mapping-file", "mapping files", files, run_file, octets, rounds=60, hides=False),
)
