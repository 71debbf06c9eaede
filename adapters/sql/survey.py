"""What `check` finds out about a database, and `survey` about a table that is to be read, without changing anything.

Rule 1: a statement is shown with places for its values, and its plan without them (adapters.sql.plans).
Rule 2: what would lose rows, or a source its breath, is a warning; what bars reading is Misconfigured.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection, exc, inspect, text

from adapters.contract import Finding, good, warning
from adapters.sql import engine
from adapters.sql.dialects import ASKED, Asked, family, fetch
from adapters.sql.pages import Pages
from adapters.sql.plans import plan, statement
from adapters.sql.rights import rights

APART = 60.0
"""Seconds by which the clocks may differ before it is a warning."""

LONGEST = 1500
"""Most characters of a statement that is shown."""


def check(connection: Connection, zone: str) -> Iterator[Finding]:
    """Yield what the database is, whether its clock goes right, and whether the account may write."""
    said, charset = _about(connection)
    yield good(f"已连接：{said}，字符集{charset}", f"connected: {said}, charset {charset}")
    if charset.upper() in ("SQL_ASCII", "NONE", "LATIN1", "US7ASCII"):
        yield warning(
            f"字符集{charset}不说明文字的编码；请在url中写明，如client_encoding=GBK或charset=GBK",
            f"charset {charset} tells no encoding of texts; name one in the url, as client_encoding=GBK or charset=GBK")
    at = engine.clock(connection, zone)
    apart = (at - datetime.now(timezone.utc)).total_seconds()
    tell = good if abs(apart) <= APART else warning
    yield tell(
        f"来源时钟{at:%Y-%m-%d %H:%M:%S%z}，与本机相差{apart:.0f}秒",
        f"its clock says {at:%Y-%m-%d %H:%M:%S%z}, {apart:.0f} s from ours")
    yield from _zone(connection, at)
    yield rights(connection)


def _zone(connection: Connection, at: datetime) -> Iterator[Finding]:
    """Yield a warning where the database itself has another zone than `at`, in which its stamps are taken."""
    if family(connection.engine.url) != "postgresql":
        return  # a clock that tells no zone is seen to go wrong by hours
    own = float(connection.execute(text("SELECT EXTRACT(TIMEZONE FROM clock_timestamp())")).scalar_one())
    taken = (at.utcoffset() or timedelta(0)).total_seconds()
    if own != taken:
        hours = f"{own / 3600:+g}"
        yield warning(
            f"数据库的时区是UTC{hours}，而不带时区的时间按设置zone理解；两者应一致",
            f"the database's zone is UTC{hours}, but times without a zone are taken in that of the setting zone")


def _about(connection: Connection) -> tuple[str, str]:
    name = family(connection.engine.url)
    asked = ASKED.get(name, Asked()).about
    if asked is not None:
        try:
            said, charset = connection.execute(text(asked)).one()
            return f"{name} {str(said)[:60]}", str(charset)[:60]
        except exc.DBAPIError:
            pass
    return name, "?"


def survey(pages: Pages) -> Iterator[Finding]:
    """Yield the statements that will be run and how, then what is amiss with the table."""
    first = pages.told(pages.order)
    yield from _told("首页", "the first page", pages, pages.query(pages.order, first))
    place = next(iter(list(fetch(pages.connection, pages.newest(1)))), None) if pages.cursor else None
    if place is not None:
        yield from _told("续页", "a further page", pages, pages.query(pages.order, first, place))
    yield from _key(pages)
    if pages.cursor:
        yield from _cursor(pages, pages.cursor)
    else:
        yield warning("没有cursor：每次读取整个表", "there is no cursor: the whole table is read each time")


def _told(zh: str, en: str, pages: Pages, query: Any) -> Iterator[Finding]:
    said = statement(pages.connection, query)[:LONGEST]
    yield good(f"{zh}的语句：{said}", f"the statement of {en}: {said}")
    found = plan(pages.connection, query)
    if found is not None:
        yield good(f"{zh}的执行计划：{found}", f"the plan of {en}: {found}")


def _key(pages: Pages) -> Iterator[Finding]:
    named = "、".join(pages.key)
    if any(set(one) <= set(pages.key) for one in _unique(pages) if one):
        yield good(f"键{named}唯一", f"the key {named} is unique")
    else:
        yield warning(
            f"数据库没有声明{named}唯一；若有重复，翻页处可能漏读",
            f"the database does not declare {named} unique; of doubles some may be left out at the end of a page")


def _unique(pages: Pages) -> Iterator[list[str]]:
    about: Any = inspect(pages.connection)
    name, schema = pages.named, pages.schema
    yield pages.declared
    indexes = about.get_indexes(name, schema, include_auto_indexes=True)  # which SQLite makes for UNIQUE
    for one in [*about.get_unique_constraints(name, schema), *indexes]:
        if one.get("unique", True):
            yield [engine.own(about.dialect, column) for column in one["column_names"] if column]


def _cursor(pages: Pages, cursor: str) -> Iterator[Finding]:
    column = pages.known[cursor]
    if column.indexed:
        yield good(f"{cursor}有索引", f"{cursor} has an index")
    else:
        index = ", ".join(pages.order)
        yield warning(
            f"{cursor}没有索引，每次读取都会扫描整个表；请建索引（{index}）",
            f"{cursor} has no index, so that each read scans the whole table; make one on ({index})")
    if column.null:
        yield warning(
            f"{cursor}可以为空：为空的行只在整表读取时给出", f"{cursor} may be NULL: such rows come in a whole read alone")
