"""One commit per turn of the reactor for each store: what arrived in the turn is the batch.

Rule 1: a caller hears of a result only after the commit that makes it true.
Rule 2: a function given to the `Committer` may be run more than once, each time in a fresh unit; it must do nothing
    but read and write that unit and compute.
Rule 3: a function that raises `Trouble` must not have written; if it did, or raises anything else, or the commit
    fails, the whole unit is rolled back and each function is run again in a unit of its own, in order.
    One that is shared by several callers is split, so that each caller's part is alone.
Rule 4: a unit is synced if one of its functions asks for that; the others are those whose loss the peer makes good.
Rule 5: no turn works longer than its budget; what is left waits for the next turn, after the replies were written.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.workers.threads import InlineWorkers, Runs

A = TypeVar("A")
T = TypeVar("T")

SHARE = 128
"""Weight from which a shared call takes no more arguments: between two calls the budget is looked at."""


class Counts(Protocol):
    """What the committer must know of a unit: `writes`, how many statements have written in it so far."""

    @property
    def writes(self) -> int:
        """The count of writes since the unit was opened."""


U = TypeVar("U", bound=Counts)
U_co = TypeVar("U_co", bound=Counts, covariant=True)


class Opens(Protocol[U_co]):
    """A store: `unit()` commits on normal exit and rolls back on an exception, which it lets pass."""

    def unit(self, durable: bool = True) -> AbstractContextManager[U_co]:
        """Open one transaction."""


class _Job(ABC, Generic[U]):
    """Work for one unit, and who waits for it; none holds itself: it holds records, and the collector is rare."""

    durable = True
    alone = False

    @abstractmethod
    def run(self, unit: U) -> Any:
        """Do the work."""

    @abstractmethod
    def wanted(self) -> bool:
        """Whether not every caller has withdrawn."""

    @abstractmethod
    def split(self) -> Sequence[_Job[U]]:
        """Return it as jobs of one caller each, to be run alone."""

    @abstractmethod
    def tell(self, result: Any, error: Exception | None) -> None:
        """Tell the callers, but those that cancelled."""


class _Single(_Job[U]):
    """One function of one caller."""

    def __init__(self, function: Callable[[U], Any], deferred: Deferred[Any], durable: bool) -> None:
        self.function, self.deferred, self.durable = function, deferred, durable

    def run(self, unit: U) -> Any:
        return self.function(unit)

    def wanted(self) -> bool:
        return not self.deferred.called

    def split(self) -> Sequence[_Job[U]]:
        self.alone = True
        return (self,)

    def tell(self, result: Any, error: Exception | None) -> None:
        _tell(self.deferred, result, error)


class _Shared(_Job[U]):
    """One function of many callers' arguments, which returns as many results."""

    def __init__(self, function: Callable[[U, Sequence[Any]], Sequence[Any]]) -> None:
        self.shared = function
        self.parts: list[tuple[Any, Deferred[Any]]] = []
        self.weight = 0

    def run(self, unit: U) -> Sequence[Any]:
        try:
            return self.shared(unit, [argument for argument, _ in self.parts])
        except Trouble:
            if len(self.parts) > 1:
                raise _Spoiled from None  # whose it is comes to light when each is run alone
            raise

    def wanted(self) -> bool:
        self.parts = [part for part in self.parts if not part[1].called]
        return bool(self.parts)

    def split(self) -> Sequence[_Job[U]]:
        jobs = []
        for part in self.parts:
            job = _Shared(self.shared)
            job.parts, job.alone = [part], True
            jobs.append(job)
        return jobs

    def tell(self, result: Any, error: Exception | None) -> None:
        results = [None] * len(self.parts) if error is not None else result
        for (_, deferred), one in zip(self.parts, results, strict=True):
            _tell(deferred, one, error)


def _tell(deferred: Deferred[Any], result: Any, error: Exception | None) -> None:
    if deferred.called:
        return
    if error is None:
        deferred.callback(result)
    else:
        deferred.errback(error)


_Outcome = tuple[_Job[U], Any, Exception | None]
"""A job with its result, or with what it raised."""


class _Spoiled(Exception):
    """Rolls a shared unit back."""


class Committer(Generic[U]):
    """Group commit: what is asked for during one turn of the reactor is committed together at its end.

    `clock` gives the turns and measures the budget (seconds of work per turn); `most` bounds the functions of one
    unit.  `workers` says where a unit runs: in the turn by default, which is quicker for SQLite; in a thread when a
    commit waits for a network.  There is never more than one unit at work.
    """

    def __init__(
        self, store: Opens[U], clock: IReactorTime, workers: Runs | None = None, budget: float = 0.020, most: int = 512
    ) -> None:
        self._store = store
        self._clock = clock
        self._workers = workers or InlineWorkers()
        self._budget = budget
        self._most = most
        self._jobs: deque[_Job[U]] = deque()
        self._open: _Shared[U] | None = None
        self._scheduled = False
        self._stopping = False
        self._stopped: list[Deferred[None]] = []

    @property
    def waiting(self) -> int:
        """How many functions have not been run yet."""
        return len(self._jobs)

    def run(self, function: Callable[[U], T], durable: bool = True) -> Deferred[T]:
        """Run `function(unit)` in the unit at the end of this turn; fire after its commit, with its result or Trouble.

        With `durable` false, what it writes may be lost with the power until the next unit that is synced: for what is
        found out again then (a claim, a receipt of a peer that keeps it).

        Cancelling withdraws a function that has not been run; one that has is committed all the same.
        """
        if self._stopping:
            return fail(trouble(codes.DRAINING))
        deferred: Deferred[T] = Deferred()
        self._jobs.append(_Single(function, deferred, durable))
        self._schedule()
        return deferred

    def share(self, function: Callable[[U, Sequence[A]], Sequence[T]], argument: A, weight: int = 1) -> Deferred[T]:
        """As `run`, for a function of many arguments: those of one turn share a call while they weigh less than SHARE.

        Fires with the result that stands where the argument stood.
        """
        if self._stopping:
            return fail(trouble(codes.DRAINING))
        job = self._open
        if job is None or job.shared != function or job.weight >= SHARE:
            job = self._open = _Shared(function)
            self._jobs.append(job)
        deferred: Deferred[T] = Deferred()
        job.parts.append((argument, deferred))
        job.weight += weight
        self._schedule()
        return deferred

    def stop(self) -> Deferred[None]:
        """Refuse new functions; fire when those given before are committed."""
        self._stopping = True
        done: Deferred[None] = Deferred()
        self._stopped.append(done)
        self._schedule()
        return done

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._clock.callLater(0, self._turn)

    def _turn(self) -> None:
        """Commit what was collected; the next unit waits for the next turn, so the replies leave first."""
        jobs = self._take()
        if jobs:
            self._workers.run(self._commit, jobs).addCallbacks(self._settle, self._lost, errbackArgs=(jobs,))
        else:
            self._settle(([], []))

    def _take(self) -> list[_Job[U]]:
        """Return the jobs of the next unit; those to be run alone come alone."""
        jobs: list[_Job[U]] = []
        while self._jobs and len(jobs) < self._most and (not jobs or self._jobs[0].alone == jobs[0].alone):
            job = self._jobs.popleft()
            if job is self._open:
                self._open = None
            if job.wanted():
                jobs.append(job)
        return jobs

    def _settle(self, done: tuple[Sequence[_Outcome[U]], Sequence[_Job[U]]]) -> None:
        """Tell the callers; put back what the budget did not allow."""
        outcomes, left = done
        self._jobs.extendleft(reversed(left))
        self._scheduled = False
        for job, result, error in outcomes:
            job.tell(result, error)
        if self._jobs:
            self._schedule()
        elif self._stopping:
            stopped, self._stopped = self._stopped, []
            for waiter in stopped:
                waiter.callback(None)

    def _lost(self, failure: Failure, jobs: Sequence[_Job[U]]) -> None:
        """The workers could not run the unit at all."""
        error = failure.value
        self._settle(([(job, None, error if isinstance(error, Exception) else _Spoiled()) for job in jobs], []))

    # --- where it blocks: no Deferred is touched below this line ------------------------------------------------

    def _commit(self, jobs: Sequence[_Job[U]]) -> tuple[Sequence[_Outcome[U]], Sequence[_Job[U]]]:
        """Run the jobs within the budget; return the outcomes and what is left."""
        until = self._clock.seconds() + self._budget
        if jobs[0].alone:
            return self._each(jobs, until)
        try:
            return self._together(jobs, until)
        except Exception:
            # Nobody has been told anything yet and nothing was committed, so running them again is safe.
            return self._each([one for job in jobs for one in job.split()], until)

    def _together(self, jobs: Sequence[_Job[U]], until: float) -> tuple[Sequence[_Outcome[U]], Sequence[_Job[U]]]:
        """Run jobs in one unit; raise, with everything rolled back, if one of them spoils it."""
        outcomes: list[_Outcome[U]] = []
        with self._store.unit(any(job.durable for job in jobs)) as unit:
            for job in jobs:
                before = unit.writes
                try:
                    outcomes.append((job, job.run(unit), None))
                except Trouble as why:
                    if unit.writes != before:
                        raise _Spoiled from None
                    outcomes.append((job, None, why))
                if self._clock.seconds() >= until:
                    break
        return outcomes, jobs[len(outcomes):]

    def _each(self, jobs: Sequence[_Job[U]], until: float) -> tuple[Sequence[_Outcome[U]], Sequence[_Job[U]]]:
        """Run each job in a unit of its own."""
        outcomes: list[_Outcome[U]] = []
        for job in jobs:
            try:
                with self._store.unit(job.durable) as unit:
                    result = job.run(unit)
            except Exception as error:
                outcomes.append((job, None, error))
            else:
                outcomes.append((job, result, None))
            if self._clock.seconds() >= until:
                break
        return outcomes, jobs[len(outcomes):]
