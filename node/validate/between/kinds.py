"""The kinds of rules between records: each returns the records of a case that break it, none if it holds.

Rule 1: a rule speaks of what stands; where a field is not given it says nothing.
Rule 2: no kind looks at more than each record once, or sorts once: a case costs what its records cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from node.model.finding import Reference
from node.model.instant import Instant
from node.validate.between.case import Case, Member, Standing

Broken = Sequence[Standing]


class Kind(Protocol):
    """One rule, decided for one case."""

    @property
    def requires(self) -> frozenset[str]:
        """The interfaces whose records must come to a node for the rule to be fair there: it misses them else."""

    def broken(self, case: Case) -> Broken:
        """Return the records that break it."""


@dataclass(frozen=True, slots=True)
class Needs:
    """A record of `of` wants one of `wants` in its case: a step without an application is an orphan."""

    of: tuple[str, ...]
    wants: tuple[str, ...]

    @property
    def requires(self) -> frozenset[str]:
        return frozenset(self.wants)

    def broken(self, case: Case) -> Broken:
        return () if case.of(*self.wants) else case.of(*self.of)


@dataclass(frozen=True, slots=True)
class Order:
    """No time of `first` is after any of `then`, whatever shapes the two have."""

    first: Member
    then: Member

    @property
    def requires(self) -> frozenset[str]:
        return frozenset()

    def broken(self, case: Case) -> Broken:
        firsts, thens = case.times(self.first), case.times(self.then)
        if not firsts or not thens:
            return ()
        latest, earliest = max(at for at, _ in firsts), min(at for at, _ in thens)
        late = [record for at, record in firsts if at > earliest]
        return [*late, *(record for at, record in thens if at < latest)] if late else ()


@dataclass(frozen=True, slots=True)
class One:
    """At most one record of `of` stands in a case, whoever supplied it."""

    of: str

    @property
    def requires(self) -> frozenset[str]:
        return frozenset()

    def broken(self, case: Case) -> Broken:
        found = case.of(self.of)
        return found if len(found) > 1 else ()


@dataclass(frozen=True, slots=True)
class Same:
    """The fields have one value in all records that have them."""

    fields: tuple[Member, ...]

    @property
    def requires(self) -> frozenset[str]:
        return frozenset()

    def broken(self, case: Case) -> Broken:
        found = [each for member in self.fields for each in case.texts(member)]
        return [record for _, record in found] if len({text for text, _ in found}) > 1 else ()


@dataclass(frozen=True, slots=True)
class Refers:
    """A field names the business key of a record of another interface, in this case or in none: it must stand."""

    field: Member
    to: str

    @property
    def requires(self) -> frozenset[str]:
        return frozenset((self.to,))

    def references(self, case: Case) -> list[Reference]:
        """Return the records that the case names by this field."""
        return [Reference(self.to, text) for text, _ in case.texts(self.field)]

    def broken(self, case: Case) -> Broken:
        named = case.texts(self.field)
        return [record for text, record in named if Reference(self.to, text) not in case.received]


@dataclass(frozen=True, slots=True)
class Open:
    """No record of `closed` stands while one of `until`'s interface has no such field: its end has not come."""

    until: Member
    closed: str

    @property
    def requires(self) -> frozenset[str]:
        return frozenset()

    def broken(self, case: Case) -> Broken:
        if not case.of(self.closed):
            return ()
        return [record for record in case.of(self.until.interface) if self.until.field not in record.twin]


@dataclass(frozen=True, slots=True)
class Overdue:
    """A time `by` was promised: at the latest then stands a time of `done`, unless a record of `unless` stands."""

    by: Member
    done: Member
    unless: str | None

    @property
    def requires(self) -> frozenset[str]:
        return frozenset(one for one in (self.done.interface, self.unless) if one is not None)

    def broken(self, case: Case) -> Broken:
        if self.unless is not None and case.of(self.unless):
            return ()
        end = max((at for at, _ in case.times(self.done)), default=case.now)
        return [record for by, record in case.times(self.by) if by < end]

    def falls_due(self, case: Case) -> Instant | None:
        """Return the next promised time that has not passed, None if the case is done or has none."""
        if case.of(self.done.interface):
            return None
        return min((by for by, _ in case.times(self.by) if by >= case.now), default=None)
