"""The opener: the inbox's own pump; it judges what was accepted, hands it to the sink and answers *processed*.

Rule 1: verdicts are saved before the sink is called, and the sink's come back from its own transaction, so a crash
        anywhere repeats a step and never an effect.
Rule 2: a hold keeps its place: the lane waits, with one alarm, until the cause is gone.
Rule 3: a parcel on which a fault of ours is met again and again is held too: the other lanes do not wait for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from twisted.internet.defer import CancelledError

from node.envelope import read_receipt
from node.exchange import handle
from node.exchange.handle import Closing, Judgement
from node.exchange.means import Means
from node.model import codes
from node.model.instant import day
from node.model.parcel import Verdict
from node.model.spool import Arrival, ArrivalState, Claim
from node.model.trouble import Hold, Trouble
from node.ports import InboxUnit
from node.workers import Alarms, Desk

TRIES = 3
"""How often a parcel may meet a fault of ours before it is held."""


class Opener:
    """Handles one accepted parcel after the other."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._alarms = Alarms()
        self._faults: Counter[str] = Counter()

    async def run(self) -> None:
        """Handle the next parcel, or wait for one."""
        desk = self._desk
        seen = desk.bell.count("inbox")
        taken = await desk.inbox.run(lambda unit: _take(unit, desk), durable=False)
        if taken is None:
            await desk.bell.wait(("inbox",), seen, desk.timers.idle)
            return
        claim, arrival, octets, accepted, saved = taken
        try:
            await self._handle(claim, arrival, octets, accepted, saved)
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

    async def _handle(
        self, claim: Claim, arrival: Arrival, octets: tuple[bytes, bytes], accepted: bytes,
        saved: Sequence[Verdict] | None,
    ) -> None:
        desk, means = self._desk, self._desk.means
        # Judged as of the day it came, so that judging it again finds the same.
        today = day(arrival.received)
        judged = await desk.workers.run_block(
            len(octets[1]), handle.judge, claim, octets, means, desk.now(), today, saved
        )
        await desk.inbox.run(lambda unit: unit.judge(claim, judged.refused))
        applied = await self._apply(judged)
        closing: Closing = handle.conclude(judged, arrival, applied, _validation(accepted, means), means)
        await desk.inbox.run(lambda unit: handle.finish(unit, claim, arrival, closing, desk.now()))
        for outcome, count in closing.counts.items():
            desk.counter.count("records_judged", count, resource=arrival.lane.resource, outcome=outcome)
        if closing.code:
            desk.log(
                "error", closing.code, peer=arrival.lane.sender, parcel=arrival.parcel, reason=judged.reason or None
            )
        desk.bell.ring(f"receipts:{arrival.lane.sender}", "inbox")

    async def _apply(self, judged: Judgement) -> list[Verdict]:
        desk, delivery = self._desk, judged.delivery
        if delivery is None:
            return []
        if desk.sink is not None:
            return list(await desk.workers.run(desk.sink.apply, delivery, desk.now()))
        verdicts = await desk.warehouse.run(lambda unit: unit.apply(delivery, desk.now()))
        desk.bell.ring("warehouse")
        return list(verdicts)


_Taken = tuple[Claim, Arrival, tuple[bytes, bytes], bytes, Sequence[Verdict] | None]


def _take(unit: InboxUnit, desk: Desk) -> _Taken | None:
    taken = unit.take(desk.now(), desk.timers.lease_ms)
    if taken is None:
        return None
    claim, arrival = taken
    octets = unit.octets(arrival.parcel)
    assert octets is not None, "the octets of an unfinished parcel are kept"
    return claim, arrival, octets, unit.given(arrival.parcel)[0].statement, unit.judged(arrival.parcel)


def _unhold(unit: InboxUnit, held: Sequence[Arrival]) -> None:
    for arrival in held:
        unit.unhold(arrival.parcel)


def _validation(accepted: bytes, means: Means) -> str:
    """Return the archive's digest as our *accepted* receipt named it."""
    try:
        return read_receipt(accepted, means.crypto).statement.validation
    except Trouble:
        raise AssertionError("a receipt we wrote is well formed") from None
