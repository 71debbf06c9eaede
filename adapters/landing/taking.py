"""What a target takes: rows put, rows removed or marked, and everything checked that waits for the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, exc

from adapters.landing.copying import Copying, can_copy
from adapters.landing.statements import Statements
from adapters.landing.target import Target, marked
from adapters.landing.writing import Row, Writer, writer


class Taking:
    """How rows of one target are written over one connection, in one transaction."""

    def __init__(self, connection: Connection, target: Target) -> None:
        table = target.table
        self._statements = Statements(
            connection.dialect, table.name, table.schema, tuple(target.names), tuple(target.key_names))
        self._writer: Writer = writer(self._statements, target.is_unique, target.others_unique)
        if can_copy(connection) and not table.view:
            self._writer = Copying(self._statements, target.is_unique, self._writer)
        self._mark: list[Any] = []
        self._remove = self._statements.delete()
        if target.plan.mark:
            column = table.column(target.plan.mark["column"])
            self._mark = [marked(column, target.plan.mark["value"])]
            self._remove = self._statements.change([column.name])
        self._deferred = table.deferred

    def prepare(self, connection: Connection) -> None:
        """Make what the session needs, before the transaction."""
        if isinstance(self._writer, Copying):
            self._writer.prepare(connection)

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert rows, or update those whose key is there."""
        with _judged():
            self._writer.put(connection, rows)

    def remove(self, connection: Connection, keys: Sequence[Row]) -> None:
        """Delete the rows of these keys, or mark them."""
        if keys:
            with _judged():
                connection.exec_driver_sql(self._remove, [(*self._mark, *key) for key in keys])

    def settle(self, connection: Connection) -> None:
        """Have what waits for the end of the transaction checked now."""
        if self._deferred:
            connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            connection.exec_driver_sql("SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def _judged() -> Iterator[None]:
    """Have a value that the driver itself does not take be refused as the database would refuse it."""
    try:
        yield
    except (ValueError, OverflowError) as why:
        raise exc.DataError(None, None, why) from None
