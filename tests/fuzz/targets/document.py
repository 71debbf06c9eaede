"""Bodies of submissions: JSON, NDJSON and XML, judged by the gates and by `explain`, at both doors."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from functools import partial

import orjson

from node.model import codes
from node.model.record import Record, Refusal
from node.model.trouble import Trouble
from node.validate import Limits, Media, Specification, read_drafts, read_records
from node.validate.made.samples import sample, to_json, to_xml
from tests.fuzz.mutate import any_of, json_text, members, octets, xml
from tests.fuzz.target import MARKER, Target, hidden
from tests.validate.held import TODAY, spec
from tests.validate.workshop import workshop

LIMITS = Limits(octets=1 << 20, records=200, record_octets=256 << 10)
MOST = 20
NAMED = re.compile(rb'"[^"]*%b[^"]*"\s*:|<[^>]*%b' % (MARKER, MARKER))
"""A name of the sender's own choice is told, cut short; a text never is."""


def specifications() -> list[Specification]:
    """Return a published specification, and one with every shape the profile allows."""
    return [spec(), workshop()]


def twins(of: Specification) -> list[dict[str, object]]:
    """Return good twins and one whose texts are content that nobody may be told."""
    found = [dict(sample(of, 7, index)) for index in range(4)]
    name = "PersonName" if "PersonName" in found[0] else "Name"
    return [*found, found[0] | {name: MARKER.decode()}, found[1] | {name: "", "Unheard": MARKER.decode()}]


def seeds(kind: str) -> Iterator[bytes]:
    """Yield bodies of one kind for both specifications."""
    for of in specifications():
        made = twins(of)
        if kind == "json":
            yield from map(to_json, made)
        elif kind == "ndjson":
            yield b"\n".join(map(to_json, made))
            yield to_json(made[0]) + b"\r\n\r\n" + to_json(made[1]) + b"\n{}\n[]\n1\n"
        else:
            yield to_xml(of, made)
            yield from (to_xml(of, [one], True) for one in made)


def run(kind: str, data: bytes) -> Hashable:
    """Judge a body under both specifications."""
    return tuple(_under(of, Media(kind, charset), data) for of in specifications() for charset in _charsets(data))


def _charsets(data: bytes) -> tuple[str | None, ...]:
    return (None, "gb18030") if data[-1:] == b" " else (None,)


def _under(of: Specification, media: Media, data: bytes) -> Hashable:
    if media.kind == "xml":
        _streamed(of, media, data)
    try:
        drafts = read_drafts(data, media, of, LIMITS)
    except Trouble as refusal:
        hidden(*([refusal, refusal.details] if MARKER in data else []))
        return refusal.code.name, str(refusal.details.get("reason"))
    told: list[Hashable] = []
    for draft in drafts[:MOST]:
        try:
            judged, again = of.judge(draft, TODAY), of.judge(draft, TODAY)
        except Trouble as disagree:
            assert disagree.code is codes.DISAGREE
            raise AssertionError("the gate and `explain` disagree") from disagree
        assert judged == again, "judged twice, it is not the same"
        told.append(_record(of, judged) if isinstance(judged, Record) else _refusal(judged, data))
    return tuple(told[:4])


def _streamed(of: Specification, media: Media, data: bytes) -> None:
    """Hold the reading record by record against the door's, with the pieces cut anywhere."""
    size = 1 + len(data) * 7919 % 900
    pieces = (data[at:at + size] for at in range(0, len(data), size))
    try:
        door = [of.judge(one, TODAY) for one in read_drafts(data, media, of, LIMITS)]
    except Trouble as refusal:
        if refusal.code is codes.TOO_LARGE:
            return  # the whole body is no matter to a stream
        door = None
    told: list[Record | Refusal] = []
    try:
        for draft in read_records(pieces, media.charset, of.shape, LIMITS):
            told.append(of.judge(draft, TODAY))
    except Trouble as refusal:
        assert door is None, f"the stream refuses what the door takes: {refusal.code.name}"
        return
    assert door == told, "the stream says otherwise than the door"


def _record(of: Specification, record: Record) -> Hashable:
    """Hold a record at the second door, and through the other of the first."""
    second = of.judge_body(record.index, record.body, TODAY)
    assert isinstance(second, Record) and second.body == record.body, "the second door says otherwise"
    twin = orjson.loads(record.body)
    for media, body in ((Media("ndjson"), to_json(twin)), (Media("xml"), to_xml(of, [twin]))):
        other = of.judge(read_drafts(body, media, of)[0], TODAY)
        assert isinstance(other, Record) and other.body == record.body, f"{media.kind} says otherwise"
    return "record", record.operation.value


def _refusal(refusal: Refusal, data: bytes) -> Hashable:
    assert any(problem.severity == "refuse" for problem in refusal.problems), "refused without a reason"
    for problem in refusal.problems:
        assert problem.says.zh and problem.says.en
        if MARKER in data and not NAMED.search(data):
            hidden(problem.says, problem.rule, problem.field)
    return tuple(sorted({problem.rule for problem in refusal.problems}))[:4]


def _target(kind: str, mutate: Callable[..., bytes], rounds: int) -> Target:
    return Target(f"document-{kind}", f"bodies of submissions, {kind}", partial(seeds, kind), partial(run, kind),
                  mutate,
                  most=512 << 10, rounds=rounds)


TARGETS = (
    _target("json", any_of(members, json_text, json_text, octets), 150),
    _target("ndjson", any_of(json_text, json_text, octets), 80),
    _target("xml", any_of(xml, xml, octets), 150),
)
