"""Read: rows of a source, their refusals and the bookmark behind them, in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.exchange import read
from node.exchange.read import Batch, Place
from node.model import codes
from node.model.record import Stream, Version
from node.model.source import ErrorLimit, Source
from node.model.trouble import Hold, Retry
from node.validate import split_line
from tests.exchange.test_submit import POPULATION, judged, waiting
from tests.intake.api import broken, twin
from tests.stage.desk import specifications
from tests.stage.pair import Pair

SOURCE = Source(
    "hukou/main", "hukou", "population", None, {}, 30_000, Stream.LIVE, 7_200_000, 1000, 600_000, None,
    ErrorLimit(1000, 10.0),
)


@pytest.fixture(params=["memory", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(None if request.param == "memory" else tmp_path)
    yield made
    made.close()


class Reader:
    """Reads as the poller does, batch by batch."""

    def __init__(self, pair: Pair, stream: Stream = Stream.LIVE) -> None:
        spec = specifications().get("population-basic/1.0")
        assert spec is not None
        self.pair, self.reading = pair, read.Reading(SOURCE, POPULATION, spec.id, stream)
        with pair.dept.stores.outbox.unit() as unit:
            self.was, self.first = read.begin(unit, SOURCE, stream)
        self.given = 0

    def give(self, twins: Sequence[dict[str, Any]], at: Any = None) -> int:
        """Have a batch kept; return how many records of it wait."""
        records, refusals = judged(self.pair, twins)
        now = read.moved(self.was, at) if at is not None else None
        first = Version(self.first.epoch, self.first.n + self.given)
        names = [refusal.row or "#" for refusal in refusals]
        batch = Batch(records, refusals, names, first, now)
        desk = self.pair.dept.desk
        with self.pair.dept.stores.outbox.unit() as unit:
            kept = read.keep(unit, self.reading, self.was, batch, desk.means, desk.now())
        self.given, self.was = self.given + len(records), now or self.was
        return kept


def place(pair: Pair, stream: Stream = Stream.LIVE) -> Place:
    with pair.dept.stores.outbox.unit() as unit:
        return read.place(unit, SOURCE, stream)


def dirty(pair: Pair) -> set[str]:
    with pair.dept.stores.outbox.unit() as unit:
        return {row.name for row in unit.dirty(SOURCE.name, "", 100)}


def test_records_refusals_and_bookmark_stand_together(pair: Pair) -> None:
    reader = Reader(pair)
    assert reader.give([twin(0), broken(1), twin(2)], {"at": 3}) == 2
    assert place(pair).at == {"at": 3} and place(pair).open
    assert dirty(pair) == {broken(1)["RecordId"]}
    heads = [split_line(line)[1] for line in waiting(pair)]
    assert [one.row for one in heads] == [twin(0)["RecordId"], twin(2)["RecordId"]]
    assert all(one.captured == one.admitted for one in heads)


def test_versions_set_aside_are_older_than_what_is_submitted_meanwhile(pair: Pair) -> None:
    reader = Reader(pair)
    with pair.dept.stores.outbox.unit() as unit:
        meanwhile = unit.allot("population", 1)
    reader.give([twin(0)], 1)
    reader.give([twin(1)], 2)
    versions = [split_line(line)[1].version for line in waiting(pair)]
    assert versions == [reader.first, Version(reader.first.epoch, reader.first.n + 1)] and versions[-1] < meanwhile
    assert Reader(pair).first > meanwhile


def test_a_batch_behind_another_reader_is_not_kept(pair: Pair) -> None:
    first, second = Reader(pair), Reader(pair)
    first.give([twin(0)], 1)
    with pytest.raises(Retry) as met:
        second.give([twin(0), broken(1)], 1)
    assert met.value.code is codes.FENCED
    assert len(waiting(pair)) == 1 and not dirty(pair), "nothing of it stands"


def test_rows_without_a_bookmark_are_kept_and_move_nothing(pair: Pair) -> None:
    reader = Reader(pair)
    reader.give([twin(0)])
    assert place(pair).text is None and len(waiting(pair)) == 1


def test_a_mended_row_is_dirty_no_more(pair: Pair) -> None:
    reader = Reader(pair)
    reader.give([broken(1), broken(2)], 1)
    assert len(dirty(pair)) == 2
    reader.give([twin(1)], 2)
    assert dirty(pair) == {broken(2)["RecordId"]}


def test_a_repeated_read_supplies_dirty_rows_alone_and_forgets_those_that_are_gone(pair: Pair) -> None:
    Reader(pair).give([twin(0), broken(1), broken(2), broken(3)], 1)
    clock = pair.dept.desk.now()
    with pair.dept.stores.outbox.unit() as unit:
        read.ask(unit, SOURCE, Stream.RESUPPLY, True, clock + 1)
    asked = place(pair, Stream.RESUPPLY)
    assert asked.open and asked.only_dirty and asked.at is None
    reader = Reader(pair, Stream.RESUPPLY)
    pair.clock.advance(1)
    assert reader.give([twin(0), twin(1), broken(2)], 9) == 1
    with pair.dept.stores.outbox.unit() as unit:
        read.finish(unit, SOURCE, reader.was)
    assert not place(pair, Stream.RESUPPLY).open and dirty(pair) == {broken(2)["RecordId"]}
    assert place(pair).at == 1, "the increments stand where they stood"


def test_a_source_is_forgotten_and_begins_anew(pair: Pair) -> None:
    Reader(pair).give([twin(0)], 1)
    with pair.dept.stores.outbox.unit() as unit:
        read.forget(unit, SOURCE)
    assert place(pair).at is None and place(pair).open and not place(pair, Stream.BACKFILL).open
    assert not place(pair).begun, "as if it had never been read"
    Reader(pair).give([twin(0)], 1)
    assert place(pair).begun


def test_a_source_that_is_forgotten_has_its_history_behind_it_again(pair: Pair) -> None:
    Reader(pair).give([twin(0)], 1)
    source = replace(SOURCE, history=Stream.BACKFILL)
    with pair.dept.stores.outbox.unit() as unit:
        read.forget(unit, source)
        read.start_behind(unit, source, 8, pair.dept.desk.now())
    assert place(pair).begun and place(pair).at == 8 and place(pair, Stream.BACKFILL).open


def test_a_history_is_asked_for_in_the_unit_that_begins_the_increments(pair: Pair) -> None:
    with pair.dept.stores.outbox.unit() as unit:
        read.start_behind(unit, replace(SOURCE, history=Stream.BACKFILL), {"at": 7}, pair.dept.desk.now())
    assert place(pair).at == {"at": 7} and place(pair).open
    assert place(pair, Stream.BACKFILL).open and not place(pair, Stream.BACKFILL).only_dirty


def test_a_history_that_is_left_is_never_asked_for(pair: Pair) -> None:
    with pair.dept.stores.outbox.unit() as unit:
        read.start_behind(unit, replace(SOURCE, history=None), 7, pair.dept.desk.now())
    assert place(pair).at == 7 and not place(pair, Stream.BACKFILL).open


def test_an_old_copy_reads_nothing(pair: Pair) -> None:
    with pair.dept.stores.outbox.unit() as unit:
        unit.supersede()
    with pytest.raises(Hold) as met:
        Reader(pair)
    assert met.value.code is codes.SUPERSEDED
