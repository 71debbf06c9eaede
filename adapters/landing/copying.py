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
        self._used = self._may = False

    def prepare(self, connection: Connection) -> None:
        """Make the temporary table, if this session has none; commits."""
        made = connection.info.setdefault("exn_temporary", set())
        if self._name not in made and "exn_no_temporary" not in connection.info:
            columns = self._statements.list(self._statements.columns)
            try:
                connection.exec_driver_sql(
                    f"CREATE TEMPORARY TABLE {self._name} ON COMMIT DELETE ROWS"
                    f" AS SELECT {columns} FROM {self._statements.name} WITH NO DATA")
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
        if len(rows) < FEW or not self._may:
            self._otherwise.put(connection, rows)
            return
        said, name = self._statements, f"pg_temp.{self._name}"
        if self._used:
            connection.exec_driver_sql(f"TRUNCATE {name}")
        self._used = True
        columns = said.list(said.columns)
        copy(connection, f"COPY {name} ({columns}) FROM STDIN", rows)
        if self._is_unique:
            connection.exec_driver_sql(
                f"INSERT INTO {said.name} ({columns}) SELECT {columns} FROM {name} {said.on_conflict()}")
            return
        same = " AND ".join(f"t.{said.quote(one)} = n.{said.quote(one)}" for one in said.key)
        changed = ", ".join(f"{said.quote(one)} = n.{said.quote(one)}" for one in said.rest)
        if changed:
            connection.exec_driver_sql(f"UPDATE {said.name} t SET {changed} FROM {name} n WHERE {same}")
        connection.exec_driver_sql(
            f"INSERT INTO {said.name} ({columns}) SELECT {columns} FROM {name} n"
            f" WHERE NOT EXISTS (SELECT 1 FROM {said.name} t WHERE {same})")


def copy(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    """Copy rows by the driver's own COPY; its errors leave as SQLAlchemy's."""
    raw: Any = connection.connection.driver_connection
    dialect: Any = connection.dialect
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copied:
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
