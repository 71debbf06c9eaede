"""A connection that writes: one for the life of the process, its waits bounded, its text taken strictly.

Rule 1: a statement takes at most `seconds` where the database can be told so (MySQL cannot, of one that writes), and
        waits for another's lock less than that; then the batch comes again later (`overtime` says what of a row).
Rule 2: MySQL is told to refuse what it would cut off or replace by question marks.
Rule 3: SQLite's foreign keys are in force, and a transaction takes the write lock when it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import QueuePool

from adapters.contract import Misconfigured
from adapters.landing.family import family_of

_LONGEST_WAIT = 30


def _mysql(seconds: int, zone: str) -> Sequence[str]:
    wait = max(1, min(seconds // 2, _LONGEST_WAIT))
    only_mariadb = f"/*M! , max_statement_time = {max(seconds, wait + 1)} */"
    return [
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
        f"SET SESSION innodb_lock_wait_timeout = {wait} {only_mariadb}",
        f"SET SESSION lock_wait_timeout = {wait}", f"SET SESSION time_zone = '{zone}'",
    ]


_WRITING: Mapping[str, Callable[[int, str], Sequence[str]]] = {
    "sqlite": lambda seconds, zone: [
        f"PRAGMA busy_timeout = {min(seconds, _LONGEST_WAIT) * 1000}", "PRAGMA foreign_keys = ON",
    ],
    "postgresql": lambda seconds, zone: [
        f"SET lock_timeout = {min(seconds * 500, _LONGEST_WAIT * 1000)}", f"SET statement_timeout = {seconds * 1000}",
        "SET standard_conforming_strings = on", "SET client_min_messages = error",
        # A table that grew since it was analysed would be read whole for a batch; and what costs so much, compiled.
        "SET enable_seqscan = off", "SET jit = off",
    ],
    "kingbase": lambda seconds, zone: [f"SET statement_timeout = {seconds * 1000}"],
    "opengauss": lambda seconds, zone: [f"SET statement_timeout = {seconds * 1000}"],
    "mysql": _mysql,
    "mssql": lambda seconds, zone: [f"SET LOCK_TIMEOUT {min(seconds, _LONGEST_WAIT) * 1000}", "SET XACT_ABORT OFF"],
}
"""What is said first on a connection that writes."""


def _nothing(seconds: int, zone: str) -> Sequence[str]:
    return ()


def open_writing(url: str, password: str | None, seconds: int, zone: str) -> Engine:
    """Return an engine that writes, over one connection; raise Misconfigured for a URL that nothing here understands.

    `zone` is that of the time stamps of a MySQL database, which keeps them by the session's.
    """
    try:
        found = make_url(url)
        _named(found)
        named = found.set(password=password) if password else found
        engine = create_engine(
            named, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_pre_ping=True,
            connect_args=_given(found, seconds))
    except (ImportError, exc.NoSuchModuleError):
        raise Misconfigured(
            f"没有安装{url.partition(':')[0]}的驱动", f"the driver of {url.partition(':')[0]} is not installed") from None
    except exc.ArgumentError:
        raise Misconfigured("url无法识别", "the url cannot be read") from None
    _listen(engine, seconds, zone)
    return engine


def _named(url: URL) -> None:
    if "+" not in url.drivername and url.drivername != "sqlite":
        raise Misconfigured("url须写明驱动，如postgresql+psycopg", "the url names its driver, as postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise Misconfigured("没有这个数据库文件", "there is no such database file")


def _given(url: URL, seconds: int) -> dict[str, Any]:
    wait = min(seconds, _LONGEST_WAIT)
    if url.drivername == "postgresql+psycopg":
        return {"connect_timeout": wait, "prepare_threshold": None}
    if url.drivername.endswith("+pymysql"):
        longest = max(seconds, 2) + wait + 1  # the server ends a statement before we give the connection up
        return {"connect_timeout": wait, "read_timeout": longest, "write_timeout": longest}
    return {}


def _listen(engine: Engine, seconds: int, zone: str) -> None:
    name = family_of(engine.dialect)

    def begin(connection: Any, record: Any) -> None:
        if name == "sqlite":
            connection.isolation_level = None  # the driver would begin by itself, later than the batch does
        if name == "firebird":
            _firebird(connection, min(seconds, _LONGEST_WAIT))
        said = _WRITING.get(name, _nothing)(seconds, zone)
        cursor = connection.cursor()
        for statement in said:
            cursor.execute(statement)
        cursor.close()
        if said and name != "sqlite":
            connection.commit()

    event.listen(engine, "connect", begin)
    if name == "firebird":  # its dialect asks the driver for what it does not have
        setattr(engine.dialect, "do_terminate", _end)
    if name == "sqlite":
        event.listen(engine, "begin", _lock)


def _lock(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _end(raw: Any) -> None:
    with suppress(Exception):  # it may be gone already
        raw.close()


def _firebird(connection: Any, wait: int) -> None:
    from firebird.driver import Isolation, tpb

    connection.main_transaction.default_tpb = tpb(Isolation.SNAPSHOT, lock_timeout=wait)
