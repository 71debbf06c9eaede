"""The opener: the inbox's own pump; it judges what was accepted, hands it to the sink and answers *processed*.

Rule 1: verdicts are saved before the sink is called, and the sink's come back from its own transaction, so a crash
        anywhere repeats a step and never an effect.
Rule 2: a hold keeps its place: the lane waits, with one alarm, until the cause is gone.
Rule 3: a parcel on which a fault of ours is met again and again is held too: the other lanes do not wait for it.
Rule 4: small parcels of several lanes are handled side by side, so that their units, and their syncs, become one.
Rule 5: while an adapter lands a parcel the next one of its lane is judged (`foresight`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredList

from node.exchange import handle
from node.exchange.handle import Closing, Judgement
from node.intake.foresight import Foresight
from node.model import codes
from node.model.instant import day
from node.model.parcel import Verdict
from node.model.spool import Arrival, ArrivalState, Claim
from node.model.trouble import Hold, Trouble
from node.ports import InboxUnit
from node.workers import BLOCK, Alarms, Desk

TRIES = 3
"""How often a parcel may meet a fault of ours before it is held."""
AT_ONCE = 4
"""Lanes whose next parcels are handled side by side."""
SMALL = BLOCK // 4
"""Octets from which on what was taken is enough for one turn of the reactor, and for memory."""


class Opener:
    """Handles what was accepted, each lane in order."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._alarms = Alarms()
        self._foresight = Foresight(desk, AT_ONCE)
        self._faults: Counter[str] = Counter()

    async def run(self) -> None:
        """Handle the next parcels side by side, or wait for one."""
        desk = self._desk
        seen = desk.bell.count("inbox")
        taken = await desk.inbox.run(lambda unit: _take(unit, desk), durable=False)
        if not taken:
            await desk.bell.wait(("inbox",), seen, desk.timers.idle)
            return
        opening = [Deferred.fromCoroutine(self._open(one)) for one in taken]
        _raise_first(await DeferredList(opening, consumeErrors=True))

    async def _open(self, taken: _Taken) -> None:
        """Handle one parcel to its end, or leave it as it must wait."""
        desk, claim, arrival = self._desk, taken.claim, taken.arrival
        try:
            await self._handle(taken)
            self._alarms.end(arrival.lane)
            self._faults.pop(arrival.parcel, None)
        except Hold as met:
            await self._hold(claim, arrival, met.code.name)
        except (Trouble, CancelledError):
            await desk.inbox.run(lambda unit: unit.release(claim), durable=False)
            raise
        except Exception:
            await self._failed(claim, arrival)
            raise

    async def reconsider(self) -> None:
        """Let held parcels be tried again, now and then: the cause may be gone."""
        desk = self._desk
        await desk.sleep(desk.timers.hello, "means")
        held = await desk.inbox.run(lambda unit: unit.arrivals(ArrivalState.HELD, "", 100))
        if held:
            await desk.inbox.run(lambda unit: _unhold(unit, held))
            desk.bell.ring("inbox")

    async def _hold(self, claim: Claim, arrival: Arrival, name: str) -> None:
        await self._desk.inbox.run(lambda unit: unit.hold(claim, name, self._desk.now()))
        if self._alarms.rings(arrival.lane, name):
            self._desk.log("error", name, kind="hold", peer=arrival.lane.sender, parcel=arrival.parcel)

    async def _failed(self, claim: Claim, arrival: Arrival) -> None:
        """Try a parcel again after a fault of ours, or hold it at last; what the fault was the caller logs."""
        self._faults[arrival.parcel] += 1
        if self._faults[arrival.parcel] < TRIES:
            await self._desk.inbox.run(lambda unit: unit.release(claim), durable=False)
        else:
            await self._hold(claim, arrival, codes.FAULT.name)

    async def _handle(self, taken: _Taken) -> None:
        desk, means = self._desk, self._desk.means
        claim, arrival, octets = taken.claim, taken.arrival, taken.octets
        # Judged as of the day it came, so that judging it again finds the same.
        today = day(arrival.received)
        judged = await self._foresight.judged(claim) if taken.saved is None else None
        if judged is None:
            judged = await desk.workers.run_block(
                len(octets[1]), handle.judge, claim, octets, means, desk.now(), today, taken.saved
            )
        await desk.inbox.run(lambda unit: unit.judge(claim, judged.refused))
        applied = await self._apply(judged, arrival)
        closing: Closing = handle.conclude(judged, arrival, applied, means)
        await desk.inbox.run(lambda unit: handle.finish(unit, claim, arrival, closing, desk.now()))
        for outcome, count in closing.counts.items():
            desk.counter.count("records_judged", count, resource=arrival.lane.resource, outcome=outcome)
        if closing.code:
            desk.log(
                "error", closing.code, peer=arrival.lane.sender, parcel=arrival.parcel, reason=judged.reason or None
            )
        desk.bell.ring(f"receipts:{arrival.lane.sender}", "inbox")

    async def _apply(self, judged: Judgement, arrival: Arrival) -> list[Verdict]:
        desk, delivery = self._desk, judged.delivery
        if delivery is None:
            return []
        sink = desk.sinks.get(delivery.lane.resource)
        if sink is not None:
            self._foresight.look(arrival)
            return list(await sink.apply(delivery))
        verdicts = await desk.warehouse.run(lambda unit: unit.apply(delivery, desk.now()))
        desk.bell.ring("warehouse")
        return list(verdicts)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A claimed parcel with its octets, and the verdicts saved before a crash."""

    claim: Claim
    arrival: Arrival
    octets: tuple[bytes, bytes]
    saved: Sequence[Verdict] | None


def _take(unit: InboxUnit, desk: Desk) -> list[_Taken]:
    """Claim what comes next in up to `AT_ONCE` lanes; after a large parcel nothing is taken beside it."""
    found: list[_Taken] = []
    size = 0
    while len(found) < AT_ONCE and size < SMALL:
        taken = unit.take(desk.now(), desk.timers.lease_ms)
        if taken is None:
            break
        claim, arrival = taken
        octets = unit.octets(arrival.parcel)
        assert octets is not None, "the octets of an unfinished parcel are kept"
        found.append(_Taken(claim, arrival, octets, unit.judged(arrival.parcel)))
        size += arrival.octets
    return found


def _raise_first(ends: Iterable[tuple[bool, Any]]) -> None:
    """Raise what was met first, if anything was; before all else that we were cancelled."""
    met = [failure for good, failure in ends if not good]
    for failure in sorted(met, key=lambda one: not isinstance(one.value, CancelledError)):
        failure.raiseException()


def _unhold(unit: InboxUnit, held: Sequence[Arrival]) -> None:
    for arrival in held:
        unit.unhold(arrival.parcel)
