"""A database reached through SQLAlchemy: connected to for reading alone, its tables described, its errors in our words.

Rule 1: rows are fetched as the driver gives them; no type of SQLAlchemy's stands between, which would stumble over the
        dates of old tables.
Rule 2: a statement is a transaction of its own: no lock and no snapshot is held while rows are handed on.
Rule 3: of a database's error its code is told and never its text, which may quote a row or an address.
Rule 4: a value is compared as the driver sends it, with no type of ours: an index serves, and a padded text stays one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    Engine,
    and_,
    bindparam,
    column,
    create_engine,
    event,
    exc,
    inspect,
    or_,
    quoted_name,
)
from sqlalchemy import table as described
from sqlalchemy import text, tuple_
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool
from sqlalchemy.types import NullType

from adapters.contract import Column, Misconfigured, Table, Unavailable
from adapters.sql import dialects
from adapters.sql.dialects import ASKED, Asked, family
from adapters.sql.places import Place
from adapters.sql.refusals import meant

_AUTOCOMMIT = ("sqlite", "postgresql", "mysql", "oracle", "mssql")
"""Databases whose dialect can have each statement commit itself; of others `dialects.fetch` ends the transaction."""


def connect(url: str, password: str | None, seconds: int, charset: str = "utf-8") -> Engine:
    """Return an engine whose connections read only; raise Misconfigured for a URL that nothing here understands."""
    try:
        found = make_url(url)
        if "+" not in found.drivername and found.drivername != "sqlite":
            raise Misconfigured("url须写明驱动，如postgresql+psycopg", "the url names its driver, as postgresql+psycopg")
        named = _reading_only(found.set(password=password) if password else found)
        engine = create_engine(named, poolclass=NullPool, connect_args=dialects.arguments(named, seconds))
    except (ImportError, exc.NoSuchModuleError):
        raise Misconfigured(
            f"没有安装{url.partition(':')[0]}的驱动", f"the driver of {url.partition(':')[0]} is not installed") from None
    except (exc.ArgumentError, ValueError):
        raise Misconfigured("url无法识别", "the url cannot be read") from None

    def begin(connection: Any, record: Any) -> None:
        dialects.begin(connection, family(named), seconds, charset)

    event.listen(engine, "connect", begin)
    if family(named) == "firebird":  # its dialect asks the driver for what it does not have
        setattr(engine.dialect, "do_terminate", lambda raw: raw.close())
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
        with engine.connect() as connection:
            if family(engine.url) in _AUTOCOMMIT:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection
    except exc.NoSuchTableError as why:
        raise Misconfigured(f"没有表或视图{why}", f"there is no table or view {why}") from None
    except exc.DBAPIError as why:
        raise meant(why.orig, family(engine.url)) from None
    except _errors(engine) as why:
        raise meant(why, family(engine.url)) from None


def _errors(engine: Engine) -> type[Exception]:
    found: type[Exception] = engine.dialect.loaded_dbapi.Error
    return found


def told(why: exc.DBAPIError) -> Misconfigured | Unavailable:
    """Return an error of PostgreSQL in our words."""
    return meant(why.orig, "postgresql")


def clock(connection: Connection, zone: str) -> datetime:
    """Return the source's own time, with an offset; `zone` is that of a source that tells none."""
    asked = ASKED.get(family(connection.engine.url), Asked()).clock
    said = connection.execute(text(asked)).scalar_one()
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
        yield Table(own(about.dialect, name), tuple(columns(about, name, schema)), _comment(about, name, schema))


def columns(about: Any, name: str, schema: str | None) -> Iterator[Column]:
    """Yield the columns of a table; raise NoSuchTableError if there is none."""
    with catch_warnings():
        simplefilter("ignore", exc.SAWarning)  # of a type it does not know, which is read all the same
        yield from list(_columns(about, name, schema))


def _columns(about: Any, name: str, schema: str | None) -> Iterator[Column]:
    key = set(about.get_pk_constraint(name, schema).get("constrained_columns") or ())
    indexed = {names[0] for one in about.get_indexes(name, schema) if (names := one["column_names"])}
    for one in about.get_columns(name, schema):
        yield Column(own(about.dialect, one["name"]), str(one["type"]), one.get("comment") or "", one["name"] in key,
                     bool(one.get("nullable", True)), one["name"] in indexed | key)


def own(dialect: Any, name: str) -> str:
    """Return a name as the database has it: of Oracle, DM and Firebird SQLAlchemy tells `T_HUKOU` as `t_hukou`."""
    if not dialect.requires_name_normalize or getattr(name, "quote", None):
        return str(name)
    return str(dialect.denormalize_name(name))


def _comment(about: Any, name: str, schema: str | None) -> str:
    try:
        return about.get_table_comment(name, schema).get("text") or ""
    except NotImplementedError:  # SQLAlchemy's word for a database that keeps no comments
        return ""


def source(name: str, schema: str | None, names: Sequence[str]) -> Any:
    """Return a table with columns of no type, to select from; names are as the database has them."""
    known: list[ColumnClause[Any]] = [column(quoted_name(one, True)) for one in names]
    return described(quoted_name(name, True), *known, schema=schema)


def behind(places: Sequence[ColumnElement[Any]], place: Place, rows: bool = False) -> ColumnElement[bool]:
    """Return the condition of rows that come after a place in the order of these columns; the first helps an index.

    With `rows` the places are compared as rows, which the index of PostgreSQL and its kin understands best.
    """
    if rows and len(places) > 1:
        return tuple_(*places) > tuple_(*map(_bound, place))
    steps = [and_(*_equal(places[:at], place), places[at] > _bound(place[at])) for at in range(len(places))]
    return steps[0] if len(steps) == 1 else and_(places[0] >= _bound(place[0]), or_(*steps))


def up_to(places: Sequence[ColumnElement[Any]], place: Place) -> ColumnElement[bool]:
    """Return the condition of rows that come before a place in the order of these columns, or are it."""
    steps = [and_(*_equal(places[:at], place), places[at] < _bound(place[at])) for at in range(len(places))]
    return and_(places[0] <= _bound(place[0]), or_(*steps, and_(*_equal(places, place))))


def is_at(places: Sequence[ColumnElement[Any]], place: Place) -> ColumnElement[bool]:
    """Return the condition of the rows that are at a place."""
    return and_(*_equal(places, place))


def below(one: ColumnElement[Any], stamp: Any) -> ColumnElement[bool]:
    """Return the condition of rows whose column is less than a value."""
    return one < _bound(stamp)


def _equal(places: Sequence[ColumnElement[Any]], place: Place) -> Iterator[ColumnElement[bool]]:
    return (one == _bound(value) for one, value in zip(places, place))


def _bound(value: Any) -> ColumnElement[Any]:
    return bindparam(None, value, NullType(), unique=True)
