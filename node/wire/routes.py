"""The routing table: a method and a path template lead to one action, with its own limit."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Union
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred

from node.wire.message import Request, Response

Reply = Union[Response, Coroutine["Deferred[Any]", Any, Response], "Deferred[Response]"]
"""What an action returns: a response at once (the cheapest), a coroutine, or a Deferred."""

Action = Callable[[Request], Reply]
"""Answers one request.  A `Trouble` it raises becomes problem+json; anything else a fault with a number."""

Observe = Callable[[str, str, int, float], None]
"""`observe(template, method, status, seconds)`: called once per response, for the metrics."""

KNOWN = 256
"""Paths whose place is remembered: callers post to the same few."""

UNMATCHED = "-"
"""The template of a request that matched no route, so that a stranger cannot make new metric labels."""

SMALL = 64 * 1024


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one template.

    `limit` is the greatest body in octets.  `early`, when given, is called before the body is read (`body` is still
    empty) and raises `Trouble` to refuse: who may not post, or a full disk, costs no memory.  It may note the caller
    in the request.
    """

    method: str
    template: str
    action: Action
    limit: int = SMALL
    early: Callable[[Request], None] | None = None


@dataclass(slots=True)
class Place:
    """All methods of one template."""

    template: str
    segments: tuple[str, ...]
    methods: dict[str, Route] = field(default_factory=dict)

    @property
    def allow(self) -> bytes:
        """The value of the Allow header."""
        names = set(self.methods)
        if "GET" in names:
            names.add("HEAD")
        return ", ".join(sorted(names)).encode("ascii")

    def route(self, method: str) -> Route | None:
        """Return the route of `method`; HEAD is answered by GET's."""
        return self.methods.get(method) or (self.methods.get("GET") if method == "HEAD" else None)

    def match(self, segments: list[str]) -> Mapping[str, str] | None:
        """Return what the braces match, or None; a brace matches one whole, non-empty segment."""
        arguments = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern[:1] == "{":
                if not segment:
                    return None
                if "%" in segment:
                    try:
                        segment = unquote_to_bytes(segment).decode("utf-8")
                    except UnicodeDecodeError:
                        return None
                arguments[pattern[1:-1]] = segment
            elif pattern != segment:
                return None
        return arguments


class Routes:
    """The table; filled once, before the server listens.

    A fixed path wins over one with braces; among those with braces the one added first wins.
    """

    def __init__(self, observe: Observe | None = None) -> None:
        self._fixed: dict[str, Place] = {}
        self._braced: dict[int, list[Place]] = {}
        self._known: dict[str, tuple[Place, Mapping[str, str]]] = {}
        self.observe = observe

    def add(
        self,
        method: str,
        template: str,
        action: Action,
        limit: int = SMALL,
        early: Callable[[Request], None] | None = None,
    ) -> None:
        """Add a route such as ("POST", "/v1/resources/{resource}/records"); raise ValueError if it is there."""
        place = self._place(template)
        if not template.startswith("/") or method in place.methods:
            raise ValueError(f"route {method} {template} is malformed or defined twice")
        place.methods[method] = Route(method, template, action, limit, early)

    def find(self, path: str) -> tuple[Place, Mapping[str, str]] | None:
        """Return the place `path` (still percent-encoded) leads to and its arguments, or None."""
        found = self._known.get(path)
        if found is None:
            found = self._find(path)
            if found is not None:
                if len(self._known) >= KNOWN:
                    self._known.clear()
                self._known[path] = found
        return found

    def _find(self, path: str) -> tuple[Place, Mapping[str, str]] | None:
        place = self._fixed.get(path)
        if place is not None:
            return place, {}
        segments = path.split("/")
        for place in self._braced.get(len(segments), ()):
            arguments = place.match(segments)
            if arguments is not None:
                return place, arguments
        return None

    def templates(self) -> list[tuple[str, str]]:
        """Return every (method, template), sorted: the OpenAPI document is tested against it."""
        places = [*self._fixed.values(), *(place for many in self._braced.values() for place in many)]
        return sorted((method, place.template) for place in places for method in place.methods)

    def _place(self, template: str) -> Place:
        segments = tuple(template.split("/"))
        if "{" not in template:
            return self._fixed.setdefault(template, Place(template, segments))
        places = self._braced.setdefault(len(segments), [])
        for place in places:
            if place.template == template:
                return place
        places.append(Place(template, segments))
        return places[-1]
