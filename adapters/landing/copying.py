"""Rows put into PostgreSQL by COPY: into a temporary table of the session, and from there by one statement.

Rule 1: the temporary table is made before the transaction of a batch, which may be rolled back; it empties at commit.
Rule 2: few rows are not worth it, and an account that may make no temporary table does without.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, exc

from adapters.landing.statements import Statements
from adapters.landing.writing import Row, Writer

FEW = 20


class Copying:
    """Rows of one table, in the transaction of one batch."""

    def __init__(self, statements: Statements, is_unique: bool, otherwise: Writer) -> None:
        self._statements, self._is_unique, self._otherwise = statements, is_unique, otherwise
        named = repr((statements.name, statements.columns)).encode()
        self._name = "exn_" + blake2b(named, digest_size=8).hexdigest()
        self._temporary, self._columns = f"pg_temp.{self._name}", statements.list(statements.columns)
        self._insert = f"INSERT INTO {statements.name} ({self._columns}) SELECT {self._columns} FROM {self._temporary}"
        self._same = [f"t.{one} = n.{one}" for one in map(statements.quote, statements.key)]
        self._used = self._may = False

    def prepare(self, connection: Connection) -> None:
        """Make the temporary table, if this session has none; commits."""
        made = connection.info.setdefault("exn_temporary", set())
        if self._name not in made and "exn_no_temporary" not in connection.info:
            try:
                connection.exec_driver_sql(
                    f"CREATE TEMPORARY TABLE {self._name} ON COMMIT DELETE ROWS"
                    f" AS SELECT {self._columns} FROM {self._statements.name} WITH NO DATA")
                connection.commit()
                made.add(self._name)
            except exc.ProgrammingError:
                connection.rollback()
                connection.info["exn_no_temporary"] = True
        self._may = self._name in made

    @staticmethod
    def forget(connection: Connection) -> None:
        """Drop what was made in this session: the tables are others now."""
        for name in connection.info.pop("exn_temporary", ()):
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{name}")
        connection.commit()

    def put(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert or update rows."""
        if not self._bring(connection, rows):
            self._otherwise.put(connection, rows)
        elif self._is_unique:
            connection.exec_driver_sql(self._insert + " " + self._statements.on_conflict())
        else:
            self._update(connection)
            same = " AND ".join(self._same)
            connection.exec_driver_sql(
                f"{self._insert} n WHERE NOT EXISTS (SELECT 1 FROM {self._statements.name} t WHERE {same})")

    def add(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert rows, by COPY alone."""
        if len(rows) < FEW:
            self._otherwise.add(connection, rows)
        else:
            copy(connection, f"COPY {self._statements.name} ({self._columns}) FROM STDIN", rows)

    def alter(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Update rows."""
        if self._bring(connection, rows):
            self._update(connection)
        else:
            self._otherwise.alter(connection, rows)

    def _bring(self, connection: Connection, rows: Sequence[Row]) -> bool:
        """Copy rows into the temporary table; return whether they are there."""
        if len(rows) < FEW or not self._may:
            return False
        if self._used:
            connection.exec_driver_sql(f"TRUNCATE {self._temporary}")
        self._used = True
        copy(connection, f"COPY {self._temporary} ({self._columns}) FROM STDIN", rows)
        return True

    def _update(self, connection: Connection) -> None:
        said = self._statements
        changed = ", ".join(f"{said.quote(one)} = n.{said.quote(one)}" for one in said.rest)
        if changed:
            connection.exec_driver_sql(
                f"UPDATE {said.name} t SET {changed} FROM {self._temporary} n WHERE {' AND '.join(self._same)}")


def copy(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    """Copy rows by the driver's own COPY; its errors leave as SQLAlchemy's."""
    raw: Any = connection.connection.driver_connection
    dialect: Any = connection.dialect
    try:
        with raw.cursor() as cursor, cursor.copy(statement.replace("%%", "%")) as copied:  # it takes no parameters
            for row in rows:
                copied.write_row(row)
    except dialect.dbapi.Error as why:
        gone = dialect.is_disconnect(why, raw, None)
        if gone:
            connection.invalidate()
        raise exc.DBAPIError.instance(
            statement, None, why, dialect.dbapi.Error, connection_invalidated=gone, dialect=dialect) from None


def can_copy(connection: Connection) -> bool:
    """Return whether this is PostgreSQL, reached by the driver that copies."""
    return connection.dialect.name == "postgresql" and connection.dialect.driver == "psycopg"
