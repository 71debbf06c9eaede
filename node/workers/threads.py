"""Threads for work that blocks; objects that belong to one thread are made inside the function.

Rule: nothing here touches a store; stores are the committer's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")

BLOCK = 64 * 1024
"""From this many octets on, handing work to a thread costs less than the turn it would take (PERFORMANCE)."""


class Runs(Protocol):
    """Runs a blocking function somewhere and brings the result back to the reactor."""

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Return a Deferred of `function(*args)`; it fails with whatever the function raises."""

    def run_block(self, octets: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """As `run`, for work over `octets` octets: in place if they are few."""


class InlineWorkers:
    """Runs everything at once in the caller's turn: for tests and worlds, and for stores quicker than a thread."""

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Run now."""
        try:
            return succeed(function(*args, **kwargs))
        except Exception as error:
            return fail(error)

    def run_block(self, octets: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Run now."""
        return self.run(function, *args, **kwargs)


class Workers:
    """A pool of threads for C calls that release the GIL, devices, and databases over a network.

    Objects that belong to one thread (a compressor, a connection) must be made inside the function or kept per
    thread: two calls may run at the same time.
    """

    def __init__(self, reactor: IReactorFromThreads, threads: int = 2) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(0, threads, "workers")
        self._inline = InlineWorkers()

    def start(self) -> None:
        """Open the pool; threads come with the first work."""
        self._pool.start()

    def stop(self) -> None:
        """Finish what was given and end the threads; blocks until they have ended."""
        self._pool.stop()

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Run in a thread of the pool."""
        return deferToThreadPool(self._reactor, self._pool, function, *args, **kwargs)

    def run_block(self, octets: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Run in a thread if there are `BLOCK` octets or more, otherwise at once."""
        return (self if octets >= BLOCK else self._inline).run(function, *args, **kwargs)
