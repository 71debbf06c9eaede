"""An old database in one file, and an adapter read as the node reads it: round by round, from the bookmark kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from adapters.contract import Adapter, Bookmark, Dirty, Mode, Order

CHINA = timezone(timedelta(hours=8))


def stamp(seconds_ago: float = 0) -> str:
    """Return a time as old tables keep it, so many seconds before now."""
    return (datetime.now(CHINA) - timedelta(seconds=seconds_ago)).strftime("%Y-%m-%d %H:%M:%S")


class Legacy:
    """A table T_HUKOU with an id, a name and a stamp."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("CREATE TABLE T_HUKOU (ID INTEGER PRIMARY KEY, XM TEXT, GXSJ TEXT)")

    def put(self, rows: Iterable[tuple[int, str, str | None]]) -> None:
        """Insert or change rows."""
        self.connection.execute("BEGIN")
        self.connection.executemany("INSERT OR REPLACE INTO T_HUKOU VALUES (?, ?, ?)", rows)
        self.connection.execute("COMMIT")


@dataclass
class Node:
    """What the node keeps of reads: a bookmark for each mode, and the rows that came before one."""

    adapter: Adapter
    what: dict[str, Any]
    bookmarks: dict[Mode, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

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
            elif not isinstance(one, Dirty):
                open_.append(dict(one))
        self.rows += kept
        return kept
