"""A department's HTTP service, REST or SOAP, asked for rows.

    [[adapter]]
    name = "minzheng"
    kind = "http_poll"
    settings = { url = "https://10.8.0.4:8443/api", ca = "minzheng-ca.pem", auth = { kind = "bearer" } }
    secrets = { secret = "minzheng.token" }
      [[adapter.read]]
      resource = "population"
      mapping = "population"
      [adapter.read.what]
      path = "/v1/persons"
      query = { since = "{bookmark}", page = "{page}", size = "{limit}" }
      rows = "data.list"
      paging = { kind = "page", total = "data.total" }
      cursor = "updateTime"       # without it everything is read each time
      start = "1970-01-01 00:00:00"
      key = ["id"]
      gone = { field = "status", values = ["deleted"] }

Rule 1: a service is asked from the bookmark less the lag on, and is to give rows whose cursor is that or more; those
        given before are known again and left out.
Rule 2: a page is given whole, with a bookmark behind it; a read that is broken off goes on with the next page.
Rule 3: only a service that tells of deletes (`gone`) is heard of them.
Rule 4: neither secrets nor what a service says stand in any sentence; of an error a code is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adapters.contract import Adapter, Bookmark, Column, Dirty, Finding, Order, Row, Table, good, warning
from adapters.web import openapi
from adapters.web.asked import LIMIT, MOST_ROWS, Question
from adapters.web.following import MOST_PAGES
from adapters.web.following import MOST_ROWS as MOST_READ
from adapters.web.following import Following
from adapters.web.moments import KINDS
from adapters.web.service import PATH, SETTINGS, TEXTS, Service
from adapters.web.trees import flat
from adapters.web.verdict import SUCCESS
from adapters.web.walk import SCHEMA as PAGING

_PLACE = {"type": "string", "maxLength": 500}
_NAMES = {"type": "array", "items": {"type": "string", "maxLength": 300}, "maxItems": 100}
_TEMPLATE = {"type": "string", "maxLength": 100_000}

WHAT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "path": PATH, "method": {"enum": ["GET", "POST"]},
        "query": TEXTS, "form": TEXTS, "body": _TEMPLATE,
        "soap": {"enum": ["1.1", "1.2"]}, "action": {"type": "string", "maxLength": 500},
        "format": {"enum": ["json", "xml"], "default": "json"},
        "charset": {"enum": ["utf-8", "gb18030"]},
        "inside": {
            "type": "object", "additionalProperties": False, "required": ["path", "format"],
            "properties": {"path": _PLACE, "format": {"enum": ["json", "xml"]}},
        },
        "rows": _PLACE, "success": SUCCESS, "paging": PAGING,
        "limit": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": LIMIT},
        "cursor": {"type": "string", "minLength": 1, "maxLength": 300}, "cursor_kind": {"enum": list(KINDS)},
        "start": {"type": "string", "maxLength": 200},
        "sorted": {"type": "boolean", "default": False},
        "lag": {"type": "number", "minimum": 0, "maximum": 10_000_000, "default": 300},
        "key": {**_NAMES, "minItems": 1}, "without": _NAMES,
        "gone": {
            "type": "object", "additionalProperties": False, "required": ["field", "values"],
            "properties": {"field": {"type": "string", "maxLength": 300}, "values": {**_NAMES, "minItems": 1}},
        },
        "most_pages": {"type": "integer", "minimum": 1, "maximum": MOST_PAGES, "default": MOST_PAGES},
        "most_rows": {"type": "integer", "minimum": 1, "maximum": MOST_READ, "default": MOST_READ},
    },
    "required": ["path"],
    "additionalProperties": False,
}


class HttpPoll(Adapter):
    """Reads rows from an HTTP service."""

    settings = {
        "type": "object",
        "properties": {
            **SETTINGS,
            "zone": {"type": "string", "pattern": "^[+-](0[0-9]|1[0-4]):[0-5][0-9]$", "default": "+08:00"},
            "samples": {"type": "array", "items": WHAT, "maxItems": 20},
            "openapi": PATH,
        },
        "required": ["url"],
        "additionalProperties": False,
    }
    reads = WHAT

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._service = Service(settings)
        self._reading: Following | None = None

    def check(self) -> Iterable[Finding]:
        """Connect, and ask for the probe, or for the url itself."""
        return self._service.check("/")

    def discover(self) -> Iterable[Table]:
        """Describe what the samples give, and the paths of the OpenAPI document, if there is one."""
        for sample in self.given.get("samples", ()):
            yield self._described(sample)
        if "openapi" in self.given:
            yield from openapi.tables(self._service.ask("GET", self.given["openapi"]))

    def _described(self, what: Mapping[str, Any]) -> Table:
        rows = self._sample(what)
        key, cursor, names = set(what.get("key", ())), what.get("cursor"), dict[str, Any]()
        for row in rows:
            for name, cell in row.items():
                if names.get(name) is None:
                    names[name] = cell
        return Table(what["path"], tuple(
            Column(name, type(cell).__name__ if cell is not None else "", "", name in key, True, name == cursor)
            for name, cell in names.items()))

    def _sample(self, what: Mapping[str, Any]) -> list[Row]:
        paging = what.get("paging", {})
        got = Question(self._service, what).ask(what.get("start", ""), page=paging.get("first", 1))
        without = frozenset(what.get("without", ()))
        return [row for row in (flat(one, without) for one in got.rows) if not isinstance(row, Dirty)]

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Ask for the first page, and say what the rows have and lack."""
        rows = self._sample(what)
        names = {name for row in rows for name in row}
        yield good(f"第一页有{len(rows)}行，{len(names)}列",
                   f"the first page has {len(rows)} row(s) of {len(names)} column(s)")
        for setting, name in _columns(what):
            if rows and name not in names:
                yield warning(f"{setting}所指的列{name}不在其中",
                              f"the column {name}, which `{setting}` names, is not among them")
        yield from _advice(what)

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what is new behind the bookmark, or everything."""
        self._reading = Following(self._service, order.what, self.given.get("zone", "+08:00"), order)
        return self._reading.read()

    def named(self) -> str | None:
        """Return the name of the row that was given last, by its key."""
        return self._reading.name if self._reading else None

    def close(self) -> None:
        """Let go of the connection."""
        self._service.close()


def _columns(what: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the columns that are named, each with the setting that names it."""
    if "cursor" in what:
        yield "cursor", what["cursor"]
    if "gone" in what:
        yield "gone", what["gone"]["field"]
    for name in what.get("key", ()):
        yield "key", name


def _advice(what: Mapping[str, Any]) -> Iterator[Finding]:
    texts = [what["path"], what.get("body", ""), *what.get("query", {}).values(), *what.get("form", {}).values()]
    if "cursor" not in what:
        yield warning("未给出cursor：每次都读全部", "no `cursor` is given: everything is read each time")
    elif not any("{bookmark}" in one for one in texts):
        yield warning("请求里没有{bookmark}：每次都向服务要全部",
                      "the request has no {bookmark}: the service is asked for everything each time")
    kind = what.get("paging", {}).get("kind", "none")
    if kind in ("page", "offset", "next") and not any(f"{{{kind}}}" in one for one in texts):
        yield warning(f"请求里没有{{{kind}}}：只会得到同一页",
                      f"the request has no {{{kind}}}: it will get one page again and again")
    if kind in ("page", "offset") and not {"total", "more"} & set(what["paging"]):
        yield warning("paging没有total或more：每次读取要多问几次",
                      "paging has no `total` or `more`: each read asks a few times more")
    if "gone" not in what:
        yield warning("未给出gone：看不到删除", "no `gone` is given: deletes are not seen")
