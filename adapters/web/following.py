"""Reading a service's rows: what is new behind a bookmark, everything, or nothing but where the new begins.

Rule 1: behind every page comes a bookmark.  A read that ends there goes on there, in another process too.
Rule 2: where a page of a broken read is no longer known to the service, it is begun anew from the last full read.
Rule 3: rows that the service sorts by their stamp (`sorted = true`) are followed by the stamp itself, each page asked
        from the last row's on: then nothing that moves meanwhile can be missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from adapters.contract import GONE, Bookmark, Dirty, Misconfigured, Mode, Order, Row
from adapters.web.asked import Got, Question
from adapters.web.digests import digest
from adapters.web.edge import Edge, strange
from adapters.web.moments import Stamps, text
from adapters.web.service import Service
from adapters.web.trees import flat, scalar
from adapters.web.verdict import Turned
from adapters.web.walk import Page, Walk

MOST_PAGES, MOST_ROWS = 10_000, 1_000_000
_FORGOTTEN = (400, 404, 409, 410, 422)
"""What services answer when asked for a page of long ago."""

Said = Row | Bookmark | Dirty


class Following:
    """One read of one question."""

    def __init__(self, service: Service, what: Mapping[str, Any], zone: str, order: Order) -> None:
        self.what, self.mode = what, order.mode
        self.question = Question(service, what)
        self.walk = Walk(what.get("paging", {"kind": "none"}), service, self.question.limit)
        self.cursor: str | None = what.get("cursor")
        self.lag: float = what.get("lag", 300) if self.cursor else 0
        self.stamps = Stamps(what.get("cursor_kind"), zone)
        self.edge = Edge.read(order.bookmark, self.stamps)
        self.keeps = order.mode is Mode.NEW and self.cursor is not None
        self.name: str | None = None
        """The name of the row that was given last."""
        self._without = frozenset(what.get("without", ()))
        self._pages = self._rows = 0
        self._timed = False
        self._made: tuple[Sequence[Any], list[Row | Dirty]] = (), []
        self._sorted = bool(what.get("sorted")) and self.walk.kind in ("none", "page", "offset")
        self._knows = self.keeps or self._sorted
        """Whether rows given are known again: by their stamp, the last of a page is the first of the next."""
        if what.get("sorted") and (not self.cursor or not self._sorted):
            raise Misconfigured("sorted须有cursor，且paging为none、page或offset",
                                "`sorted` needs a cursor, and paging none, page or offset")

    def read(self) -> Iterator[Said]:
        """Yield rows and bookmarks."""
        if self.mode is Mode.NONE:
            yield Bookmark(self._from_now())
            return
        place = self.edge.place
        self._check(place)
        try:
            yield from self._from(place)
        except Turned as why:
            if place is None or self._pages or why.status not in _FORGOTTEN:
                raise
            self.edge.place, self.edge.whole = None, True
            yield from self._from(None)

    def _check(self, place: Any) -> None:
        """Raise Misconfigured for a place that this way of reading cannot have given."""
        try:
            if place is not None and self._sorted:
                since, place = place
                if since is not None and (isinstance(since, bool) or not isinstance(since, str | int)):
                    raise strange()
            self.walk.check(place)
        except (ValueError, TypeError):
            raise strange() from None

    def _from(self, place: Any) -> Iterator[Said]:
        for page in self._by_stamp(place) if self._sorted else self._by_page(place):
            yield from self._given(page)
            self.edge.place = page.place
            if page.place is None:
                break
            yield self._bookmark()
            if self._pages >= self.what.get("most_pages", MOST_PAGES) or self._rows >= self.what.get(
                    "most_rows", MOST_ROWS):
                return
        self.edge.finish(self.lag)
        yield self._bookmark()

    def _bookmark(self) -> Bookmark:
        if self.keeps or self.edge.place is not None:
            return Bookmark(self.edge.write())
        return Bookmark(None)

    # --- the pages ---------------------------------------------------------------------------------------------

    def since(self) -> str:
        """Return what `{bookmark}` is when a read begins."""
        if not self.keeps or self.edge.at is None:
            return str(self.what.get("start", ""))
        return text(self.stamps.earlier(self.edge.at, self.lag))

    def _ask(self, since: str | None, **more: Any) -> Got:
        """Ask from a stamp on, None: from where the read begins; at first see whether the source's clock went back."""
        got = self.question.ask(self.since() if since is None else since, **more)
        first, self._timed = not self._timed, True
        at = self.edge.at
        if first and since is None and self.keeps and at is not None and self.stamps.is_ahead(at, got.clock):
            self.edge.at, self.edge.top = self.stamps.at(got.clock, at), None
            got = self.question.ask(self.since(), **more)
        return got

    def _by_page(self, place: Any) -> Iterator[Page]:
        """Yield the pages of one question."""
        return self.walk.pages(partial(self._ask, None), place)

    def _by_stamp(self, place: Any) -> Iterator[Page]:
        """Yield pages, each asked from the stamp of the last row on; the rows of one stamp page by page."""
        since, inner = place if place is not None else (None, None)
        while True:
            asked = self.since() if since is None else text(since)
            moved = False
            for page in self.walk.pages(partial(self._ask, since if since is None else asked), inner):
                top = self._ascending(page.rows)
                moved = top is not None and text(top) != (self.since() if since is None else asked)
                if moved and (page.place is not None or self.walk.kind == "none"):
                    since, inner = top, None
                    yield Page(page.rows, [since, None], page.got)
                    break
                if self.walk.kind == "none":
                    self._all_of_one(page.rows)
                last = page.place is None
                yield Page(page.rows, None if last else [since, page.place], page.got)
                if last:
                    return

    def _all_of_one(self, rows: Sequence[Any]) -> None:
        if len(rows) >= self.question.limit:
            raise Misconfigured("同一时间的行比一次答复能给的多：请调大limit，或用paging分页",
                                "more rows have one stamp than an answer gives: raise `limit`, or use paging")

    def _ascending(self, rows: Sequence[Any]) -> Any:
        """Return the last stamp; raise Misconfigured if one is less than another before it."""
        stamps = [None if isinstance(one, Dirty) else one.get(self.cursor or "") for one in self._flat(rows)]
        self.stamps.learn(stamps)
        last: Any = None
        before: Any = None
        for stamp in stamps:
            at = self.stamps.moment(stamp)
            if at is None:
                continue
            if before is not None and at < before:
                raise Misconfigured("行没有按cursor升序排列：请去掉sorted，或让服务排序",
                                    "the rows are not in the order of `cursor`: leave out `sorted`, or sort them")
            before, last = at, stamp
        return last

    # --- the rows ----------------------------------------------------------------------------------------------

    def _flat(self, trees: Sequence[Any]) -> list[Row | Dirty]:
        """Return rows of trees; those of one page are made once."""
        if self._made[0] is not trees:
            self._made = trees, [flat(one, self._without) for one in trees]
        return self._made[1]

    def _given(self, page: Page) -> Iterator[Said]:
        self._pages += 1
        made = self._flat(page.rows)
        self._look(made)
        for tree, row in zip(page.rows, made):
            one = digest(tree if isinstance(row, Dirty) else row)
            stamp = None if isinstance(row, Dirty) or not self.cursor else row.get(self.cursor)
            if self._knows and self.edge.is_known(one):
                self.edge.stamped(one, stamp)
                continue
            self._rows += 1
            if self._knows:
                self.edge.give(one, stamp, page.got.clock)
            yield self._named(tree, row)

    def _look(self, rows: Sequence[Row | Dirty]) -> None:
        """Find the kind of stamps; raise Misconfigured if no row of many has one."""
        good = [one for one in rows if not isinstance(one, Dirty)]
        if not self.cursor:
            return
        self.stamps.learn([one.get(self.cursor) for one in good])
        if good and not any(self.cursor in one for one in good):
            raise Misconfigured(f"答复的行里没有cursor所指的{self.cursor}",
                                f"the rows have no {self.cursor}, which `cursor` names")

    def _named(self, tree: Any, row: Row | Dirty) -> Row | Dirty:
        """Return a row with its mark if it is gone, and note its name; or what is wrong with it, by its name."""
        key = self.what.get("key", ())
        parts = [scalar(tree.get(name)) if isinstance(tree, Mapping) else None for name in key]
        self.name = "/".join(one for one in parts if one)[:100] or None
        if isinstance(row, Dirty):
            return Dirty(self.name, row.field, row.zh, row.en)
        gone = self.what.get("gone")
        if gone and scalar(row.get(gone["field"])) in gone["values"]:
            return {**row, GONE: True}
        return row

    # --- none --------------------------------------------------------------------------------------------------

    def _from_now(self) -> Any:
        """Return the bookmark from which what comes from now on is new."""
        if not self.cursor:
            return None
        self.mode, self.keeps, self.edge = Mode.NEW, True, Edge(self.stamps)
        for page in self._pages_of_now():
            good = self._note(page)
            like = next((one for one in good if self.stamps.moment(one) is not None), None)
            now = self.stamps.at(page.got.clock, like) if like is not None else None
            if now is not None:  # the source's clock says it: what it has within the lag is all that need be known
                self.edge = Edge(self.stamps, at=now)
                for each in self._pages_of_now():
                    self._note(each)
                break
        self.edge.finish(self.lag)
        return self.edge.write()

    def _pages_of_now(self) -> Iterator[Page]:
        return self._by_stamp(None) if self._sorted else self._by_page(None)

    def _note(self, page: Page) -> list[Any]:
        """Note the rows of a page as given; return their stamps."""
        made = self._flat(page.rows)
        self._look(made)
        stamps = [None if isinstance(row, Dirty) else row.get(self.cursor or "") for row in made]
        for tree, row, stamp in zip(page.rows, made, stamps):
            self.edge.give(digest(tree if isinstance(row, Dirty) else row), stamp, page.got.clock)
        return stamps
