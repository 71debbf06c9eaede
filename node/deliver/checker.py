"""The checker: looks at the cases that changed, and at those whose time has come, by the rules between records.

Rule 1: it is never in the way: a few cases at once, then a pause, however many wait.
Rule 2: a case that cannot be read is told once and looked at again later; the others do not wait for it.
Rule 3: when the rules or the clock changed, what waits and what is open is looked at again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredList

from node.exchange import between
from node.exchange.between import PAGE, Stood
from node.model import codes
from node.model.finding import CaseDue, CaseRow, Finding, Reference
from node.model.trouble import Trouble
from node.ports import WarehouseUnit
from node.validate.between import RECORDS, Betweens
from node.workers import Desk

AT_ONCE = 32
"""Cases looked at side by side, so that their units, and their syncs, become one."""
PAUSE = 0.1
"""Seconds between two such rounds."""
AGAIN = 3_600_000
"""How long (ms) a case is left alone that could not be read."""


class Checker:
    """Judges cases and keeps their findings."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rules: Betweens | None = None
        self._jumps = desk.clock.jumps
        self._open: Counter[str] = Counter()
        self._told: set[bytes] = set()

    async def run(self) -> None:
        """Look at the cases that are due, or wait for one."""
        desk = self._desk
        seen = desk.bell.count("warehouse", "means")
        await self._wake()
        now = desk.now()
        due = await desk.warehouse.run(lambda unit: unit.cases_due(now, AT_ONCE), durable=False)
        if not due:
            await desk.bell.wait(("warehouse", "means"), seen, desk.timers.idle)
            return
        looking = [Deferred.fromCoroutine(self._check(case)) for case in due]
        ends: list[tuple[bool, Any]] = await DeferredList(looking, consumeErrors=True)
        for good, failure in ends:
            if not good:  # the store is gone, or we were cancelled: no case is to blame
                failure.raiseException()
        await desk.sleep(PAUSE)

    async def _wake(self) -> None:
        """Have what waits and what is open looked at again, at the start and after a change of rules or clock."""
        desk, rules = self._desk, self._desk.means.betweens
        if rules is self._rules and desk.clock.jumps == self._jumps:
            return
        await desk.warehouse.run(lambda unit: unit.wake_cases(), durable=False)
        self._open = Counter(await desk.warehouse.run(lambda unit: unit.open_findings(), durable=False))
        for rule in {*rules.rules, *self._open}:
            desk.counter.gauge("findings_open", self._open[rule], rule=rule)
        self._rules, self._jumps = rules, desk.clock.jumps

    async def _check(self, case: CaseDue) -> None:
        """Look at one case; what goes wrong with it stays with it."""
        try:
            await self._look(case)
            self._told.discard(case.digest)
        except CancelledError:
            raise
        except Trouble as met:
            await self._leave(case, met.code.name)
        except Exception as bug:
            await self._leave(case, codes.FAULT.name, bug)

    async def _leave(self, case: CaseDue, code: str, bug: Exception | None = None) -> None:
        desk, until = self._desk, self._desk.now() + AGAIN
        if case.digest not in self._told:
            self._told.add(case.digest)
            desk.log("error", code, at="checker", bug=bug)
        await desk.warehouse.run(lambda unit: unit.rest_case(case, (), until), durable=False)

    async def _look(self, case: CaseDue) -> None:
        desk, rules, registry = self._desk, self._desk.means.betweens, self._desk.means.registry
        stood = await self._stand(case) if rules.rules else Stood("", ())
        named = list(rules.references(stood.records)) if len(stood.records) <= RECORDS else []
        known: set[Reference] = set()
        for start in range(0, len(named), PAGE):
            part = named[start : start + PAGE]
            known |= await desk.warehouse.run(partial(between.received, named=part, registry=registry), durable=False)
        before = await desk.warehouse.run(lambda unit: bool(unit.unclosed(case.digest)), durable=False)
        now = desk.now()
        judged = between.judge(stood, known, rules, now)
        # That a good case was looked at may be lost: it is looked at again.
        told = await desk.warehouse.run(
            lambda unit: between.settle(unit, case, stood, judged, named, rules, now),
            durable=before or bool(judged.breaches),
        )
        for finding in told:
            self._tell(finding, rules)

    async def _stand(self, case: CaseDue) -> Stood:
        """Return what stands of a case, of one with too many records a little more than are judged."""
        rows: list[CaseRow] = []
        full = True
        while full and len(rows) <= RECORDS:
            after = rows[-1].id if rows else 0
            page = await self._desk.warehouse.run(partial(_page, digest=case.digest, after=after), durable=False)
            rows += page
            full = len(page) == PAGE
        return between.stand(rows)

    def _tell(self, finding: Finding, rules: Betweens) -> None:
        """Log and count one finding that opened or closed; its case is told to who asks for it by number."""
        desk, opened = self._desk, finding.closed is None
        rule = rules.rule(finding.rule)
        level = "info" if not opened or rule is None else "error" if rule.severity == "error" else "warning"
        desk.log(level, "finding.opened" if opened else "finding.closed", finding=finding.id, rule=finding.rule,
                 count=finding.count)
        self._open[finding.rule] += 1 if opened else -1
        if opened:
            desk.counter.count("findings_opened", rule=finding.rule)
        desk.counter.gauge("findings_open", self._open[finding.rule], rule=finding.rule)


def _page(unit: WarehouseUnit, digest: bytes, after: int) -> Sequence[CaseRow]:
    return unit.case_rows(digest, after, PAGE)
