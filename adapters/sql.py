"""A database reached through SQLAlchemy: connected to for reading alone, its tables described, its errors in our words.

Rule 1: rows are fetched as the driver gives them; no type of SQLAlchemy's stands between, which would stumble over the
        dates of old tables.
Rule 2: a statement is a transaction of its own: no lock and no snapshot is held while rows are handed on.
Rule 3: of a database's error its code is told and never its text, which may quote a row or an address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, column, create_engine, event, exc, inspect, or_
from sqlalchemy import table as described
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from adapters.contract import Column, Misconfigured, Table, Unavailable
from adapters.places import Place

_READING: Mapping[str, Callable[[int], Sequence[str]]] = {
    "sqlite": lambda seconds: ["PRAGMA query_only = ON"],
    "postgresql": lambda seconds: [
        "SET default_transaction_read_only = on", f"SET statement_timeout = {seconds * 1000}",
    ],
    "mysql": lambda seconds: [
        "SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_execution_time = {seconds * 1000}",
    ],
    "mariadb": lambda seconds: ["SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_statement_time = {seconds}"],
}
"""What is said first on a connection that reads: that it writes nothing, and how long a statement may take."""


def _nothing(seconds: int) -> Sequence[str]:
    return ()


_CLOCKS = {
    "sqlite": "SELECT strftime('%Y-%m-%dT%H:%M:%S', 'now') || '+00:00'",
    "firebird": "SELECT CURRENT_TIMESTAMP FROM RDB$DATABASE", "oracle": "SELECT SYSTIMESTAMP FROM DUAL",
}
_REFUSED = {"1044", "1045", "1142", "1143", "1049", "1146", "1054"}
"""MySQL's numbers for what a person must mend: rights, a password, a database, a table, a column that is not there."""
SQLSTATE = 5
_CLASSES = ("28", "42", "3D")
"""SQLSTATE's classes of the same."""


def connect(url: str, password: str | None, seconds: int) -> Engine:
    """Return an engine whose connections read only; raise Misconfigured for a URL that nothing here understands."""
    try:
        found = make_url(url)
        if "+" not in found.drivername and found.drivername != "sqlite":
            raise Misconfigured("url须写明驱动，如postgresql+psycopg", "the url names its driver, as postgresql+psycopg")
        named = found.set(password=password) if password else found
        engine = create_engine(_reading_only(named), poolclass=NullPool)
    except (ImportError, exc.NoSuchModuleError):
        raise Misconfigured(
            f"没有安装{url.partition(':')[0]}的驱动", f"the driver of {url.partition(':')[0]} is not installed") from None
    except exc.ArgumentError:
        raise Misconfigured("url无法识别", "the url cannot be read") from None

    def begin(connection: Any, record: Any) -> None:
        name = "mariadb" if getattr(engine.dialect, "is_mariadb", False) else engine.dialect.name
        cursor = connection.cursor()
        for statement in _READING.get(name, _nothing)(seconds):
            cursor.execute(statement)
        cursor.close()
        connection.commit()  # a driver may have begun a transaction, which would undo them and bar AUTOCOMMIT

    event.listen(engine, "connect", begin)
    return engine


def _reading_only(url: URL) -> URL:
    """Return the URL of a file as one that is opened for reading; SQLite would make a file that is not there."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return url
    path = Path(url.database)
    if not path.is_file():
        raise Misconfigured("没有这个数据库文件", "there is no such database file")
    if url.password:
        raise Misconfigured("数据库文件不用口令", "a database file takes no password")
    return url.set(database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"})


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection, each statement a transaction of its own; errors leave as Misconfigured or Unavailable."""
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield connection
    except exc.NoSuchTableError as why:
        raise Misconfigured(f"没有表或视图{why}", f"there is no table or view {why}") from None
    except exc.DBAPIError as why:
        raise told(why) from None


def told(why: exc.DBAPIError) -> Misconfigured | Unavailable:
    """Return a database's error in our words."""
    code = _code(why.orig)
    refused = len(code) == SQLSTATE and code[:2] in _CLASSES or code in _REFUSED
    if refused or isinstance(why, exc.ProgrammingError):
        return Misconfigured(f"数据库拒绝了请求（{code}）", f"the database refused ({code})")
    return Unavailable(f"数据库暂时不可用（{code}）", f"the database is not available ({code})")


def _code(error: Any) -> str:
    """Return the code of a driver's error: SQLSTATE, or a number, or the name of its class."""
    for found in (getattr(error, "sqlstate", None), getattr(error, "pgcode", None), *getattr(error, "args", ())[:1]):
        if isinstance(found, int | str) and 0 < len(str(found)) <= 6 and str(found).isalnum():
            return str(found)
    return type(error).__name__[:60]


def clock(connection: Connection, zone: str) -> datetime:
    """Return the source's own time, with an offset; `zone` is that of a source that tells none."""
    said = connection.execute(text(_CLOCKS.get(connection.dialect.name, "SELECT CURRENT_TIMESTAMP"))).scalar_one()
    at = datetime.fromisoformat(said) if isinstance(said, str) else said
    own = timezone(_offset(zone))
    return at.replace(tzinfo=own) if at.tzinfo is None else at.astimezone(own)


def _offset(zone: str) -> timedelta:
    moved = datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").utcoffset()
    assert moved is not None
    return moved


def tables(connection: Connection, schema: str | None) -> Iterator[Table]:
    """Yield every table and view of a schema, described as far as the database can."""
    about = inspect(connection)
    for name in [*about.get_table_names(schema), *about.get_view_names(schema)]:
        yield Table(name, tuple(columns(about, name, schema)), _comment(about, name, schema))


def columns(about: Any, name: str, schema: str | None) -> Iterator[Column]:
    """Yield the columns of a table; raise NoSuchTableError if there is none."""
    key = set(about.get_pk_constraint(name, schema).get("constrained_columns") or ())
    indexed = {names[0] for one in about.get_indexes(name, schema) if (names := one["column_names"])}
    for one in about.get_columns(name, schema):
        yield Column(one["name"], str(one["type"]), one.get("comment") or "", one["name"] in key,
                     bool(one.get("nullable", True)), one["name"] in indexed | key)


def _comment(about: Any, name: str, schema: str | None) -> str:
    try:
        return about.get_table_comment(name, schema).get("text") or ""
    except NotImplementedError:  # SQLAlchemy's word for a database that keeps no comments
        return ""


def source(name: str, schema: str | None, names: Sequence[str]) -> Any:
    """Return a table with columns of no type, to select from."""
    return described(name, *(column(one) for one in names), schema=schema)


def behind(places: Sequence[ColumnElement[Any]], place: Place) -> ColumnElement[bool]:
    """Return the condition of rows that come after a place in the order of these columns; the first helps an index."""
    steps = [
        and_(*(one == value for one, value in zip(places[:at], place)), places[at] > place[at])
        for at in range(len(places))
    ]
    return and_(places[0] >= place[0], or_(*steps))


def up_to(places: Sequence[ColumnElement[Any]], place: Place) -> ColumnElement[bool]:
    """Return the condition of rows that come before a place in the order of these columns, or are it."""
    steps = [
        and_(*(one == value for one, value in zip(places[:at], place)), places[at] < place[at])
        for at in range(len(places))
    ]
    equal = and_(*(one == value for one, value in zip(places, place)))
    return and_(places[0] <= place[0], or_(*steps, equal))
