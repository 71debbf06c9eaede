"""The process of one configured adapter: started when it is needed, one act at a time, ended when nobody needs it.

Rule 1: whoever uses it holds its lock, and works in a thread; `kill` alone may come from elsewhere, at any time.
Rule 2: after a trouble it is ended: what it was in the middle of nobody knows.  One that was ended on purpose, at a
        limit of time, is started anew by whoever needs it next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from node.hosts import Child, Limits, Told
from node.model.source import Instance
from node.workers import Runs

RESTING = 60.0
"""Seconds after which a process that nobody used is ended."""

T = TypeVar("T")


class AdapterProcess:
    """One adapter's process, and the lock of whoever uses it."""

    def __init__(
        self, instance: Instance, runs: Runs, clock: IReactorTime, hear: Callable[[Told], None] = lambda told: None
    ) -> None:
        self.instance, self._runs, self._clock, self._hear = instance, runs, clock, hear
        self.lock = DeferredLock()
        self.closed = False
        self._child: Child | None = None
        self._idle: IDelayedCall | None = None
        self._busy: Deferred[Any] | None = None

    def use(self, function: Callable[[Child], T]) -> Deferred[T]:
        """Run `function` with the process in a thread; the caller holds the lock.

        Whoever no longer waits for it does not end it: `kill` does, and `idle` tells when.
        """
        self._calm()
        told: Deferred[T] = Deferred(lambda cancelled: None)
        self._busy = self._runs.run(self._with, function).addBoth(self._rest).addBoth(_tell, told)
        return told

    async def idle(self) -> None:
        """Return when no thread is at it."""
        while self._busy is not None and not self._busy.called:
            ended: Deferred[None] = Deferred()
            self._busy.addBoth(_pass_on, ended)
            await ended

    def _with(self, function: Callable[[Child], T]) -> T:
        if self._child is None:
            one = self.instance
            limits = Limits(silence=one.silence / 1000, memory=one.memory)
            self._child = Child(one.kind, one.settings, limits, self._hear, folder=one.folder, shown=one.name)
        if self.closed:
            self._child.kill()
        try:
            result = function(self._child)
        except BaseException:
            self._end()
            raise
        if self._child.ended:
            self._end()
        return result

    def kill(self) -> None:
        """End the process for good: what is under way fails."""
        self.closed = True
        self._calm()
        if self._child is not None:
            self._child.kill()
            if self._busy is None or self._busy.called:
                self._end()  # else the thread that is at it lets go of its pipes, when its act fails

    def _rest(self, result: T) -> T:
        if not self.closed:
            self._idle = self._clock.callLater(RESTING, self._let_go)
        return result

    def _let_go(self) -> None:
        self._idle = None
        if not self.lock.locked:
            self.lock.run(self._runs.run, self._end)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _calm(self) -> None:
        idle, self._idle = self._idle, None
        if idle is not None and idle.active():
            idle.cancel()


def _tell(result: Any, told: Deferred[Any]) -> None:
    """Hand a result or a failure on, unless nobody waits for it any more."""
    if told.called:
        return
    if isinstance(result, Failure):
        told.errback(result)
    else:
        told.callback(result)


def _pass_on(result: T, ended: Deferred[None]) -> T:
    ended.callback(None)
    return result
