"""What a named person may change in a running node: retry, hold, release, resend, purge; look at cases again.

Rule 1: each act names who did it, in the log with the account that asked, and in the ledger where records are given up.
Rule 2: nothing here sends a parcel's bytes again or changes them: it takes away what makes a lane wait.
        `resend` lets records of a refused one go in a new parcel.
Rule 3: `retry` leaves alone what a person stopped or must decide; `release` is the word for that.
Rule 4: what is given up is a sealed parcel nobody has accepted (a signed void takes its place), or a parked one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from node.exchange import greet, seal
from node.ledger import steps
from node.model import codes
from node.model.parcel import Lane
from node.model.record import Stream
from node.model.spool import ArrivalState, Entry, EntryState, Rest
from node.model.trouble import trouble
from node.ports import InboxUnit, OutboxUnit, WarehouseUnit
from node.service.control_read import OUTBOX, Answer, Arguments, identifier, queue, text
from node.service.control_view import lane_name
from node.workers import Desk

UNACCEPTED = frozenset({EntryState.SEALED, EntryState.SENT})
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the name given, and the account on the other end of the socket (None if unknown)."""

    who: str
    uid: int | None


Act = Callable[[Desk, Arguments, Actor], Awaitable[Answer]]


async def retry(desk: Desk, given: Arguments, actor: Actor) -> Answer:
    """Let one parcel, or all to or from a peer, be tried now: ends the peer's rest and holds that mend themselves."""
    which = queue(given)
    if ("id" in given) == ("peer" in given):
        raise trouble(codes.BAD_REQUEST, reason="id, peer")
    if which == OUTBOX:
        peer, lanes = await desk.outbox.run(lambda unit: _retry_sending(unit, given, desk))
        desk.bell.ring(f"greet:{peer}", f"link:{peer}", f"outbox:{peer}")
    else:
        peer, lanes = await desk.inbox.run(lambda unit: _retry_received(unit, given, desk))
        desk.bell.ring("inbox")
    desk.log("warning", "control.retry", who=actor.who, uid=actor.uid, queue=which, peer=peer, count=lanes)
    return {"peer": peer, "released": lanes}


def _retry_sending(unit: OutboxUnit, given: Arguments, desk: Desk) -> tuple[str, int]:
    if "id" in given:
        entry = _entry(unit, identifier(given))
        if entry.state not in UNACCEPTED | {EntryState.ACCEPTED}:
            raise trouble(codes.STATE, parcel=entry.parcel, state=entry.state.value)
        peer, lanes = entry.lane.receiver, [entry.lane]
    else:
        peer = _peer(desk, given)
        lanes = [state.lane for state in unit.lanes(peer)]
    released = 0
    for lane in lanes:
        state = unit.lane(lane)
        if state is not None and state.held is not None and state.held not in greet.FOR_PEOPLE:
            unit.hold(lane, None)
            released += 1
    unit.set_rest(peer, Rest())
    return peer, released


def _retry_received(unit: InboxUnit, given: Arguments, desk: Desk) -> tuple[str, int]:
    if "id" in given:
        arrival = unit.arrival(identifier(given))
        if arrival is None:
            raise trouble(codes.NOT_FOUND)
        if arrival.state is not ArrivalState.HELD:
            raise trouble(codes.STATE, parcel=arrival.parcel, state=arrival.state.value)
        unit.unhold(arrival.parcel)
        return arrival.lane.sender, 1
    peer = _peer(desk, given)
    held = [one for one in unit.arrivals(ArrivalState.HELD, "", AT_ONCE) if one.lane.sender == peer]
    for one in held:
        unit.unhold(one.parcel)
    return peer, len(held)


async def hold(desk: Desk, given: Arguments, actor: Actor) -> Answer:
    """Hold a lane until a person releases it."""
    return await _set_hold(desk, given, actor, "hold", codes.HELD.name)


async def release(desk: Desk, given: Arguments, actor: Actor) -> Answer:
    """Let a lane go on, whatever held it."""
    return await _set_hold(desk, given, actor, "release", None)


async def _set_hold(desk: Desk, given: Arguments, actor: Actor, word: str, code: str | None) -> Answer:
    which, lane = queue(given), _lane(desk, given)
    if which == OUTBOX:
        was = await desk.outbox.run(lambda unit: _hold_sending(unit, lane, code))
    else:
        was = await desk.inbox.run(lambda unit: _hold_received(unit, lane, code))
    peer = lane.receiver if which == OUTBOX else lane.sender
    desk.bell.ring(f"outbox:{peer}" if which == OUTBOX else "inbox")
    desk.log("warning", f"control.{word}", who=actor.who, uid=actor.uid, queue=which, lane=lane_name(lane, peer))
    return {"lane": lane_name(lane, peer), "was": was}


def _hold_sending(unit: OutboxUnit, lane: Lane, code: str | None) -> str | None:
    state = unit.lane(lane)
    if state is None:
        raise trouble(codes.NOT_FOUND)
    unit.hold(lane, code)
    return state.held


def _hold_received(unit: InboxUnit, lane: Lane, code: str | None) -> str | None:
    if unit.head(lane) is None:
        raise trouble(codes.NOT_FOUND)
    was = unit.held(lane)
    unit.hold_lane(lane, code)
    return was


async def resend(desk: Desk, given: Arguments, actor: Actor) -> Answer:
    """Let the records of a parked parcel go again in a new one, now that what it was refused for is mended."""
    id = identifier(given)

    def supply(unit: OutboxUnit) -> Entry:
        unit.resupply(id, desk.now())
        return _entry(unit, id)

    entry = await desk.outbox.run(supply)
    desk.bell.ring(f"outbox:{entry.lane.receiver}")
    desk.log("warning", "control.resend", who=actor.who, uid=actor.uid, parcel=id, peer=entry.lane.receiver)
    return {"parcel": id, "records": entry.count}


async def purge(desk: Desk, given: Arguments, actor: Actor) -> Answer:
    """Give up a parcel nobody has accepted, or throw a parked one away."""
    which, id = queue(given), identifier(given)
    if which == OUTBOX:
        what = await desk.outbox.run(lambda unit: _purge_sending(unit, id, actor.who, desk))
        entry = await desk.outbox.run(lambda unit: _entry(unit, id))
        desk.bell.ring(f"outbox:{entry.lane.receiver}")
    else:
        what = await desk.inbox.run(lambda unit: _purge_received(unit, id, actor.who, desk))
    desk.log("warning", "control.purge", who=actor.who, uid=actor.uid, queue=which, parcel=id, what=what)
    return {"parcel": id, "what": what}


def _purge_sending(unit: OutboxUnit, id: str, who: str, desk: Desk) -> str:
    entry, now = _entry(unit, id), desk.now()
    if entry.state is EntryState.PARKED:
        unit.discard(id, who, now)
        return "discarded"
    if entry.state not in UNACCEPTED:
        raise trouble(codes.STATE, parcel=id, state=entry.state.value)
    if seal.give_up(unit, entry, desk.means, now, desk.timers.lease_ms) is None:
        raise trouble(codes.LANE_BUSY)
    unit.note(entry.lane, steps.by(steps.VOIDED, who), id, entry.digest, entry.count, now)
    return "voided"


def _purge_received(unit: InboxUnit, id: str, who: str, desk: Desk) -> str:
    arrival = unit.arrival(id)
    if arrival is None:
        raise trouble(codes.NOT_FOUND)
    if arrival.state is not ArrivalState.PARKED:
        raise trouble(codes.STATE, parcel=id, state=arrival.state.value)
    unit.discard(id, who, desk.now())
    return "discarded"


def _entry(unit: OutboxUnit, id: str) -> Entry:
    found = unit.entry(id)
    if found is None:
        raise trouble(codes.NOT_FOUND)
    return found


def _peer(desk: Desk, given: Arguments) -> str:
    peer = text(given, "peer")
    if desk.means.registry.peer(peer) is None:
        raise trouble(codes.NOT_FOUND)
    return peer


def _lane(desk: Desk, given: Arguments) -> Lane:
    """Return the lane a person names `peer/resource`, or `peer/resource/stream`."""
    parts, here = text(given, "lane").split("/"), desk.means.identity
    streams: dict[str, Stream] = {stream.value: stream for stream in Stream}
    if len(parts) == 2:
        parts.append(Stream.LIVE.value)
    if len(parts) != 3 or parts[2] not in streams:
        raise trouble(codes.BAD_REQUEST, reason="lane")
    ends = (here.node, parts[0]) if queue(given) == OUTBOX else (parts[0], here.node)
    return Lane(here.domain, *ends, parts[1], streams[parts[2]])


async def recheck(desk: Desk, given: Arguments, actor: Actor) -> Answer:
    """Have every case looked at again: the rules are new here, or were changed; it takes its time."""
    if not desk.means.betweens.rules:
        raise trouble(codes.BAD_REQUEST, reason="[findings]")
    after: bytes | None = b""
    while after is not None:
        after = await desk.warehouse.run(partial(_wake, after=after), durable=False)
    desk.bell.ring("warehouse")
    desk.log("warning", "control.recheck", who=actor.who, uid=actor.uid)
    return {"rules": sorted(desk.means.betweens.rules)}


def _wake(unit: WarehouseUnit, after: bytes) -> bytes | None:
    return unit.wake_every(after, AT_ONCE)


ACTS: dict[str, Act] = {
    "queue.retry": retry, "queue.hold": hold, "queue.release": release, "queue.resend": resend,
    "queue.purge": purge, "findings.recheck": recheck,
}
