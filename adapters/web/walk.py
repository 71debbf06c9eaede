"""From page to page of one question, until the service has no more; where it may be gone on, after each page.

| `kind` | The next page | It ends |
|---|---|---|
| `none` | there is none | at once |
| `page` | `{page}`, from `first` on | at an empty page, or as `total` or `more` say |
| `offset` | `{offset}` | the same |
| `next` | `{next}`, a text from the path `next` of the answer | when there is none |
| `link` | the header `Link`, rel="next", within the origin | when there is none |

Rule 1: rows may move while they are read: one that changes may leave its page, and those behind it come forward.  So by
        number and offset each page is joined to the one before: a row of that must be found again where it was, or else
        reading goes back to where it is now (`overlap = false` does without).
Rule 2: a page that comes again and again is noticed, and told to be Misconfigured.
Rule 3: a page that has fewer rows than were asked for is not the last: services cut `limit` short.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.contract import Misconfigured, Unavailable
from adapters.web.asked import Got
from adapters.web.digests import digest, pack, unpack
from adapters.web.service import Service
from adapters.web.trees import MISSING, scalar

TAIL = 50
"""So many of the last rows of a page are known again."""
RESTARTS = 3
TOKEN = 8000
"""Most octets of what a service gives to ask on with: a bookmark holds it."""

_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[A-Za-z*]+(?:\s*=\s*(?:"[^"]*"|[^",;\s]*))?)*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^",;\s]*))', re.IGNORECASE)
_PATH = {"type": "string", "minLength": 1, "maxLength": 500}

SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["none", "page", "offset", "next", "link"]},
        "first": {"type": "integer", "minimum": 0, "maximum": 1, "default": 1},
        "next": _PATH, "total": _PATH, "more": _PATH,
        "overlap": {"type": "boolean", "default": True},
    },
    "required": ["kind"],
    "additionalProperties": False,
}

Ask = Callable[..., Got]
Digests = Sequence[int]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and the place (JSON) where reading goes on behind them; None if they were the last."""

    rows: list[Any] = field(repr=False)
    place: Any
    got: Got = field(repr=False)


class Walk:
    """One way through all pages of a question."""

    def __init__(self, paging: Mapping[str, Any], service: Service, limit: int) -> None:
        self._paging, self._service, self._limit = paging, service, limit
        self.kind: str = paging.get("kind", "none")
        self.first: int = paging.get("first", 1)
        self._seen: set[int] = set()
        self._moves = 0
        if self.kind == "next" and "next" not in paging:
            raise Misconfigured("paging缺少next", "paging lacks `next`")

    def check(self, place: Any) -> None:
        """Return if this walk may have given the place; raise ValueError or TypeError."""
        if place is None:
            return
        if self.kind in ("page", "offset"):
            _read_counted(place)
        elif self.kind == "none" or not isinstance(place, str):
            raise ValueError

    def pages(self, ask: Ask, place: Any) -> Iterator[Page]:
        """Yield pages from a place on, None for the first; `check` has seen it."""
        self._seen.clear()
        if self.kind == "none":
            got = ask()
            yield Page(got.rows, None, got)
            return
        pages = self._counted(ask, place) if self.kind in ("page", "offset") else self._led(ask, place)
        for page in pages:
            self.look(page.rows)
            yield page

    def look(self, rows: Sequence[Any], *where: Any) -> None:
        """Note a page; raise Misconfigured if this very page came before in the same read."""
        one = digest([*map(digest, rows), *where])
        if rows and one in self._seen:
            raise _repeated()
        self._seen.add(one)

    def is_last(self, got: Got, count: int) -> bool:
        """Whether the service has no more behind these rows, which ended at its row `count` when it gave them."""
        if "more" in self._paging:
            more = got.at(self._paging["more"])
            if more is MISSING:
                raise Misconfigured("答复里没有paging.more所指的项", "the answer lacks what paging.more names")
            return (scalar(more) or "").lower() not in ("true", "1", "y", "yes")
        if "total" in self._paging:
            total = scalar(got.at(self._paging["total"]))
            if total is None or not re.fullmatch(r"[0-9]{1,18}", total):
                raise Misconfigured("答复里paging.total所指的不是数", "what paging.total names in the answer is no number")
            return count >= int(total)
        return not got.rows

    # --- by number and offset ----------------------------------------------------------------------------------

    def _counted(self, ask: Ask, place: Any) -> Iterator[Page]:
        """Yield pages by number or offset; begin anew, a few times, when the one before is not found again."""
        step = self._by_page if self.kind == "page" else self._by_offset
        for _ in range(RESTARTS + 1):
            try:
                yield from step(ask, *_read_counted(place if place is not None else [self.first, 0, ""]))
                return
            except _Lost:
                place = None
                self._seen.clear()
        raise Unavailable("分页读取时行的位置不断变化", "rows keep moving between pages while they are read")

    @property
    def _overlaps(self) -> bool:
        return bool(self._paging.get("overlap", True))

    def _by_page(self, ask: Ask, number: int, size: int, tail: Digests) -> Iterator[Page]:
        """Yield pages by number; `size` is the largest so far, for a service may give fewer rows than are asked for."""
        while True:
            got = ask(page=number)
            if tail and self._overlaps:
                # Asked after the page, so that what moved before it has moved here too.
                back = ask(page=number - 1)
                missed = _behind(back.rows, tail)
                if missed:
                    tail = _tail(missed)
                    yield Page(missed, [number, size, pack(tail)], back)
                    continue
            size, tail = max(size, len(got.rows)), _tail(got.rows)
            # Where the page ended when it was asked for, and not how many rows were given: some may be gone since.
            last = not got.rows or self.is_last(got, (number - self.first) * size + len(got.rows))
            number += 1
            yield Page(got.rows, None if last else [number, size, pack(tail)], got)
            if last:
                return

    def _by_offset(self, ask: Ask, number: int, count: int, tail: Digests) -> Iterator[Page]:
        before: Sequence[int] = ()
        while True:
            offset = count - bool(tail and self._overlaps and count)
            got = ask(offset=offset)
            rows, moved = got.rows, False
            if offset < count:
                self._looked_at(ask, offset + len(got.rows), before, got.rows)
                found = _found(got.rows, tail)
                if moved := found is None:
                    offset = max(0, count - self._limit)
                    got = ask(offset=offset)
                rows = _behind(got.rows, tail)
            before, count = [*map(digest, got.rows)], offset + len(got.rows)
            if moved and not rows:
                self._moves += 1
                if self._moves > RESTARTS:
                    raise _Lost
                continue
            last = not rows or self.is_last(got, count)
            tail = _tail(rows) or tail
            yield Page(rows, None if last else [number, count, pack(tail)], got)
            if last:
                return

    def _looked_at(self, ask: Ask, behind: int, before: Digests, rows: Sequence[Any]) -> None:
        """Raise Misconfigured if the service looks at no offset: it answers as before, and so it does behind its end.

        Rows that came to the front may have pushed the very same ones to another offset, but not to both.
        """
        if len(rows) > 1 and [*map(digest, rows)] == before and [*map(digest, ask(offset=behind).rows)] == before:
            raise _repeated()

    # --- by what the service gives -----------------------------------------------------------------------------

    def _led(self, ask: Ask, place: Any) -> Iterator[Page]:
        """Yield pages as the service leads from one to the next."""
        token: str | None = place
        given: set[int] = set()
        while True:
            got = ask() if token is None else ask(next=token) if self.kind == "next" else ask(target=token)
            token = self._token(got)
            if token is not None and digest(token) in given:
                raise Misconfigured("服务给出的下一页又是同一页", "the service leads from a page to itself")
            if token is not None:
                given.add(digest(token))
            yield Page(got.rows, token, got)
            if token is None:
                return

    def _token(self, got: Got) -> str | None:
        if self.kind == "link":
            place = linked(got.answer.headers.get_all("Link", []))
            return None if place is None else self._service.client.address.within(got.answer.target, place)
        found = got.at(self._paging["next"])
        said = None if found is MISSING or isinstance(found, bool) else scalar(found)
        if said and (not said.isprintable() or len(said.encode()) > TOKEN):
            raise Misconfigured("服务给出的下一页标记过长或有误",
                                "what the service gives to ask on with is too long, or no text")
        return said or None


def linked(headers: Sequence[str]) -> str | None:
    """Return the address of rel="next" in headers `Link`, if there is one."""
    for header in headers[:20]:
        for found in _LINK.finditer(header[:TOKEN]):
            rel = _REL.search(found[2])
            if rel and "next" in (rel[1] or rel[2] or "").lower().split():
                return found[1]
    return None


class _Lost(Exception):
    """No row of the page before is found again."""


def _repeated() -> Misconfigured:
    return Misconfigured("服务反复给出同一页：请检查分页参数，或用total、more指明何处结束",
                         "the service gives the same page again: look at the parameters of its pages, or say with "
                         "`total` or `more` where they end")


def _tail(rows: Sequence[Any]) -> Digests:
    return [*map(digest, rows[-TAIL:])]


def _found(rows: Sequence[Any], tail: Digests) -> int | None:
    known = set(tail)
    return next((at for at in range(len(rows) - 1, -1, -1) if digest(rows[at]) in known), None)


def _behind(rows: Sequence[Any], tail: Digests) -> list[Any]:
    """Return the rows behind the last that is one of `tail`; raise _Lost if there is none."""
    at = _found(rows, tail)
    if at is None:
        raise _Lost
    return list(rows[at + 1:])


def _read_counted(place: Any) -> tuple[int, int, Digests]:
    number, count, tail = place
    if not all(isinstance(one, int) and 0 <= one < 1 << 53 for one in (number, count)):
        raise ValueError
    return number, count, unpack(tail)
