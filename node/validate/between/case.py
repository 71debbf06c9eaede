"""A case as the rules between records see it: what stands of it now, by interface."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple

from node.model.finding import Reference, RowName
from node.model.instant import Instant
from node.model.record import Twin
from node.validate.rules.checks import instant

RECORDS = 1000
"""Most records of a case that are judged; one with more is told as too large, and nothing else is said of it."""


class Standing(NamedTuple):
    """One current record of a case; `row` is its row id, and `twin` its body."""

    interface: str
    resource: str
    origin: str
    row: str
    twin: Twin

    def __repr__(self) -> str:
        return f"Standing({self.interface}, {self.row!r})"


class Member(NamedTuple):
    """A field of the records of one interface."""

    interface: str
    field: str


class Case:
    """The records of one case, what is known of the records they refer to, and the time."""

    def __init__(self, records: Sequence[Standing], received: Container[Reference], now: Instant) -> None:
        self.received, self.now = received, now
        self._of: dict[str, list[Standing]] = {}
        for record in records:
            self._of.setdefault(record.interface, []).append(record)

    def of(self, *interfaces: str) -> list[Standing]:
        """Return the records of these interfaces."""
        return [record for interface in interfaces for record in self._of.get(interface, ())]

    def texts(self, member: Member) -> list[tuple[str, Standing]]:
        """Return what stands in a field, with its record, of the records that have it."""
        found = ((record.twin.get(member.field), record) for record in self.of(member.interface))
        return [(text, record) for text, record in found if isinstance(text, str)]

    def times(self, member: Member) -> list[tuple[Instant, Standing]]:
        """Return the instants in a field of dates or moments, with their records; those on no calendar are left out."""
        found = ((moment(text), record) for text, record in self.texts(member))
        return [(at, record) for at, record in found if at is not None]


def moment(text: str) -> Instant | None:
    """Return the instant a date or moment names, None if it is on no calendar."""
    seconds = instant(text)
    return None if seconds is None else int(seconds * 1000)


def row_name(record: Standing) -> RowName:
    """Return the name of a record for a finding."""
    return RowName(record.resource, record.origin, record.row)
