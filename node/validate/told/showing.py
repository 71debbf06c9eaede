"""Examples that show a rule at work: the fields it reads in a good record, and in one that breaks it.

Rule: a page goes from hand to hand, so no example holds a number that could be a person's.  Every good identity number
is the one that GB 11643-1999 itself prints, and the birthday beside it is that number's; a bad one is broken, of a day
on no calendar, or of the year 2999.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from node.model.record import Draft, Refusal, Twin
from node.validate.made.faults import FIRST, Fault, faults, plant, warnings
from node.validate.made.samples import sample
from node.validate.rules import checks
from node.validate.rules.compiled import Rule
from node.validate.specification import Specification

TODAY = date(2024, 1, 1)
"""Made-up records are of 2018 and before; so an example is good or bad on any day the page is made."""

NOBODY = "11010519491231002X"
"""The example printed in GB 11643-1999."""

_NUMBER = re.compile("[1-9][0-9]{16}[0-9X]")
SEED, TRIES = 7, 24
Values = Sequence[tuple[str, str | None]]
"""Fields by path, with their text, None if they are not there."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A rule's example: what it reads in a good record and, if one can be made, in a bad one."""

    good: Values
    bad: Values | None


class Examples:
    """The examples of one specification."""

    def __init__(self, spec: Specification) -> None:
        self.spec = spec
        self.record: Twin | None = next(self._twins(), None)
        self._faults: Mapping[tuple[str, str], Fault] = {
            (fault.field.replace(FIRST, ""), fault.rule): fault
            for fault in (*faults(spec), *warnings(spec)) if fault.use is not None
        }

    def of(self, rule: Rule) -> Shown | None:
        """Return the example of a rule, None if none can be made up."""
        fault = self._faults.get((rule.path, rule.id))
        reads = self._reads(rule)
        best: Shown | None = None
        for index, twin in enumerate(self._twins()):
            good = _values(twin, reads)
            bad = self._bad(twin, fault, rule, reads, index) if fault else None
            there = any(value is not None for _, value in good)
            if there and (bad is not None or fault is None):
                return Shown(good, bad)
            if best is None and (there or bad is not None):
                best = Shown(good, bad)
        return best

    def _twins(self) -> Iterator[dict[str, Any]]:
        for index in range(TRIES):
            try:
                twin = nobodys(sample(self.spec, SEED, index))
            except (ValueError, LookupError):  # the generator knows fewer shapes than the profile allows
                return
            if not isinstance(self.spec.judge(Draft(index, "json", twin), TODAY), Refusal):
                yield twin

    def _bad(self, twin: Twin, fault: Fault, rule: Rule, reads: Sequence[str], seed: int) -> Values | None:
        try:
            broken = plant(self.spec, twin, fault, seed)
        except (ValueError, LookupError):
            return None
        problems = self.spec.problems(Draft(0, "json", broken), TODAY)
        told = any((one.field, one.rule) == (fault.field, rule.id) for one in problems)
        return _values(broken, reads) if told else None

    def _reads(self, rule: Rule) -> Sequence[str]:
        """Return the paths that the rule reads, its own field first."""
        return [rule.path, *sorted(rule.reads - {rule.path})]


def nobodys(twin: Twin) -> dict[str, Any]:
    """Return the twin with the printed example for every identity number, and its birthday for theirs."""
    texts: dict[str, str] = {}
    for text in _texts(twin):
        if _NUMBER.fullmatch(text) and not checks.citizen_wrong(text):
            texts[text] = NOBODY
            for old, new in zip(_days(text), _days(NOBODY)):
                texts[old] = new
    changed: dict[str, Any] = _changed(twin, texts)
    return changed


def _days(number: str) -> tuple[str, str]:
    day = number[6:14]
    return day, f"{day[:4]}-{day[4:6]}-{day[6:]}"


def _texts(twin: Any) -> Iterator[str]:
    if isinstance(twin, str):
        yield twin
    else:
        for inner in twin.values() if isinstance(twin, Mapping) else twin:
            yield from _texts(inner)


def _changed(twin: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(twin, Mapping):
        return {name: _changed(inner, texts) for name, inner in twin.items()}
    if isinstance(twin, list):
        return [_changed(inner, texts) for inner in twin]
    return texts.get(twin, twin)


def _values(twin: Any, reads: Sequence[str]) -> Values:
    return [(path, _value(twin, path.split("/"))) for path in reads]


def _value(twin: Any, steps: Sequence[str]) -> str | None:
    for step in steps:
        if isinstance(twin, list):
            twin = twin[0] if twin else None
        twin = twin.get(step) if isinstance(twin, Mapping) else None
    if isinstance(twin, list):
        twin = twin[0] if twin else None
    return None if twin is None else "…" if isinstance(twin, Mapping) else str(twin)
