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

from adapters import sql, sql_survey
from adapters.contract import Adapter, Batch, Bookmark, Dirty, Finding, Mode, Order, Result, Row, Table
from adapters.landing import WRITES, Lander
from adapters.pages import Pace, Page, Pages, places
from adapters.places import Place, write_place
from adapters.progress import Progress, resumed

PAGE = 2000


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
        self._reader: _Reader | None = None

    def check(self) -> Iterable[Finding]:
        """Connect; tell version, charset and clock, and whether the account may write."""
        with sql.reading(self._engine) as connection:
            yield from sql_survey.check(connection, self._zone)

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
            yield from sql_survey.survey(self._pages(connection, what))

    def _pages(self, connection: Connection, what: Mapping[str, Any]) -> Pages:
        return Pages(connection, what, what.get("page", PAGE), self._pace)

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what is new behind the bookmark, everything, or only where to go on from."""
        with sql.reading(self._engine) as connection:
            reader = self._reader = _Reader(self._pages(connection, order.what), order.what.get("lag", 300), self._zone)
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


class _Reader:
    """One read of one table."""

    def __init__(self, pages: Pages, lag: float, zone: str) -> None:
        self.pages, self.lag, self.zone = pages, lag, zone
        self._row: tuple[Any, ...] = ()
        self._names: list[str] = []

    def named(self) -> str | None:
        """Return the name of the row that was given last."""
        return self.pages.name(self._names, self._row)

    def _given(self, by: list[str], page: Page) -> Iterator[Row | Dirty]:
        names, self._names = self.pages.names, self.pages.told(by)
        for at, row in enumerate(page.rows):
            if page.odd and at in page.odd:
                yield page.odd[at]
            else:
                self._row = row
                yield dict(zip(names, row))

    def _read(self, by: list[str], after: Place | None, last: Place | None = None) -> Iterator[Page]:
        return self.pages.read(by, self.pages.told(by), after, last)

    def _places(self, after: Place | None) -> Iterator[Place]:
        """Yield the places of all rows after one, as far as they are wanted."""
        order = self.pages.order
        return (row for page in self.pages.read(order, order, after) for row in page.rows)

    def increment(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what is new behind the bookmark, what came late included."""
        by = self.pages.order
        progress = self._progress(order.bookmark)
        window = progress.begin()
        compared = window.compare(self._places(window.edge))
        for stretch in compared.differ:
            for page in self._read(by, stretch.after, stretch.last):
                yield from self._given(by, page)
        if compared.differ:
            yield progress.bookmark()
        place_of = places(self.pages.told(by), by)
        for page in self._read(by, compared.end):
            yield from self._given(by, page)
            if not progress.passes(place_of(page.rows[-1])):
                progress.take(map(place_of, page.rows))
            yield progress.bookmark()
        yield progress.bookmark()

    def present(self) -> Bookmark:
        """Return from where on what comes or changes from now on is new."""
        if not self.pages.cursor:
            return Bookmark(None)
        progress = self._progress(None)
        edge = progress.settle()
        for place in self._places(edge):
            progress.window.add(place)
        return progress.bookmark()

    def _progress(self, bookmark: Any) -> Progress:
        return Progress(self.pages, self.lag, sql.clock(self.pages.connection, self.zone), bookmark)

    def whole(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give every row, from where a whole read was broken off."""
        by = self.pages.key
        after = resumed(order.bookmark, by)
        place_of = places(self.pages.told(by), by)
        for page in self._read(by, after):
            yield from self._given(by, page)
            yield Bookmark({"by": by, "after": write_place(place_of(page.rows[-1]))})
        yield Bookmark(None)
