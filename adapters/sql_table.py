"""A table or view of a database, read by a column that grows with every change.

    [[adapter.read]]
    what = { table = "T_HUKOU", cursor = "GXSJ", key = ["ID"], lag = 300 }

| Member of `what` | Means |
|---|---|
| `table`, `schema` | what is read, as the database writes its name |
| `cursor` | the column that grows, 更新时间; without it the whole table is read each time |
| `key` | unique columns, none of them NULL; else the primary key |
| `columns`, `where` | what is wanted of it; else all |
| `lag` | seconds (of a number: so much) in which a transaction may still commit; 300 |
| `page` | most rows of a statement; 2000 |

Rule 1: rows are read in the order of cursor and key, a page at a time, each page a statement of its own.
Rule 2: what commits late is found by `window`; a stamp ahead of the source's clock is given and moves nothing.  A clock
        that was set back is known by our own, and all it may have stamped since is given again.
Rule 3: rows whose cursor is NULL come in a whole read alone.  A delete is not seen.
Rule 4: without a cursor NEW is a whole read, each time.
Rule 5: the source is spared as `pace` and `slow` say, and nothing of it is locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from adapters import sql
from adapters.contract import Adapter, Batch, Bookmark, Dirty, Finding, Mode, Order, Result, Row, Table
from adapters.landing import WRITES, Lander
from adapters.sql import survey
from adapters.sql.pages import PAGE, Pace, Pages
from adapters.sql.reader import Reader


class SqlTable(Adapter):
    """Reads tables of any database that SQLAlchemy knows, and lands records in them."""

    settings = {
        "type": "object",
        "properties": {
            "url": {"type": "string"},
            "password": {"type": "string", "x-secret": True},
            "seconds": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 60},
            "charset": {"enum": ["utf-8", "gb18030"], "default": "utf-8"},
            "zone": {"type": "string", "pattern": "^[+-][0-9]{2}:[0-9]{2}$", "default": "+08:00"},
            "pace": {"type": "integer", "minimum": 1},
            "slow": {"type": "number", "minimum": 0.1, "maximum": 3600, "default": 5},
        },
        "required": ["url"],
        "additionalProperties": False,
    }
    reads = {
        "type": "object",
        "properties": {
            "table": {"type": "string"}, "schema": {"type": "string"}, "cursor": {"type": "string"},
            "key": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "columns": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "lag": {"type": "number", "minimum": 0, "default": 300},
            "where": {"type": "string"},
            "page": {"type": "integer", "minimum": 1, "maximum": 100_000, "default": PAGE},
        },
        "required": ["table"],
        "additionalProperties": False,
    }
    writes = WRITES

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._zone = settings.get("zone", "+08:00")
        self._pace = Pace(settings.get("pace"), settings.get("slow", 5.0))
        self._engine = sql.connect(
            settings["url"], settings.get("password"), settings.get("seconds", 60), settings.get("charset", "utf-8"))
        self._lander = Lander(settings["url"], settings.get("password"), settings.get("seconds", 60), self._zone)
        self._reader: Reader | None = None

    def check(self) -> Iterable[Finding]:
        """Connect; tell version, charset and clock, and whether the account may write."""
        with sql.reading(self._engine) as connection:
            yield from survey.check(connection, self._zone)

    def discover(self) -> Iterable[Table]:
        """Describe every table and view."""
        with sql.reading(self._engine) as connection:
            yield from sql.tables(connection, None)

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Tell the statements that will be run, how the database means to run them, and what is amiss."""
        if write:
            yield from self._lander.survey(what)
            return
        with sql.reading(self._engine) as connection:
            yield from survey.survey(self._pages(connection, what))

    def _pages(self, connection: Connection, what: Mapping[str, Any]) -> Pages:
        return Pages(connection, what, what.get("page", PAGE), self._pace)

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what is new behind the bookmark, everything, or only where to go on from."""
        with sql.reading(self._engine) as connection:
            reader = self._reader = Reader(self._pages(connection, order.what), order.what.get("lag", 300), self._zone)
            if order.mode is Mode.WHOLE or not reader.pages.cursor and order.mode is Mode.NEW:
                yield from reader.whole(order)
            elif order.mode is Mode.NEW:
                yield from reader.increment(order)
            else:
                yield reader.present()

    def named(self) -> str | None:
        """Return the name of the row that was yielded last."""
        return None if self._reader is None else self._reader.named()

    def apply(self, batch: Batch) -> Iterable[Result]:
        """Land the records of a batch in one transaction (`landing`)."""
        return self._lander.apply(batch)

    def close(self) -> None:
        """Let go of the connections."""
        self._lander.close()
        self._engine.dispose()
