"""One read of one table: what is new behind a bookmark, everything, or the place from which on all is new."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.contract import Bookmark, Dirty, Order, Row
from adapters.sql import engine
from adapters.sql.pages import Page, Pages, places
from adapters.sql.places import Place, write_place
from adapters.sql.progress import Progress, resumed


class Reader:
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
        return Progress(self.pages, self.lag, engine.clock(self.pages.connection, self.zone), bookmark)

    def whole(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give every row, from where a whole read was broken off."""
        by = self.pages.key
        after = resumed(order.bookmark, by)
        place_of = places(self.pages.told(by), by)
        for page in self._read(by, after):
            yield from self._given(by, page)
            yield Bookmark({"by": by, "after": write_place(place_of(page.rows[-1]))})
        yield Bookmark(None)
