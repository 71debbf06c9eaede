"""Batches as the node lands them, and what stands at the target and in the ledger afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count
from typing import Any

from adapters.contract import Batch, Incoming, Result
from adapters.landing import Lander
from tests.adapters.servers import Database

_parcels = count(1)
TABLE = "CREATE TABLE RK (ZJHM VARCHAR(18) NOT NULL PRIMARY KEY, XM VARCHAR(20), NL INTEGER)"
WHAT: dict[str, Any] = {"table": "RK", "columns": {"ZJHM": "IdNumber", "XM": "Name", "NL": "Age"}}


def lander(database: Database, **settings: Any) -> Lander:
    """Return what lands in a database."""
    return Lander(database.settings["url"], database.settings.get("password"), settings.get("seconds", 5), "+08:00")


def record(
    key: str, n: int, row: str | None = None, *, epoch: int = 1, origin: str = "A", delete: bool = False, **fields: Any
) -> Incoming:
    """Return a record of a person; its leaf is its version."""
    filled = {"RecordId": row or f"r{key}", "IdNumber": key, **fields}
    return Incoming(n, origin, (epoch, n), delete, row or f"r{key}", (key,), filled)


def batch(records: Iterable[Incoming], what: dict[str, Any] | None = None, **said: Any) -> Batch:
    """Return a batch; a parcel of its own, if not named."""
    given = {"resource": "population", "lane": "d/a/b/population/live", "parcel": f"p{next(_parcels)}", "token": 1}
    return Batch(what or WHAT, **{**given, **said}, records=tuple(records))


def fates(results: Iterable[Result]) -> list[str]:
    """Return the first letters of what became of the records."""
    return [one.fate.value[0] for one in results]


def rows(database: Database, ask: str = "SELECT ZJHM, XM FROM RK ORDER BY ZJHM") -> list[tuple[Any, ...]]:
    """Return what stands in a database."""
    with database.engine.connect() as connection:
        return [tuple(one.strip() if isinstance(one, str) else one for one in row) for row in
                connection.exec_driver_sql(ask)]


def line(one: Incoming) -> bytes:
    """Return a record as it is said to an adapter's process."""
    return json.dumps({
        "leaf": one.leaf, "origin": one.origin, "version": one.version, "delete": one.delete, "row": one.row,
        "key": one.key, "fields": one.fields}).encode()
