"""The frame of a parcel, whole and in pieces."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from random import Random
from zlib import crc32

from node.envelope import FrameReader, frame, unframe
from node.model.trouble import Refused
from tests.fuzz.mutate import any_of, octets
from tests.fuzz.people import files
from tests.fuzz.target import Target


def seeds() -> Iterator[bytes]:
    """Yield small frames and the parcels' vectors."""
    yield frame(b"", b"")
    yield frame(b"manifest", b"payload")
    yield from files("parcels")
    yield b"EXNP\x01" + (64 << 10).to_bytes(4, "big") + b"x" * 10
    yield b"EXNP\x01" + b"\x00\x00\x00\x01m" + (16 << 20).to_bytes(8, "big") + b"x"


def run(data: bytes) -> Hashable:
    """Read whole and in pieces: both say the same, and the frame of what was read is what came."""
    pieces = _in_pieces(data)
    try:
        whole = unframe(data)
    except Refused as refusal:
        assert isinstance(pieces, str) and pieces == refusal.code.name, "in pieces it is read differently"
        raise
    assert pieces == tuple(whole)
    assert frame(*whole) == data
    return len(whole.manifest).bit_length(), len(whole.payload).bit_length()


def _in_pieces(data: bytes) -> tuple[bytes, bytes] | str:
    chance, reader, taken, at = Random(crc32(data)), FrameReader(), b"", 0
    try:
        while at < len(data):
            size = chance.choice((1, 2, 7, 100, 5000))
            reader.feed(data[at : at + size])
            taken += reader.take()
            at += size
        reader.finish()
    except Refused as refusal:
        return refusal.code.name
    return reader.manifest or b"", taken


TARGET = Target("frame", "framing of a parcel", seeds, run, any_of(octets), rounds=300)
