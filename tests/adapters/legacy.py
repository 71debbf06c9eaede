"""An old database, and an adapter read as the node reads it: round by round, from the bookmark kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from adapters.contract import Adapter, Bookmark, Dirty, Mode, Order
from tests.adapters.servers import Database

CHINA = timezone(timedelta(hours=8))


def stamp(seconds_ago: float = 0) -> str:
    """Return a time as old tables keep it, so many seconds before now."""
    return (datetime.now(CHINA) - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%d %H:%M:%S")


TIMES = {
    "sqlite": "TEXT", "postgresql": "TIMESTAMP", "mariadb": "DATETIME(6)", "firebird": "TIMESTAMP",
    "dm": "TIMESTAMP(6)", "oracle": "TIMESTAMP(6)", "mssql": "DATETIME2(6)",
}
"""The type of a stamp, by the kind of server."""


class Legacy:
    """A table T_HUKOU with an id, a name and a stamp, in a database of any kind."""

    def __init__(self, database: Database, kind: str | None = None) -> None:
        self.database = database
        self.quote = "`" if database.server.kind == "mariadb" else '"'
        self.make("T_HUKOU", "ID INTEGER NOT NULL PRIMARY KEY", "XM VARCHAR(40)",
                  f"GXSJ {kind or TIMES[database.server.kind]}")

    def make(self, table: str, *columns: str) -> None:
        """Make a table; the name of a column is its first word."""
        quoted = ", ".join(f"{self.named(one.partition(' ')[0])} {one.partition(' ')[2]}" for one in columns)
        self.database.run(f"CREATE TABLE {self.named(table)} ({quoted})")
        self.database.made.append(self.named(table))

    def named(self, name: str) -> str:
        """Return a name as a statement writes it."""
        return f"{self.quote}{name}{self.quote}"

    def put(self, rows: Iterable[tuple[int, str, Any]]) -> None:
        """Insert or change rows, in one transaction."""
        given, place = list(rows), self.database.server.place
        if not given:
            return
        with closing(self.database.engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
            begun = self.database.server.kind in ("sqlite", "postgresql", "mariadb")  # others begin by themselves
            if begun:
                cursor.execute("BEGIN")
            cursor.executemany(
                f"DELETE FROM {self.named('T_HUKOU')} WHERE {self.named('ID')} = {place}", [(one[0],) for one in given])
            cursor.executemany(f"INSERT INTO {self.named('T_HUKOU')} VALUES ({place}, {place}, {place})", given)
            cursor.execute("COMMIT") if begun else raw.commit()

    def add(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows into any table."""
        given = list(rows)
        places = ", ".join("?" for _ in given[0])
        self.database.put(f"INSERT INTO {self.named(table)} VALUES ({places})", given)


@dataclass
class Node:
    """What the node keeps of reads: a bookmark for each mode, and the rows that came before one."""

    adapter: Adapter
    what: dict[str, Any]
    bookmarks: dict[Mode, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    dirty: list[Dirty] = field(default_factory=list)

    @property
    def bookmark(self) -> Any:
        """How far the changes have been read."""
        return self.bookmarks.get(Mode.NEW)

    def read(self, kill_after: int | None = None, mode: Mode = Mode.NEW) -> list[Any]:
        """Read once; return the rows kept.  Killed after so many things said, what no bookmark covers is lost."""
        into = Mode.WHOLE if mode is Mode.WHOLE else Mode.NEW
        kept: list[dict[str, Any]] = []
        open_: list[dict[str, Any]] = []
        said = self.adapter.read(Order(self.what, self.bookmarks.get(into), mode))
        for number, one in enumerate(said):
            if kill_after is not None and number >= kill_after:
                break
            if isinstance(one, Bookmark):
                self.bookmarks[into] = json.loads(json.dumps(one.at))
                kept += open_
                open_.clear()
            elif isinstance(one, Dirty):
                self.dirty.append(one)
            else:
                open_.append(dict(one))
        self.rows += kept
        return kept
