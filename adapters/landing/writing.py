"""Rows put into a table and taken out of it, as fast as its database allows.

| Database | Rows are put by |
|---|---|
| PostgreSQL | COPY into a temporary table and one statement from there (`copying`) |
| SQLite | INSERT ... ON CONFLICT |
| MySQL, MariaDB | INSERT of many rows ... ON DUPLICATE KEY UPDATE, if no other unique index is filled |
| Firebird | UPDATE OR INSERT |
| all others, and tables without a unique key | UPDATE, and INSERT where nothing was updated |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Connection

from adapters.landing.family import family_of
from adapters.landing.statements import Statements, picked

Row = Sequence[Any]


class Writer(Protocol):
    """Puts rows into one table; errors are SQLAlchemy's."""

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert rows, or update those whose key is there; no key stands twice among them."""

    def add(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert rows whose keys are not there."""

    def alter(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Update rows whose keys are there."""


class Upserting:
    """One statement for each row, or for many."""

    def __init__(self, statements: Statements, upsert: str) -> None:
        self._upsert, self._insert = upsert, statements.insert()
        self.alter = self.put

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert or update rows."""
        if rows:
            connection.exec_driver_sql(self._upsert, [tuple(row) for row in rows])

    def add(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert rows."""
        if rows:
            connection.exec_driver_sql(self._insert, [tuple(row) for row in rows])


class TwoSteps:
    """An update for each row, and an insert of those that were not there."""

    def __init__(self, statements: Statements) -> None:
        self._update, self._insert = statements.update(), statements.insert()
        at = statements.columns.index
        self._order = [at(one) for one in (*(statements.rest or statements.key), *statements.key)]
        self.alter = self.put

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert or update rows."""
        missing = [
            tuple(row) for row, values in zip(rows, picked(rows, self._order))
            if connection.exec_driver_sql(self._update, values).rowcount == 0
        ]
        self.add(connection, missing)

    def add(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert rows."""
        if rows:
            connection.exec_driver_sql(self._insert, [tuple(row) for row in rows])


def writer(statements: Statements, is_unique: bool, others_unique: bool = False) -> Writer:
    """Return what puts rows into a table; its key is unique, or not, and other columns that are filled too."""
    upsert, family = statements.upsert(), family_of(statements.dialect)
    by_all = family == "mysql"
    if upsert is None or not is_unique and family != "firebird" or by_all and others_unique:
        return TwoSteps(statements)
    return Upserting(statements, upsert)
