"""What differs between databases that are read: what a connection is told first, what is asked, how rows are given.

| Name | Databases |
|---|---|
| `postgresql` | PostgreSQL, KingbaseES, openGauss |
| `mysql` | MySQL, MariaDB, and what speaks as they do |
| `sqlite`, `firebird`, `oracle`, `dm`, `mssql` | the one of that name |

Rule 1: where it can be told, a connection is told to write nothing, and how long a statement and a lock may take.
Rule 2: a cell that Python has no value for comes as the text the database has for it (`infinity`, `0000-00-00`), never
        as a failed read.
Rule 3: rows come one by one: a page is never held twice, by the driver and by us.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.dialects import registry
from sqlalchemy.engine import URL

registry.register("kingbase.ksycopg2", "adapters.kingbase", "Kingbase")

WAIT = 5
"""Seconds in which a lock must be had, and ten of them for a connection."""

_FAMILY = {"kingbase": "postgresql", "opengauss": "postgresql", "mariadb": "mysql"}


def family(url: URL) -> str:
    """Return by which name of the table above a database is known here."""
    name = url.get_backend_name()
    return _FAMILY.get(name, name)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a database: its clock; its version and charset, None if not known how."""

    clock: str = "SELECT CURRENT_TIMESTAMP"
    about: str | None = None


ASKED: Mapping[str, Asked] = {
    "sqlite": Asked(
        "SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now') || '+00:00'",
        "SELECT sqlite_version(), (SELECT encoding FROM pragma_encoding)"),
    "postgresql": Asked(
        "SELECT clock_timestamp()", "SELECT current_setting('server_version'), current_setting('server_encoding')"),
    "mysql": Asked(about="SELECT VERSION(), @@character_set_database"),
    "firebird": Asked(
        "SELECT CURRENT_TIMESTAMP FROM RDB$DATABASE",
        "SELECT RDB$GET_CONTEXT('SYSTEM', 'ENGINE_VERSION'), TRIM(RDB$CHARACTER_SET_NAME) FROM RDB$DATABASE"),
    "oracle": Asked(
        "SELECT SYSTIMESTAMP FROM DUAL",
        "SELECT (SELECT MAX(VERSION) FROM PRODUCT_COMPONENT_VERSION), VALUE FROM NLS_DATABASE_PARAMETERS"
        " WHERE PARAMETER = 'NLS_CHARACTERSET'"),
    "dm": Asked(
        about="SELECT MAX(BANNER), CASE UNICODE() WHEN 1 THEN 'UTF-8' WHEN 0 THEN 'GB18030' ELSE 'EUC-KR' END"
        " FROM V$VERSION"),
    "mssql": Asked(
        "SELECT SYSDATETIMEOFFSET()",
        "SELECT CAST(SERVERPROPERTY('ProductVersion') AS VARCHAR(60)),"
        " CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS VARCHAR(60))"),
}


def arguments(url: URL, seconds: int) -> dict[str, Any]:
    """Return what the driver is told: to give up a host that is silent, and to leave what it cannot convert as text."""
    driver = url.drivername.partition("+")[2]
    given: dict[str, Any] = {}
    if driver in ("psycopg", "psycopg2", "ksycopg2"):
        given = {"connect_timeout": 2 * WAIT, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    elif driver == "pymysql":
        given = {"connect_timeout": 2 * WAIT, "read_timeout": seconds + 30, "conv": _mysql_cells()}
    elif driver == "pymssql":
        given = {"login_timeout": 2 * WAIT, "timeout": seconds}
    elif url.get_backend_name() == "sqlite":
        given = {"timeout": WAIT}
    return {name: value for name, value in given.items() if name not in url.query}


def begin(raw: Any, name: str, seconds: int, charset: str = "utf-8") -> None:
    """Tell a new connection of a driver what Rule 1 says; `charset` is that of SQLite's texts, which tells none."""
    with closing(raw.cursor()) as cursor:
        for statement in _told_first(cursor, name, seconds):
            cursor.execute(statement)
    if name != "firebird":
        raw.commit()  # a driver may have begun a transaction, which would undo them and bar AUTOCOMMIT
    if name == "sqlite":
        raw.text_factory = lambda octets: octets.decode(charset, "surrogateescape")
    elif name == "firebird":
        from firebird.driver import Isolation, TraAccessMode, tpb

        raw.main_transaction.default_tpb = tpb(Isolation.READ_COMMITTED_RECORD_VERSION, WAIT, TraAccessMode.READ)


def _told_first(cursor: Any, name: str, seconds: int) -> Sequence[str]:
    """Return the statements that are said first on a connection."""
    if name == "sqlite":
        return ["PRAGMA query_only = ON"]
    if name == "postgresql":
        return ["SET default_transaction_read_only = on", f"SET statement_timeout = {seconds * 1000}",
                *_lock_timeout(cursor)]
    if name == "mysql":
        cursor.execute("SELECT VERSION()")
        limit = (f"max_statement_time = {seconds}" if "maria" in str(cursor.fetchone()[0]).lower()
                 else f"max_execution_time = {seconds * 1000}")
        return ["SET SESSION TRANSACTION READ ONLY", f"SET SESSION {limit}", f"SET SESSION lock_wait_timeout = {WAIT}"]
    if name == "mssql":
        return [f"SET LOCK_TIMEOUT {WAIT * 1000}"]
    return ()


def _lock_timeout(cursor: Any) -> Sequence[str]:
    cursor.execute("SELECT name FROM pg_settings WHERE name IN ('lock_timeout', 'lockwait_timeout')")
    return [f"SET {name} = '{WAIT}s'" for name, in cursor.fetchall()]


def _mysql_cells() -> dict[Any, Any]:
    """Return how PyMySQL converts: dates that are none, and times longer than a day, stay text."""
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions

    return {
        **conversions, FIELD_TYPE.DATE: _or_text(date.fromisoformat), FIELD_TYPE.TIME: str,
        FIELD_TYPE.DATETIME: _or_text(datetime.fromisoformat), FIELD_TYPE.TIMESTAMP: _or_text(datetime.fromisoformat),
    }


def _or_text(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    def cell(said: str) -> Any:
        try:
            return convert(said)
        except ValueError:
            return said

    return cell


_PLAIN = frozenset({
    "bool", "bytea", "date", "float4", "float8", "int2", "int4", "int8", "numeric", "oid", "time", "timestamp",
    "timestamptz", "timetz",
})
"""Types of PostgreSQL that are given as Python has them; all others as text, in the words of the database."""


def postgres_cells(cursor: Any, lenient: bool = True) -> None:
    """Have a cursor of psycopg give what Python has no value for as text; reflection needs its arrays as lists.

    Without `lenient` times are read faster, and those that Python has no value for are an error.
    """
    from psycopg.pq import Format
    from psycopg.types.string import TextLoader

    known = cursor.adapters
    for one in known.types:
        for oid in {one.array_oid} - {0} if one.name in _PLAIN else {one.oid, one.array_oid} - {0}:
            known.register_loader(oid, TextLoader)
    for name in ("date", "timestamp", "timestamptz") if lenient else ():
        known.register_loader(name, _lenient(known.get_loader(known.types[name].oid, Format.TEXT)))


@cache  # psycopg remembers every class of loaders for good
def _lenient(kind: Any) -> Any:
    from psycopg import DataError
    from psycopg.adapt import Loader

    class Lenient(Loader):  # of psycopg's own a subclass would not be asked
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._strict = kind(oid, context).load

        def load(self, data: Any) -> Any:
            try:
                return self._strict(data)
            except DataError:  # infinity, a year before 1 or after 9999
                return bytes(data).decode("ascii", "replace")

    return Lenient


def fetch(
    connection: Connection, query: Select[Any], chunk: int = 50, lenient: bool = True
) -> Iterator[tuple[Any, ...]]:
    """Yield rows of a query as the driver gives them; `chunk` is how many the driver may hold.

    Without `lenient` times are read faster, and those that Python has no value for are an error.
    Errors are the driver's own.  The statement, and its transaction, end with the iterator.
    """
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    known = compiled.params
    given: Any = tuple(known[one] for one in compiled.positiontup or ()) if compiled.positional else known
    raw: Any = connection.connection.driver_connection
    with closing(_cursor(raw, lenient)) as cursor:
        try:
            if hasattr(cursor, "stream"):  # psycopg; libpq holds one row, or a few
                yield from cursor.stream(str(compiled), given, size=chunk)
                return
            cursor.execute(str(compiled), given)
            while found := cursor.fetchmany(chunk):
                yield from map(tuple, found)
        finally:
            if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
                connection.dialect.do_rollback(raw)


def _cursor(raw: Any, lenient: bool) -> Any:
    if type(raw).__module__.startswith("pymysql."):
        from pymysql.cursors import SSCursor

        return raw.cursor(SSCursor)
    cursor = raw.cursor()
    if hasattr(cursor, "adapters"):
        postgres_cells(cursor, lenient)
    if hasattr(cursor, "stream_blob_threshold"):  # Firebird: else a long cell would be a file, closed with the cursor
        cursor.stream_blob_threshold = sys.maxsize
    return cursor
