"""Route: the warehouse's history, read through a grant, becomes waiting records for its receiver (DESIGN §3).

Rule 1: the bookmark moves in the outbox transaction that puts the records; a repeated read puts nothing twice.
Rule 2: a lane is fed only while less than one parcel waits in it: a slow subscriber is a bookmark, not copies.
Rule 3: lines pass byte for byte with their origin, version and proof; a parcel's records stay together.
Rule 4: nothing goes back to its origin, and nothing is put without a grant valid now.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.envelope import read_origins, thin, write_origins
from node.exchange.means import Means
from node.model.instant import Instant
from node.model.parcel import Lane
from node.model.registry import Grant
from node.model.spool import GROUP_RECORDS, Block, Waiting
from node.ports import OutboxUnit
from node.validate import split_line


def reader(grant: Grant) -> str:
    """Return the name of a grant's bookmark."""
    return f"grant:{grant.name}"


def hungry(unit: OutboxUnit, grant: Grant, means: Means, now: Instant) -> int | None:
    """Return the block after which `grant` wants to be fed, None while its lanes have a parcel waiting or it ended."""
    if now >= grant.until or means.registry.peer(grant.receiver) is None:
        return None
    lanes = [state for state in unit.lanes(grant.receiver) if state.lane.resource == grant.resource]
    if any(state.waiting >= GROUP_RECORDS for state in lanes):
        return None
    return int(unit.bookmark(reader(grant)) or 0)


def route(unit: OutboxUnit, grant: Grant, after: int, blocks: Sequence[Block], means: Means, now: Instant) -> int:
    """Put the blocks read after `after` and move the bookmark; return how many records wait for the receiver now.

    Raises Retry(FENCED) when the bookmark is no longer at `after`.
    """
    put = 0
    for block in blocks:
        waiting = _through(block, grant, means, now)
        if waiting is not None:
            here = means.identity
            unit.wait(Lane(here.domain, here.node, grant.receiver, block.resource, block.stream), waiting)
            put += len(waiting.lines)
    if blocks:
        unit.mark(reader(grant), str(after) if after else None, str(blocks[-1].id))
    return put


def _through(block: Block, grant: Grant, means: Means, now: Instant) -> Waiting | None:
    """Return what of a block the grant lets through, None if nothing."""
    if block.sender == grant.receiver and not block.evidence:
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
    )
