"""A table read whole in the order of its key, a page at a time, from where a whole read was broken off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapters.contract import Bookmark, Dirty, Misconfigured, Row
from adapters.sql.pages import Pages, places
from adapters.sql.places import Place, write_place
from adapters.sql.progress import resumed


class Whole:
    """One table; `last` is the key of the row that was given last."""

    def __init__(self, pages: Pages) -> None:
        self.pages, self.by = pages, pages.key
        self.last: Place = ()

    def named(self) -> str | None:
        """Return the name of the row that was given last."""
        return self.pages.name(self.by, self.last)

    def rows(self, after: Place | None = None) -> Iterator[tuple[Place, Row | Dirty]]:
        """Yield each row, or that it cannot be given, with its key."""
        names, told = self.pages.names, self.pages.told(self.by)
        place_of = places(told, self.by)
        for page in self.pages.read(self.by, told, after):
            for at, row in enumerate(page.rows):
                yield place_of(row), page.odd[at] if at in page.odd else dict(zip(names, row))

    def read(self, bookmark: Any) -> Iterator[Row | Bookmark | Dirty]:
        """Give every row; bookmarks tell the columns and the place, the last one is None."""
        try:
            after = resumed(bookmark, self.by)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError):
            raise strange() from None
        for number, (self.last, row) in enumerate(self.rows(after), 1):
            yield row
            if number % self.pages.page == 0:
                yield Bookmark({"by": self.by, "after": write_place(self.last)})
        yield Bookmark(None)


def strange() -> Misconfigured:
    """Return that a bookmark is none of ours."""
    return Misconfigured("断点无法识别，请从头读取", "the bookmark cannot be read; read anew")
