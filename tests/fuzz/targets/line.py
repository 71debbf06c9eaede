"""The lines of a parcel: head and body, at the second door."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from node.model.record import Record
from node.model.trouble import Trouble
from node.validate import join_line, same, split_line
from node.validate.made.samples import sample, to_json
from tests.fuzz.mutate import any_of, json_text, members, octets
from tests.fuzz.target import MARKER, Target, hidden
from tests.stage.forging import line_of
from tests.validate.held import TODAY, spec


def seeds() -> Iterator[bytes]:
    """Yield good lines."""
    for index in range(3):
        yield line_of(sample(spec(), 5, index), 1_780_000_000_123)
    twin = dict(sample(spec(), 5, 4)) | {"PersonName": MARKER.decode()}
    yield line_of(twin, 1_780_000_000_123, ext={"a": MARKER.decode()}, correlation="c-1")
    yield line_of(twin | {"Address": 'a","head":{"x":1}'}, 1_780_000_000_123)
    yield b'{"body":' + to_json(twin) + b',"head":{}}'


def run(data: bytes) -> Hashable:
    """Split, join, and judge the body: the same octets, and no content in a refusal."""
    body, head = split_line(data)
    assert split_line(data) == (body, head)
    if b'"ext":{}' not in data:
        assert join_line(body, head) == data
    try:
        judged = spec().judge_body(0, body, TODAY)
    except Trouble as disagree:
        raise AssertionError("the gate and `explain` disagree") from disagree
    if isinstance(judged, Record):
        return "record", same(head, judged)
    if b'"%b"' % MARKER in data:
        hidden(*(problem.says for problem in judged.problems))
    return tuple(sorted({problem.rule for problem in judged.problems}))[:4]


TARGET = Target("line", "lines of a parcel", seeds, run, any_of(members, json_text, json_text, octets), rounds=300)
