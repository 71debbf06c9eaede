"""What a node reads and writes by itself: adapters, each with its sources and its targets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from node.config.kinds import (
    Code,
    Count,
    Duration,
    Every,
    Here,
    HoursOfDay,
    Kind,
    MappingName,
    SecretFile,
    Section,
    Share,
    Size,
    Wait,
    several,
)
from node.model.record import Stream
from node.model.source import ErrorLimit, Instance, Source, Target

_HISTORY = {"live": Stream.LIVE, "backfill": Stream.BACKFILL, "none": None}


class ErrorLimitSection(Section):
    """How many rows of one read may be refused, and which share, before it is stopped and waits for a person."""

    records: Count = 1000
    ratio: Share = 10.0


class ReadSection(Section):
    """A source: `what` is read, in the adapter's own words, into `resource`, its rows mapped by `mapping`.

    `name` tells several reads of one adapter apart and is the resource if not given.  What stands there when it is
    read for the first time goes with the rest (`history = "live"`), slowly and behind it (`backfill`), or not at all.
    Read only within `between`; at most about `rows` rows and `time` at a time; fresh within `objective`.
    """

    resource: Code
    name: Code | None = None
    mapping: MappingName | None = None
    what: dict[str, Any] = {}
    every: Every = 30_000
    history: Literal["live", "backfill", "none"] = "live"
    objective: Duration = 7_200_000
    rows: Count = 100_000
    time: Wait = 600_000
    between: HoursOfDay | None = None
    error_limit: ErrorLimitSection = ErrorLimitSection()


class WriteSection(Section):
    """A target: records of `resource` that arrive are landed in `what`, in the adapter's own words."""

    resource: Code
    what: dict[str, Any] = {}


class AdapterSection(Section):
    """An adapter: its `kind` as `adapter list` shows it, its own `settings`, and `secrets` in files.

    Its process may take `memory` and say nothing for `silence`; relative paths in its settings start at `folder`.
    """

    name: Code
    kind: Kind
    settings: dict[str, Any] = {}
    secrets: dict[str, SecretFile] = {}
    memory: Size = 512 << 20
    silence: Wait = 300_000
    folder: Here = Path()
    read: Annotated[tuple[ReadSection, ...], several()] = ()
    write: Annotated[tuple[WriteSection, ...], several()] = ()

    def instance(self, secrets: Mapping[str, str]) -> Instance:
        """Return the adapter as the node runs it; `secrets` are what stands in their files."""
        return Instance(self.name, self.kind, {**self.settings, **secrets}, str(self.folder), self.memory, self.silence)

    def sources(self) -> tuple[Source, ...]:
        """Return what it reads."""
        return tuple(
            Source(
                f"{self.name}/{read.name or read.resource}", self.name, read.resource, read.mapping, read.what,
                read.every, _HISTORY[read.history], read.objective, read.rows, read.time, read.between,
                ErrorLimit(read.error_limit.records, read.error_limit.ratio),
            )
            for read in self.read
        )

    def targets(self) -> tuple[Target, ...]:
        """Return what it writes."""
        return tuple(Target(self.name, write.resource, write.what) for write in self.write)
