"""Origin entries: what carries a routed record's proof of its origin's parcel (WIRE §2).

An entry {manifest, n, at, rest} speaks of records that travelled in another parcel: its signed manifest, its number
of leaves, index and salt of each leaf carried on, and the roots of what is not carried.  S of that parcel is never
passed on: a salt opens its own leaf and no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from node.envelope import canonical, kinds
from node.envelope.schema import Group, Many, Number, Pair, conform, text
from node.model import codes
from node.model.trouble import trouble

LIMIT = 8 << 20
ENTRIES = 4096
BASE64 = text(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
ENTRY = Group(
    {
        "at": Many(Pair(kinds.COUNT, kinds.DIGEST), 1, kinds.MOST), "manifest": BASE64,
        "n": Number(1, kinds.MOST), "rest": Many(kinds.DIGEST, 0, kinds.MOST),
    }
)


@dataclass(frozen=True, slots=True)
class Origin:
    """One entry; `at` holds (leaf index, salt) in rising order, `rest` the roots of `merkle.rest`."""

    manifest: bytes = field(repr=False)
    count: int
    at: Sequence[tuple[int, bytes]] = field(repr=False)
    rest: Sequence[bytes] = field(repr=False)


def write_origins(entries: Sequence[Origin]) -> bytes:
    """Return entries as canonical JSON (an array), empty octets for none."""
    return canonical.write([origin_members(entry) for entry in entries]) if entries else b""


def read_origins(content: bytes) -> tuple[Origin, ...]:
    """Return the entries of `write_origins`; raise Refused(STATEMENT, TOO_LARGE)."""
    if not content:
        return ()
    said = canonical.read(content, LIMIT)
    conform(Many(ENTRY, 1, ENTRIES), said, "origins")
    try:
        return tuple(origin_of(entry) for entry in said)
    except ValueError:
        raise trouble(codes.STATEMENT, reason="origins: base64") from None


def origin_members(entry: Origin) -> dict[str, Any]:
    """Return an entry's members."""
    return {
        "at": [[index, salt.hex()] for index, salt in entry.at],
        "manifest": canonical.armour(entry.manifest),
        "n": entry.count,
        "rest": [root.hex() for root in entry.rest],
    }


def origin_of(said: dict[str, Any]) -> Origin:
    """Return the entry of its members; raise ValueError for base64 of another spelling."""
    return Origin(
        canonical.unarmour(said["manifest"]),
        said["n"],
        tuple((index, bytes.fromhex(salt)) for index, salt in said["at"]),
        tuple(bytes.fromhex(root) for root in said["rest"]),
    )
