"""How a chain grows: octets of an entry, and head' = SM3(head ‖ octets).

    octets = "exn.ledger.1" ‖ u64 size ‖ u64 count ‖ u64 at ‖ for each text of
             domain, sender, receiver, resource, stream, step, subject, digest: u32 length ‖ UTF-8

Fixed widths first, then every text behind its length: no two entries share their octets.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

from node.model.instant import Instant
from node.model.parcel import NOTHING, Lane
from node.model.spool import LedgerEntry

START = bytes.fromhex(NOTHING)
"""The head of an empty chain."""

_TAG = b"exn.ledger.1"
_FIXED = struct.Struct(">QQQ")


def lane_octets(lane: Lane) -> bytes:
    """Return what every entry of a lane begins its texts with; worth keeping, for it never changes."""
    return _texts((lane.domain, lane.sender, lane.receiver, lane.resource, lane.stream.value))


def entry_octets(lane: bytes, size: int, step: str, subject: str, digest: str, count: int, at: Instant) -> bytes:
    """Return the octets of the entry that makes its chain `size` long; `lane` comes from `lane_octets`."""
    return b"".join((_TAG, _FIXED.pack(size, count, at), lane, _texts((step, subject, digest))))


def grow(sm3: Callable[[bytes], bytes], head: bytes, octets: bytes) -> bytes:
    """Return the head after one more entry."""
    return sm3(head + octets)


def intact(sm3: Callable[[bytes], bytes], entries: Iterable[LedgerEntry], head: bytes = START, size: int = 0) -> bool:
    """Return whether `entries` follow on (`size`, `head`) without a gap and each head is the right one."""
    for entry in entries:
        size += 1
        octets = entry_octets(
            lane_octets(entry.lane), size, entry.step, entry.subject, entry.digest, entry.count, entry.at
        )
        head = grow(sm3, head, octets)
        if entry.size != size or entry.head != head.hex():
            return False
    return True


def _texts(texts: Iterable[str]) -> bytes:
    return b"".join(len(octets).to_bytes(4, "big") + octets for octets in map(str.encode, texts))
