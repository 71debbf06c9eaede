"""The table behind a log: read whole where a reading begins, and row by row where the log does not hold a cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from adapters.contract import Bookmark, Dirty, Mode, Order, Row
from adapters.sql import engine
from adapters.sql.dialects import fetch
from adapters.sql.pages import PAGE, Pace, Pages
from adapters.sql.reader import Reader


class LogTable:
    """One table: `names` are the columns that are wanted, `key` those that tell rows apart."""

    def __init__(self, connection: Connection, what: Mapping[str, Any]) -> None:
        asked = {name: what[name] for name in ("table", "schema", "key", "columns") if name in what}
        self._connection, self._what = connection, what
        self._pages = Pages(connection, asked, what.get("page", PAGE), Pace())
        self._whole = Reader(self._pages, 0, "+00:00")
        self._last: Sequence[Any] | None = None

    @property
    def names(self) -> Sequence[str]:
        """The columns that are wanted."""
        return self._pages.names

    @property
    def key(self) -> Sequence[str]:
        """The columns that tell rows apart."""
        return self._pages.key

    def whole(self, after: Any) -> Iterator[Row | Bookmark | Dirty]:
        """Give every row, from where a whole read was broken off."""
        self._last = None
        yield from self._whole.whole(Order(self._what, after, Mode.WHOLE))

    def present(self, key: Mapping[str, Any]) -> Row | None:
        """Return the row as it stands in the table now, None if it is gone."""
        asked = select(*self._pages.columns(self._pages.names)).select_from(self._pages.table).where(
            engine.is_at(self._pages.columns(self.key), tuple(key[name] for name in self.key)))
        found = list(fetch(self._connection, asked))
        return dict(zip(self.names, found[0])) if found else None

    def give(self, key: Mapping[str, Any]) -> None:
        """Remember the row that is about to be given, for its name may be asked."""
        self._last = [key[name] for name in self.key]

    def named(self) -> str | None:
        """Return the name of the row that was given last."""
        return self._whole.named() if self._last is None else self._pages.name(list(self.key), tuple(self._last))
