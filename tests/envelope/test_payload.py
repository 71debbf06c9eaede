"""The payload in clear: lines, one zstd frame, inner."""

from __future__ import annotations

import os
import threading

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from node.envelope import payload
from node.envelope.inner import Inner, Said, read_inner, write_inner
from node.envelope.origins import Origin
from node.model.parcel import Party
from node.model.trouble import Refused

LINE = st.binary(min_size=1, max_size=60).filter(lambda line: b"\n" not in line)
LINES = st.lists(LINE, min_size=1, max_size=30)
PARTY = Party("91110000MA00A0000X", "dept-a", "a" * 64)
SAID = Said(
    "statistics", "population:dept-c:statistics", "operator-7", "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
    (1_780_000_000_000, 1_780_000_000_001), (Origin(b"manifest", 3, ((1, b"s" * 32),), (b"r" * 32, b"t" * 32)),),
)


def inner(said: Said = SAID, size: int = 10) -> Inner:
    return Inner(PARTY, Party("91110000MA00A0000X", "centre", "b" * 64), "population", "c" * 64, size, "none", said)


@given(LINES)
def test_lines_come_back_as_they_were(lines: list[bytes]) -> None:
    body = payload.join_lines(lines)
    assert payload.split_lines(body) == lines
    compression, packed = payload.compress(body)
    assert payload.expand(compression, packed, len(body)) == body


@pytest.mark.parametrize("lines", [[b""], [b"a", b""], [b"a\nb"], [b"\n"]])
def test_a_line_is_not_empty_and_has_no_line_end(lines: list[bytes]) -> None:
    with pytest.raises(ValueError):
        payload.join_lines(lines)


@pytest.mark.parametrize("body", [b"a", b"\n", b"a\n\n", b"\na\n", b"a\nb"])
def test_a_body_of_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        payload.split_lines(body)


BODY = b"0123456789abcdef" * 64
FRAME = zstandard.ZstdCompressor(level=1).compress(BODY)
BIG = os.urandom(1 << 20) * 17


@pytest.mark.parametrize(
    ("packed", "size"),
    [
        (FRAME, len(BODY) - 1), (FRAME, len(BODY) + 1), (FRAME + FRAME, len(BODY)), (FRAME + FRAME, 2 * len(BODY)),
        (FRAME + b"x", len(BODY)), (FRAME[:-1], len(BODY)), (b"\x50\x2a\x4d\x18\x01\x00\x00\x00x" + FRAME, len(BODY)),
        (b"\x50\x2a\x4d\x18\x01\x00\x00\x00x", 0), (BODY, len(BODY)), (b"", 0), (FRAME[:5], len(BODY)),
        (zstandard.ZstdCompressor(write_content_size=False).compress(BODY), len(BODY)),
        (zstandard.ZstdCompressor(
            compression_params=zstandard.ZstdCompressionParameters(window_log=24, write_content_size=True)
        ).compress(BIG), len(BIG)),
    ],
)
def test_only_one_plain_frame_of_the_stated_size_is_opened(packed: bytes, size: int) -> None:
    with pytest.raises(Refused) as refusal:
        payload.expand("zstd", packed, size)
    assert refusal.value.code.name == "EXN-STATEMENT"


def test_a_dictionary_is_refused() -> None:
    samples: list[bytes | bytearray | memoryview[int]] = [b"record %d of %d" % (n, n * 7919) for n in range(2000)]
    trained = zstandard.train_dictionary(4096, samples)
    packed = zstandard.ZstdCompressor(dict_data=trained).compress(BODY)
    assert zstandard.get_frame_parameters(packed).dict_id
    with pytest.raises(Refused):
        payload.expand("zstd", packed, len(BODY))


def test_a_bomb_is_refused_by_its_header() -> None:
    """A frame that would yield far more than it says is turned away before an octet of output exists."""
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(64 << 20))
    assert len(bomb) < 64 << 10
    with pytest.raises(Refused):
        payload.expand("zstd", bomb, 1024)


def test_compressing_in_many_threads_corrupts_nothing() -> None:
    """The trap of a shared compressor: corrupt bodies under good signatures."""
    wrong: list[bytes] = []

    def work(mark: int) -> None:
        for turn in range(200):
            body = b"%d %d " % (mark, turn) * 500
            if payload.expand(*payload.compress(body), len(body)) != body:
                wrong.append(body)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_inner_comes_back_as_it_was() -> None:
    for said in (SAID, Said()):
        assert read_inner(write_inner(inner(said))) == inner(said)


def test_the_payload_comes_back_as_it_was() -> None:
    clear = payload.write_payload(b"S" * 32, inner(), b"body")
    assert payload.read_payload(clear) == (b"S" * 32, inner(), b"body")
    for end in range(36 + len(write_inner(inner()))):
        with pytest.raises(Refused):
            payload.read_payload(clear[:end])


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b'"compression":"none"', b'"compression":"gzip"'), (b'"clear_size":10', b'"clear_size":67108865'),
        (b"operator-7", b"operator 7"), (b"2026-05-28", b"2026-02-30"),
        (b'"n":3', b'"n":0'), (b'"spec":"ccc', b'"spec":"CCC'), (b'"grant"', b'"graft"'),
        (b"bWFuaWZlc3Q=", b"bWFuaWZlc3R="),
    ],
)
def test_inner_of_another_form_is_refused(was: bytes, now: bytes) -> None:
    content = write_inner(inner())
    assert was in content
    assert read_inner(content.replace(b'"purpose":"statistics",', b"")).said.purpose == ""  # an absent one is no fault
    with pytest.raises(Refused):
        read_inner(content.replace(was, now))
