"""A store of version 1 opens as one of this version: a warehouse with every case it holds to be looked at."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from node.model import codes
from node.model.record import Operation
from node.model.spool import Arriving
from node.model.trouble import Retry
from node.store import SqliteWarehouse
from node.validate.line import join_line
from tests.contracts.cases_contract import due, of_case, rows
from tests.contracts.things import T0, delivery
from tests.store import places


def lined(record: Arriving) -> Arriving:
    """Return a record with the line that its head belongs to."""
    return record._replace(line=join_line(b"{}", record.head))


def shape(file: Path) -> Any:
    """Return the columns and indexes of every table of a database."""
    connection = sqlite3.connect(file)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
    found = {
        name: (connection.execute(f"PRAGMA table_info({name})").fetchall(), sorted(
            (index, connection.execute(f"PRAGMA index_xinfo({index})").fetchall(), unique, partial)
            for _, index, unique, _, partial in connection.execute(f"PRAGMA index_list({name})")
        )) for name in tables
    }
    version = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return found, version


def as_version_1(file: Path) -> None:
    """Take away what version 2 brought."""
    connection = sqlite3.connect(file)
    connection.executescript(
        "DROP INDEX current_correlation; ALTER TABLE current DROP COLUMN correlation;"
        "DROP TABLE cases; DROP TABLE watched; DROP TABLE findings; PRAGMA user_version = 1;"
    )
    connection.close()


def test_an_upgraded_warehouse_equals_a_fresh_one_and_knows_its_cases(tmp_path: Path) -> None:
    for name in ("old", "fresh"):
        (tmp_path / name).mkdir()
    places.warehouse(tmp_path / "fresh").close()
    store = places.warehouse(tmp_path / "old")
    with store.unit() as unit:
        unit.apply(delivery([lined(of_case("1", 0, 1, "a")), lined(of_case("1", 1, 2, "b")),
                             lined(of_case(None, 2, 3, "c"))]), T0)
        unit.apply(delivery([lined(of_case("2", 0, 4, "b")), lined(of_case("3", 1, 5, "d")),
                             lined(of_case("3", 2, 6, "d", operation=Operation.DELETE))]), T0)
        before = sorted(len(rows(unit, case)) for case in due(unit))
    store.close()
    assert before == [1, 1], "a record that came with its delete was in no case"
    as_version_1(tmp_path / "old/warehouse.db")
    with pytest.raises(Retry) as caught:
        SqliteWarehouse(tmp_path / "old/warehouse.db", places.STORAGE, places.CRYPTO.sm3, writing=False)
    assert caught.value.code is codes.STORE_BUSY
    store = places.warehouse(tmp_path / "old")
    with store.unit() as unit:
        assert sorted(len(rows(unit, case)) for case in due(unit)) == [1, 1]
    store.close()
    assert shape(tmp_path / "old/warehouse.db") == shape(tmp_path / "fresh/warehouse.db")


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    store = places.warehouse(tmp_path)
    with store.unit() as unit:
        unit.apply(delivery([of_case("1", 0, 1, "a")]), T0)  # its line has no head: it cannot be read
    store.close()
    as_version_1(tmp_path / "warehouse.db")
    was = shape(tmp_path / "warehouse.db")
    with pytest.raises(Exception) as caught:
        places.warehouse(tmp_path)
    assert getattr(caught.value, "code", None) is codes.LINE and shape(tmp_path / "warehouse.db") == was


def test_an_upgraded_outbox_equals_a_fresh_one_and_keeps_what_it_held(tmp_path: Path) -> None:
    for name in ("old", "fresh"):
        (tmp_path / name).mkdir()
        store = places.outbox(tmp_path / name)
        with store.unit() as unit:
            unit.mark("reader", None, "42")
        store.close()
    connection = sqlite3.connect(tmp_path / "old/outbox.db")
    connection.executescript("DROP TABLE dirty; PRAGMA user_version = 1;")
    connection.close()
    store = places.outbox(tmp_path / "old")
    with store.unit() as unit:
        assert unit.bookmark("reader") == "42" and unit.dirty_count("a/b") == 0
    store.close()
    assert shape(tmp_path / "old/outbox.db") == shape(tmp_path / "fresh/outbox.db")
