"""The gateway: what peers may ask of us over HTTP (WIRE §3 to §5).

    POST /v1/hello      a signed probe            → ours
    POST /v1/parcels    a framed parcel           → our *accepted* receipt
    POST /v1/collect    a signed collect          → the next parcel for that peer, or 204
    POST /v1/receipts   a letter, ?wait=seconds   → a letter

Rule 1: the TLS peer is checked per request: it must be sender, receiver or asker; headers are never identity.
Rule 2: a long poll holds no claim and no transaction while it waits.
Rule 3: nothing is offered to a peer that has not said hello to this run of ours: if we came back from an old copy, its
    hello shows that before we seal a second parcel at a taken place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node.envelope import (
    MANIFEST_LIMIT,
    PAYLOAD_LIMIT,
    PROBE_LIMIT,
    Enclosure,
    Letter,
    fill,
    frame_head,
    read_collect,
    read_letter,
    unframe,
    write_letter,
)
from node.exchange import ask, greet
from node.exchange.authority import attest, recognise
from node.intake.admission import admit_parcel
from node.model import codes
from node.model.parcel import Collect, Lane, Probe
from node.model.trouble import Hold, Trouble, trouble
from node.spool.shortage import Shortage
from node.wire.media import LETTER, PARCEL, STATEMENT
from node.wire.message import Request, Response
from node.wire.problem import problem
from node.wire.routes import Routes
from node.workers import Alarms, Desk, Seldom
from node.workers.handed import current
from node.workers.meeting import meet
from node.workers.passage import next_parcel, release, take_receipts

FRAME_LIMIT = MANIFEST_LIMIT + PAYLOAD_LIMIT + 64
LETTER_LIMIT = 16 << 20
OFFER_AGAIN = 10.0
"""Seconds after which a collected parcel without its receipt is offered again."""


class Gateway:
    """Answers peers; `tls` False only where the settings say that the line below protects the channel."""

    def __init__(self, desk: Desk, tls: bool = True) -> None:
        self._desk, self._tls = desk, tls
        self._offered: dict[Lane, float] = {}
        self._alarms = Alarms()
        self._greeted: set[str] = set()
        self._asked = Seldom(desk.reactor, desk.timers.overdue_ms / 1000)

    def add_to(self, routes: Routes) -> None:
        """Add the four routes."""
        routes.add("POST", "/v1/hello", self.hello, PROBE_LIMIT, self._early)
        routes.add("POST", "/v1/parcels", self.parcels, FRAME_LIMIT, self._early_parcel)
        routes.add("POST", "/v1/collect", self.collect, MANIFEST_LIMIT, self._early)
        routes.add("POST", "/v1/receipts", self.receipts, LETTER_LIMIT, self._early)

    def _early(self, request: Request) -> None:
        self._channel(request)

    def _early_parcel(self, request: Request) -> None:
        self._channel(request)
        self._desk.afford(Shortage.INTAKE)

    def _channel(self, request: Request) -> str | None:
        """Return the node at the other end of the channel; raise Hold: UNREGISTERED, SUSPENDED."""
        fingerprint = request.peer.tls_fingerprint
        if fingerprint is None and not self._tls:
            return None
        peer = self._desk.means.registry.channel(fingerprint) if fingerprint else None
        if peer is None:
            raise trouble(codes.UNREGISTERED)
        if peer.suspended:
            raise trouble(codes.SUSPENDED, peer=peer.node)
        return peer.node

    async def parcels(self, request: Request) -> Response:
        """Take one parcel."""
        framed = unframe(request.body)
        try:
            receipt = await admit_parcel(self._desk, framed.manifest, framed.payload, self._channel(request))
        except Trouble as met:
            if "seq" not in met.details:
                raise
            # Our head, so that the sender can rewind.
            head: dict[str, Any] = dict(met.details)
            return problem(met, request.headers.get(b"accept-language", b""), **head)
        return Response(200, receipt, [(b"Content-Type", STATEMENT)])

    async def hello(self, request: Request) -> Response:
        """Meet a peer, bring our lanes to it in line, and tell it where we stand."""
        desk, means = self._desk, self._desk.means
        said = greet.listen(request.body, means, self._channel(request), desk.now())
        peer = means.registry.peer(said.sender.node)
        if peer is None:
            raise trouble(codes.UNREGISTERED)
        await self._meet(peer.node, said)
        if await desk.inbox.run(lambda unit: greet.give_up(unit, peer.node, said.epoch)):
            desk.bell.ring("inbox")
        aligned = await desk.outbox.run(lambda unit: greet.align(unit, said, desk.now(), desk.timers.lease_ms, False))
        self._greeted.add(peer.node)
        for lane in aligned.superseded:
            if self._alarms.rings(lane, codes.SUPERSEDED.name):
                desk.log("error", codes.SUPERSEDED.name, peer=peer.node, resource=lane.resource)
        await desk.outbox.run(lambda unit: greet.release(unit, peer.node))
        theirs = await desk.inbox.run(lambda unit: greet.receiving(unit, peer.node))
        life, ours = await desk.outbox.run(lambda unit: greet.sending(unit, peer.node))
        desk.counter.gauge("node_last_seen", desk.now() / 1000, node=peer.node)
        desk.bell.ring(f"outbox:{peer.node}")
        answer = greet.probe(peer, life, [*ours, *theirs], means, desk.now())
        return Response(200, answer, [(b"Content-Type", STATEMENT)])

    async def _meet(self, node: str, said: Probe | Collect) -> None:
        """Note which life of a peer speaks; raise Hold: SUPERSEDED, CLONED (with one alarm)."""
        desk = self._desk
        before, met = await meet(desk, node, said)
        clone = greet.cloned(met)
        if clone is not None:
            if before is None or not before.cloned:
                desk.log("error", clone.code.name, peer=node)
            raise clone

    async def collect(self, request: Request) -> Response:
        """Offer a peer the next parcel that waits for it, within a long poll."""
        desk, means = self._desk, self._desk.means
        known = recognise(read_collect(request.body, means.crypto), means, self._channel(request))
        said = attest(known, means, desk.now()).statement
        node = known.peer.node
        await self._meet(node, said)
        if node not in self._greeted:
            raise trouble(codes.GREET)
        until = desk.reactor.seconds() + _wait(request, desk.timers.poll)
        names = (f"outbox:{node}",)
        while not desk.stopping:
            seen = desk.bell.count(*names)
            found = await self._offer(node)
            if found is not None:
                return found
            left = until - desk.reactor.seconds()
            if left <= 0:
                break
            await desk.bell.wait(names, seen, min(left, OFFER_AGAIN))
        return Response(204)

    async def _offer(self, node: str) -> Response | None:
        desk, now = self._desk, self._desk.reactor.seconds()
        for state in await desk.outbox.run(lambda unit: unit.ready(node)):
            if self._offered.get(state.lane, 0.0) > now:
                continue
            self._offered[state.lane] = now + OFFER_AGAIN
            try:
                outgoing = await next_parcel(desk, state.lane)
            except Hold as met:
                await self._hold(state.lane, met.code.name)
                outgoing = None
            if outgoing is None:
                self._offered.pop(state.lane, None)
                continue
            await release(desk, outgoing.claim)
            self._alarms.end(state.lane)  # not before: who asked may be gone meanwhile, and then nothing left
            front = frame_head(outgoing.manifest, len(outgoing.payload))
            return Response(200, [front, outgoing.payload], [(b"Content-Type", PARCEL)])
        return None

    async def _hold(self, lane: Lane, name: str) -> None:
        await self._desk.outbox.run(lambda unit: unit.hold(lane, name))
        if self._alarms.rings(lane, name):
            self._desk.log("error", name, peer=lane.receiver, resource=lane.resource, kind="hold")

    async def receipts(self, request: Request) -> Response:
        """Take the receipts a peer gives, tell those it asks for and those it was not handed, within a long poll."""
        desk, letter = self._desk, read_letter(request.body)
        node = self._channel(request)
        if node is None:
            raise trouble(codes.UNREGISTERED)
        if letter.receipts:
            for entry in await take_receipts(desk, node, [(one.receipt, one.verdicts) for one in letter.receipts]):
                self._offered.pop(entry.lane, None)
            desk.bell.ring(f"outbox:{node}")
        if letter.unknown:
            await self._missing(node, letter.unknown)
        told = await desk.inbox.run(lambda unit: ask.tell(unit, node, letter.ask))
        until = desk.reactor.seconds() + _wait(request, 0.0)
        names = (f"receipts:{node}",)
        while True:
            seen = desk.bell.count(*names)
            given = await current(desk, await desk.inbox.run(lambda unit: ask.due(unit, node, letter.ask)))
            owed = await desk.outbox.run(lambda unit: ask.wanted(unit, node, desk.now(), desk.timers.overdue_ms))
            wanted = self._asked.pass_on(entry.parcel for entry in owed)
            left = until - desk.reactor.seconds()
            if given or wanted or told.unknown or left <= 0 or desk.stopping:
                break
            await desk.bell.wait(names, seen, left)
        enclosed = fill([Enclosure(one.statement, one.verdicts) for one in given])
        answer = Letter(enclosed, wanted, told.pending, told.unknown)
        handed = [(one.parcel, one.stage) for one in given[: len(enclosed)]]
        if handed:  # should the power take this, they are given once more
            await desk.inbox.run(lambda unit: unit.gave(handed), durable=False)
        return Response(200, write_letter(answer), [(b"Content-Type", LETTER)])

    async def _missing(self, node: str, unknown: Sequence[str]) -> None:
        """Look after what we asked a peer for and it never stored."""
        desk = self._desk
        lost = await desk.outbox.run(lambda unit: ask.missing(unit, node, unknown, desk.now()))
        if lost:
            desk.log("warning", codes.BEHIND.name, peer=node, count=len(lost))
            desk.bell.ring(f"outbox:{node}")


def _wait(request: Request, default: float) -> float:
    """Return how long the peer lets us wait, 0 to 25 s; raise Refused(BAD_REQUEST) for another value."""
    said = request.query.get("wait")
    if said is None:
        return default
    if not said.isascii() or not said.isdigit() or len(said) > 2 or int(said) > 25:
        raise trouble(codes.BAD_REQUEST, reason="wait")
    return float(said)
