"""The head rule: what a receiver answers to a parcel by its place in the lane (WIRE §3), as one table.

Rule 1: before the signature is checked only a stored receipt or *behind* may be answered.
Rule 2: what replaces a parcel, and what replaced it, is that parcel to us: whichever came first is told of (WIRE §3).
Rule 3: the head moves only in the transaction that stores the parcel, by compare-and-set.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from node.model import codes
from node.model.parcel import Manifest, Position
from node.model.trouble import Trouble, trouble
from node.ports import InboxUnit
from node.spool.alignment import START


class Place(Enum):
    """Where a parcel stands to the head."""

    NEXT = "next"
    TOLD = "told"
    BEHIND = "behind"
    FORK = "fork"
    PURGED = "purged"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Standing:
    """A place, the head it was judged by, and the stored receipt of a parcel that was told already."""

    place: Place
    head: Position | None
    receipt: bytes = field(default=b"", repr=False)

    def trouble(self) -> Trouble:
        """Return what the sender is told when the parcel cannot be stored; it carries our head."""
        code = {
            Place.BEHIND: codes.BEHIND,
            Place.FORK: codes.FORK,
            Place.PURGED: codes.PURGED,
            Place.SUPERSEDED: codes.SUPERSEDED,
        }[self.place]
        head = self.head or START
        return trouble(code, epoch=head.epoch, seq=head.seq, head=head.digest)


def standing(unit: InboxUnit, manifest: Manifest, digest: str) -> Standing:
    """Return where the parcel with this statement digest stands."""
    head = unit.head(manifest.lane)
    for named in (digest, manifest.supersedes):
        stored = _receipt(unit, manifest, named) if named else None
        if stored:
            return Standing(Place.TOLD, head, stored)
    place = _place(unit, manifest, head or START)
    stored = _kin(unit, manifest, digest) if place is Place.FORK else None
    return Standing(Place.TOLD, head, stored) if stored else Standing(place, head)


def _kin(unit: InboxUnit, manifest: Manifest, digest: str) -> bytes | None:
    """Return the receipt of what stands in this place if both were sealed for the same first parcel: no fork then.

    It may have been the third to be sealed while we have the second, or the first that comes late.
    """
    at = manifest.place
    there = unit.at(manifest.lane, at.epoch, at.seq)
    arrival = unit.by_digest(there) if there is not None else None
    if arrival is None or arrival.supersedes is None or arrival.supersedes not in (digest, manifest.supersedes):
        return None
    return _receipt(unit, manifest, arrival.digest)


def _receipt(unit: InboxUnit, manifest: Manifest, digest: str) -> bytes | None:
    arrival = unit.by_digest(digest)
    if arrival is None or arrival.lane != manifest.lane:
        return None
    given = unit.given(arrival.parcel)
    return given[0].statement if given else None


def _place(unit: InboxUnit, manifest: Manifest, head: Position) -> Place:
    at = manifest.place
    if at.epoch < head.epoch:
        return Place.SUPERSEDED
    if at.epoch > head.epoch:
        return Place.NEXT if at.seq == 1 and at.prev == head.digest else Place.BEHIND
    if at.seq == head.seq + 1:
        return Place.NEXT if at.prev == head.digest else Place.FORK
    if at.seq > head.seq:
        return Place.BEHIND
    return Place.PURGED if unit.at(manifest.lane, at.epoch, at.seq) is None else Place.FORK
