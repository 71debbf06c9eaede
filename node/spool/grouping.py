"""How lines become groups and groups become a parcel: pure rules over sizes.

Rule 1: a group is cut at the lane's `parcel_records` (at most GROUP_RECORDS) lines or GROUP_OCTETS octets; a single
        larger line is a group of its own.
Rule 2: lines that carry origins stay together as they came: the proof is about all of them.
Rule 3: a parcel takes whole groups of one kind from the front, while they fit; the first always does.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from node.model.instant import Instant
from node.model.record import SpecificationId, Version
from node.model.spool import GROUP_OCTETS, GROUP_RECORDS, Waiting


@dataclass(frozen=True, slots=True)
class Kind:
    """What a parcel never mixes; `routed` says whether its records carry origins."""

    spec: SpecificationId
    purpose: str
    grant: str
    routed: bool


def kind_of(waiting: Waiting) -> Kind:
    """Return the kind of records about to wait."""
    return Kind(waiting.spec, waiting.purpose, waiting.grant, bool(waiting.origins))


@dataclass(slots=True)
class Run:
    """Records gathered in one transaction for one lane: of one kind, their versions without a gap."""

    kind: Kind
    first: Version | None
    admitted: Instant
    origins: bytes = field(repr=False)
    lines: list[bytes] = field(repr=False)
    parcel_records: int = GROUP_RECORDS

    @classmethod
    def of(cls, waiting: Waiting) -> Run:
        """Return a run that begins with `waiting`."""
        return cls(
            kind_of(waiting), waiting.first, waiting.admitted, waiting.origins, list(waiting.lines),
            waiting.parcel_records,
        )

    def take(self, waiting: Waiting) -> bool:
        """Take what continues the run and return True, or change nothing and return False."""
        if waiting.first != self._next() or waiting.origins or not self._alike(waiting):
            return False
        self.lines += waiting.lines
        return True

    def _alike(self, waiting: Waiting) -> bool:
        kind = self.kind
        same = (waiting.purpose, waiting.grant, False) == (kind.purpose, kind.grant, kind.routed)
        same = same and waiting.parcel_records == self.parcel_records
        return same and (waiting.spec is kind.spec or waiting.spec == kind.spec)

    def pieces(self) -> Iterator[tuple[Version | None, list[bytes]]]:
        """Yield the groups of this run with the version of their first line."""
        lengths = [len(line) for line in self.lines]
        for start, end in [(0, len(lengths))] if self.kind.routed else cut(lengths, self.parcel_records):
            first = self.first and Version(self.first.epoch, self.first.n + start)
            yield first, self.lines[start:end]

    def _next(self) -> Version | None:
        return self.first and Version(self.first.epoch, self.first.n + len(self.lines))


def cut(lengths: Sequence[int], records: int = GROUP_RECORDS) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each group of lines with these lengths."""
    start = octets = 0
    for index, length in enumerate(lengths):
        if index > start and (index - start == records or octets + length > GROUP_OCTETS):
            yield start, index
            start, octets = index, 0
        octets += length
    if start < len(lengths):
        yield start, len(lengths)


def fit(groups: Iterable[tuple[Hashable, int, int]], most: int = GROUP_RECORDS) -> int:
    """Return how many groups (kind, count, octets) from the front go into one parcel of at most `most` records."""
    taken = records = size = 0
    first: Hashable = None
    for kind, count, octets in groups:
        if taken and (kind != first or records + count > most or size + octets > GROUP_OCTETS):
            break
        first = kind
        taken, records, size = taken + 1, records + count, size + octets
    return taken
