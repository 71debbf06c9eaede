"""The greeter: says hello to one peer on connecting, each minute, and as the probe of a resting peer (WIRE §3).

Rule 1: the rest of a peer doubles with each failure, with jitter, is on disk, and ends with a good hello.
Rule 2: a good hello lets held lanes try again: if the cause is still there they are held again, without a new alarm.
Rule 3: a peer that calls us an old copy or a second one stops our lanes to it (WIRE §3, §5).
"""

from __future__ import annotations

from node.envelope import PROBE_LIMIT
from node.exchange import greet
from node.model import codes
from node.model.parcel import LaneHead
from node.model.spool import Rest
from node.model.trouble import Kind, Trouble, trouble
from node.wire.link import PeerLink, PeerSaid
from node.wire.media import STATEMENT
from node.workers import Alarms, Desk
from node.workers.meeting import meet


class Greeter:
    """Keeps one link up, or finds out when it is again."""

    def __init__(self, desk: Desk, link: PeerLink) -> None:
        self._desk, self._link = desk, link
        self._told: str | None = None
        self._alarms = Alarms()

    async def run(self) -> None:
        """Greet once, then wait for the next time."""
        desk, peer = self._desk, self._link.peer
        rest = await desk.outbox.run(lambda unit: unit.rest(peer))
        now = desk.now()
        # A stored time is clamped: a clock that was set back must not make a peer rest for a year.
        left = min(max(0, rest.until - now) / 1000, desk.timers.rest_most)
        if left and not self._link.up:
            await desk.sleep(left, f"greet:{peer}")
        asked = desk.bell.count(f"greet:{peer}")
        try:
            await self._greet()
        except Trouble as met:
            await self._fail(rest, met)
            return
        if rest.attempts:
            await desk.outbox.run(lambda unit: unit.set_rest(peer, Rest()))
        self._told = None
        self._link.set_up(True)
        # A wish to be greeted that came meanwhile is not lost; that the link is up now is no news.
        seen = desk.bell.count(f"link:{peer}") + asked
        await desk.bell.wait((f"link:{peer}", f"greet:{peer}"), seen, desk.timers.hello)

    async def _greet(self) -> None:
        desk, means, peer = self._desk, self._desk.means, self._link.peer
        registered = means.registry.peer(peer)
        if registered is None:
            raise trouble(codes.UNREGISTERED)
        life, ours = await desk.outbox.run(lambda unit: greet.sending(unit, peer))
        theirs: list[LaneHead] = await desk.inbox.run(lambda unit: greet.receiving(unit, peer))
        said = greet.probe(registered, life, [*ours, *theirs], means, desk.now())
        answer = await self._link.post("/v1/hello", STATEMENT, [said], limit=PROBE_LIMIT)
        heard = greet.listen(answer.body, means, peer, desk.now())
        _, met = await meet(desk, peer, heard)
        clone = greet.cloned(met)
        if clone is not None:
            raise clone
        if await desk.inbox.run(lambda unit: greet.give_up(unit, peer, heard.epoch)):
            desk.bell.ring("inbox")
        desk.counter.gauge("peer_last_success", desk.now() / 1000, peer=peer)
        desk.counter.gauge("peer_clock_skew", (heard.time - desk.now()) / 1000, peer=peer)
        aligned = await desk.outbox.run(
            lambda unit: greet.align(unit, heard, desk.now(), desk.timers.lease_ms)
        )
        for lane in aligned.superseded:
            if self._alarms.rings(lane, codes.SUPERSEDED.name):
                desk.log("error", codes.SUPERSEDED.name, peer=peer, resource=lane.resource)
        await desk.outbox.run(lambda unit: greet.release(unit, peer))
        desk.bell.ring(f"outbox:{peer}")

    async def _fail(self, rest: Rest, met: Trouble) -> None:
        desk, peer = self._desk, self._link.peer
        self._link.set_up(False)
        attempts = rest.attempts + 1
        seconds = min(desk.timers.rest_most, desk.timers.rest_first * 2 ** min(attempts - 1, 16))
        jitter = 0.8 + 0.4 * desk.means.chance(1)[0] / 255
        until = desk.now() + int(1000 * seconds * jitter)
        await desk.outbox.run(lambda unit: unit.set_rest(peer, Rest(until, attempts)))
        code = met.told.code if isinstance(met, PeerSaid) and met.told.code else met.code
        if isinstance(met, PeerSaid) and code in (codes.SUPERSEDED, codes.CLONED):
            await desk.outbox.run(lambda unit: greet.stop(unit, peer, code))
        if code.name != self._told:
            desk.log("error" if code.kind is Kind.HOLD else "warning", code.name, peer=peer, attempt=attempts)
            self._told = code.name
