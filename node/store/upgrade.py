"""A warehouse of an earlier version becomes one of this version, whole or not at all.

Version 2 knows cases: every current record with a correlation joins its case, and every case is looked at once, so
that no rule between records speaks of a case of which it knows half.
"""

from __future__ import annotations

import sqlite3
from itertools import groupby
from operator import itemgetter

from node.store.schema import statements
from node.store.schema_warehouse import WAREHOUSE
from node.store.sealing import Sealing
from node.validate import split_line

_NEW = ("current_correlation", "cases", "watched", "findings")


def know_cases(connection: sqlite3.Connection, sealing: Sealing) -> None:
    """Bring a warehouse of version 1 to version 2; each block is opened once."""
    connection.execute("ALTER TABLE current ADD COLUMN correlation BLOB")
    for statement in statements(WAREHOUSE):
        words = statement.split()
        named = words[words.index("TABLE" if "TABLE" in words[:2] else "INDEX") + 1]
        if named.startswith(_NEW):
            connection.execute(statement)
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
