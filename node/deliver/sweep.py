"""The sweep: forgets finished entries by stated retention, a few at a time (DESIGN §8.5).

Rule 1: it stops for a day when the wall clock jumped against the monotonic one: a clock set forward by a year must
        purge nothing, and what was stored by a clock a year behind is not forgotten at once.
Rule 2: when the clock was last found good, and how much of such a day is left, stands on disk: a start is doubted that
        is more than a day away from the last good time, and a doubt outlives the start it began in.  A clock that is
        doubted is never noted as good, or a second start with the same wrong time would look right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.model.instant import Instant
from node.ports import OutboxUnit
from node.workers import Desk

DAY = 86_400_000
AT_ONCE = 500
LOOK = 1.0
"""Seconds between two looks at the clock of a node that does nothing else."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long finished things are kept, in ms; the sweep keeps `done` for the longest backup interval of a peer.

    What a silent peer finished is kept until it is heard again: only its hello tells whether it has it still.
    """

    answers: int = 30 * DAY
    done: int = 2 * DAY
    bytes_in: int = 2 * DAY
    receipts: int = 365 * DAY
    findings: int = 365 * DAY
    quiet: int = DAY // 24
    """How long a peer may be silent before what it finished is kept: it may have been restored in the meantime."""


CLOCK = "clock"
"""The bookmark of the outbox that holds when the clock was last found good, and the ms of doubt that are left."""


class Sweep:
    """Purges both queues and closed findings every so often."""

    def __init__(self, desk: Desk, retention: Retention, every: float = 60.0) -> None:
        self._desk, self._retention, self._every = desk, retention, every
        self._jumps = desk.clock.jumps
        self._calm_until: float | None = None
        self._good: Instant | None = None
        desk.clock.on_jump = lambda: desk.bell.ring(CLOCK)

    async def run(self) -> None:
        """Wait for the time, then purge if the clocks agree."""
        desk, keep = self._desk, self._retention
        if self._good is None:
            await self._start()
        until = desk.reactor.seconds() + self._every
        while (left := until - desk.reactor.seconds()) > 0:
            seen = desk.bell.count(CLOCK)
            await self._look()
            await desk.bell.wait((CLOCK,), seen, min(LOOK, left))
        now = desk.now()
        await self._look()
        if self._calm_until is not None and desk.reactor.seconds() < self._calm_until:
            await self._note()
            return
        self._calm_until, self._good = None, now
        await self._note()
        peers = desk.means.registry.peers()
        # What a peer restores from its backup it will ask for again, once it is heard.
        done = max(keep.done, *(peer.backup_interval for peer in peers), 0) + keep.quiet
        silent = await self._silent([peer.node for peer in peers], now - keep.quiet)
        count = 0
        purged = AT_ONCE
        while purged >= AT_ONCE:
            purged = await desk.outbox.run(lambda unit: unit.purge(now - done, now - keep.answers, AT_ONCE, silent))
            count += purged
        purged = AT_ONCE
        receipts = max(keep.receipts, done)
        while purged >= AT_ONCE:
            purged = await desk.inbox.run(lambda unit: unit.purge(now - keep.bytes_in, now - receipts, AT_ONCE))
            count += purged
        purged = AT_ONCE
        while purged >= AT_ONCE:
            purged = await desk.warehouse.run(lambda unit: unit.purge_findings(now - keep.findings, AT_ONCE))
            count += purged
        if count:
            desk.log("info", "store.purged", count=count)

    async def _start(self) -> None:
        """Doubt the clock of this start if it is far from the last good time, or if a doubt is not over.

        A node that stood still for days is doubted with one whose clock was wrong: it costs a day of purging.
        """
        desk = self._desk
        good, left = await desk.outbox.run(lambda unit: _read(unit, desk.now()))
        self._good = good
        left = DAY if abs(desk.now() - good) > DAY else left
        if left:
            await self._calm("start", left)

    async def _silent(self, peers: Sequence[str], since: Instant) -> list[str]:
        """Return the peers that were heard once, and not since then."""
        met = await self._desk.inbox.run(lambda unit: [unit.met(peer) for peer in peers])
        return [one.node for one in met if one is not None and one.at < since]

    async def _look(self) -> None:
        """Keep calm for a day if the wall clock moved otherwise than the monotonic one, whoever read it then."""
        self._desk.now()
        seen, self._jumps = self._jumps, self._desk.clock.jumps
        if self._jumps != seen:
            await self._calm("sweep", DAY)

    async def _calm(self, at: str, ms: int) -> None:
        self._calm_until = self._desk.reactor.seconds() + ms / 1000
        self._desk.log("error", "EXN-CLOCK", at=at)
        await self._note()

    async def _note(self) -> None:
        """Write down when the clock was good, and what is left of a doubt."""
        left = 0 if self._calm_until is None else max(0, self._calm_until - self._desk.reactor.seconds())
        said = f"{self._good} {int(left * 1000)}"
        await self._desk.outbox.run(lambda unit: unit.mark(CLOCK, unit.bookmark(CLOCK), said))


def _read(unit: OutboxUnit, now: Instant) -> tuple[Instant, int]:
    """Return when the clock was last found good and the ms of doubt left; for a new node now, and none."""
    held = unit.bookmark(CLOCK)
    if held is None:
        unit.mark(CLOCK, None, f"{now} 0")
        return now, 0
    good, _, left = held.partition(" ")
    return int(good), int(left)
