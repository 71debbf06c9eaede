"""The pump: sends what waits for one peer, lane by lane, one parcel in flight in each.

Rule 1: urgent lanes first, then the longest waiting; a lane gives way after each parcel, so none starves.
Rule 2: a parcel whose earlier attempt is unaccounted for is asked about before it is sent, or sealed, again.
Rule 3: a peer that cannot be reached rests as a whole; a parcel is never counted down.
Rule 4: a lane that got nowhere rests, longer each time; a peer that always answers the same is never asked in a circle.
Rule 5: a lane under load waits a moment between parcels, the longer the more the last one held, so that one signature,
        one sync and one receipt serve more records; a lone record never waits, a full parcel neither.
Rule 6: while a parcel is on its way the payload of the next one is packed, if enough of it waits; no more payloads are
        kept so than parcels may be on their way at once, however many lanes wait.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from node.envelope import MANIFEST_LIMIT, Letter, frame_head, read_letter, write_letter
from node.exchange import greet
from node.exchange.seal import Ahead, Outgoing, parcel_records
from node.model import codes
from node.model.parcel import Lane, Position
from node.model.spool import GROUP_OCTETS, Entry, LaneState
from node.model.trouble import Code, Hold, Kind, Refused, Trouble
from node.ports import OutboxUnit
from node.wire.link import PeerLink, PeerSaid
from node.wire.media import LETTER, PARCEL
from node.workers import Alarms, Desk
from node.workers.passage import next_parcel, prepare_next, release, take_receipts

AT_ONCE = 4
LOOK = 0.003
"""Seconds between two looks into the outbox while a parcel is on its way: every submission rings."""
PACE, PACE_MOST = 0.0005, 0.050
"""Seconds that a record of the last parcel keeps the next parcel waiting, and the most of it."""
AHEAD = GROUP_OCTETS // 2
"""From how many waiting octets on a parcel is packed ahead: a small one would leave what comes meanwhile behind."""
_MOST = 2**53 - 1
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Pump:
    """Sends to one peer over its link."""

    def __init__(self, desk: Desk, link: PeerLink, at_once: int = AT_ONCE, ahead: int = AHEAD) -> None:
        self._desk, self._link, self._at_once, self._least = desk, link, at_once, ahead
        self._busy: dict[Lane, Deferred[None]] = {}
        self._ahead: dict[Lane, Deferred[Ahead | None]] = {}
        self._pace: dict[Lane, float] = {}
        self._looked = 0.0
        self._alarms = Alarms()
        self._tries: dict[Lane, int] = {}
        self._until: dict[Lane, float] = {}

    async def run(self) -> None:
        """Start what may be sent now, then wait for news."""
        desk, peer = self._desk, self._link.peer
        names = (f"outbox:{peer}", f"link:{peer}")
        early = self._looked + LOOK - desk.reactor.seconds()
        if early > 0 and self._busy:
            await desk.sleep(early, f"free:{peer}")
        seen = desk.bell.count(*names)
        left = desk.timers.idle
        if self._link.up and len(self._busy) < self._at_once:
            self._looked = desk.reactor.seconds()
            ready = await desk.outbox.run(lambda unit: unit.ready(peer))
            self._forget_ahead({state.lane for state in ready})
            for state in ready:
                rest = self._start_of(state) - desk.reactor.seconds()
                if rest > 0:
                    left = min(left, rest)
                elif len(self._busy) < self._at_once and state.lane not in self._busy:
                    self._start(state)
        await desk.bell.wait(names, seen, left)

    def _start_of(self, state: LaneState) -> float:
        """Return when a lane may send next."""
        until = self._until.get(state.lane, 0.0)
        full = state.waiting >= parcel_records(state.lane, self._desk.means) or state.waiting_octets >= GROUP_OCTETS
        if full or state.cursor <= state.head.seq:
            return until
        return max(until, self._pace.get(state.lane, 0.0))

    def _start(self, state: LaneState) -> None:
        # The slot is taken first: the coroutine may end before `fromCoroutine` returns.
        self._busy[state.lane] = Deferred()
        Deferred.fromCoroutine(self._lane(state)).addErrback(self._fault)

    def _fault(self, failure: Failure) -> None:
        self._desk.log("error", "EXN-FAULT", at="pump", bug=failure.value)
        self._desk.counter.count("faults", room="pump")

    async def _lane(self, state: LaneState) -> None:
        """Send one parcel of a lane and learn what became of it."""
        desk, lane = self._desk, state.lane
        try:
            await self._attempt(state)
        except Trouble as met:
            desk.log("info", met.code.name, peer=lane.receiver, resource=lane.resource)
            self._rest(lane)
        except BaseException:
            self._rest(lane)
            raise
        finally:
            del self._busy[lane]
            desk.bell.ring(f"outbox:{lane.receiver}", f"free:{lane.receiver}")

    async def _attempt(self, state: LaneState) -> None:
        """Send, and keep what the peer or we ourselves said against it; raise Retry, of the keeping too."""
        lane = state.lane
        try:
            # That an earlier attempt arrived is no proof that the next one does: only what was sent ends a rest.
            if await self._accounted(state):
                return
            if await self._next(state):
                self._goes_on(lane)
            else:
                self._rest(lane)
        except PeerSaid as said:
            await self._turned(lane, said)
        except Hold as met:
            await self._hold(lane, met.code)

    def _goes_on(self, lane: Lane) -> None:
        self._alarms.end(lane)
        self._tries.pop(lane, None)
        self._until.pop(lane, None)

    def _rest(self, lane: Lane, told: int | None = None) -> None:
        """Leave a lane alone: as long as the peer said, or doubling with each try that got nowhere."""
        desk, timers = self._desk, self._desk.timers
        tries = self._tries[lane] = self._tries.get(lane, 0) + 1
        jitter = 0.8 + 0.4 * desk.means.chance(1)[0] / 255
        wait = float(told) if told else timers.rest_first * 2 ** min(tries - 1, 16) * jitter
        self._until[lane] = desk.reactor.seconds() + min(wait, timers.rest_most)

    async def _next(self, state: LaneState) -> bool:
        """Send what the lane may send; return whether the peer has accepted it."""
        lane = state.lane
        try:
            outgoing = await next_parcel(self._desk, lane, await self._prepared(lane))
        except Refused as met:  # it can never be sealed as it is: a person must look
            await self._hold(lane, met.code)
            return False
        return outgoing is not None and await self._send(outgoing, state.waiting_octets)

    async def _send(self, outgoing: Outgoing, waited: int) -> bool:
        desk, peer, claim, lane = self._desk, self._link.peer, outgoing.claim, outgoing.entry.lane
        try:
            began = desk.reactor.seconds()
            self._pace[lane] = began + min(PACE * outgoing.entry.count, PACE_MOST)
            parts = [frame_head(outgoing.manifest, len(outgoing.payload)), outgoing.payload]
            post = self._link.post("/v1/parcels", PARCEL, parts, desk.timers.post, MANIFEST_LIMIT)
            sending = Deferred.fromCoroutine(post)
            if waited >= self._least and len(self._ahead) < self._at_once:
                self._ahead[lane] = Deferred.fromCoroutine(self._prepare(lane))
            answer = await sending
            desk.counter.timed("delivery_attempt", desk.reactor.seconds() - began, peer=peer)
        except BaseException as met:
            outcome = "turned" if isinstance(met, PeerSaid) else "lost"
            desk.counter.count("delivery_attempts", peer=peer, outcome=outcome)
            await release(desk, claim)
            raise
        went = _accepted(await take_receipts(desk, peer, [(answer.body, b"")], claim), outgoing.entry)
        desk.counter.count("delivery_attempts", peer=peer, outcome="accepted" if went else "unproved")
        return went

    async def _prepare(self, lane: Lane) -> Ahead | None:
        """Pack what comes next; what prevents it is met again, and told, when it is that parcel's turn."""
        try:
            return await prepare_next(self._desk, lane, self._least)
        except Trouble:
            return None

    def _forget_ahead(self, ready: set[Lane]) -> None:
        """Make room that a lane keeps which will not come to use it: it was held, or emptied otherwise."""
        for lane in [lane for lane in self._ahead if lane not in ready and lane not in self._busy]:
            del self._ahead[lane]

    async def _prepared(self, lane: Lane) -> Ahead | None:
        """Return what was packed for this moment."""
        preparing = self._ahead.pop(lane, None)
        return None if preparing is None else await preparing

    async def _accounted(self, state: LaneState) -> bool:
        """Ask after a parcel that was sent before; True if the peer had it, or what it replaced (rule 2)."""
        if state.cursor > state.head.seq:
            return False
        entry = await self._desk.outbox.run(lambda unit: unit.due(state.lane))
        if entry is None or not entry.attempts:
            return False
        letter = write_letter(Letter(ask=[entry.parcel]))
        answer = await self._link.post("/v1/receipts?wait=0", LETTER, [letter], limit=1 << 24)
        told = read_letter(answer.body)
        receipts = [(one.receipt, one.verdicts) for one in told.receipts]
        return _accepted(await take_receipts(self._desk, self._link.peer, receipts), entry)

    async def _turned(self, lane: Lane, said: PeerSaid) -> None:
        """The peer answered with an error: rewind, hold or wait, as its code says (WIRE §3)."""
        desk, code = self._desk, said.told.code
        there = _position(said)
        if there is not None and code in (codes.BEHIND, codes.PURGED):
            await desk.outbox.run(lambda unit: self._steer(unit, lane, there, code is codes.PURGED))
            self._rest(lane)
            if self._tries[lane] == 1:
                del self._until[lane]  # most likely that was all
            return
        if code is not None and code.kind is not Kind.RETRY:
            await self._hold(lane, code)
            return
        desk.log("warning", code.name if code else said.code.name, peer=lane.receiver, resource=lane.resource)
        self._rest(lane, said.told.retry_after)

    def _steer(self, unit: OutboxUnit, lane: Lane, there: Position, purged: bool) -> None:
        state = unit.lane(lane)
        if state is not None:
            greet.steer(unit, state, there, self._desk.now(), self._desk.timers.lease_ms, purged)

    async def _hold(self, lane: Lane, code: Code) -> None:
        await self._desk.outbox.run(lambda unit: unit.hold(lane, code.name))
        if self._alarms.rings(lane, code.name):
            self._desk.log("error", code.name, peer=lane.receiver, resource=lane.resource, kind="hold")


def _accepted(moved: Sequence[Entry], entry: Entry) -> bool:
    """Return whether one of the entries that moved stands accepted in the place of `entry`."""
    place = (entry.lane, entry.epoch, entry.seq)
    return any((one.lane, one.epoch, one.seq) == place and one.accepted is not None for one in moved)


def _position(said: PeerSaid) -> Position | None:
    """Return the head a problem tells, None unless it could be one: this was not signed by anybody."""
    members = said.told.members or {}
    epoch, seq, head = members.get("epoch"), members.get("seq"), members.get("head")
    if epoch.__class__ is not int or seq.__class__ is not int or not isinstance(head, str):
        return None
    fits = 0 <= epoch <= _MOST and 0 <= seq <= _MOST and _DIGEST.fullmatch(head)
    return Position(epoch, seq, head) if fits else None
