"""A table read by its stamp: ties, pages, late commits, NULL and future stamps, clocks that step, kills at any row."""

from __future__ import annotations

from contextlib import closing
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.contract import Misconfigured, Mode
from adapters.sql_table import SqlTable
from tests.adapters.legacy import Legacy, Node, stamp
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


@pytest.fixture
def texts(database: Database) -> Legacy:
    """Give one that keeps its stamps as texts."""
    return Legacy(database, "VARCHAR(30)")


def node(legacy: Legacy, **what: Any) -> Node:
    """Return a node that reads it."""
    return Node(SqlTable(legacy.database.settings), {**WHAT, **what})


def ids(rows: list[Any]) -> list[int]:
    """Return the ids of rows in order."""
    return [row["ID"] for row in rows]


def test_what_is_new_comes_once_and_in_order(legacy: Legacy) -> None:
    legacy.put((n, f"人{n}", stamp(1000 - n)) for n in range(50))
    reads = node(legacy)
    assert ids(reads.read()) == list(range(50)) and reads.read() == []
    legacy.put([(7, "改", stamp(5)), (50, "新", stamp(4))])
    assert reads.read() == [
        {"ID": 7, "XM": "改", "GXSJ": reads.rows[-2]["GXSJ"]}, {"ID": 50, "XM": "新", "GXSJ": reads.rows[-1]["GXSJ"]}]
    assert reads.read() == []


def test_rows_of_one_stamp_are_read_over_any_page_end(texts: Legacy) -> None:
    texts.put((n, "同", "20190228093000") for n in range(40))
    reads = node(texts)
    assert ids(reads.read()) == list(range(40)) and reads.read() == []
    texts.put((n, "同", "20190228093000") for n in range(40, 60))
    assert ids(reads.read()) == list(range(40, 60)), "a row of the greatest stamp came later"


def test_what_commits_late_is_found_and_no_other_given_again(legacy: Legacy) -> None:
    legacy.put((n, "先", stamp(200 - n)) for n in range(100))
    reads = node(legacy)
    reads.read()
    legacy.put([(1000, "迟", stamp(150)), (1001, "迟", stamp(195)), (1002, "迟", stamp(101))])
    assert sorted(ids(reads.read())) == [1000, 1001, 1002] and reads.read() == []


def test_a_stamp_ahead_of_the_clock_is_given_and_hides_nothing(legacy: Legacy) -> None:
    legacy.put([(1, "错", "2999-12-31 00:00:00"), (2, "对", stamp(10))])
    reads = node(legacy)
    assert sorted(ids(reads.read())) == [1, 2]
    for n in range(3, 8):
        legacy.put([(n, "后", stamp(1))])
        assert ids(reads.read()) == [n]


def test_a_bookmark_ahead_of_the_source_reads_on_from_its_window(legacy: Legacy) -> None:
    reads = node(legacy, lag=3600)
    legacy.put([(1, "先", stamp(0))])
    reads.read()
    legacy.put([(2, "钟拨回", stamp(1800))])  # the source's clock was set back half an hour
    assert ids(reads.read()) == [2]


def test_rows_without_a_stamp_come_in_a_whole_read_alone(legacy: Legacy) -> None:
    legacy.put([(1, "无", None), (2, "有", stamp(10))])
    reads = node(legacy)
    assert ids(reads.read()) == [2] and ids(node(legacy).read(mode=Mode.WHOLE)) == [1, 2]


@pytest.mark.parametrize("shape", [
    "20190228093000", "20190228", "2019-02-28 09:30:00", "2019-02-28T09:30:00.5", "2019/02/28", "第1版",
    "0000-00-00 00:00:00", "20190230",
])
def test_every_shape_of_a_stamp_is_read_on_from(texts: Legacy, shape: str) -> None:
    texts.put((n, "x", shape) for n in range(10))
    reads = node(texts)
    assert ids(reads.read()) == list(range(10)) and reads.read() == []
    texts.put([(99, "x", shape), (98, "x", "9" + shape)])
    assert 99 in ids(reads.read()) and 98 in ids(reads.rows)


def test_a_number_is_a_stamp_too(legacy: Legacy) -> None:
    legacy.make("T_LOG", "SEQ INTEGER NOT NULL PRIMARY KEY", "XM VARCHAR(9)")
    legacy.add("T_LOG", [(n, "x") for n in range(0, 100, 2)])
    reads = node(legacy, table="T_LOG", cursor="SEQ", lag=20)
    assert len(reads.read()) == 50 and reads.read() == []
    legacy.add("T_LOG", [(91, "late"), (100, "new")])
    assert [row["SEQ"] for row in reads.read()] == [91, 100]


@pytest.mark.parametrize("round", seeds(1, 3))
def test_killed_at_any_row_nothing_is_lost(legacy: Legacy, round: int, seed: int) -> None:
    dice, wanted, ticks = Random(seed + round), dict[int, tuple[str, str]](), count(1)
    reads = node(legacy, page=dice.choice([1, 2, 5, 50]))
    for step in range(8):
        # No row gets one stamp twice: a change that leaves it as it was is seen by nobody who reads by it.
        rows = {id: (f"{step}", f"{stamp(dice.uniform(0, 250))}.{next(ticks):04}")
                for id in (dice.randrange(60) for _ in range(dice.randrange(30)))}
        legacy.put((id, *told) for id, told in rows.items())
        wanted.update(rows)
        reads.read(kill_after=dice.randrange(40))
    reads.read()
    found = {(row["ID"], row["XM"], str(row["GXSJ"])[:24].ljust(24, "0")) for row in reads.rows}
    assert {(id, *told) for id, told in wanted.items()} <= found
    assert reads.read() == []


def test_a_whole_read_goes_on_where_it_was_broken_off(legacy: Legacy) -> None:
    legacy.put((n, "x", None) for n in range(50))
    reads = node(legacy, page=10)
    first = reads.read(mode=Mode.WHOLE, kill_after=25)
    assert ids(first) == list(range(20))
    assert ids(reads.read(mode=Mode.WHOLE)) == list(range(20, 50))
    assert ids(reads.read(mode=Mode.WHOLE)) == list(range(50))


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as met:
        SqlTable({"url": f"sqlite:///{tmp_path}/typo.db"})
    assert "文件" in met.value.zh and not list(tmp_path.iterdir())


@pytest.mark.parametrize(("what", "says"), [
    ({"table": "T_NONE"}, "T_NONE"), ({"cursor": "WHEN"}, "WHEN"), ({"columns": ["ID", "XB"]}, "XB"),
    ({"key": ["NO"]}, "NO"),
])
def test_what_is_not_there_is_told_by_name(legacy: Legacy, what: dict[str, Any], says: str) -> None:
    with pytest.raises(Misconfigured) as met:
        node(legacy, **what).read()
    assert says in met.value.zh and says in met.value.en


@pytest.mark.parametrize(("url", "says"), [
    ("nonsense", "url"), ("postgresql://h/d", "驱动"), ("nosuch+driver://h/d", "nosuch+driver"),
])
def test_a_url_that_nothing_understands_is_told(url: str, says: str) -> None:
    with pytest.raises(Misconfigured) as met:
        SqlTable({"url": url})
    assert says in met.value.zh


# The dialect of Firebird leaves the cursor open by which it reads a table's comment.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_it_cannot_write_and_says_what_it_found(legacy: Legacy) -> None:
    legacy.put([(1, "x", stamp())])
    adapter = SqlTable(legacy.database.settings)
    assert list(adapter.check())[0].level == "good"
    (table,) = (one for one in adapter.discover() if one.name == "T_HUKOU")
    assert [one.name for one in table.columns] == ["ID", "XM", "GXSJ"]
    assert [one.name for one in table.columns if one.key] == ["ID"]
    with closing(adapter._engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
        with pytest.raises(adapter._engine.dialect.loaded_dbapi.Error):
            cursor.execute(f"DELETE FROM {legacy.named('T_HUKOU')}")
