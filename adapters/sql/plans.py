"""How a database means to run a statement: what its EXPLAIN says, without a value of a row.

A statement is explained with the places it would have; what comes back is reduced to words that hold no value: kinds
of steps, names of tables and indexes, numbers of rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Select

from adapters.sql.dialects import family

LONGEST = 1000
"""Most characters of a plan."""


def statement(connection: Connection, query: Select[Any]) -> str:
    """Return a statement as it will be run, with its places for values, on one line."""
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    return " ".join(str(compiled).split())


def plan(connection: Connection, query: Select[Any]) -> str | None:
    """Return how the database will run it, None where it is not known how to ask."""
    ask = _ASK.get(family(connection.engine.url))
    if ask is None:
        return None
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    given: Any = compiled.params
    if compiled.positional:
        given = tuple(compiled.params[one] for one in compiled.positiontup or ())
    with closing(connection.connection.driver_connection.cursor()) as cursor:  # type: ignore[union-attr]  # it is open
        try:
            return ask(cursor, str(compiled), given)[:LONGEST]
        finally:
            if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
                raw = connection.connection.driver_connection
                connection.dialect.do_rollback(raw)  # type: ignore[arg-type]  # it is open


def _postgresql(cursor: Any, said: str, given: Any) -> str:
    cursor.execute("EXPLAIN (FORMAT JSON) " + said, given)
    (found,) = cursor.fetchone()
    return " < ".join(_steps((json.loads(found) if isinstance(found, str) else found)[0]["Plan"]))


def _steps(node: Mapping[str, Any]) -> Iterator[str]:
    names = [str(node[one]) for one in ("Relation Name", "Index Name") if one in node]
    yield f"{node['Node Type']}{' (' + ' '.join(names) + ')' if names else ''} rows={node['Plan Rows']}"
    for below in node.get("Plans", ()):
        yield from _steps(below)


def _mysql(cursor: Any, said: str, given: Any) -> str:
    cursor.execute("EXPLAIN " + said, given)
    names = [one[0] for one in cursor.description]
    wanted = ("table", "type", "key", "rows", "Extra")
    rows = (dict(zip(names, row)) for row in cursor.fetchall())
    return " < ".join(" ".join(f"{one}={row.get(one)}" for one in wanted) for row in rows)


def _sqlite(cursor: Any, said: str, given: Any) -> str:
    cursor.execute("EXPLAIN QUERY PLAN " + said, given)
    return " < ".join(str(row[3]) for row in cursor.fetchall())


def _firebird(cursor: Any, said: str, given: Any) -> str:
    prepared = cursor.prepare(said)
    try:
        return " ".join(str(prepared.plan).split())
    finally:
        prepared.free()


_ASK: Mapping[str, Callable[[Any, str, Any], str]] = {
    "postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite, "firebird": _firebird,
}
