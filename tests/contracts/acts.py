"""What tests do with an outbox, in one word each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from node.model.parcel import Lane, Stage
from node.model.spool import GROUP_RECORDS, Claim, Entry, LaneState
from node.ports import OutboxUnit
from tests.contracts.things import LANE, T0, sealed

LEASE = 60_000


def state_of(unit: OutboxUnit, lane: Lane = LANE) -> LaneState:
    """Return a lane that is there."""
    state = unit.lane(lane)
    assert state is not None
    return state


def claimed(unit: OutboxUnit, lane: Lane = LANE, now: int = T0) -> Claim:
    """Return a claim that is given."""
    claim = unit.claim(lane, now, LEASE)
    assert claim is not None
    return claim


@contextmanager
def holding(unit: OutboxUnit, lane: Lane = LANE, now: int = T0) -> Iterator[Claim]:
    """Claim a lane for a while."""
    claim = claimed(unit, lane, now)
    yield claim
    unit.release(claim)


def ship(
    unit: OutboxUnit, lane: Lane = LANE, now: int = T0, send: bool = True, parcel_records: int = GROUP_RECORDS
) -> str:
    """Seal what waits, and send it; return the parcel."""
    claim = claimed(unit, lane, now)
    groups = unit.draw(lane, parcel_records)
    made = sealed(state_of(unit, lane), groups, at=now)
    unit.place(claim, made, [group.id for group in groups], now)
    if send:
        unit.sent(claim, made.statement.parcel, now)
    unit.release(claim)
    return made.statement.parcel


def hear(unit: OutboxUnit, parcel: str, stage: Stage, now: int = T0, code: str | None = None) -> Entry:
    """Learn of a receipt; return the entry."""
    entry = unit.learn(parcel, stage, code, b"%b receipt" % stage.value.encode(), [], now)
    assert entry is not None
    return entry


def known(unit: OutboxUnit, parcel: str) -> Entry:
    """Return an entry that is there."""
    entry = unit.entry(parcel)
    assert entry is not None
    return entry


def reseal(unit: OutboxUnit, old: str, kind: str = "records") -> str:
    """Seal the records of an unaccepted parcel again at its place, or put a void there; return the new parcel."""
    place, was = unit.sealed(old).statement.place, known(unit, old).digest
    made = sealed(state_of(unit, LANE), unit.groups(old), kind=kind, instead_of=was, place=place)
    with holding(unit) as claim:
        unit.replace(claim, old, made, T0)
    return made.statement.parcel
