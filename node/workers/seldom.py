"""What is asked for is not asked for again at once: an answer that changes nothing must not make two nodes spin."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.interfaces import IReactorTime

MOST = 65_536


class Seldom:
    """Lets each name through once per interval; forgets the oldest when it holds too many."""

    def __init__(self, clock: IReactorTime, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self._until: dict[str, float] = {}

    def pass_on(self, names: Iterable[str]) -> list[str]:
        """Return the names whose turn it is, each once, and note that they had it."""
        now = self._clock.seconds()
        turn = [name for name in dict.fromkeys(names) if self._until.get(name, 0.0) <= now]
        for name in turn:
            self._until.pop(name, None)  # so that it moves to the end
            self._until[name] = now + self._seconds
        while len(self._until) > MOST:
            del self._until[next(iter(self._until))]
        return turn
