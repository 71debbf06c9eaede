"""A table read in the order of some of its columns, a page at a time, each page a statement of its own.

Rule 1: a page has at most so many rows, and ends early when it holds 4 MiB: memory does not grow with the table, nor
        with its photographs.
Rule 2: a row that cannot be given is `Dirty` with its name and its column, and the rows beside it are given: what the
        driver cannot read is read again, row by row.
Rule 3: a row is named by its key where the table itself declares the key, and no name looks like a person's number.
Rule 4: between pages the source may rest: `Pace` says how long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from time import monotonic, sleep
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, inspect, select, text

from adapters.contract import Column, Dirty, Misconfigured
from adapters.rows import MOST
from adapters.sql import engine
from adapters.sql.dialects import family, fetch
from adapters.sql.places import Place
from adapters.sql.refusals import is_of_a_cell

PAGE = 2000
"""Rows of a statement, where nothing else is said."""

HELD = 4 << 20
"""About so many characters and octets a page may hold."""

SINGLY = 200
"""Most rows that are read one by one, before a whole page is tried again."""

REST = 30.0
"""Most seconds that a slow source is left alone after a page."""

EVENLY = 5
"""Seconds in which a page of a slow pace is to be had."""

_NARROW = re.compile(
    r"INT|SERIAL|NUM|DEC|FLOAT|DOUBLE|REAL|DATE|TIME|BOOL|YEAR|UUID|\((?:[1-9]\d?|1\d\d|2[0-4]\d|25[0-5])[,) ]")
"""Types whose cells are short: numbers, times, and texts of at most 255."""

_NAME = re.compile(r"[0-9A-Za-z_.:,/@ -]{1,63}")
_PERSONAL = re.compile(r"(?<!\d)(?:\d{15}|\d{17}[\dXx]|(?:\+?86)?1[3-9]\d{9})(?!\d)")
"""An identity number, of the old form or the new, or that of a mobile telephone."""


@dataclass(slots=True)
class Pace:
    """How much a source is spared: rows a second, and from how slow a page on, in seconds, it is given a rest."""

    rows: int | None = None
    slow: float = 5.0

    def rest(self, rows: int, took: float, spent: float) -> float:
        """Return the seconds to wait after a page: `took` the source had for it, `spent` was since it was asked."""
        due = rows / self.rows - spent if self.rows else 0.0
        return max(due, min(took, REST) if took > self.slow else 0.0, 0.0)

    def page(self, most: int) -> int:
        """Return how many rows a page has at most: so few that no pause of a slow pace is long."""
        return most if self.rows is None else min(most, max(1, int(self.rows * EVENLY)))


class Page(NamedTuple):
    """Rows of a page, and by their number those that cannot be given; of these the places alone are there."""

    rows: list[tuple[Any, ...]]
    odd: dict[int, Dirty]
    more: bool


class Pages:
    """One table and what is wanted of it."""

    def __init__(self, connection: Connection, what: Mapping[str, Any], page: int, pace: Pace) -> None:
        self.connection, self.page, self.pace = connection, pace.page(page), pace
        name, schema = self.named, self.schema = engine.own(connection.dialect, what["table"]), what.get("schema")
        self.known: Mapping[str, Column] = {one.name: one for one in engine.columns(inspect(connection), name, schema)}
        if not self.known:
            raise Misconfigured(f"没有表或视图{name}", f"there is no table or view {name}")
        self.declared = [one.name for one in self.known.values() if one.key]
        self.key: list[str] = what.get("key") or self.declared
        if not self.key:
            raise Misconfigured(f"{name}没有主键，请用key指明唯一的列", f"{name} has no primary key; name unique columns with key")
        self.cursor: str | None = what.get("cursor")
        self.names: list[str] = what.get("columns") or list(self.known)
        wanted = (*self.names, *self.key, *([self.cursor] if self.cursor else ()))
        lacking = list(dict.fromkeys(one for one in wanted if one not in self.known))
        if lacking:
            raise Misconfigured(f"{name}没有列{'、'.join(lacking)}", f"{name} has no column {', '.join(lacking)}")
        self.order = [self.cursor, *(one for one in self.key if one != self.cursor)] if self.cursor else self.key
        self.table = engine.source(name, schema, list(self.known))
        self._where = what.get("where")
        self._by_rows = family(connection.engine.url) == "postgresql"
        self._loose = any(self.known[one].null and one not in self.declared for one in self.key)
        self._most = self.page
        self._lenient = False

    def query(self, by: Sequence[str], names: Sequence[str], after: Place | None = None, last: Place | None = None,
              most: int | None = None) -> Select[Any]:
        """Return the statement of one page: these columns of the rows after a place, up to another."""
        places = self.columns(by)
        asked = self._asked(names).order_by(*places).limit(most or self._most)
        if by is self.order and self.cursor:
            asked = asked.where(places[0].is_not(None))
        if last is not None:
            asked = asked.where(engine.up_to(places, last))
        return asked if after is None else asked.where(engine.behind(places, after, self._by_rows))

    def newest(self, most: int, below: Any = None) -> Select[Any]:
        """Return the statement of the last places in the order, the greatest first; below a stamp, if one is given."""
        places = self.columns(self.order)
        asked = self._asked(self.order).where(places[0].is_not(None)).order_by(*(one.desc() for one in places))
        return (asked if below is None else asked.where(engine.below(places[0], below))).limit(most)

    def _asked(self, names: Sequence[str]) -> Select[Any]:
        asked = select(*self.columns(names)).select_from(self.table)
        return asked if not self._where else asked.where(text("(" + self._where.replace(":", "\\:") + ")"))

    def columns(self, names: Sequence[str]) -> list[Any]:
        """Return columns of the table by their names."""
        return [self.table.c[one] for one in names]

    def told(self, by: Sequence[str]) -> list[str]:
        """Return what is selected of a row: the columns that are wanted, then those of the order that are not."""
        return [*self.names, *(one for one in by if one not in self.names)]

    def read(
        self, by: Sequence[str], names: Sequence[str], after: Place | None = None, last: Place | None = None,
    ) -> Iterator[Page]:
        """Yield pages of these columns, those of the order among them; the source rests between them."""
        self._most, place_of = self.page, places(names, by)
        while True:
            begun = monotonic()
            page = self._page(by, names, after, last)
            took = monotonic() - begun
            if not page.rows:
                return
            end = place_of(page.rows[-1])
            if end == after:
                raise Misconfigured("键的列不能比较大小，无法逐页读取", "the key cannot be compared, to be read page by page")
            if self._loose and any(None in place_of(row) for row in page.rows):
                raise Misconfigured("key所指的列有空值", "a column named by key is NULL in a row")
            after = end
            yield page
            if not page.more:
                return
            sleep(self.pace.rest(len(page.rows), took, monotonic() - begun))

    def _page(self, by: Sequence[str], names: Sequence[str], after: Place | None, last: Place | None) -> Page:
        wide = [at for at, one in enumerate(names) if not _NARROW.search(self.known[one].kind.upper())]
        for self._lenient in (False, True)[self._lenient:]:
            try:
                return self._fetched(by, names, wide, self.query(by, names, after, last))
            except Exception as why:
                if not is_of_a_cell(why):
                    raise
        return self._singly(by, names, after, last)

    def _fetched(self, by: Sequence[str], names: Sequence[str], wide: Sequence[int], query: Select[Any]) -> Page:
        most, held = self._most, 0
        if not wide:
            rows = list(fetch(self.connection, query, lenient=self._lenient))
            return Page(rows, {}, len(rows) == most)
        rows, odd = [], {}
        for row in fetch(self.connection, query, 1, self._lenient):
            size = sum([len(cell) for at in wide if isinstance(cell := row[at], str | bytes)])
            if size > MOST:
                longest = max(wide, key=lambda at: len(row[at]) if isinstance(row[at], str | bytes) else 0)
                odd[len(rows)] = Dirty(
                    self.name(names, row), names[longest], f"此行超过{MOST}字节", f"the row has more than {MOST} octets")
                row = tuple(cell if one in by else None for one, cell in zip(names, row))
            rows.append(row)
            held += size
            if held > HELD:
                self._most = max(1, min(most, 2 * len(rows)))
                return Page(rows, odd, True)
        self._most = min(self.page, 2 * most)
        return Page(rows, odd, len(rows) == most)

    def _singly(self, by: Sequence[str], names: Sequence[str], after: Place | None, last: Place | None) -> Page:
        """Read a page whose rows the driver cannot all read."""
        most = min(self._most, SINGLY)
        try:
            found = list(fetch(self.connection, self.query(by, by, after, last, most)))
        except Exception as why:
            if not is_of_a_cell(why):
                raise
            raise Misconfigured(
                f"{'、'.join(by)}有无法读取的内容", f"{', '.join(by)} holds what cannot be read") from None
        page = Page([], {}, len(found) == most)
        for place in dict.fromkeys(found):
            bad = self._unreadable(by, place, names, page.rows)
            if bad is not None:
                row = tuple(dict(zip(by, place)).get(one) for one in names)
                page.odd[len(page.rows)] = Dirty(
                    self.name(names, row), bad, "此列的内容无法读取，或不合所声明的字符集",
                    "the cell cannot be read, or is not in the declared charset")
                page.rows.append(row)
        return page

    def _unreadable(
        self, by: Sequence[str], place: Place, names: Sequence[str], into: list[tuple[Any, ...]]
    ) -> str | None:
        """Read what is at a place, or return which column of it cannot be read."""
        for tried in ([*names], *([one] for one in names)):
            asked = self._asked(tried).where(engine.is_at(self.columns(by), place))
            try:
                found = list(fetch(self.connection, asked))
            except Exception as why:
                if not is_of_a_cell(why):
                    raise
                if len(tried) == 1:
                    return tried[0]
            else:
                if len(tried) == len(names):
                    into += found
                    return None
        return ""

    def name(self, names: Sequence[str], row: tuple[Any, ...]) -> str | None:
        """Return what a row is called in the source; None where its key is not the table's, or may be a person's."""
        if not self.declared or set(self.key) != set(self.declared) or not set(self.key) <= set(names):
            return None
        cells = [row[names.index(one)] for one in self.key]
        if not all(isinstance(cell, str | int) for cell in cells):
            return None
        said = ",".join(str(cell).strip() for cell in cells)
        return said if _NAME.fullmatch(said) and not _PERSONAL.search(said) else None


def places(names: Sequence[str], by: Sequence[str]) -> Any:
    """Return how the place of a row is taken from it."""
    at = [names.index(one) for one in by]
    return itemgetter(*at) if len(at) > 1 else lambda row, only=at[0]: (row[only],)
