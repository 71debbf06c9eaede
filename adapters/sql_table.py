"""A table or view of a database, read by a column that grows with every change.

    [[adapter.read]]
    table = "T_HUKOU"
    cursor = "GXSJ"      # 更新时间; without it the whole table is read each time
    key = ["ID"]         # else the primary key
    lag = 300            # seconds (of a number: so much) in which a transaction may still commit

Rule 1: rows are read in the order of cursor and key, a page at a time, each page a statement of its own.
Rule 2: what commits late is found by `window`; a stamp ahead of the source's clock is given and moves nothing, and a
        clock that was set back moves the window back with it.
Rule 3: rows whose cursor is NULL come in a whole read alone.  A delete is not seen.
Rule 4: without a cursor NEW is a whole read, each time.
Rule 5: a bookmark that this did not write, or that lies ahead of the source's clock, is refused: nobody knows what it
        would leave out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, inspect, select, text

from adapters import sql
from adapters.contract import Adapter, Bookmark, Dirty, Finding, Misconfigured, Mode, Order, Row, Table, good
from adapters.places import Place, read_place, write_place
from adapters.stamps import earlier, is_ahead, is_past
from adapters.window import Window

PAGE = 2000


class SqlTable(Adapter):
    """Reads tables of any database that SQLAlchemy knows."""

    settings = {
        "type": "object",
        "properties": {
            "url": {"type": "string"},
            "password": {"type": "string", "x-secret": True},
            "seconds": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 60},
            "zone": {"type": "string", "pattern": "^[+-][0-9]{2}:[0-9]{2}$", "default": "+08:00"},
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

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._zone = settings.get("zone", "+08:00")
        self._engine = sql.connect(settings["url"], settings.get("password"), settings.get("seconds", 60))

    def check(self) -> Iterable[Finding]:
        """Connect and read the clock."""
        with sql.reading(self._engine) as connection:
            at = sql.clock(connection, self._zone)
            yield good(f"已连接，来源时钟{at:%Y-%m-%d %H:%M:%S%z}", f"connected; its clock says {at:%Y-%m-%d %H:%M:%S%z}")

    def discover(self) -> Iterable[Table]:
        """Describe every table and view."""
        with sql.reading(self._engine) as connection:
            yield from sql.tables(connection, None)

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what is new behind the bookmark, or everything."""
        with sql.reading(self._engine) as connection:
            reader = _Reader(connection, order.what, self._zone)
            whole = order.mode is Mode.WHOLE or not reader.cursor
            if order.mode is Mode.NONE:
                yield reader.begin()
            else:
                yield from reader.whole(order) if whole else reader.increment(order)

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()


class _Reader:
    """One read of one table."""

    def __init__(self, connection: Connection, what: Mapping[str, Any], zone: str) -> None:
        self.connection, self.what, self.zone = connection, what, zone
        name, schema = what["table"], what.get("schema")
        known = list(sql.columns(inspect(connection), name, schema))
        if not known:
            raise Misconfigured(f"没有表或视图{name}", f"there is no table or view {name}")
        names = [one.name for one in known]
        self.cursor: str | None = what.get("cursor")
        self.key: list[str] = what.get("key") or [one.name for one in known if one.key]
        if not self.key:
            raise Misconfigured(f"{name}没有主键，请用key指明唯一的列", f"{name} has no primary key; name unique columns with key")
        chosen: list[str] = what.get("columns") or names
        lacking = [one for one in (*chosen, *self.key, *([self.cursor] if self.cursor else ())) if one not in names]
        if lacking:
            raise Misconfigured(f"{name}没有列{'、'.join(lacking)}", f"{name} has no column {', '.join(lacking)}")
        self.table = sql.source(name, schema, names)
        self.columns = [self.table.c[one] for one in chosen]
        self.keys = [self.table.c[one] for one in self.key]
        self.places = [self.table.c[self.cursor], *self.keys] if self.cursor else []
        self.page = what.get("page", PAGE)

    def rows(
        self, places: list[Any], after: Place | None, last: Place | None = None
    ) -> Iterator[tuple[Place, Row]]:
        """Yield whole rows in the order of these columns: those after a place, up to another."""
        wide, names = len(places), [one.name for one in self.columns]
        for found in self._pages(places, [*places, *self.columns], after, last):
            yield found[:wide], dict(zip(names, found[wide:]))

    def _pages(
        self, places: list[Any], wanted: list[Any], after: Place | None, last: Place | None = None
    ) -> Iterator[Place]:
        asked = select(*wanted).select_from(self.table).order_by(*places).limit(self.page)
        if self.what.get("where"):
            asked = asked.where(text("(" + self.what["where"].replace(":", "\\:") + ")"))
        if places is self.places:
            asked = asked.where(places[0].is_not(None))
        if last is not None:
            asked = asked.where(sql.up_to(places, last))
        while True:
            query = asked if after is None else asked.where(sql.behind(places, after))
            found = self.connection.execute(query).fetchall()
            yield from (tuple(one) for one in found)
            if len(found) < self.page:
                return
            after = tuple(found[-1][:len(places)])

    def increment(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what is new behind the bookmark, what came late included."""
        at, window = _taken(order.bookmark, len(self.places))
        now, passed, lag = self._times()
        if window.edge is not None and is_ahead(window.edge[0], now):
            raise Misconfigured("断点在来源时钟之后：来源时钟曾被拨回，或数据是恢复的备份",
                                "the bookmark is ahead of the source's clock: that was set back, or an old copy restored")
        if at is not None:
            window.forget(earlier(at, lag))
        compared = window.compare(self._pages(self.places, self.places, window.edge))
        taken = 0
        for stretch in compared.differ:
            for _, row in self.rows(self.places, stretch.after, stretch.last):
                taken += 1
                yield row
        if compared.differ:
            yield _bookmark(at, window)
        for place, row in self.rows(self.places, compared.end):
            at = _note(place, at, window, now, passed)
            yield row
            taken += 1
            if taken % self.page == 0:
                yield _bookmark(at, window)
        yield _bookmark(at, window)

    def begin(self) -> Bookmark:
        """Return the bookmark behind everything there is, of which keys and stamps alone are looked at."""
        at, window = None, Window()
        now, passed, _ = self._times()
        for place in self._pages(self.places, self.places, None) if self.places else ():
            at = _note(place, at, window, now, passed)
        return _bookmark(at, window)

    def _times(self) -> tuple[datetime, datetime, float]:
        """Return the source's clock, the time before which everything has been committed, and the lag between."""
        now, lag = sql.clock(self.connection, self.zone), self.what.get("lag", 300)
        return now, now - timedelta(seconds=lag), lag

    def whole(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give every row, from where a whole read was broken off."""
        after = _after(order.bookmark, len(self.keys))
        taken = 0
        for place, row in self.rows(self.keys, after):
            yield row
            taken += 1
            if taken % self.page == 0:
                yield Bookmark({"after": write_place(place)})
        yield Bookmark(None)


def _note(place: Place, at: Any, window: Window, now: datetime, passed: datetime) -> Any:
    """Note in the window that a row was given; return the greatest stamp that is not ahead of the clock."""
    if window.buckets or not is_past(place[0], passed):
        window.add(place)
    else:
        window.edge = place  # nothing can come before it any more
    return place[0] if not is_ahead(place[0], now) and (at is None or place[0] > at) else at


@contextmanager
def _known() -> Iterator[None]:
    """Tell of a bookmark that is not one of ours."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise Misconfigured("断点不是此适配器所写，请重置", "the bookmark was not written by this adapter; reset it") from None


def _taken(bookmark: Any, width: int) -> tuple[Any, Window]:
    """Return the greatest stamp and the window of a bookmark; raise Misconfigured for what is none."""
    if bookmark is None:
        return None, Window()
    with _known():
        (at,) = read_place(bookmark["at"]) or (None,)
        window = Window.read(bookmark["window"])
        for place in (*([window.edge] if window.edge is not None else ()), *(one.last for one in window.buckets)):
            _wide(place, width)
        return at, window


def _after(bookmark: Any, width: int) -> Place | None:
    if bookmark is None:
        return None
    with _known():
        return _wide(read_place(bookmark["after"]), width)


def _wide(place: Place, width: int) -> Place:
    if len(place) != width:
        raise ValueError
    return place


def _bookmark(at: Any, window: Window) -> Bookmark:
    return Bookmark({"at": [] if at is None else write_place((at,)), "window": window.write()})
