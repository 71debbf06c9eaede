"""Is the node well: checks that really do what they vouch for, each with a time limit and a reason when red.

Rule 1: a check that has not ended is red and is not started again, so a dead disk costs one thread, not one a probe.
Rule 2: green may be remembered for a moment, red never.
Rule 3: an absent peer is no illness; the queue is for that.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.ports import Counter, Log

Check = Callable[[], Union[None, "Deferred[Any]", Coroutine["Deferred[Any]", Any, Any]]]
"""Returns, now or later, if all is well; a `Trouble` it raises is the reason why not."""

CAP = 5.0
FRESH = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and after how many seconds."""

    name: str
    seconds: float
    red: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one probe."""

    findings: Sequence[Finding]

    @property
    def ready(self) -> bool:
        """Whether every check was green."""
        return all(finding.red is None for finding in self.findings)


class Health:
    """Runs the checks when asked; `log` hears of every change, `counter` of every result."""

    def __init__(
        self, checks: Mapping[str, Check], clock: IReactorTime, log: Log, counter: Counter,
        cap: float = CAP, fresh: float = FRESH,
    ) -> None:
        self._checks = dict(checks)
        self._clock = clock
        self._log = log
        self._counter = counter
        self._cap = cap
        self._fresh = fresh
        self._running: dict[str, Deferred[Any]] = {}
        self._green: tuple[float, Report] | None = None
        self._asked: list[Deferred[Report]] | None = None
        self._red: set[str] = set()

    def probe(self) -> Deferred[Report]:
        """Return a report: a green one of the last moments, the one just being made, or a new one."""
        if self._green is not None and self._clock.seconds() - self._green[0] < self._fresh:
            answered: Deferred[Report] = Deferred()
            answered.callback(self._green[1])
            return answered
        waiter: Deferred[Report] = Deferred(lambda gone: self._asked.remove(gone) if self._asked else None)
        if self._asked is not None:
            self._asked.append(waiter)
            return waiter
        self._asked = [waiter]
        gatherResults([self._find(name, check) for name, check in self._checks.items()]).addCallback(self._told)
        return waiter

    def _told(self, findings: list[Finding]) -> None:
        report = Report(findings)
        self._green = (self._clock.seconds(), report) if report.ready else None
        for finding in findings:
            self._note(finding)
        asked, self._asked = self._asked or [], None
        for waiter in asked:
            waiter.callback(report)

    def _note(self, finding: Finding) -> None:
        name, red = finding.name, finding.red
        self._counter.gauge("ready", 0 if red else 1, check=name)
        if red is not None and name not in self._red:
            self._red.add(name)
            self._log("error", "health.red", check=name, code=red.code.name, cure=red.cure.zh)
        elif red is None and name in self._red:
            self._red.discard(name)
            self._log("info", "health.green", check=name)

    def _find(self, name: str, check: Check) -> Deferred[Finding]:
        """Return a finding within the cap, whether or not the check ends."""
        began, found = self._clock.seconds(), Deferred[Finding]()
        slow = trouble(codes.CHECK_SLOW, seconds=f"{self._cap:g}")
        if name in self._running:
            found.callback(Finding(name, self._cap, slow))
            return found
        timer = self._clock.callLater(self._cap, lambda: found.callback(Finding(name, self._cap, slow)))

        def ended(result: Any) -> None:
            self._running.pop(name, None)
            red = self._reason(name, getattr(result, "value", None))
            if timer.active():
                timer.cancel()
                found.callback(Finding(name, self._clock.seconds() - began, red))

        running = Deferred.fromCoroutine(run(check))
        self._running[name] = running
        running.addBoth(ended)
        return found

    def _reason(self, name: str, error: BaseException | None) -> Trouble | None:
        if error is None or isinstance(error, Trouble):
            return error
        self._log("error", "EXN-FAULT", at=f"check {name}", bug=error)
        return trouble(codes.FAULT, fault=name)


async def run(check: Check) -> None:
    """Run a check that may end now or later."""
    result = check()
    if isinstance(result, (Deferred, Coroutine)):
        await result
