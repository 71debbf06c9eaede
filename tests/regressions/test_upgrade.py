"""13: a version change meets a full queue (PEERS §11.13; Mirth #995).

A store of the present version is taken up with its full queue, one of a later version is refused untouched, and after
going back all is delivered; one of an older version is upgraded with what it holds while the queue is full.  The day
another version is made, the last test fails: then the way from each older one, with a full queue, belongs here.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from node.store import SqliteInbox, SqliteOutbox, SqliteWarehouse
from tests.processes.exchange import CENTRE, SOURCE
from tests.regressions.standing import Standing
from tests.store.test_upgrade import as_version_1

STORES = (SqliteOutbox, SqliteInbox, SqliteWarehouse)


def version(file: Path, value: int | None = None) -> int:
    """Return the schema version of a store, after setting it if a value is given."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        if value is not None:
            connection.execute(f"PRAGMA user_version = {value}")
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def rows(file: Path) -> dict[str, int]:
    """Return how many rows each table of a store has."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}
    finally:
        connection.close()


def test_a_store_of_a_later_version_is_refused_untouched_and_one_of_ours_is_taken_up_with_its_queue(
    standing: Standing,
) -> None:
    records, outbox = len(standing.history()), standing.seat(SOURCE).state / "outbox.db"
    standing.crew.signal(CENTRE, 15)
    standing.crew.ended(CENTRE, 40)
    for _ in range(4):
        standing.submit(standing.people(25))
    standing.crew.signal(SOURCE, 15)
    standing.crew.ended(SOURCE, 40)
    full, ours = rows(outbox), version(outbox)
    try:
        version(outbox, ours + 1)
        standing.crew.spawn(SOURCE)
        assert standing.crew.ended(SOURCE, 60) == 78
        said = standing.log(SOURCE)[-1]
        assert said["event"] == "EXN-STORE-NEWER" and said["cure"]
        assert rows(outbox) == full and version(outbox) == ours + 1, "nothing was changed"
    finally:
        version(outbox, ours)
    standing.start(CENTRE, SOURCE)
    standing.accounted()
    found = standing.history()
    assert len(found) == len(set(found)) == records + 100


def test_a_warehouse_of_version_1_is_upgraded_with_its_history_while_the_queue_is_full(standing: Standing) -> None:
    records, warehouse = len(standing.history()), standing.seat(CENTRE).state / "warehouse.db"
    standing.crew.signal(CENTRE, 15)
    standing.crew.ended(CENTRE, 40)
    for _ in range(4):
        standing.submit(standing.people(25))
    as_version_1(warehouse)
    assert version(warehouse) == 1
    standing.start(CENTRE)
    standing.accounted()
    found = standing.history()
    assert version(warehouse) == SqliteWarehouse.version and len(found) == len(set(found)) == records + 100


def test_an_outbox_of_version_1_is_upgraded_with_its_full_queue(standing: Standing) -> None:
    records, outbox = len(standing.history()), standing.seat(SOURCE).state / "outbox.db"
    standing.crew.signal(CENTRE, 15)
    standing.crew.ended(CENTRE, 40)
    for _ in range(4):
        standing.submit(standing.people(25))
    standing.crew.signal(SOURCE, 15)
    standing.crew.ended(SOURCE, 40)
    connection = sqlite3.connect(outbox, isolation_level=None)
    connection.executescript("DROP TABLE dirty; PRAGMA user_version = 1;")
    connection.close()
    standing.start(CENTRE, SOURCE)
    standing.accounted()
    found = standing.history()
    assert version(outbox) == SqliteOutbox.version and len(found) == len(set(found)) == records + 100


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
def test_the_way_from_every_older_schema_version_is_tested_here(store: type[SqliteOutbox]) -> None:
    newest = 1 if store is SqliteInbox else 2
    assert store.version == newest, "test the way from each older version, with a full queue, in this file"
