"""Frames: whole again however they were cut, and what is none is refused before it is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model import codes
from node.model.frames import ADAPTER, NODE, STATE, Frame, FrameKind, FrameReader, write_frame
from node.model.trouble import Trouble

KINDS = st.sampled_from(sorted(ADAPTER, key=lambda kind: kind.name))
FRAMES = st.lists(st.builds(Frame, KINDS, st.binary(max_size=60)))


@given(frames=FRAMES, sizes=st.lists(st.integers(1, 40), min_size=1))
def test_frames_come_whole_however_they_are_cut(frames: list[Frame], sizes: list[int]) -> None:
    octets = b"".join(write_frame(*frame) for frame in frames)
    reader, found, at, turn = FrameReader(ADAPTER), [], 0, 0
    while at < len(octets):
        size = sizes[turn % len(sizes)]
        found += list(reader.feed(octets[at:at + size]))
        at, turn = at + size, turn + 1
    assert found == frames


@pytest.mark.parametrize("octets", [
    b"x", b"RECORDS", b"RECORDS ", b"RECORDS -1\n", b"RECORDS 01\n", b"RECORDS 999999999\n", b"RECORDS 3\r\n",
    b" RECORDS 1\n", b"records 1\n", b"ROWS 1\n", b"CALL 2\n{}", b"BOOKMARK %d\n" % (STATE + 1),
    b"Traceback (most recent call last):\n", b"\n",
    b"\xff\xfe" * 20, b"HTTP/1.1 200 OK\r\n",
])
def test_what_is_no_frame_is_refused_at_its_head(octets: bytes) -> None:
    with pytest.raises(Trouble) as met:
        list(FrameReader(ADAPTER).feed(octets + b" " * 20))
    assert met.value.code is codes.ADAPTER_FRAME


@given(st.binary(max_size=200))
def test_any_octets_are_frames_or_refused(octets: bytes) -> None:
    try:
        for frame in FrameReader(NODE).feed(octets):
            assert frame.kind in NODE
    except Trouble as met:
        assert met.code is codes.ADAPTER_FRAME


def test_a_body_that_is_too_long_is_not_written() -> None:
    assert write_frame(FrameKind.BOOKMARK, b"x" * STATE)
    with pytest.raises(Trouble):
        write_frame(FrameKind.BOOKMARK, b"x" * (STATE + 1))
    assert repr(Frame(FrameKind.RECORDS, b"secret")) == "Frame(RECORDS, 6 octets)"
