"""How far a table has been read by its stamps: the greatest one, the window behind it, and the clocks at that time.

A bookmark holds it all: `by` the columns of the order, `at` the greatest stamp that was not ahead of the source's
clock, `window` (adapters.sql.window), and `seen` the source's clock and ours when the read began.

Rule 1: the window begins `lag` before the greatest stamp, so that what commits late is found.
Rule 2: while a table is read for the first time, rows older than a day and the lag are not looked at again: whatever
        the zone of a stamp is, nothing will be stamped so any more.
Rule 3: a source whose clock is behind where it must be by ours was set back; the window moves back with it, and what
        lies behind it is given again.
Rule 4: a bookmark of another order of columns is refused: it says nothing about this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from time import time
from typing import Any

from adapters.contract import Bookmark, Misconfigured
from adapters.sql.dialects import fetch
from adapters.sql.pages import Pages
from adapters.sql.places import Place, read_place, write_place
from adapters.sql.stamps import earlier, is_ahead, is_later, is_past, like
from adapters.sql.window import Window

DAY = 86_400

STEP = 2.0
"""Seconds by which two clocks may differ more than before."""


class Progress:
    """The progress of one read."""

    def __init__(self, pages: Pages, lag: float, now: datetime, bookmark: Any) -> None:
        self.pages, self.lag, self.now = pages, lag, now
        self.at: Any = None
        self.window = Window()
        self._seen: tuple[datetime, float] | None = None
        self._ours = time()
        self._old: Any = None
        if bookmark:
            checked(bookmark, pages.order)
            with _of_ours():
                (self.at,) = read_place(bookmark["at"]) or (None,)
                self.window = Window.read(bookmark["window"])
                if bookmark.get("seen"):
                    self._seen = datetime.fromisoformat(bookmark["seen"][0]), float(bookmark["seen"][1])

    def begin(self) -> Window:
        """Return the window that is to be looked over."""
        if self.at is None:
            self._old = self._settled()
            return self.window
        back = self._back()
        if back is None:
            self.window.forget(earlier(self.at, self.lag))
        else:
            self.at, self.window = back, Window(self._last_below(earlier(back, self.lag)))
        return self.window

    def _settled(self) -> Any:
        """Return the stamp before which nothing can come any more; None if that is not known."""
        top = next(iter(list(fetch(self.pages.connection, self.pages.newest(1)))), None)
        if top is not None and isinstance(top[0], int | float | Decimal):
            return earlier(top[0], self.lag)
        return None

    def _back(self) -> Any:
        """Return the smallest stamp the source can have given after its clock was set back; None if it was not."""
        reached = []
        if self._seen is not None:
            seen, ours = self._seen
            behind = (seen - self.now).total_seconds() + max(0.0, self._ours - ours)
            if behind > STEP:
                reached.append(seen - timedelta(seconds=behind))
        if is_ahead(self.at, self.now):
            reached.append(self.now)
        stamp = like(min(reached), self.at) if reached else None
        return stamp if stamp is None or is_later(self.at, stamp) else self.at

    def _last_below(self, low: Any) -> Place | None:
        return next(iter(list(fetch(self.pages.connection, self.pages.newest(1, low)))), None)

    def passes(self, last: Place) -> bool:
        """Take a page by its last place alone, if the whole of it is so old that nothing comes there any more."""
        if self.window.buckets or not self._is_old(last[0]):
            return False
        self.window.edge = last
        self._move(last[0])
        return True

    def _is_old(self, stamp: Any) -> bool:
        if self._old is not None:
            return bool(stamp < self._old)
        return is_past(stamp, self.now - timedelta(seconds=self.lag + DAY))

    def take(self, places: Iterable[Place]) -> None:
        """Note that rows were given, behind all others."""
        for place in places:
            if self.window.buckets or not self._is_old(place[0]):
                self.window.add(place)
            else:
                self.window.edge = place
            self._move(place[0])

    def _move(self, stamp: Any) -> None:
        if (self.at is None or is_later(stamp, self.at)) and not is_ahead(stamp, self.now):
            self.at = stamp

    def settle(self) -> Place | None:
        """Go to the present: to the greatest stamp not ahead of the clock; return the last place before its window."""
        low, most = None, self.pages.page
        while self.at is None:
            found = list(fetch(self.pages.connection, self.pages.newest(most, low)))
            self.at = next((place[0] for place in found if not is_ahead(place[0], self.now)), None)
            if len(found) < most:
                break
            low = found[-1][0]
        if self.at is not None:
            self.window.edge = self._last_below(earlier(self.at, self.lag))
        return self.window.edge

    def bookmark(self) -> Bookmark:
        """Return it as a bookmark."""
        return Bookmark({
            "by": self.pages.order, "at": [] if self.at is None else write_place((self.at,)),
            "window": self.window.write(), "seen": [self.now.isoformat(), round(self._ours, 1)],
        })


def checked(bookmark: Any, by: list[str]) -> Any:
    """Return the bookmark; raise Misconfigured if it is none, or one of another order of columns."""
    with _of_ours():
        other = bookmark.get("by", by) != by
    if other:
        raise Misconfigured(
            "cursor或key已改变，断点不再适用，请从头读取", "cursor or key was changed: the bookmark is of no use; read anew")
    return bookmark


def resumed(bookmark: Any, by: list[str]) -> Place | None:
    """Return the place a whole read had come to."""
    if not bookmark:
        return None
    with _of_ours():
        return read_place(checked(bookmark, by)["after"])


@contextmanager
def _of_ours() -> Iterator[None]:
    """Tell of a bookmark that nobody here wrote."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError):
        raise Misconfigured("断点不是此适配器所写，请从头读取", "the bookmark was not written by this adapter; read anew") from None
