"""Time in the world: one fake clock for all, and for each life of a machine a view of it that dies with that life."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from typing import Any

from twisted.internet.base import DelayedCall
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

MOST_AT_ONCE = 20_000
"""Calls in one instant after which the world is taken to spin."""


@implementer(IReactorTime)
class WorldClock:
    """A clock that moves only when told; calls of one instant happen in the order they were planned.

    As `twisted.internet.task.Clock`, which sorts all calls at each call: half the price of a world.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._planned = 0
        self._heap: list[tuple[float, int, DelayedCall]] = []

    def seconds(self) -> float:
        return self._now

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object, **kwargs: object) -> IDelayedCall:
        call = DelayedCall(self._now + delay, callable, args, kwargs, _leave, _never, self.seconds)
        self._planned += 1
        heappush(self._heap, (call.time, self._planned, call))
        made: IDelayedCall = call
        return made

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        made: Any = [call for _, _, call in sorted(self._heap, key=lambda one: one[:2]) if call.active()]
        return list(made)

    def advance(self, amount: float) -> None:
        """Move time forward and make the calls that are due then."""
        self._now += amount
        while self._heap and self._heap[0][0] <= self._now:
            call = heappop(self._heap)[2]
            if not call.cancelled:
                call.called = 1
                call.func(*call.args, **call.kw)

    def run_until(self, at: float) -> None:
        """Let everything happen up to an instant, each thing at its own time."""
        heap, spun = self._heap, 0
        while heap and heap[0][0] <= at:
            due, _, call = heappop(heap)
            if call.cancelled:
                continue
            if due > self._now:
                self._now, spun = due, 0
            spun += 1
            assert spun < MOST_AT_ONCE, f"the world spins: {call}"
            call.called = 1
            call.func(*call.args, **call.kw)
        self._now = max(self._now, at)


def _leave(call: DelayedCall) -> None:
    """A cancelled call stays where it is and is passed over when its time comes."""


def _never(call: DelayedCall) -> None:
    raise AssertionError("nothing in a node moves a planned call to an earlier time")


@implementer(IReactorTime)
class LifeTime:
    """The clock as one life of a machine sees it: after its death nothing it planned happens.

    A life that is `stalled` does nothing at all; when it wakes, all that should have happened does, in order.
    """

    def __init__(self, clock: WorldClock) -> None:
        self._clock = clock
        self.over = self.stalled = False
        self.seconds = clock.seconds
        self._missed: list[Callable[[], Any]] = []

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object, **kwargs: object) -> IDelayedCall:
        return self._clock.callLater(delay, self._call, callable, args, kwargs)

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        return self._clock.getDelayedCalls()

    def awake(self, act: Callable[[], Any]) -> None:
        """Do something in this life, now or when it wakes."""
        if self.stalled:
            self._missed.append(act)
        elif not self.over:
            act()

    def wake(self) -> None:
        """End a stall."""
        self.stalled = False
        missed, self._missed = self._missed, []
        for act in missed:
            self._clock.callLater(0, self.awake, act)

    def _call(self, planned: Callable[..., Any], args: Sequence[object], kwargs: dict[str, object]) -> None:
        if self.stalled:
            self._missed.append(partial(planned, *args, **kwargs))
        elif not self.over:
            planned(*args, **kwargs)
