"""What the three schemas share: column types, lanes, the ledger, and how a schema becomes statements.

Rule 1: a released table is changed only by a new schema version and an upgrade, which a test compares with a fresh one.
Rule 2: small rows that change stand apart from large octets that do not: SQLite writes a changed row whole.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, create_mock_engine
from sqlalchemy.dialects.sqlite import dialect

INT = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number below 2⁶³, the only kind we keep."""


def whole(name: str, *, null: bool = False, key: bool = False) -> Column[Any]:
    """Return a column of whole numbers."""
    return Column(name, INT, nullable=null, primary_key=key, autoincrement=False)


def text(name: str, *, null: bool = False, key: bool = False) -> Column[Any]:
    """Return a column of texts."""
    return Column(name, Text, nullable=null, primary_key=key)


def octets(name: str, *, null: bool = False, key: bool = False) -> Column[Any]:
    """Return a column of octets."""
    return Column(name, LargeBinary, nullable=null, primary_key=key)


def rows(name: str, metadata: MetaData, *columns: Any) -> Table:
    """Return a table with a row id: for large rows, or a whole-number key."""
    return Table(name, metadata, *columns, sqlite_strict=True)


def tree(name: str, metadata: MetaData, *columns: Any) -> Table:
    """Return a table that is its primary key's tree: for small rows found by that key."""
    return Table(name, metadata, *columns, sqlite_strict=True, sqlite_with_rowid=False)


def lanes(metadata: MetaData, *columns: Column[Any]) -> Table:
    """Return the table of lanes with a store's own columns; other tables name a lane by its number."""
    names = ("domain", "sender", "receiver", "resource", "stream")
    table = rows("lanes", metadata, whole("id", key=True), *(text(name) for name in names), *columns)
    Index("lanes_name", *(table.c[name] for name in names), unique=True)
    return table


def ledger(metadata: MetaData) -> Table:
    """Return the table of ledger entries: one chain per lane, never changed and never purged."""
    table = tree(
        "ledger", metadata,
        whole("lane", key=True), whole("size", key=True), octets("head"),
        text("step"), text("subject"), octets("digest"), whole("count"), whole("at"),
    )
    Index("ledger_subject", table.c.subject)
    return table


def statements(metadata: MetaData) -> list[str]:
    """Return the SQL that creates an empty store of this schema in SQLite."""
    made: list[str] = []

    def take(sql: Any, *_: Any, **__: Any) -> None:
        made.append(str(sql.compile(dialect=dialect())))

    metadata.create_all(create_mock_engine("sqlite://", take), checkfirst=False)
    return made
