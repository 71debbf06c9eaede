"""A store of an earlier version becomes one of this version, whole or not at all.

Version 2 of the warehouse knows cases: every current record with a correlation joins its case, and every case is
looked at once, so that no rule between records speaks of a case of which it knows half.
"""

from __future__ import annotations

import sqlite3
from itertools import groupby
from operator import itemgetter

from sqlalchemy import MetaData

from node.store.schema import statements
from node.store.schema_outbox import OUTBOX
from node.store.schema_warehouse import WAREHOUSE
from node.store.sealing import Sealing
from node.validate import split_line


def know_dirty_rows(connection: sqlite3.Connection) -> None:
    """Bring an outbox of version 1 to version 2: what sources gave that is no record has a place."""
    _create(connection, OUTBOX, ("dirty",))


def _create(connection: sqlite3.Connection, tables: MetaData, beginnings: tuple[str, ...]) -> None:
    """Create the tables and indexes whose names begin so."""
    for statement in statements(tables):
        words = statement.split()
        named = words[words.index("TABLE" if "TABLE" in words[:2] else "INDEX") + 1]
        if named.startswith(beginnings):
            connection.execute(statement)


_NEW = ("current_correlation", "cases", "watched", "findings")


def know_cases(connection: sqlite3.Connection, sealing: Sealing) -> None:
    """Bring a warehouse of version 1 to version 2; each block is opened once."""
    connection.execute("ALTER TABLE current ADD COLUMN correlation BLOB")
    _create(connection, WAREHOUSE, _NEW)
    mac = sealing.macs(b"case")
    standing = connection.execute("SELECT block, line, id FROM current WHERE line IS NOT NULL ORDER BY block")
    for block, rows in groupby(standing, itemgetter(0)):
        (sealed,) = connection.execute("SELECT sealed FROM blocks WHERE id = ?", (block,)).fetchone()
        lines = sealing.open_parts("blocks", block, sealed)[2:]
        said = ((split_line(lines[line])[1].correlation, id) for _, line, id in rows)
        connection.executemany(
            "UPDATE current SET correlation = ? WHERE id = ?",
            [(mac(correlation.encode()), id) for correlation, id in said if correlation is not None],
        )
    connection.execute(
        "INSERT INTO cases (correlation, block, due)"
        " SELECT DISTINCT correlation, 0, 0 FROM current WHERE correlation IS NOT NULL"
    )
