"""What the configuration says of adapters: instances of them, the sources they read and the targets they write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from node.model.instant import Instant
from node.model.record import Problem, Stream
from node.model.trouble import Trouble

DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Instance:
    """An adapter that is configured: its name, what kind it is, its settings with their secrets, its bounds.

    `memory` is in octets, `silence` in milliseconds: how long its process may say nothing.  `folder` is where relative
    paths of its settings start.
    """

    name: str
    kind: str
    settings: Mapping[str, Any] = field(repr=False)
    folder: str
    memory: int
    silence: Instant


@dataclass(frozen=True, slots=True)
class Hours:
    """When of a day a source may be read, in minutes of local time; an end before the begin is on the next day."""

    begin: int
    end: int

    def hold(self, minute: int) -> bool:
        """Return whether a minute of the day lies within."""
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


@dataclass(frozen=True, slots=True)
class ErrorLimit:
    """How many rows of one read may be refused, and which share of them in percent, before it is stopped."""

    records: int
    percent: float

    def broken(self, rows: int, refused: int) -> bool:
        """Return whether so many refused of so many rows are too many; a share is told of a hundred rows and more."""
        return refused > self.records or (rows >= 100 and refused * 100 > self.percent * rows)


@dataclass(frozen=True, slots=True)
class Source:
    """A place that is read into a resource; `name` is `adapter/read`, unique at this node, and names its bookmarks.

    `mapping` turns its rows into records, None if they have the specification's own names.  It is read every `every`
    ms; `history` says on which stream what stands there already goes, None to leave it; `objective` (ms) is how fresh
    it is to be; one read gives at most about `rows` rows and takes about `time` ms.
    """

    name: str
    adapter: str
    resource: str
    mapping: str | None
    what: Mapping[str, Any] = field(repr=False)
    every: Instant
    history: Stream | None
    objective: Instant
    rows: int
    time: Instant
    hours: Hours | None
    limit: ErrorLimit


@dataclass(frozen=True, slots=True)
class Target:
    """A place where the records of a resource are landed."""

    adapter: str
    resource: str
    what: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class DirtyRow:
    """A row of a source that is no record: `name` tells it from the source's others, `row` is its row id if known."""

    name: str
    row: str | None
    problems: tuple[Problem, ...]
    seen: Instant


@dataclass(slots=True)
class SourceState:
    """How a source stands in this run of the process; instants are wall time in ms, None before the first.

    `rows` and `refused` are those of the last read; `trouble` is why the last one failed, None since one succeeded.
    """

    source: Source
    begun: Instant | None = None
    good: Instant | None = None
    rows: int = 0
    refused: int = 0
    total: int = 0
    reading: bool = False
    trouble: Trouble | None = None
    rounds: int = 0
