"""Time in the world: one fake clock for all, and for each life of a machine a view of it that dies with that life."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import Clock
from zope.interface import implementer

MOST_AT_ONCE = 20_000
"""Calls in one instant after which the world is taken to spin."""


def run_until(clock: Clock, at: float) -> None:
    """Let everything happen up to an instant, each thing at its own time."""
    spun = 0
    while clock.calls and clock.calls[0].getTime() <= at:
        ahead = max(0.0, clock.calls[0].getTime() - clock.seconds())
        spun = 0 if ahead else spun + 1
        assert spun < MOST_AT_ONCE, f"the world spins: {clock.calls[0]}"
        clock.advance(ahead)
    clock.advance(max(0.0, at - clock.seconds()))


@implementer(IReactorTime)
class LifeTime:
    """The clock as one life of a machine sees it: after its death nothing it planned happens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.over = False

    def seconds(self) -> float:
        return self._clock.seconds()

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object, **kwargs: object) -> IDelayedCall:
        return self._clock.callLater(delay, self._call, callable, args, kwargs)

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        return self._clock.getDelayedCalls()

    def _call(self, planned: Callable[..., Any], args: Sequence[object], kwargs: dict[str, object]) -> None:
        if not self.over:
            planned(*args, **kwargs)
