"""The pump: sends what waits for one peer, lane by lane, one parcel in flight in each.

Rule 1: urgent lanes first, then the longest waiting; a lane gives way after each parcel, so none starves.
Rule 2: a parcel whose earlier attempt is unaccounted for is asked about before its bytes are sent again.
Rule 3: a peer that cannot be reached rests as a whole; a parcel is never counted down.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from node.envelope import MANIFEST_LIMIT, Letter, frame_head, read_letter, write_letter
from node.exchange import greet
from node.exchange.seal import Outgoing
from node.model import codes
from node.model.parcel import Lane, Position
from node.model.trouble import Code, Hold, Kind, Trouble
from node.ports import OutboxUnit
from node.wire.link import PeerLink, PeerSaid
from node.wire.media import LETTER, PARCEL
from node.workers import Alarms, Desk
from node.workers.passage import next_parcel, release, take_receipts

AT_ONCE = 4


class Pump:
    """Sends to one peer over its link."""

    def __init__(self, desk: Desk, link: PeerLink, at_once: int = AT_ONCE) -> None:
        self._desk, self._link, self._at_once = desk, link, at_once
        self._busy: dict[Lane, Deferred[None]] = {}
        self._alarms = Alarms()

    async def run(self) -> None:
        """Start what may be sent now, then wait for news."""
        desk, peer = self._desk, self._link.peer
        names = (f"outbox:{peer}", f"link:{peer}")
        seen = desk.bell.count(*names)
        if self._link.up and len(self._busy) < self._at_once:
            ready = await desk.outbox.run(lambda unit: unit.ready(peer))
            for state in ready:
                if len(self._busy) < self._at_once and state.lane not in self._busy:
                    self._start(state.lane)
        await desk.bell.wait(names, seen, desk.timers.idle)

    def _start(self, lane: Lane) -> None:
        # The slot is taken first: the coroutine may end before `fromCoroutine` returns.
        self._busy[lane] = Deferred()
        Deferred.fromCoroutine(self._lane(lane)).addErrback(
            lambda failure: self._desk.log("error", "EXN-FAULT", at="pump", bug=failure.value)
        )

    async def _lane(self, lane: Lane) -> None:
        """Send one parcel of a lane and learn what became of it."""
        desk = self._desk
        try:
            outgoing = await next_parcel(desk, lane)
            if outgoing is not None:
                await self._send(outgoing)
        except PeerSaid as said:
            await self._turned(lane, said)
        except Hold as met:
            await self._hold(lane, met.code)
        except Trouble as met:
            desk.log("info", met.code.name, peer=lane.receiver, resource=lane.resource)
        finally:
            del self._busy[lane]
            desk.bell.ring(f"outbox:{lane.receiver}")

    async def _send(self, outgoing: Outgoing) -> None:
        desk, peer, claim = self._desk, self._link.peer, outgoing.claim
        try:
            if outgoing.entry.attempts and await self._accounted(outgoing.entry.parcel):
                await release(desk, claim)
                return
            began = desk.reactor.seconds()
            parts = [frame_head(outgoing.manifest, len(outgoing.payload)), outgoing.payload]
            answer = await self._link.post("/v1/parcels", PARCEL, parts, desk.timers.post, MANIFEST_LIMIT)
            desk.counter.timed("delivery_attempt", desk.reactor.seconds() - began, peer=peer)
        except BaseException:
            await release(desk, claim)
            raise
        self._alarms.end(outgoing.entry.lane)
        await take_receipts(desk, peer, [(answer.body, b"")], claim)

    async def _accounted(self, parcel: str) -> bool:
        """Ask after a parcel that was sent before; True if the peer had it (rule 2)."""
        letter = write_letter(Letter(ask=[parcel]))
        answer = await self._link.post("/v1/receipts?wait=0", LETTER, [letter], limit=1 << 24)
        told = read_letter(answer.body)
        moved = await take_receipts(self._desk, self._link.peer, [(one.receipt, one.verdicts) for one in told.receipts])
        return any(entry.parcel == parcel for entry in moved)

    async def _turned(self, lane: Lane, said: PeerSaid) -> None:
        """The peer answered with an error: rewind, hold or wait, as its code says (WIRE §3)."""
        desk, code = self._desk, said.told.code
        if code in (codes.BEHIND, codes.PURGED):
            there = _position(said)
            if there is not None:
                await desk.outbox.run(lambda unit: self._steer(unit, lane, there))
                return
        if code is not None and code.kind is not Kind.RETRY:
            await self._hold(lane, code)
            return
        desk.log("warning", code.name if code else said.code.name, peer=lane.receiver, resource=lane.resource)
        wait = said.told.retry_after or desk.timers.rest_first
        await desk.sleep(min(float(wait), desk.timers.rest_most))

    def _steer(self, unit: OutboxUnit, lane: Lane, there: Position) -> None:
        state = unit.lane(lane)
        if state is not None:
            greet.steer(unit, state, there, self._desk.now(), self._desk.timers.lease_ms)

    async def _hold(self, lane: Lane, code: Code) -> None:
        await self._desk.outbox.run(lambda unit: unit.hold(lane, code.name))
        if self._alarms.rings(lane, code.name):
            self._desk.log("error", code.name, peer=lane.receiver, resource=lane.resource, kind="hold")


def _position(said: PeerSaid) -> Position | None:
    members = said.told.members or {}
    epoch, seq, head = members.get("epoch"), members.get("seq"), members.get("head")
    if isinstance(epoch, int) and isinstance(seq, int) and isinstance(head, str) and len(head) == 64:
        return Position(epoch, seq, head)
    return None
