"""What a mapping is compiled to: for each group of the specification, the functions that take its fields from a row.

A field that cannot be mapped holds None in the twin: the specification then finds it `empty`, sets it aside and lets no
rule look at it, and that one problem is replaced by the mapping's own (`node.validate.mapping.mapped`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from node.model.record import Problem
from node.model.sentence import Sentence
from node.validate.mapping.texts import Row, Step, Take
from node.validate.mapping.wording import PROBLEMS, Unfit
from node.validate.pattern import BLANK
from node.validate.rules.wording import say


@dataclass(slots=True)
class Trace:
    """What mapping one row met: problems by field, and which numbers the places of a repeated field came from."""

    problems: dict[str, Problem] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)

    def unfit(self, place: str, label: Sentence, why: Unfit) -> None:
        """Note that a field's text cannot be mapped."""
        self.problems[place] = Problem(place, why.rule, say(PROBLEMS[why.rule], label, why.bound))


class Filler(Protocol):
    """Fills one field that is more than a text."""

    def fill(self, row: Row, place: str, trace: Trace) -> Any:
        """Return the value for a twin; what is empty is left out."""
        ...


class GroupPlan:
    """Fills a group: `takes` its texts, `inner` what is more."""

    def __init__(
        self, takes: Mapping[str, Take], inner: Mapping[str, Filler], labels: Mapping[str, Sentence]
    ) -> None:
        self._takes, self._inner, self._labels = tuple(takes.items()), tuple(inner.items()), labels

    def twin(self, row: Row, start: str, trace: Trace) -> dict[str, Any]:
        """Return the twin of the group; `start` is what stands before the names of its fields."""
        twin: dict[str, Any] = {}
        for name, take in self._takes:
            try:
                text = take(row)
            except Unfit as why:
                trace.unfit(start + name, self._labels[name], why)
                twin[name] = None
            else:
                if text is not None:
                    twin[name] = text
        for name, inner in self._inner:
            value = inner.fill(row, start + name, trace)
            if value:
                twin[name] = value
        return twin

    def fill(self, row: Row, place: str, trace: Trace) -> Any:
        """Return the twin of the group at `place`."""
        return self.twin(row, place + "/", trace)


class Texts:
    """Fills a repeated text from several takes, one for each number."""

    def __init__(self, takes: Sequence[tuple[int, Take]], label: Sentence) -> None:
        self._takes, self._label = takes, label

    def fill(self, row: Row, place: str, trace: Trace) -> Any:
        """Return the texts there are."""
        found: list[str | None] = []
        numbers = trace.numbers.setdefault(place, [])
        for number, take in self._takes:
            try:
                text = take(row)
            except Unfit as why:
                trace.unfit(f"{place}[{len(found) + 1}]", self._label, why)
            else:
                if text is None:
                    continue
                found.append(text)
                numbers.append(number)
                continue
            found.append(None)
            numbers.append(number)
        return found


class Items:
    """Fills a repeated text from the parts of one text."""

    def __init__(self, take: Take, by: str, steps: Sequence[Step], label: Sentence) -> None:
        self._take, self._by, self._steps, self._label = take, by, steps, label

    def fill(self, row: Row, place: str, trace: Trace) -> Any:
        """Return the parts that are not blank, each through the steps."""
        found: list[str | None] = []
        try:
            text = self._take(row)
        except Unfit as why:
            trace.unfit(f"{place}[1]", self._label, why)
            return [None]
        for one in () if text is None else text.split(self._by):
            part = one.strip(BLANK)
            try:
                for step in self._steps:
                    part = step(part) if part else part
            except Unfit as why:
                trace.unfit(f"{place}[{len(found) + 1}]", self._label, why)
                found.append(None)
            else:
                if part:
                    found.append(part)
        return found


class Groups:
    """Fills a repeated group, one plan for each number; a group without any field is left out."""

    def __init__(self, plans: Sequence[tuple[int, GroupPlan]]) -> None:
        self._plans = plans

    def fill(self, row: Row, place: str, trace: Trace) -> Any:
        """Return the groups there are."""
        found: list[Any] = []
        numbers = trace.numbers.setdefault(place, [])
        for number, plan in self._plans:
            twin = plan.twin(row, f"{place}[{len(found) + 1}]/", trace)
            if twin:
                found.append(twin)
                numbers.append(number)
        return found
