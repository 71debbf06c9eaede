"""Ask: receipts are asked for by id and given on news; an overdue sender asks, it does not resend (WIRE §4).

Rule 1: *unknown* alone makes a sender send bytes again; *pending* waits.
Rule 2: a peer is told only of parcels it sent itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.model.instant import Instant
from node.model.parcel import Stage
from node.model.spool import Entry, EntryState, Given
from node.ports import InboxUnit, OutboxUnit

ASKED = 256
"""Most ids in one call, and most receipts given in one."""
_EVER: Instant = 1 << 62
_HAD = frozenset({EntryState.SENT, EntryState.ACCEPTED, EntryState.DONE})


@dataclass(frozen=True, slots=True)
class Told:
    """What we know of the parcels a peer asked after."""

    receipts: Sequence[Given]
    pending: Sequence[str]
    unknown: Sequence[str]


def tell(unit: InboxUnit, peer: str, ids: Iterable[str]) -> Told:
    """Return our receipts for the ids, which of them have no final word yet, and which we never stored."""
    receipts: list[Given] = []
    pending, unknown = [], []
    for parcel in ids:
        arrival = unit.arrival(parcel)
        if arrival is None or arrival.lane.sender != peer:
            unknown.append(parcel)
            continue
        given = unit.given(parcel)
        receipts += given
        if not any(one.stage is not Stage.ACCEPTED for one in given):
            pending.append(parcel)
    return Told(receipts, pending, unknown)


def wanted(unit: OutboxUnit, peer: str, now: Instant, overdue: Instant = 0) -> list[Entry]:
    """Return the entries to ask `peer` about: they wait for a final word since `overdue` ms at least.

    A time ahead of now counts as long ago: the clock was set back, and nobody must wait until it has caught up.
    """
    owed = unit.owed(peer, _EVER, ASKED)
    return [entry for entry in owed if not now - overdue < (entry.accepted or entry.sent or 0) <= now]


def due(unit: InboxUnit, peer: str, ids: Iterable[str] = ()) -> list[Given]:
    """Return the receipts to hand to `peer`: those it asked for by id, and those it has not been handed yet."""
    found = {(one.parcel, one.stage): one for one in (*tell(unit, peer, ids).receipts, *unit.ungiven(peer, ASKED))}
    return list(found.values())[:ASKED]


def missing(unit: OutboxUnit, peer: str, unknown: Iterable[str], now: Instant) -> list[Entry]:
    """Return our entries that the peer does not have though we thought so.

    Those of a lane's present epoch the next hello rewinds to; older ones wait again at once: no head tells of them.
    """
    found = [entry for parcel in unknown if (entry := unit.entry(parcel)) and entry.lane.receiver == peer]
    lost = [entry for entry in found if entry.state in _HAD]
    for entry in lost:
        unit.lost(entry.parcel, now)
    return lost
