"""Resupply: what its receiver could not open goes again once the receiver has another key (WIRE §2, EXN-OPEN).

Why: the receiver lost the key, and says so by refusing the parcel whole; to the certificate it has since, the same
records can be sealed.  To the same certificate they go again only by a person's word, or both ends would go round.
"""

from __future__ import annotations

from collections.abc import Iterator

from node.exchange import greet
from node.exchange.means import Means
from node.model import codes
from node.model.instant import Instant
from node.model.spool import Entry, EntryState
from node.ports import OutboxUnit

PAGE = 1000


def due(unit: OutboxUnit, entry: Entry, means: Means) -> bool:
    """Return whether a parcel was refused for a key that is not the one its receiver has now."""
    if entry.state is not EntryState.PARKED or entry.code != codes.OPEN.name:
        return False
    peer = means.registry.peer(entry.lane.receiver)
    sealed_to = unit.sealed(entry.parcel).statement.receiver.cert
    return peer is not None and peer.encryption.fingerprint != sealed_to


def try_again(unit: OutboxUnit, means: Means, now: Instant) -> int:
    """Let what may wait for a change of the configuration try again; return how many parcels are supplied anew."""
    greet.release(unit)
    found = [entry for entry in _parked(unit) if due(unit, entry, means)]
    for entry in found:
        unit.resupply(entry.parcel, now)
    return len(found)


def _parked(unit: OutboxUnit) -> Iterator[Entry]:
    page = unit.entries(EntryState.PARKED, "", PAGE)
    while page:
        yield from page
        page = unit.entries(EntryState.PARKED, page[-1].parcel, PAGE)
