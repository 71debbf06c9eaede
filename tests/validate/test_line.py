"""Lines of a parcel: one writing each, cut apart without being rewritten (WIRE §2)."""

from __future__ import annotations

import os

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model import codes
from node.model.ids import uuids7
from node.model.record import Head, Operation, Record, Version
from node.model.trouble import Refused
from node.validate import join_born, join_line, same, sample, split_line, to_json
from tests.validate.held import by_json, spec

HEAD = Head(
    "01890a5d-ac96-774b-bcce-b302099a8057", "row-1", "dept-a", Version(3, 41), Operation.UPSERT,
    "2019-02-28T10:11:12+08:00", "2019-02-28T02:11:13.000Z", "2019-02-28T02:11:14.000Z", "case-7",
    {"x": {"head": {"y": [1]}}},
)
BODY = to_json({"RecordId": "row-1", "head": {"a": "b"}, "z": ',"head":{'})


PLAIN = HEAD._replace(captured=None, correlation=None, ext={})


@pytest.mark.parametrize("head", [
    HEAD, PLAIN, HEAD._replace(operation=Operation.DELETE, row='quote " and 汉字'), PLAIN._replace(row="汉字 \\ x"),
    PLAIN._replace(row="行号", version=Version(2**53 - 1, 0)),
])
def test_a_line_is_cut_into_what_it_was_joined_from(head: Head) -> None:
    line = join_line(BODY, head)
    assert split_line(line) == (BODY, head)
    assert orjson.dumps(orjson.loads(line), option=orjson.OPT_SORT_KEYS) == line


def test_the_line_is_written_as_the_page_says() -> None:
    assert join_line(b"{}", HEAD._replace(ext={})) == (
        b'{"body":{},"head":{"admitted":"2019-02-28T02:11:14.000Z","captured":"2019-02-28T02:11:13.000Z",'
        b'"correlation":"case-7","operation":"upsert","origin":"dept-a",'
        b'"record":"01890a5d-ac96-774b-bcce-b302099a8057","row":"row-1",'
        b'"time":"2019-02-28T10:11:12+08:00","version":[3,41]}}'
    )


@pytest.mark.parametrize("change", [
    lambda line: line + b" ", lambda line: b" " + line, lambda line: line[:-1], lambda line: b"", lambda line: b"{}",
    lambda line: line.replace(b'"row":"row-1"', b'"row":"row-1","row":"row-1"'),
    lambda line: line.replace(b'"version":[3,41]', b'"version":[3,41,1]'),
    lambda line: line.replace(b'"version":[3,41]', b'"version":[3.0,41]'),
    lambda line: line.replace(b'"version":[3,41]', b'"version":[3,-41]'),
    lambda line: line.replace(b'"version":[3,41]', b'"version":[3,99999999999999999]'),
    lambda line: line.replace(b'"version":[3,41]', b'"version": [3,41]'),
    lambda line: line.replace(b"upsert", b"recall"), lambda line: line.replace(b'"operation"', b'"operatiom"'),
    lambda line: line.replace(b"-774b-", b"-474b-"), lambda line: line.replace(b"14.000Z", b"14Z"),
    lambda line: line.replace(b'"origin":"dept-a",', b""), lambda line: line.replace(b'"time"', b'"more":1,"time"'),
    lambda line: line.replace(b'"body"', b'"bod"'), lambda line: line.replace(b'"case-7"', b"null"),
    lambda line: b'{"head"' + line[7:], lambda line: line.replace(b"row-1", b"row\x7f1", 1)[:-1] + b" }",
    lambda line: line.replace(b"row-1", b"r\\u006fw-1"), lambda line: line.replace(b"row-1", b"row\t1"),
    lambda line: line.replace(b"row-1", b"\xff"), lambda line: line.replace(b"row-1", b"x" * 65),
    lambda line: line.replace(b'"row-1"', b'""'), lambda line: line.replace(b'"version":[3', b'"version":[03'),
    lambda line: line.replace(b'"dept-a"', b'"dept a"'), lambda line: line.replace(b"}}", b"},}"),
])
@pytest.mark.parametrize("head", [HEAD, PLAIN])
def test_any_other_writing_of_the_head_is_refused(head: Head, change: object) -> None:
    assert callable(change)
    line = join_line(b'{"a":"b"}', head)
    if change(line) == line:
        pytest.skip("this head has no such member")
    with pytest.raises(Refused) as caught:
        split_line(change(line))
    assert caught.value.code is codes.LINE


@given(st.sampled_from([HEAD, PLAIN]), st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_shows_in_what_is_read(whole: Head, place: int, bit: int) -> None:
    line = bytearray(join_line(BODY, whole))
    line[place % len(line)] ^= 1 << bit
    try:
        body, head = split_line(bytes(line))
    except Refused:
        return
    assert (body, head) != (BODY, whole)
    assert join_line(body, head) == bytes(line), "what is read is written so, and not otherwise"
    assert b'{"body":' + body + b',"head":' in bytes(line)


@given(
    st.text(min_size=1, max_size=64), st.text(min_size=1, max_size=32), st.sampled_from(Operation),
    st.none() | st.text(min_size=1, max_size=64), st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 9),
)
def test_records_born_here_get_the_same_lines(
    row: str, happened: str, operation: Operation, case: str | None, epoch: int, n: int
) -> None:
    record = Record(0, BODY, row, operation, happened, ("k",), case)
    ids = uuids7(1 << 40, os.urandom(20))
    lines = join_born([record, record], ids, "dept-a", Version(epoch, n), "2019-02-28T02:11:14.000Z")
    for place, (id, line) in enumerate(zip(ids, lines, strict=True)):
        head = Head(
            id, row, "dept-a", Version(epoch, n + place), operation, happened, None, "2019-02-28T02:11:14.000Z", case
        )
        assert line == join_line(BODY, head)
        assert split_line(line) == (BODY, head)


def test_a_line_of_many_false_heads_is_refused_soon() -> None:
    with pytest.raises(Refused):
        split_line(b'{"body":{' + b',"head":{' * 100_000 + b"}}")


@pytest.mark.parametrize("depth", [250, 254, 1000])
def test_a_head_nested_deeper_than_the_library_writes_is_read_or_refused(depth: int) -> None:
    line = join_line(BODY, HEAD._replace(ext={"x": 1}))
    line = line.replace(b'"ext":{"x":1}', b'"ext":{"x":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}")
    if depth < 254:
        assert split_line(line)[1].ext
        return
    with pytest.raises(Refused) as caught:
        split_line(line)
    assert caught.value.code is codes.LINE


def test_a_head_beyond_its_limit_is_not_written() -> None:
    with pytest.raises(Refused) as caught:
        join_line(BODY, HEAD._replace(ext={"x": "y" * 20_000}))
    assert caught.value.code is codes.TOO_LARGE
    record = Record(0, BODY, "y" * 20_000, Operation.UPSERT, "t", ("k",))
    with pytest.raises(Refused) as caught:
        join_born([record], uuids7(0, bytes(10)), "dept-a", Version(1, 1), "2019-02-28T02:11:14.000Z")
    assert caught.value.code is codes.TOO_LARGE


def test_a_head_must_say_what_the_body_says() -> None:
    record = by_json(spec(), sample(spec(), 1, 1))
    assert isinstance(record, Record)
    head = HEAD._replace(row=record.row, happened=record.happened, correlation=None)
    assert same(head, record)
    for change in ({"row": "other"}, {"happened": "20190228101112"}, {"operation": Operation.DELETE},
                   {"correlation": "x"}):
        assert not same(head._replace(**change), record)
