"""Strands: what a node does in threads that wait for each other is done here in strands, one at a time, by the seed.

A strand waits for the store or for a source while the world goes on, and ends with its life.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from greenlet import getcurrent, greenlet
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from tests.fakes.memory import PowerCut

if TYPE_CHECKING:
    from tests.world.machine import Life

P = ParamSpec("P")
T = TypeVar("T")


class Strands:
    """The strands of one life."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._running: dict[greenlet, Callable[[], None]] = {}
        """What tells the end of each strand, which is told outside of it: whoever hears it goes on in the world."""

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Run in a strand."""
        done: Deferred[T] = Deferred()
        tell: list[Callable[[], None]] = []

        def work() -> None:
            try:
                result = function(*args, **kwargs)
            except Exception as error:
                failure = Failure(error)
                tell.append(lambda: done.errback(failure))
            else:
                tell.append(lambda: done.callback(result))

        strand = greenlet(work)
        self._running[strand] = lambda: tell[0]()
        self._enter(strand, strand.switch)
        return done

    def _enter(self, strand: greenlet, enter: Callable[[], object]) -> None:
        strand.parent = getcurrent()
        enter()
        if strand.dead:
            self._running.pop(strand)()

    def end(self) -> None:
        """End what still waits; its life is over."""
        for strand in list(self._running):
            self.go_on(strand)

    def run_block(self, octets: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Run in a strand."""
        return self.run(function, *args, **kwargs)

    def sleep(self, seconds: float) -> None:
        """Let time pass in the strand that calls."""
        strand, life = getcurrent(), self._life

        def wake() -> None:
            if life.alive:
                life.time.awake(lambda: self.go_on(strand))
            else:
                self.go_on(strand)

        life.machine.city.clock.callLater(seconds, wake)
        self.wait()

    def go_on(self, strand: greenlet) -> None:
        """Let a strand run until it waits again; one whose life is over ends."""
        if strand.dead:
            return
        self._enter(strand, strand.switch if self._life.alive else lambda: strand.throw(PowerCut))

    def wait(self) -> None:
        """Wait in a strand until somebody lets it go on."""
        parent = getcurrent().parent
        assert parent is not None, "the world itself waits for nothing"
        parent.switch()


class Told(Future[None]):
    """What a strand waits for as a thread does."""

    def __init__(self, strands: Strands) -> None:
        super().__init__()
        self._strands = strands

    def result(self, timeout: float | None = None) -> None:
        """Wait for it while the world goes on."""
        if not self.done():
            strand = getcurrent()
            self.add_done_callback(lambda told: self._strands.go_on(strand))
            self._strands.wait()
        super().result(0)
