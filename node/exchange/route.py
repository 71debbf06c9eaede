"""Route: the warehouse's history, read through a grant, becomes waiting records for its receiver (DESIGN §3).

Rule 1: the bookmark moves in the outbox transaction that puts the records; a repeated read puts nothing twice.
Rule 2: a lane is fed only while less than one parcel waits in it: a slow subscriber is a bookmark, not copies.
Rule 3: lines pass byte for byte with their origin, version and proof; a parcel's records stay together.
Rule 4: nothing goes back to its origin or to whoever passed it on, and nothing is put without a grant valid now.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.envelope import read_origins, thin, write_origins
from node.exchange.means import Means
from node.model.instant import Instant
from node.model.parcel import Lane
from node.model.registry import Grant
from node.model.spool import GROUP_OCTETS, GROUP_RECORDS, Block, Waiting
from node.ports import OutboxUnit
from node.validate import split_line


def reader(grant: Grant) -> str:
    """Return the name of a grant's bookmark."""
    return f"grant:{grant.name}"


def hungry(unit: OutboxUnit, grant: Grant, means: Means, now: Instant) -> int | None:
    """Return the block after which `grant` wants to be fed, None while its lanes have a parcel waiting or it ended."""
    if not _valid(grant, means, now) or means.registry.peer(grant.receiver) is None:
        return None
    if _full(*_waiting(unit, grant)):
        return None
    return int(unit.bookmark(reader(grant)) or 0)


def route(unit: OutboxUnit, grant: Grant, after: int, blocks: Sequence[Block], means: Means, now: Instant) -> int:
    """Put the blocks read after `after` until a parcel is full, move the bookmark past them; return how many records.

    Nothing is put, and the bookmark stays, once the grant ended.  Raises Retry(FENCED) when the bookmark is no longer
    at `after`.
    """
    if not blocks or not _valid(grant, means, now):
        return 0
    put, last = 0, after
    records, octets = _waiting(unit, grant)
    for block in blocks:
        waiting = _through(block, grant, means, now)
        if waiting is not None:
            here = means.identity
            unit.wait(Lane(here.domain, here.node, grant.receiver, block.resource, block.stream), waiting)
            put, octets = put + len(waiting.lines), octets + sum(map(len, waiting.lines))
        last = block.id
        if _full(records + put, octets):
            break
    unit.mark(reader(grant), str(after) if after else None, str(last))
    return put


def _valid(grant: Grant, means: Means, now: Instant) -> bool:
    return now < grant.until and grant in means.registry.grants()


def _waiting(unit: OutboxUnit, grant: Grant) -> tuple[int, int]:
    """Return how many records and octets wait in the fullest lane of the grant."""
    lanes = [state for state in unit.lanes(grant.receiver) if state.lane.resource == grant.resource]
    return max((state.waiting for state in lanes), default=0), max((state.waiting_octets for state in lanes), default=0)


def _full(records: int, octets: int) -> bool:
    return records >= GROUP_RECORDS or octets >= GROUP_OCTETS


def _through(block: Block, grant: Grant, means: Means, now: Instant) -> Waiting | None:
    """Return what of a block the grant lets through, None if nothing."""
    if block.sender == grant.receiver:
        return None
    keep = [at for at, line in enumerate(block.lines) if split_line(line)[1].origin != grant.receiver]
    if not keep:
        return None
    resource = means.registry.resource(block.resource)
    entries = read_origins(block.evidence)
    if len(keep) < len(block.lines):
        entries = thin(entries, block.lines, keep, means.crypto)
    return Waiting(
        spec=block.spec,
        lines=[block.lines[at] for at in keep],
        admitted=now,
        purpose=grant.purpose,
        grant=grant.name,
        origins=write_origins(entries),
        priority=resource.priority if resource else 5,
        parcel_records=resource.parcel_records if resource else GROUP_RECORDS,
    )
