"""Finding a record by its id, which is a time: only what was sealed or delivered after it is looked through.

Rule: every step is short and the number of steps is bounded; what is older than the bound is said not to be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from node.model.ids import uuid7, uuid_bytes
from node.model.instant import Instant
from node.model.record import Head
from node.model.spool import Block, Group
from node.model.trouble import Trouble
from node.ports import OutboxUnit, WarehouseUnit
from node.service.control_steps import Reading, outbox, warehouse
from node.validate import split_line

PARCELS = 2000
"""How many parcels of each queue are looked through."""
PAGE = 100
SLACK: Instant = 300_000
"""How far clocks may have stepped between a record's birth and what was noted of it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a record is: in a parcel at a leaf, or still waiting (no parcel); `store` is who knows."""

    store: str
    parcel: str | None
    leaf: int | None
    lane: str
    head: Head


def born(id: str) -> Instant:
    """Return the time in an id."""
    return int.from_bytes(uuid_bytes(id)[:6], "big")


def spots(record: str, resources: Sequence[str]) -> Reading[list[Spot]]:
    """Return where a record is at this node: waiting, sealed in parcels of ours, and delivered here."""
    found = yield from outbox(lambda unit: _waiting(unit, record))
    found += yield from _sealed(record)
    for resource in resources:
        found += yield from _delivered(record, resource)
    return found


def _waiting(unit: OutboxUnit, record: str) -> list[Spot]:
    """Look at the front of each lane: as much as its next parcel will take."""
    found = []
    for state in unit.lanes():
        if state.waiting:
            spot = _in_groups(unit.draw(state.lane), record, None)
            found += [spot] if spot else []
    return found


def _sealed(record: str) -> Reading[list[Spot]]:
    found: list[Spot] = []
    after, seen = uuid7(max(0, born(record) - SLACK), bytes(10)), 0
    while seen < PARCELS:
        start = after
        page = yield from outbox(lambda unit: unit.entries(None, start, PAGE))
        for entry in page:
            spot = yield from outbox(partial(_in_parcel, record=record, parcel=entry.parcel))
            found += [spot] if spot else []
        if len(page) < PAGE:
            break
        after, seen = page[-1].parcel, seen + len(page)
    return found


def _in_parcel(unit: OutboxUnit, record: str, parcel: str) -> Spot | None:
    return _in_groups(unit.groups(parcel), record, parcel)


def _in_groups(groups: Sequence[Group], record: str, parcel: str | None) -> Spot | None:
    leaf = 0
    for group in groups:
        at = _in_lines(group.lines, record)
        if at is not None:
            lane = group.lane
            name = f"{lane.sender}/{lane.receiver}/{lane.resource}/{lane.stream.value}"
            return Spot("outbox", parcel, leaf + at[0] if parcel else None, name, at[1])
        leaf += len(group.lines)
    return None


def _delivered(record: str, resource: str) -> Reading[list[Spot]]:
    after = yield from before(resource, born(record) - SLACK)
    for _ in range(PARCELS):
        blocks = yield from warehouse(partial(_one, resource=resource, after=after))
        if not blocks:
            break
        spot = _in_block(blocks[0], record)
        if spot is not None:
            return [spot]
        after = blocks[0].id
    return []


def _in_block(block: Block, record: str) -> Spot | None:
    at = _in_lines(block.lines, record)
    if at is None:
        return None
    return Spot("warehouse", block.parcel, block.leaves[at[0]], f"{block.sender}/{block.resource}", at[1])


def _in_lines(lines: Sequence[bytes], record: str) -> tuple[int, Head] | None:
    """Return index and head of the line of a record; its id may also be mentioned elsewhere in a line."""
    mark = record.encode("ascii")
    for at, line in enumerate(lines):
        if mark in line:
            try:
                head = split_line(line)[1]
            except Trouble:
                continue
            if head.record == record:
                return at, head
    return None


def delivery(parcel: str, resources: Sequence[str]) -> Reading[Block | None]:
    """Return the delivery of a parcel, from history alone: its other traces may be purged."""
    for resource in resources:
        after = yield from before(resource, born(parcel) - SLACK)
        for _ in range(PARCELS):
            blocks = yield from warehouse(partial(_one, resource=resource, after=after))
            if not blocks:
                break
            if blocks[0].parcel == parcel:
                return blocks[0]
            after = blocks[0].id
    return None


def _one(unit: WarehouseUnit, resource: str, after: int) -> Sequence[Block]:
    return unit.history(resource, after, 1)


def before(resource: str, at: Instant) -> Reading[int]:
    """Return a block id after which every delivery at `at` or later stands, if the clock did not step back."""
    low, high = 0, (yield from warehouse(lambda unit: unit.last(resource)))
    while high - low > 1:
        middle = (low + high) // 2
        found = yield from warehouse(partial(_one, resource=resource, after=middle))
        if found and found[0].at < at:
            low = middle
        else:
            high = middle
    return low
