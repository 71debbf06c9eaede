"""The ledger's tables in the target's database; made when they are first needed, or by whoever may.

| Table | Holds |
|---|---|
| `exn_ledger` | one row: the form of the ledger, and the salt of its digests |
| `exn_lanes` | per lane: the greatest token seen, how many parcels came; a row for the target itself too, to wait on |
| `exn_parcels` | per parcel: what became of its records |
| `exn_versions` | per business key and origin: the version that stands, its row, whether it is a tombstone |
| `exn_strays` | rows that lost their key to another row: where they were last |

Rule 1: no key and no row's name stands there, only digests (`digests`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    exc,
    inspect,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from adapters.contract import Misconfigured, Unavailable
from adapters.landing.errors import Blame, blame, code_of
from adapters.landing.family import family_of

FORM = 1
DIGEST = 32
KEPT = 1400
"""Most letters of a hidden key."""


def _ascii(length: int) -> String:
    """Return a text of octets that are compared as such."""
    return String(length).with_variant(
        mysql.VARCHAR(length, charset="ascii", collation="ascii_bin"), "mysql", "mariadb",
    ).with_variant(String(length, collation="C"), "postgresql")


class LedgerTables:
    """The tables, under their prefix and in the target's schema."""

    def __init__(self, prefix: str, schema: str | None) -> None:
        self.metadata = MetaData(schema=schema)
        text = Text().with_variant(mysql.LONGTEXT(charset="ascii", collation="ascii_bin"), "mysql", "mariadb")
        self.ledger = self._table(
            f"{prefix}_ledger", Column("id", SmallInteger, nullable=False, autoincrement=False),
            Column("form", SmallInteger, nullable=False), Column("salt", _ascii(64), nullable=False), key=("id",))
        self.lanes = self._table(
            f"{prefix}_lanes", Column("lane", _ascii(DIGEST), nullable=False),
            Column("token", BigInteger, nullable=False), Column("parcels", BigInteger, nullable=False),
            Column("paths", text), key=("lane",))
        self.parcels = self._table(
            f"{prefix}_parcels", Column("lane", _ascii(DIGEST), nullable=False),
            Column("parcel", _ascii(64), nullable=False), Column("place", BigInteger, nullable=False),
            Column("results", text, nullable=False), key=("lane", "parcel"))
        self.versions = self._table(
            f"{prefix}_versions", Column("key_digest", _ascii(DIGEST), nullable=False),
            Column("origin", _ascii(64), nullable=False), Column("epoch", BigInteger, nullable=False),
            Column("serial", BigInteger, nullable=False), Column("row_digest", _ascii(DIGEST)),
            Column("gone", SmallInteger, nullable=False), Column("hidden", _ascii(KEPT)), key=("key_digest", "origin"))
        self.strays = self._table(
            f"{prefix}_strays", Column("row_digest", _ascii(DIGEST), nullable=False),
            Column("key_digest", _ascii(DIGEST), nullable=False), Column("epoch", BigInteger, nullable=False),
            Column("serial", BigInteger, nullable=False), key=("row_digest",))
        self.indexes = (
            Index(f"{prefix}_parcels_place", self.parcels.c.lane, self.parcels.c.place),
            Index(f"{prefix}_versions_row", self.versions.c.row_digest),
        )

    def _table(self, name: str, *columns: Column[Any], key: tuple[str, ...]) -> Table:
        return Table(name, self.metadata, *columns, PrimaryKeyConstraint(*key), mysql_engine="InnoDB")

    def missing(self, connection: Connection) -> Sequence[str]:
        """Return the statements that make what is not there yet."""
        about, schema = inspect(connection), self.metadata.schema
        there = {one.lower() for one in about.get_table_names(schema)}
        made = [table for table in self.metadata.sorted_tables if table.name not in there]
        indexed = {
            str(index["name"]).lower() for table in (self.parcels, self.versions)
            if table not in made for index in about.get_indexes(table.name, schema)}
        room = _ROOM if family_of(connection.dialect) == "postgresql" else ""
        tables = [_said(CreateTable(one), connection) + room for one in made]
        return tables + [_said(CreateIndex(one), connection) for one in self.indexes if one.name not in indexed]

    def make(self, connection: Connection) -> None:
        """Make what is not there; raise Misconfigured with the statements if the account may not."""
        left = self.missing(connection)
        connection.rollback()
        while left:
            try:
                connection.exec_driver_sql(left[0])
                connection.commit()
                left = left[1:]
            except exc.DBAPIError as why:
                if why.connection_invalidated:
                    raise
                connection.rollback()
                still = self.missing(connection)
                connection.rollback()
                if still == left:
                    raise _not_made(why, left, family_of(connection.dialect)) from None
                left = still  # another process makes them at the same time


def _not_made(why: exc.DBAPIError, statements: Sequence[str], family: str) -> Misconfigured | Unavailable:
    if blame(why, family) is not Blame.PERSON:
        return Unavailable(f"台账表暂时不能建立（{code_of(why)}）", f"the ledger's tables cannot be made now ({code_of(why)})")
    code, said = code_of(why), "; ".join(statements)
    return Misconfigured(
        f"目标库缺少台账表且此账号不能建立（{code}），请由管理员执行（survey给出全文）：{said}",
        f"the target lacks ledger tables and the account may make none ({code}); have these run (survey tells all): "
        + said)


_ROOM = " WITH (fillfactor = 75)"
"""Room in a page of PostgreSQL: a version that changes within its page leaves the indexes alone."""


def _said(statement: ExecutableDDLElement, connection: Connection) -> str:
    return " ".join(str(statement.compile(dialect=connection.dialect)).split())
