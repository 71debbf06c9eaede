"""The wall clock, held against the monotonic one at each reading (DESIGN §8.11).

Why at each reading: a clock that is wrong for an instant only still dates what is stored in it, and what is dated
wrong is forgotten too early.  No time is given out before it was compared, so none of them goes unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable

from node.model.instant import Instant
from node.ports import Clock

JUMP = 60_000
"""How far (ms) the wall clock may stray from the monotonic one between two readings."""


class WatchedClock:
    """Gives the wall clock's time and counts its jumps; the first reading is the making of it."""

    def __init__(self, wall: Clock, monotonic: Callable[[], float]) -> None:
        self.wall, self._monotonic = wall, monotonic
        self.jumps = 0
        self.on_jump: Callable[[], None] = lambda: None
        self._last = monotonic() * 1000, wall()

    def __call__(self) -> Instant:
        """Return the wall clock's time in ms."""
        mono, now = self._monotonic() * 1000, self.wall()
        # One assignment of a pair: two threads that read at once each compare with a true reading.
        (mono_then, then), self._last = self._last, (mono, now)
        if abs((now - then) - (mono - mono_then)) > JUMP:
            self.jumps += 1
            self.on_jump()
        return now
