"""What the async rooms share: the means, the three stores, the bell, the clocks; one object, built by `service`.

Rule 1: `means` is replaced as a whole when configuration or trust changes; a coroutine reads it anew at each step.
Rule 2: waits are monotonic (`reactor`); stored times come from `now`, whose jumps `clock` counts, and never decide
order.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime

from node.exchange.means import Means
from node.model import codes
from node.model.source import SourceState
from node.model.trouble import Trouble, trouble
from node.ports import Clock, Counter, InboxUnit, Log, OutboxUnit, Sink, WarehouseUnit
from node.spool.shortage import Shortage
from node.workers.bell import Bell
from node.workers.clock import WatchedClock
from node.workers.committer import Committer
from node.workers.threads import Runs


@dataclass(frozen=True, slots=True)
class Timers:
    """How long the async rooms wait, in seconds unless named otherwise."""

    hello: float = 60.0
    idle: float = 15.0
    poll: float = 25.0
    overdue_ms: int = 30_000
    lease_ms: int = 120_000
    rest_first: float = 1.0
    rest_most: float = 300.0
    post: float = 120.0


@dataclass(slots=True)
class Desk:
    """One running node's shared things."""

    means: Means
    outbox: Committer[OutboxUnit]
    inbox: Committer[InboxUnit]
    warehouse: Committer[WarehouseUnit]
    workers: Runs
    bell: Bell
    reactor: IReactorTime
    now: Clock
    counter: Counter
    log: Log
    shortage: Callable[[], Shortage]
    timers: Timers = field(default_factory=Timers)
    sinks: Mapping[str, Sink] = field(default_factory=dict)
    """Who takes the records of a resource; the others go to the warehouse."""
    sources: dict[str, SourceState] = field(default_factory=dict)
    """How what is read stands, by the source's name."""
    stopping: bool = False
    clock: WatchedClock = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.clock = WatchedClock(self.now, self.reactor.seconds)

    def afford(self, most: Shortage) -> None:
        """Return while the disk is no shorter than `most` allows; raise Retry: DISK, DRAINING."""
        if self.stopping:
            raise trouble(codes.DRAINING)
        found = self.shortage()
        if found > most:
            raise trouble(codes.DISK, what=found.name.lower())

    async def sleep(self, seconds: float, *names: str) -> None:
        """Wait for a time, or until one of the names is rung."""
        await self.bell.wait(names, self.bell.count(*names), seconds)

    def keep(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> Deferred[None]:
        """Run `work` again and again until it is cancelled; a bug in it is logged and waits a little, never silent."""
        return Deferred.fromCoroutine(self._keep(name, work))

    async def _keep(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while not self.stopping:
            try:
                await work()
                continue
            except CancelledError:
                raise
            except Trouble as met:
                self.log("warning", met.code.name, at=name, kind=met.code.kind.value)
            except Exception as bug:
                self.log("error", "EXN-FAULT", at=name, bug=bug)
                self.counter.count("faults", room=name)
            await self.sleep(self.timers.rest_first)
