"""How late the reactor is: the greatest delay of a timer, which is how long some turn worked."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from node.ports import Counter

INTERVAL = 0.25
SHOWN = 40
"""Beats between two settings of the gauge: ten seconds, so that a scrape each 15 s misses little."""


class Pulse:
    """Beats four times a second and shows the worst delay of the last ten seconds."""

    def __init__(self, clock: IReactorTime, counter: Counter) -> None:
        self._clock = clock
        self._counter = counter
        self._due = 0.0
        self._worst = 0.0
        self._beats = 0
        self._loop = LoopingCall(self._beat)
        self._loop.clock = clock

    def start(self) -> None:
        """Begin to beat."""
        self._due = self._clock.seconds() + INTERVAL
        self._loop.start(INTERVAL, now=False)

    def stop(self) -> None:
        """Stop beating."""
        if self._loop.running:
            self._loop.stop()

    def _beat(self) -> None:
        now = self._clock.seconds()
        self._worst = max(self._worst, now - self._due)
        self._due = now + INTERVAL
        self._beats += 1
        # A long delay is shown at once; a calm is shown when the ten seconds are over.
        if self._worst > INTERVAL or self._beats >= SHOWN:
            self._counter.gauge("reactor_lag", self._worst)
        if self._beats >= SHOWN:
            self._worst, self._beats = 0.0, 0
