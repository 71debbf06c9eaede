"""One question for rows, as a read's `what` tells it, and the rows of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from adapters.contract import Misconfigured
from adapters.web import charset, markup
from adapters.web.client import Answer
from adapters.web.fill import Illegal, as_json, as_xml, encoded, pairs
from adapters.web.fill import path as filled_path
from adapters.web.service import Service
from adapters.web.trees import MISSING, Way, dotted, read_json, slashed
from adapters.web.verdict import judge, succeeded

LIMIT = 500
MOST_ROWS = 100_000
"""Most rows of one answer."""


@dataclass(frozen=True, slots=True)
class Got:
    """Rows of one answer, the tree they stood in, and the service's clock (ours, if it tells none)."""

    rows: list[Any] = field(repr=False)
    tree: Any = field(repr=False)
    way: Way = field(repr=False)
    answer: Answer = field(repr=False)
    clock: datetime = datetime(1970, 1, 1, tzinfo=timezone.utc)

    def at(self, path: str) -> Any:
        """Return what a path of the answer leads to, or MISSING."""
        return self.way(self.tree, path)


class Question:
    """What is asked of a service, time and again, with other values."""

    def __init__(self, service: Service, what: Mapping[str, Any]) -> None:
        self._service, self._what = service, what
        self.limit: int = what.get("limit", LIMIT)
        self._soap: str | None = what.get("soap")
        self._xml = self._soap is not None or what.get("format") == "xml"
        body = "body" in what or "form" in what
        self._method = what.get("method", "POST" if body else "GET")
        if body and self._method == "GET" or "body" in what and "form" in what:
            raise Misconfigured("body和form只给一个，且只用于POST", "only one of `body` and `form`, and only with POST")
        if self._soap and "body" not in what:
            raise Misconfigured("SOAP须给出body（信封模板）", "SOAP needs `body`, the template of the envelope")

    def ask(self, since: str, page: int = 0, offset: int = 0, next: str = "", target: str | None = None) -> Got:
        """Return the rows of an answer; `target` is one the service gave itself.  Raises Misconfigured, Unavailable."""
        values = {"bookmark": since, "page": str(page), "offset": str(offset), "limit": str(self.limit), "next": next}
        what = self._what
        try:
            body = self._body(values)
        except Illegal:
            raise Misconfigured("断点含有XML不允许的字符", "the bookmark has signs that XML does not allow") from None
        headers = self._headers(body)
        if target is not None:
            answer = self._service.ask_target(self._method, target, body, headers)
        else:
            answer = self._service.ask(
                self._method, filled_path(what["path"], values), pairs(what.get("query", {}), values), body, headers)
        return self._got(answer)

    def _body(self, values: Mapping[str, str]) -> bytes | None:
        what = self._what
        if "form" in what:
            return encoded(pairs(what["form"], values)).encode()
        if "body" not in what:
            return None
        fill = as_xml if self._sends_xml() else as_json
        return fill(what["body"], values).encode()

    def _sends_xml(self) -> bool:
        return self._soap is not None or str(self._what.get("body", "")).lstrip().startswith("<")

    def _headers(self, body: bytes | None) -> list[tuple[str, str]]:
        accept = "application/xml, text/xml" if self._xml else "application/json"
        headers = [("Accept", "text/xml, application/soap+xml" if self._soap else accept)]
        if body is None:
            return headers
        if self._soap is not None:
            return [*headers, *soap_headers(self._soap, self._what.get("action", ""))]
        kind = "application/xml; charset=utf-8" if self._sends_xml() else "application/json"
        if "form" in self._what:
            kind = "application/x-www-form-urlencoded"
        return [*headers, ("Content-Type", kind)]

    def _got(self, answer: Answer) -> Got:
        clock = answer.clock or datetime.now(timezone.utc)
        if answer.status == 204:
            return Got([], {}, dotted, answer, clock)
        said = self._what.get("charset")
        if not self._soap:
            judge(answer)
        elif not 200 <= answer.status < 300:
            raise_fault(answer)
        text = charset.text(answer.body, answer.headers.get("Content-Type", ""), said)
        tree, way = read(text, self._xml)
        if self._soap and (why := markup.fault(tree)) is not None:
            raise why
        tree, way = self._inside(tree, way)
        succeeded(tree, self._what.get("success"), way)
        return Got(self._rows(tree, way), tree, way, answer, clock)

    def _inside(self, tree: Any, way: Way) -> tuple[Any, Way]:
        """Return the tree of the document that stands as a text in the answer, if one is said to."""
        inside = self._what.get("inside")
        if inside is None:
            return tree, way
        text = way(tree, inside["path"])
        if isinstance(text, Mapping):
            text = text.get("")
        if not isinstance(text, str):
            raise Misconfigured("答复里没有inside所指的文本", "the answer lacks the text that `inside` names")
        return read(text, inside["format"] == "xml")

    def _rows(self, tree: Any, way: Way) -> list[Any]:
        path = self._what.get("rows", "")
        found = way(tree, path)
        if found is MISSING and way is slashed:
            above = way(tree, path.strip("/").rpartition("/")[0])
            # An element that holds the rows and has none is empty; it is a text then, not a set of names.
            found = MISSING if above is MISSING else None
        if found is MISSING:
            raise Misconfigured("答复里没有rows所指的位置", "the answer lacks the place that `rows` names")
        if way is slashed and found is not None and not isinstance(found, list):
            found = [found]
        if found is not None and not isinstance(found, list):
            raise Misconfigured("rows所指的不是一列行", "what `rows` names is no list of rows")
        if found and len(found) > MOST_ROWS:
            raise Misconfigured(f"一次答复超过{MOST_ROWS}行", f"one answer has more than {MOST_ROWS} rows")
        return found or []


def read(text: str, xml: bool) -> tuple[Any, Way]:
    """Return the tree of a document, and how paths in it are followed."""
    return (markup.read_xml(text), slashed) if xml else (read_json(text), dotted)


def soap_headers(version: str, action: str) -> list[tuple[str, str]]:
    """Return the headers of a SOAP request; raise Misconfigured for an action that cannot stand in one."""
    if any(not " " < sign <= "~" or sign in '"\\' for sign in action):
        raise Misconfigured("action含有不允许的字符", "`action` has signs it may not have")
    if version == "1.1":
        return [("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", f'"{action}"')]
    said = f'; action="{action}"' if action else ""
    return [("Content-Type", f"application/soap+xml; charset=utf-8{said}")]


def raise_fault(answer: Answer) -> None:
    """Raise what a SOAP answer that is not good says: the fault in it, or its status."""
    try:
        found = markup.fault(markup.read_xml(charset.text(answer.body, answer.headers.get("Content-Type", ""))))
    except Exception:  # not XML: a gateway spoke, and its status says enough
        found = None
    if found is not None and answer.status not in (401, 403, 404, 429, 503):
        raise found
    judge(answer)
