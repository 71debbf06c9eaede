"""Read: what an adapter gave becomes waiting records, with the bookmark and the refusals behind them, in one unit.

    begin ─► versions are set aside ─► rows, judged ─keep─► records wait · refused rows noted · bookmark moved

Rule 1: a bookmark never stands ahead of the rows before it; a read that was broken off gives some of them again, which
        costs records and does no harm.
Rule 2: versions are set aside when a read begins: a row read now is older than whatever is submitted while it is read.
Rule 3: a refused row is noted under its name until it is a record, or gone; what stood in it is not kept.
Rule 4: after a change of a mapping only the noted rows are supplied again (`only_dirty`), on a lane of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from node.exchange.means import Means
from node.exchange.submit import answered, put
from node.model import codes
from node.model.ids import uuids7
from node.model.instant import Instant, stamp
from node.model.record import Record, Refusal, SpecificationId, Stream, Version
from node.model.registry import Resource
from node.model.source import DirtyRow, Source
from node.model.spool import Submission
from node.model.trouble import trouble
from node.ports import OutboxUnit
from node.validate import join_born

SET_ASIDE = 1 << 20
"""Versions set aside for one read: more than it gives, for numbers cost nothing and a second asking would be late."""


class Place(NamedTuple):
    """Where a read of a source stands: `text` is the bookmark as it is stored, None before the first.

    `at` is the adapter's part of it; `open` whether the read is to go on; `only_dirty` and `since` are those of a read
    that was asked for by a person; `anew` says that a person had it forgotten: it begins as if it had never been read.
    """

    reader: str
    text: str | None
    at: Any = None
    open: bool = True
    only_dirty: bool = False
    since: Instant = 0
    anew: bool = False

    @property
    def begun(self) -> bool:
        """Whether it was read before, and is to go on from there."""
        return self.text is not None and not self.anew


class Begun(NamedTuple):
    """A read that began: from where, and the first of the versions set aside for it."""

    place: Place
    first: Version


class Batch(NamedTuple):
    """Judged rows of one read, in order; `names` tell each refused row from others; `first` is the next version.

    `now` is the place behind them, None if no bookmark came.
    """

    records: Sequence[Record]
    refusals: Sequence[Refusal]
    names: Sequence[str]
    first: Version
    now: Place | None

    def __repr__(self) -> str:
        return f"Batch({len(self.records)} records, {len(self.refusals)} refusals)"


def place(unit: OutboxUnit, source: Source, stream: Stream) -> Place:
    """Return where the read of a source on a stream stands; one that was never asked for is not open, but the live."""
    return place_of(unit, source.name, stream)


def place_of(unit: OutboxUnit, source: str, stream: Stream) -> Place:
    """As `place`, of a source by its name."""
    name = f"source:{source}:{stream.value}"
    text = unit.bookmark(name)
    if text is None:
        return Place(name, None, open=stream is Stream.LIVE)
    said = orjson.loads(text)
    return Place(name, text, said.get("at"), said.get("open", True), said.get("dirty", False), said.get("since", 0),
                 said.get("anew", False))


def moved(was: Place, at: Any, open: bool = True) -> Place:
    """Return the place after `was`, where the adapter said `at`."""
    said = {"at": at, "open": open, "dirty": was.only_dirty, "since": was.since}
    return Place(was.reader, orjson.dumps(said).decode(), at, open, was.only_dirty, was.since)


def ask(unit: OutboxUnit, source: Source, stream: Stream, only_dirty: bool, now: Instant) -> None:
    """Have the whole of a source read on a stream, from its start; a read of it that is under way begins anew."""
    was = place(unit, source, stream)
    unit.mark(was.reader, was.text, moved(Place(was.reader, None, None, True, only_dirty, now), None).text or "")


def forget(unit: OutboxUnit, source: Source) -> None:
    """Forget how far a source was read: the next read is its first again, with the history that its settings say.

    Each time leaves another text: a read that is under way from the start, too, is behind it and is not kept.
    """
    time = unit.allot(source.resource, 1)
    for stream in Stream:
        was, live = place(unit, source, stream), stream is Stream.LIVE
        if was.text is not None or live:
            said = {"at": None, "open": live, "anew": live, "time": [time.epoch, time.n]}
            unit.mark(was.reader, was.text, orjson.dumps(said).decode())


def begin(unit: OutboxUnit, source: Source, stream: Stream) -> Begun:
    """Set versions aside for a read and return where it begins; raise Hold(SUPERSEDED) on an old copy."""
    if unit.superseded():
        raise trouble(codes.SUPERSEDED)
    return Begun(place(unit, source, stream), unit.allot(source.resource, SET_ASIDE))


def start_behind(unit: OutboxUnit, source: Source, at: Any, now: Instant) -> None:
    """Begin the increments at `at`, and leave what stands before to a read of its history, if one is wanted."""
    live = place(unit, source, Stream.LIVE)
    unit.mark(live.reader, live.text, moved(live, at).text or "")
    if source.history is not None:
        ask(unit, source, source.history, False, now)


class Reading(NamedTuple):
    """What a read belongs to."""

    source: Source
    resource: Resource
    spec: SpecificationId
    stream: Stream


def keep(unit: OutboxUnit, reading: Reading, was: Place, batch: Batch, means: Means, now: Instant) -> int:
    """Keep a batch; return how many records wait now.  Raises Retry(FENCED) if the bookmark is no longer `was`."""
    source, resource, spec, stream = reading
    records = batch.records
    if was.only_dirty:
        noted = unit.dirty_among(source.name, [record.row for record in records])
        records = [record for record in records if record.row in noted]
    ids = uuids7(now, means.chance(10 * (1 + len(records))))
    here, first = means.identity, batch.first
    lines = join_born(records, ids[1:], here.node, first, stamp(now), stamp(now))
    put(unit, lines, resource, spec, stream, first, here.domain, here.node, now)
    if records or batch.refusals:
        told = Submission(ids[0], f"adapter:{source.name}", resource.code, stream, first, len(records),
                          len(batch.refusals), now)
        unit.answer(told, ids[0], b"", answered(ids[0], len(records), batch.refusals))
    unit.clean(source.name, [record.row for record in records])
    unit.soil(source.name, [
        DirtyRow(name, refusal.row, tuple(refusal.problems), now)
        for name, refusal in zip(batch.names, batch.refusals, strict=True)
    ])
    if batch.now is not None and batch.now.text != was.text:
        unit.mark(was.reader, was.text, batch.now.text or "")
    return len(records)


def finish(unit: OutboxUnit, source: Source, was: Place) -> Place:
    """Close a whole read that came to its end: noted rows that it did not meet are gone."""
    done = moved(was, None, open=False)
    unit.mark(was.reader, was.text, done.text or "")
    unit.clean_before(source.name, was.since)
    return done
