"""The outbox in memory towards its callers, and what waits in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from node.ledger import steps
from node.model import codes
from node.model.instant import Instant
from node.model.parcel import NOTHING, Lane, Position, Stage
from node.model.record import Version
from node.model.source import DirtyRow
from node.model.spool import (
    Answer,
    Entry,
    Group,
    LaneState,
    LedgerEntry,
    RefusedRecord,
    Rest,
    Sealed,
    Span,
    Submission,
    Waiting,
)
from node.model.trouble import trouble
from node.spool.grouping import Run
from tests.fakes.memory import Journal, MemoryUnit, Table


@dataclass(frozen=True)
class LaneRow:
    state: LaneState
    lease: Instant | None = None
    groups: int = 0


@dataclass(frozen=True)
class GroupRow:
    group: Group
    first: Version | None
    routed: bool
    octets: int
    parcel: str | None = None
    leaf: int = 0


@dataclass(frozen=True)
class EntryRow:
    entry: Entry
    sealed: Sealed
    again: int = 0
    receipts: tuple[tuple[Stage, bytes], ...] = ()
    refused: tuple[RefusedRecord, ...] = ()


@dataclass(frozen=True)
class AnswerRow:
    submission: Submission
    answer: Answer
    key: tuple[str, str, str]
    body: bytes


class OutboxTables:
    """What an outbox keeps."""

    def __init__(self, journal: Journal) -> None:
        self.facts: Table[str, str] = Table(journal)
        self.counters: Table[str, int] = Table(journal)
        self.lanes: Table[Lane, LaneRow] = Table(journal)
        self.waiting: Table[Lane, tuple[int, ...]] = Table(journal)
        self.carried: Table[str, tuple[int, ...]] = Table(journal)
        self.groups: Table[int, GroupRow] = Table(journal)
        self.entries: Table[str, EntryRow] = Table(journal)
        self.submissions: Table[str, AnswerRow] = Table(journal)
        self.keys: Table[tuple[str, str, str], str] = Table(journal)
        self.bookmarks: Table[str, str] = Table(journal)
        self.rests: Table[str, Rest] = Table(journal)
        self.dirty: Table[tuple[str, str], DirtyRow] = Table(journal)


class SubmissionsUnit(MemoryUnit):
    """Answers, versions, bookmarks, and what waits."""

    def __init__(
        self, tables: OutboxTables, chains: Table[Lane, tuple[LedgerEntry, ...]], sm3: Callable[[bytes], bytes]
    ) -> None:
        super().__init__(chains, sm3)
        self._tables = tables
        self._runs: list[tuple[Lane, Run]] = []
        self._priorities: dict[Lane, int] = {}

    def epoch(self) -> int:
        return int(self._tables.facts["epoch"])

    def superseded(self) -> bool:
        return "superseded" in self._tables.facts

    def supersede(self) -> None:
        self._tables.facts["superseded"] = "1"
        self.writes += 1

    def boot(self) -> str:
        return self._tables.facts["boot"]

    def answered(self, caller: str, resource: str, key: str, body: bytes) -> Answer | None:
        id = self._tables.keys.get((caller, resource, key))
        if id is None:
            return None
        if self._tables.submissions[id].body != body:
            raise trouble(codes.KEY_REUSED)
        return self._tables.submissions[id].answer

    def answer(self, submission: Submission, key: str, body: bytes, answer: Answer) -> None:
        name = (submission.caller, submission.resource, key)
        assert name not in self._tables.keys, "answered twice"
        self._tables.keys[name] = submission.id
        self._tables.submissions[submission.id] = AnswerRow(submission, answer, name, body)
        self.writes += 1

    def submission(self, id: str) -> tuple[Submission, Answer] | None:
        known = self._tables.submissions.get(id)
        return (known.submission, known.answer) if known else None

    def spans(self, submission: Submission) -> Sequence[Span]:
        self.flush()
        first, end, spans = submission.first.n, submission.first.n + submission.count, []
        for held in self._of(submission):
            assert held.first is not None
            low, high = max(held.first.n, first), min(held.first.n + len(held.group.lines), end)
            entry = self._tables.entries[held.parcel].entry if held.parcel else None
            spans.append(Span(
                held.group.lane.receiver, low - first, high - low, held.leaf + low - held.first.n,
                held.parcel, entry.state if entry else None,
            ))
        return sorted(spans, key=lambda span: (span.receiver, span.first))

    def traced(self, subject: str) -> Sequence[LedgerEntry]:
        known = self._tables.submissions.get(subject)
        if known is None:
            return super().traced(subject)
        self.flush()
        subjects = [steps.group_subject(held.group.id) for held in self._of(known.submission)]
        return [entry for one in subjects for entry in super(SubmissionsUnit, self).traced(one)]

    def _of(self, submission: Submission) -> list[GroupRow]:
        first, end = submission.first, submission.first.n + submission.count
        return [
            held for held in self._tables.groups.values()
            if held.group.lane.resource == submission.resource and held.group.lane.stream is submission.stream
            and held.first is not None and held.first.epoch == first.epoch
            and held.first.n < end and held.first.n + len(held.group.lines) > first.n
        ]

    def allot(self, resource: str, count: int) -> Version:
        last = self._tables.counters.get(resource) or 0
        self._tables.counters[resource] = last + count
        self.writes += 1
        return Version(self.epoch(), last + 1)

    def bookmark(self, reader: str) -> str | None:
        return self._tables.bookmarks.get(reader)

    def mark(self, reader: str, was: str | None, now: str) -> None:
        if self.bookmark(reader) != was:
            raise trouble(codes.FENCED)
        self._tables.bookmarks[reader] = now
        self.writes += 1

    def dirty(self, source: str, after: str, limit: int) -> Sequence[DirtyRow]:
        names = sorted(name for of, name in self._tables.dirty if of == source and name > after)
        return [self._tables.dirty[source, name] for name in names[:limit]]

    def dirty_count(self, source: str) -> int:
        return sum(of == source for of, _ in self._tables.dirty)

    def dirty_among(self, source: str, names: Sequence[str]) -> set[str]:
        return {name for name in names if (source, name) in self._tables.dirty}

    def soil(self, source: str, rows: Sequence[DirtyRow]) -> None:
        for row in rows:
            self._tables.dirty[source, row.name] = row
            self.writes += 1

    def clean(self, source: str, names: Sequence[str]) -> None:
        for name in self.dirty_among(source, names):
            del self._tables.dirty[source, name]
            self.writes += 1

    def clean_before(self, source: str, before: Instant) -> int:
        old = [key for key, row in self._tables.dirty.items() if key[0] == source and row.seen < before]
        for key in old:
            del self._tables.dirty[key]
        self.writes += 1
        return len(old)

    # --- waiting ------------------------------------------------------------------------------------------------

    def wait(self, lane: Lane, waiting: Waiting) -> None:
        if not waiting.lines:
            return
        self.writes += 1
        self._priorities[lane] = waiting.priority
        run = next((run for of, run in reversed(self._runs) if of == lane), None)
        if run is None or not run.take(waiting):
            self._runs.append((lane, Run.of(waiting)))

    def flush(self) -> None:
        runs, self._runs = self._runs, []
        for lane, run in runs:
            for first, lines in run.pieces():
                self._put(lane, run, first, tuple(lines))

    def _put(self, lane: Lane, run: Run, first: Version | None, lines: tuple[bytes, ...]) -> None:
        held = self._lane_of(lane)
        lanes = list(self._tables.lanes)
        id = ((lanes.index(lane) + 1) << 40) + held.groups + 1
        octets = sum(map(len, lines))
        kind = run.kind
        group = Group(id, lane, kind.spec, kind.purpose, kind.grant, lines, run.origins, run.admitted)
        self._tables.groups[id] = GroupRow(group, first, kind.routed, octets)
        self._tables.waiting[lane] = (*(self._tables.waiting.get(lane) or ()), id)
        state = replace(held.state, priority=self._priorities[lane])
        self._tables.lanes[lane] = replace(held, state=state, groups=held.groups + 1)
        digest = self._sm3(b"".join(lines)).hex()
        self.note(lane, steps.SUPPLIED, steps.group_subject(id), digest, len(lines), run.admitted)

    def _lane_of(self, lane: Lane) -> LaneRow:
        held = self._tables.lanes.get(lane)
        if held is None:
            head = Position(self.epoch(), 0, NOTHING)
            held = self._tables.lanes[lane] = LaneRow(LaneState(lane, 5, head, NOTHING, 1, 0, 0, None, None, 0))
        return held
