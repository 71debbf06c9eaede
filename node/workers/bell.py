"""News inside one process: who waits for a name is woken when it is rung; nothing is lost between look and wait.

    seen = bell.count("outbox:centre")
    ... look into the store ...
    await bell.wait(["outbox:centre"], seen, 25)

Rule 1: a ring is a hint to look again, never the news itself: the stores alone say what is there.
Rule 2: `wait` returns at once if anything was rung after `seen` was taken.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime


class Bell:
    """Counts the rings of each name, and wakes who waits."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._rung: dict[str, int] = {}
        self._waiting: dict[str, dict[Deferred[None], None]] = {}

    def count(self, *names: str) -> int:
        """Return how often the names were rung so far, together."""
        return sum(self._rung.get(name, 0) for name in names)

    def ring(self, *names: str) -> None:
        """Wake everyone who waits for one of the names, who waited first first."""
        woken: dict[Deferred[None], None] = {}
        for name in names:
            self._rung[name] = self._rung.get(name, 0) + 1
            waiting = self._waiting.pop(name, None)
            if waiting:
                woken |= waiting
        for deferred in woken:
            if not deferred.called:
                deferred.callback(None)

    async def wait(self, names: Iterable[str], seen: int, seconds: float) -> bool:
        """Return True on news after `seen` (of `count` over the same names), False after `seconds`."""
        names = tuple(names)
        if self.count(*names) != seen:
            return True
        deferred: Deferred[None] = Deferred()
        for name in names:
            self._waiting.setdefault(name, {})[deferred] = None
        timer = self._clock.callLater(seconds, lambda: None if deferred.called else deferred.callback(None))
        try:
            await deferred
        finally:
            if timer.active():
                timer.cancel()
            for name in names:
                self._waiting.get(name, {}).pop(deferred, None)
        return self.count(*names) != seen
