"""Two passages every sender walks, whether it posts or is collected from: the next parcel out, receipts home.

Rule 1: small seals run in the unit that saves them, large ones in a thread between two units, or before their turn.
Rule 2: receipts are verified before a unit is opened, many of them in a thread; a bad one never spoils its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.exchange import resupply, seal, settle
from node.exchange.means import Means
from node.exchange.seal import Ahead, Drawn, Outgoing
from node.exchange.settle import Heard
from node.model.instant import Instant
from node.model.parcel import Lane
from node.model.spool import Claim, Entry, EntryState
from node.model.trouble import Trouble
from node.ports import OutboxUnit
from node.workers.desk import Desk
from node.workers.threads import BLOCK


async def prepare_next(desk: Desk, lane: Lane, least: int = BLOCK) -> Ahead | None:
    """Return the payload of the lane's next parcel, packed in a thread, if `least` octets wait; None otherwise."""
    groups = await desk.outbox.run(lambda unit: seal.look(unit, lane, desk.means, least))
    return await desk.workers.run(seal.prepare, groups, desk.means, desk.now()) if groups else None


async def next_parcel(desk: Desk, lane: Lane, ahead: Ahead | None = None) -> Outgoing | None:
    """Return the parcel a lane may send now, its bytes saved; None when nothing waits or another worker has the lane.

    `ahead` is what `prepare_next` made of it.

    Raises Hold: the lane must wait for a change (grant, peer, key).
    """
    means, timers = desk.means, desk.timers

    def first(unit: OutboxUnit) -> Outgoing | Drawn | None:
        taken = seal.take(unit, lane, means, desk.now(), timers.lease_ms, ahead)
        if isinstance(taken, Drawn) and taken.octets < BLOCK:
            return seal.keep(unit, taken, seal.close(taken, means, desk.now()), desk.now())
        if isinstance(taken, Outgoing):
            unit.sent(taken.claim, taken.entry.parcel, desk.now())
        return taken

    taken = await desk.outbox.run(first)
    if not isinstance(taken, Drawn):
        return taken
    drawn = taken
    try:
        sealed = await desk.workers.run(seal.close, drawn, means, desk.now())
        return await desk.outbox.run(lambda unit: seal.keep(unit, drawn, sealed, desk.now()))
    except BaseException:
        await release(desk, drawn.claim)
        raise


async def release(desk: Desk, claim: Claim) -> None:
    """Give a claim back; a void one changes nothing."""
    await desk.outbox.run(lambda unit: unit.release(claim), durable=False)


def _hear(
    receipts: Sequence[tuple[bytes, bytes]], means: Means, peer: str, now: Instant
) -> list[Heard | Trouble]:
    found: list[Heard | Trouble] = []
    for statement, listed in receipts:
        try:
            found.append(settle.hear(statement, listed, means, peer, now))
        except Trouble as met:
            found.append(met)
    return found


async def take_receipts(
    desk: Desk, peer: str, receipts: Sequence[tuple[bytes, bytes]], claim: Claim | None = None
) -> list[Entry]:
    """Settle the receipts a peer gave, with their verdict lists, and give `claim` back; return the entries moved.

    A receipt that is not good is logged by its code and left out: it will be asked for again.
    """
    octets = sum(len(statement) + len(listed) for statement, listed in receipts)
    heard: list[Heard] = []
    for result in await desk.workers.run_block(octets, _hear, receipts, desk.means, peer, desk.now()):
        if isinstance(result, Heard):
            heard.append(result)
            continue
        desk.log("warning", result.code.name, peer=peer, at="receipt")
        desk.counter.count("receipts_bad", peer=peer)

    def all_of_them(unit: OutboxUnit) -> tuple[list[Entry], list[Entry], list[Trouble]]:
        moved, news, troubles = [], [], []
        for one in heard:
            try:
                found = settle.settle(unit, one, desk.now())
            except Trouble as met:
                troubles.append(met)
                continue
            if found is not None:
                moved.append(found.entry)
                if found.changed:
                    news.append(found.entry)
                    if resupply.due(unit, found.entry, desk.means):
                        unit.resupply(found.entry.parcel, desk.now())
        if claim is not None:
            unit.release(claim)
        return moved, news, troubles

    # The peer keeps what it told: should the power take this, it is asked again by id.
    moved, news, troubles = await desk.outbox.run(all_of_them, durable=False)
    for met in troubles:
        desk.log("warning", met.code.name, peer=peer, at="receipt")
        desk.counter.count("receipts_bad", peer=peer)
    for entry in news:
        _count(desk, entry)
    if moved:
        desk.bell.ring(f"outbox:{peer}", "settled")
    return moved


def _count(desk: Desk, entry: Entry) -> None:
    """Count what a receipt changed; the final word ends a parcel's way, and a refused one waits for a person."""
    counter, lane = desk.counter, entry.lane
    counter.count("receipts_received", peer=lane.receiver, status=entry.state.value)
    if entry.state is EntryState.PARKED:
        counter.count("parcels_parked", resource=lane.resource, reason=entry.code or "")
    if entry.state is EntryState.DONE:
        counter.count("records_delivered", entry.count, resource=lane.resource, peer=lane.receiver)
        counter.timed("delivery_latency", max(0, desk.now() - entry.created) / 1000, resource=lane.resource)
