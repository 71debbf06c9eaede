"""The sweep: forgets finished entries by stated retention, a few at a time (DESIGN §8.5).

Rule: it stops when the wall clock jumped against the monotonic one: a clock set forward by a year must purge nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.workers import Desk

DAY = 86_400_000
AT_ONCE = 500
JUMP = 60_000
"""How far (ms) the wall clock may stray from the monotonic one between two looks."""
LOOK = 1.0
"""Seconds between two looks at the clocks: one set wrong and right again between two sweeps has dated things wrong."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long finished things are kept, in ms; the sweep keeps `done` for the longest backup interval of a peer."""

    answers: int = 30 * DAY
    done: int = 2 * DAY
    bytes_in: int = 2 * DAY
    receipts: int = 365 * DAY


class Sweep:
    """Purges both queues every so often."""

    def __init__(self, desk: Desk, retention: Retention, every: float = 60.0) -> None:
        self._desk, self._retention, self._every = desk, retention, every
        # The first sweep is held against the start: the clock may be set in between.
        self._last = desk.reactor.seconds(), desk.now()
        self._calm_until = float("-inf")

    async def run(self) -> None:
        """Wait for the time, then purge if the clocks agree."""
        desk, keep = self._desk, self._retention
        until = desk.reactor.seconds() + self._every
        while (left := until - desk.reactor.seconds()) > 0:
            await desk.sleep(min(LOOK, left))
            self._look()
        now = desk.now()
        if desk.reactor.seconds() < self._calm_until:
            return
        # What a peer restores from its backup it will ask for again.
        done = max(keep.done, *(peer.backup_interval for peer in desk.means.registry.peers()), 0)
        count = 0
        purged = AT_ONCE
        while purged >= AT_ONCE:
            purged = await desk.outbox.run(lambda unit: unit.purge(now - done, now - keep.answers, AT_ONCE))
            count += purged
        purged = AT_ONCE
        receipts = max(keep.receipts, done)
        while purged >= AT_ONCE:
            purged = await desk.inbox.run(lambda unit: unit.purge(now - keep.bytes_in, now - receipts, AT_ONCE))
            count += purged
        if count:
            desk.log("info", "store.purged", count=count)

    def _look(self) -> None:
        """Keep calm for a day if the wall clock moved otherwise than the monotonic one."""
        mono, now = self._desk.reactor.seconds(), self._desk.now()
        last, self._last = self._last, (mono, now)
        if abs((now - last[1]) - (mono - last[0]) * 1000) > JUMP:
            self._calm_until = mono + DAY / 1000
            self._desk.log("error", "EXN-CLOCK", at="sweep")
