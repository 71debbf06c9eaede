"""Declarations of rules between records, compiled: a case's records in, breaches out."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from node.model.finding import Reference, RowName
from node.model.instant import Instant
from node.model.sentence import Sentence
from node.validate.between.case import RECORDS, Case, Standing, row_name
from node.validate.between.kinds import Kind, Needs, Overdue, Refers

ROWS = 16
"""Most rows that a breach names; how many there are it tells in full."""
TOO_LARGE = "case-too-large"
"""The rule of our own: a case with more records than are judged."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule by its full name, `case.overdue`; `severity` is `warn` or `error`."""

    name: str
    severity: str
    says: Sentence
    kind: Kind


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a case breaks now: `rows` are the first records concerned, `count` how many there are."""

    rule: str
    rows: tuple[RowName, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found; `again` is when time alone can change it, `whole` whether every rule was looked at."""

    breaches: Mapping[str, Breach]
    again: Instant | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Between:
    """One declaration, `case/1.0`: how long a breach may wait (ms) before it is told, and its rules."""

    name: str
    version: str
    title: Sentence
    wait: Instant
    interfaces: frozenset[str]
    rules: Sequence[Rule]


_LARGE = Rule(
    TOO_LARGE, "error",
    Sentence(f"一个办件的记录超过{RECORDS}条，未核对各记录之间的关系",
             f"A case has more than {RECORDS} records; what they say together was not checked"),
    Needs((), ()),  # never broken: a case that is judged is not too large
)


class Betweens:
    """All declarations in force: of each name the newest version.  `wait` replaces what they declare.

    `among` are the interfaces whose records come here: a rule that misses others is left out.
    """

    def __init__(
        self, declared: Iterable[Between] = (), wait: Instant | None = None, among: Container[str] | None = None
    ) -> None:
        self.declared = tuple(declared)
        self.rules: Mapping[str, Rule] = {
            rule.name: rule for each in self.declared for rule in each.rules
            if among is None or all(one in among for one in rule.kind.requires)
        }
        self._waits = {rule.name: each.wait for each in self.declared for rule in each.rules}
        self._wait = wait
        kinds = [rule.kind for rule in self.rules.values()]
        self._refers = [kind for kind in kinds if isinstance(kind, Refers)]
        self._overdue = [kind for kind in kinds if isinstance(kind, Overdue)]

    def rule(self, name: str) -> Rule | None:
        """Return a rule by its full name, None of one that is declared no more."""
        return _LARGE if name == TOO_LARGE else self.rules.get(name)

    def wait(self, name: str) -> Instant:
        """Return how long a breach of a rule may last before it is told, in ms."""
        if name == TOO_LARGE:
            return 0
        return self._waits[name] if self._wait is None else self._wait

    def references(self, records: Sequence[Standing]) -> set[Reference]:
        """Return the records outside the case that its records name, received or not."""
        case = Case(records, (), 0)
        return {one for kind in self._refers for one in kind.references(case)}

    def judge(self, records: Sequence[Standing], received: Container[Reference], now: Instant) -> Judged:
        """Return the breaches of a case; `received` has those of its references that stand."""
        case = Case(records, received, now)
        breaches = {}
        for name, rule in self.rules.items():
            broken = rule.kind.broken(case)
            if broken:
                rows = dict.fromkeys(map(row_name, broken))
                breaches[name] = Breach(name, tuple(rows)[:ROWS], len(rows))
        dues = [due for kind in self._overdue if (due := kind.falls_due(case)) is not None]
        # One ms later the promised time has passed.
        return Judged(breaches, min(dues) + 1 if dues else None)


def too_large(records: Sequence[Standing]) -> Judged:
    """Return what is found of a case of which there are more than `RECORDS` records, of which these are the first."""
    rows = tuple(map(row_name, records[:ROWS]))
    return Judged({TOO_LARGE: Breach(TOO_LARGE, rows, len(records))}, whole=False)
