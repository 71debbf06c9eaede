"""What `check` and `survey` find out about a database and a table of it, without changing anything."""
from __future__ import annotations
from collections.abc import Iterator
from sqlalchemy import Connection
from adapters import sql
from adapters.contract import Finding, good
from adapters.pages import Pages


def check(connection: Connection, zone: str) -> Iterator[Finding]:
    at = sql.clock(connection, zone)
    yield good(f"已连接，来源时钟{at:%Y-%m-%d %H:%M:%S%z}", f"connected; its clock says {at:%Y-%m-%d %H:%M:%S%z}")


def survey(pages: Pages) -> Iterator[Finding]:
    yield from ()
