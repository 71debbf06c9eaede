"""Between: the records of a case that stand together are judged by the rules between them; findings open and close.

    case_rows ─stand─► Standing ─judge─► Judged ─settle─► findings kept, the case rests

Rule 1: nothing is refused here: a record may be early, late or missing for good reasons, so a breach waits.
Rule 2: a finding opens once, after its rule was broken for its waiting period, and closes when it is broken no more.
Rule 3: findings and the rest of their case are one transaction: a crash repeats a look and never a finding.
Rule 4: a case that changed while it was judged is left due; what was found of it is dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import orjson

from node.model.finding import CaseDue, CaseRow, Finding, Reference
from node.model.instant import Instant
from node.ports import CaseUnit, Registry
from node.validate import split_line
from node.validate.between import Betweens, Breach, Judged, Standing, too_large
from node.validate.between.case import RECORDS

PAGE = 16
"""Rows read in one unit: each may lie in a block of its own that must be opened."""


@dataclass(frozen=True, slots=True)
class Stood:
    """What stands of a case; `correlation` is empty where nothing does."""

    correlation: str
    records: Sequence[Standing]


def stand(rows: Sequence[CaseRow]) -> Stood:
    """Return the records of a case as the rules see them."""
    records, correlation = [], ""
    for row in rows:
        body, head = split_line(row.line)
        correlation = head.correlation or correlation
        records.append(Standing(row.spec.id, row.resource, head.origin, head.row, orjson.loads(body)))
    return Stood(correlation, records)


def received(unit: CaseUnit, named: Collection[Reference], registry: Registry) -> set[Reference]:
    """Return which of the records a case names stand, from whatever origin."""
    found = set()
    for one in named:
        of = [each.code for each in registry.resources() if each.specification.partition("/")[0] == one.interface]
        if unit.stands(of, one.key):
            found.add(one)
    return found


def judge(stood: Stood, known: Collection[Reference], rules: Betweens, now: Instant) -> Judged:
    """Return what the rules find; a case with too many records is not judged, and that is found."""
    if len(stood.records) > RECORDS:
        return too_large(stood.records)
    return rules.judge(stood.records, frozenset(known), now)


def settle(
    unit: CaseUnit, case: CaseDue, stood: Stood, judged: Judged, named: Collection[Reference], rules: Betweens,
    now: Instant,
) -> list[Finding]:
    """Keep what was found and let the case rest; return the findings that opened or closed.

    Nothing changes if the case has changed since it was found due.
    """
    was = {finding.rule: finding for finding in unit.unclosed(case.digest)}
    kept: list[Finding] = []
    untils = [] if judged.again is None else [judged.again]
    for rule, breach in judged.breaches.items():
        found = _found(was.pop(rule, None), breach, stood.correlation, rules.wait(rule), now)
        kept.append(found)
        if found.opened is None:
            untils.append(found.seen + rules.wait(rule))
    gone = list(was.values()) if judged.whole else []
    if not unit.rest_case(case, named, min(untils, default=None)):
        return []
    told = []
    for found in kept:
        id = unit.keep_finding(case.digest, found)
        if found.opened == now:
            told.append(replace(found, id=id))
    for each in gone:
        if each.opened is None:
            unit.drop_finding(each.id)
        else:
            told.append(replace(each, closed=now))
            unit.keep_finding(case.digest, told[-1])
    return told


def _found(was: Finding | None, breach: Breach, correlation: str, wait: Instant, now: Instant) -> Finding:
    """Return the finding of a breach, open if it has lasted for its waiting period."""
    if was is None:
        was = Finding(0, breach.rule, correlation, (), 0, now)
    # A clock that was ahead when the breach was seen must not make it wait for ever.
    seen = min(was.seen, now)
    opened = now if was.opened is None and seen + wait <= now else was.opened
    return replace(was, rows=breach.rows, count=breach.count, seen=seen, opened=opened)
