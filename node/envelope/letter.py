"""A letter of `POST /v1/receipts`: the same form in both directions (WIRE §4).

It carries receipts with their verdict lists, asks for receipts by parcel id, and says of ids asked before which are
still pending and which are unknown.  A letter is not signed: what counts in it is, and the rest may only delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from node.envelope import canonical, kinds
from node.envelope.origins import BASE64
from node.envelope.schema import Form, Group, Many
from node.model import codes
from node.model.trouble import trouble

LIMIT = 16 << 20
ROOM = 15 << 20
"""What receipts may take of a letter; the rest is enough for three full arrays of ids."""
IDS = 1024
RECEIPTS = 1024
_IDS = Many(kinds.UUID, 0, IDS)
_LETTER = Form(Group(
    {
        "ask": _IDS, "pending": _IDS, "receipts": Many(Group({"receipt": BASE64}, {"verdicts": BASE64}), 0, RECEIPTS),
        "unknown": _IDS,
    }
), "letter")


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A receipt as SignedData, and the EnvelopedData of its verdict list, empty if it has none."""

    receipt: bytes = field(repr=False)
    verdicts: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter; `ask`, `pending` and `unknown` hold parcel ids."""

    receipts: Sequence[Enclosure] = ()
    ask: Sequence[str] = ()
    pending: Sequence[str] = ()
    unknown: Sequence[str] = ()


def fill(receipts: Sequence[Enclosure]) -> Sequence[Enclosure]:
    """Return as many of the receipts, in order, as fit into one letter; the others go into the next."""
    left = ROOM
    for count, one in enumerate(receipts[:RECEIPTS]):
        left -= 4 * (len(one.receipt) + len(one.verdicts)) // 3 + 64
        if left < 0:
            return receipts[:count]
    return receipts[:RECEIPTS]


def write_letter(letter: Letter) -> bytes:
    """Return a letter as canonical JSON; raise Refused: STATEMENT for too many entries, TOO_LARGE above LIMIT."""
    said: dict[str, Any] = {
        "ask": list(letter.ask),
        "pending": list(letter.pending),
        "receipts": [_enclosed(one) for one in letter.receipts],
        "unknown": list(letter.unknown),
    }
    return _LETTER.write(said, LIMIT)


def read_letter(content: bytes) -> Letter:
    """Return the letter of its octets; raise Refused(STATEMENT, TOO_LARGE).  Nothing in it is verified."""
    said = _LETTER.read(content, LIMIT)
    try:
        receipts = tuple(
            Enclosure(canonical.unarmour(one["receipt"]), canonical.unarmour(one.get("verdicts", "")))
            for one in said["receipts"]
        )
    except ValueError:
        raise trouble(codes.STATEMENT, reason="letter: base64") from None
    return Letter(receipts, tuple(said["ask"]), tuple(said["pending"]), tuple(said["unknown"]))


def _enclosed(one: Enclosure) -> dict[str, str]:
    said = {"receipt": canonical.armour(one.receipt)}
    return said | {"verdicts": canonical.armour(one.verdicts)} if one.verdicts else said
