"""Beginning at the present, and clocks that are set back: what came before stays away, what commits later is found."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from adapters.contract import Misconfigured, Mode
from adapters.sql import engine, progress
from adapters.sql_table import SqlTable
from tests.adapters.legacy import CHINA, Legacy, Node, stamp
from tests.adapters.servers import Database
from tests.adapters.tried import seeds

WHAT: dict[str, Any] = {"table": "T_HUKOU", "cursor": "GXSJ", "lag": 300, "page": 7}


@pytest.fixture
def database(source: Database) -> Database:
    """Give every kind of database that can be read."""
    return source


@pytest.fixture
def legacy(database: Database) -> Legacy:
    """Give an old database of each kind in turn."""
    return Legacy(database)


def node(legacy: Legacy, **what: Any) -> Node:
    """Return a node that reads it."""
    return Node(SqlTable(legacy.database.settings), {**WHAT, **what})


def ids(rows: list[Any]) -> list[int]:
    """Return the ids of rows in order."""
    return [row["ID"] for row in rows]


def test_from_the_present_on_only_what_comes_or_changes_is_given(legacy: Legacy) -> None:
    legacy.put((n, "旧", stamp(5000 - 40 * n)) for n in range(100))
    legacy.put([(200, "将来", "2999-12-31 00:00:00"), (201, "无", None)])
    reads = node(legacy)
    assert reads.read(mode=Mode.NONE) == [] and reads.bookmark is not None
    assert reads.read() == []
    legacy.put([(300, "新", stamp()), (3, "改", stamp(1)), (301, "迟", stamp(1200)), (200, "改", "2999-12-31 00:00:01")])
    assert sorted(ids(reads.read())) == [3, 200, 300, 301] and reads.read() == []


def test_from_the_present_of_an_empty_table_all_is_new(legacy: Legacy) -> None:
    reads = node(legacy)
    reads.read(mode=Mode.NONE)
    legacy.put([(1, "旧", "2001-01-01 00:00:00"), (2, "新", stamp())])
    assert ids(reads.read()) == [1, 2] and reads.read() == []


def test_where_all_stamps_are_ahead_nothing_is_hidden(legacy: Legacy) -> None:
    legacy.put((n, "错", f"2999-12-31 00:00:{n:02}") for n in range(20))
    reads = node(legacy)
    reads.read(mode=Mode.NONE)
    legacy.put([(50, "新", stamp()), (51, "错", "2999-12-31 00:00:05")])
    assert sorted(ids(reads.read())) == [50, 51] and reads.read() == []


@pytest.mark.parametrize(("old", "late", "new"), [
    ([f"201902{d:02}" for d in range(1, 20)], "20190219", "20190301"),
    ([f"2019-02-{d:02}" for d in range(1, 20)], "2019-02-19", "2019-03-01"),
    ([f"V{n:04}" for n in range(20)], "V0019", "V0020"),
])
def test_the_present_of_texts(database: Database, old: list[str], late: str, new: str) -> None:
    texts = Legacy(database, "VARCHAR(30)")
    texts.put((n, "旧", at) for n, at in enumerate(old))
    reads = node(texts)
    reads.read(mode=Mode.NONE)
    assert reads.read() == []
    texts.put([(100, "迟", late), (101, "新", new)])
    assert sorted(ids(reads.read())) == [100, 101] and reads.read() == []


def test_the_present_of_numbers_and_dates(legacy: Legacy) -> None:
    legacy.make("T_LOG", "SEQ INTEGER NOT NULL PRIMARY KEY", "RQ DATE")
    day = datetime.now(CHINA).date()
    legacy.add("T_LOG", [(n, (day - timedelta(days=100 - n)).isoformat()) for n in range(0, 100, 2)])
    numbers, dates = node(legacy, table="T_LOG", cursor="SEQ", lag=20), node(legacy, table="T_LOG", cursor="RQ")
    for reads in numbers, dates:
        reads.read(mode=Mode.NONE)
        assert reads.read() == []
    legacy.add("T_LOG", [(91, (day - timedelta(days=2)).isoformat()), (200, day.isoformat())])
    for reads in numbers, dates:
        assert sorted(row["SEQ"] for row in reads.read()) == [91, 200] and reads.read() == []


@pytest.mark.parametrize("round", seeds(1, 2))
def test_begun_at_any_moment_nothing_later_is_missed(legacy: Legacy, round: int, seed: int) -> None:
    dice = Random(seed + round)
    legacy.put((n, "旧", stamp(dice.uniform(0, 3000))) for n in range(dice.randrange(80)))
    reads = node(legacy, page=dice.choice([1, 3, 50]))
    reads.read(mode=Mode.NONE)
    for step in range(3):
        new = [(1000 + 20 * step + n, f"{step}", stamp(dice.uniform(0, 280))) for n in range(dice.randrange(1, 12))]
        legacy.put(new)
        found = ids(reads.read(kill_after=dice.choice([None, 5]))) + ids(reads.read())
        assert {one[0] for one in new} <= set(found)


class Clock:
    """The clock of a source, and ours beside it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.ours = 1_700_000_000.0
        self.apart = 0.0
        patch.setattr(progress, "time", lambda: self.ours)
        patch.setattr(engine, "clock", lambda connection, zone: self.now)

    @property
    def now(self) -> datetime:
        """The source's time."""
        return datetime.fromtimestamp(self.ours + self.apart, CHINA)

    def stamp(self) -> str:
        """Return the source's time as it stamps a row."""
        return self.now.strftime("%Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize("pause", [10, 20_000])
def test_a_clock_set_back_far_moves_the_window_with_it(
    legacy: Legacy, monkeypatch: pytest.MonkeyPatch, pause: int
) -> None:
    clock = Clock(monkeypatch)
    reads = node(legacy)
    for n in range(8):
        legacy.put([(n, "先", clock.stamp())])
        clock.ours += 100
        reads.read()
    assert len(reads.rows) == 8
    clock.apart -= 7200  # two hours, and the lag is five minutes
    legacy.put([(100, "钟拨回", clock.stamp())])
    clock.ours += pause  # read soon, or only when its clock is past what was seen again
    assert 100 in ids(reads.read())
    for n in range(101, 105):
        clock.ours += 100
        legacy.put([(n, "后", clock.stamp())])
        assert n in ids(reads.read())
    clock.ours += 10_000
    legacy.put([(200, "后", clock.stamp())])
    assert ids(reads.read()) == [200], "the window is as small as before"


def test_clocks_that_go_apart_a_little_give_nothing_again(legacy: Legacy, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    reads = node(legacy, lag=10)
    for n in range(8):
        legacy.put([(n, "先", clock.stamp())])
        clock.ours += 100
        clock.apart -= 1.5
        assert ids(reads.read()) == [n]


def test_a_bookmark_of_another_order_is_refused(legacy: Legacy) -> None:
    legacy.put([(1, "x", stamp())])
    reads = node(legacy)
    reads.read()
    reads.what = {**reads.what, "cursor": "ID"}
    with pytest.raises(Misconfigured, match="read anew"):
        reads.read()
