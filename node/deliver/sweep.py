"""The sweep: forgets finished entries by stated retention, a few at a time (DESIGN §8.5).

Rule: it stops for a day when the wall clock jumped against the monotonic one, or the node was started with a clock
more than a day past its last write: a clock set forward by a year must purge nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.model.instant import Instant
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
    quiet: int = DAY // 24
    """How long a peer may be silent before what it finished is kept: it may have been restored in the meantime."""


def doubtful(written: Instant | None, now: Instant) -> bool:
    """Return whether the clock of a start may be wrong, or was when the stores were last written.

    A node that stood still for days is doubted with one whose clock was wrong: it costs a day of purging.
    """
    return written is not None and now - written > DAY


class Sweep:
    """Purges both queues every so often."""

    def __init__(self, desk: Desk, retention: Retention, every: float = 60.0, doubted: bool = False) -> None:
        """`doubted` says that a clock may be or have been wrong: nothing is purged for a day."""
        self._desk, self._retention, self._every = desk, retention, every
        self._jumps = desk.clock.jumps
        self._calm_until = float("-inf")
        if doubted:
            self._calm("start")

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
        if count:
            desk.log("info", "store.purged", count=count)

    async def _silent(self, peers: Sequence[str], since: Instant) -> list[str]:
        """Return the peers that were heard once, and not since then."""
        met = await self._desk.inbox.run(lambda unit: [unit.met(peer) for peer in peers])
        return [one.node for one in met if one is not None and one.at < since]

    def _look(self) -> None:
        """Keep calm for a day if the wall clock moved otherwise than the monotonic one, whoever read it then."""
        self._desk.now()
        seen, self._jumps = self._jumps, self._desk.clock.jumps
        if self._jumps != seen:
            self._calm("sweep")

    def _calm(self, at: str) -> None:
        self._calm_until = self._desk.reactor.seconds() + DAY / 1000
        self._desk.log("error", "EXN-CLOCK", at=at)
