"""What a far end holds that applies every row and delete an adapter gives, kept with bookmarks as the node does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from adapters.contract import GONE, Adapter, Bookmark, Dirty, Mode, Order
from tests.adapters.servers import Database

Key = tuple[Any, ...]


@dataclass
class Mirror:
    """Rows by their key; `said` is what the last read gave that was kept, `at` every bookmark's size."""

    adapter: Adapter
    what: dict[str, Any]
    key: Sequence[str] = ("ID",)
    bookmark: Any = None
    rows: dict[Key, dict[str, Any]] = field(default_factory=dict)
    said: list[Any] = field(default_factory=list)
    dirty: list[Dirty] = field(default_factory=list)
    widest: int = 0
    bookmarks: int = 0
    ended: bool = True
    """Whether the last read came to its end."""

    def read(self, kill_after: int | None = None, mode: Mode = Mode.NEW, limit: int = 1 << 62,
             between: Callable[[], object] = lambda: None) -> list[Any]:
        """Read once and apply; killed after so many words, what no bookmark covers is lost.

        `between` is called behind each word.  Whatever the read raises, what was kept before stays.
        """
        self.said, open_, words, taken = [], list[Any](), 0, 0
        self.ended = False
        reading: Any = self.adapter.read(Order(dict(self.what), self.bookmark, mode, limit))
        with closing(reading) as said:
            for words, one in enumerate(said):
                if kill_after is not None and words >= kill_after:
                    return self.said
                if isinstance(one, Bookmark):
                    written = json.dumps(one.at)
                    self.bookmark, self.widest = json.loads(written), max(self.widest, len(written))
                    self.bookmarks += 1
                    self._keep(open_)
                    open_ = []
                    if taken >= limit:
                        break
                elif isinstance(one, Dirty):
                    self.dirty.append(one)
                    taken += 1
                else:
                    open_.append(dict(one))
                    taken += 1
                between()
        assert not open_, "rows came behind the last bookmark"
        self.ended = True
        return self.said

    def _keep(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            key = tuple(row[name] for name in self.key)
            if row.get(GONE):
                self.rows.pop(key, None)
            else:
                self.rows[key] = row
        self.said += rows

    @property
    def gone(self) -> list[Key]:
        """The keys that the last read told to be gone."""
        return [tuple(row[name] for name in self.key) for row in self.said if row.get(GONE)]

    @property
    def given(self) -> list[Key]:
        """The keys of the rows that the last read gave, in order."""
        return [tuple(row[name] for name in self.key) for row in self.said if not row.get(GONE)]


def quoted(database: Database, *names: str) -> str:
    """Return names as a statement of the database writes them, with commas."""
    mark = "`" if database.server.kind == "mariadb" else '"'
    return ", ".join(f"{mark}{name}{mark}" for name in names)


def held(database: Database, table: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the table holds now."""
    with database.engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT {quoted(database, *names)} FROM {quoted(database, table)}")
        return [dict(zip(names, row)) for row in found]


def by_key(rows: Sequence[dict[str, Any]], key: Sequence[str]) -> dict[Key, dict[str, Any]]:
    """Return rows by their key."""
    return {tuple(row[name] for name in key): row for row in rows}
