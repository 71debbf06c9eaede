"""Requests out of bytes: no transport, no clock; what it yields is whole, routed and within its limits, or refused.

Rule 1: a body is kept only for a route that takes one of its size; anything else is refused at the head.
Rule 2: whatever the framing leaves in doubt (RFC 9112 §6.3, §11.2) is an error, answered once, and the end of the
    connection: two ways to read a message are a smuggled request.
Rule 3: no byte sequence raises anything out of `feed`.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NoReturn

import httptools
from twisted.internet.defer import Deferred

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.wire.head import Head, HeadLimits
from node.wire.message import Link, Request, Response
from node.wire.problem import Faults
from node.wire.routes import Route, Routes

SWALLOW = 64 * 1024
"""A refused body of at most this many octets is read and dropped, which saves the connection."""


class Arrival:
    """A request to answer: with its `route`, or with the `refusal` when one was due before its body was kept.

    `keep` tells whether the connection may live on, and `abrupt` that the rest of the message was never read.
    `started`, `running` and `response` belong to the server.
    """

    __slots__ = ("request", "route", "refusal", "allow", "keep", "abrupt", "started", "running", "response")

    def __init__(self, request: Request, keep: bool) -> None:
        self.request = request
        self.route: Route | None = None
        self.refusal: Trouble | None = None
        self.allow = b""
        self.keep = keep
        self.abrupt = False
        self.started = 0.0
        self.running: Deferred[Any] | None = None
        self.response: Response | None = None


class _Stop(Exception):
    """Ends the parsing of a connection after its last answer was decided."""


class Reader(Head):
    """Reads the requests of one connection; `ready` holds those that are whole, oldest first.

    States: between messages (`begun` False), in a head (`begun`, no `current`), in a body (`current`), and `over`
    after which every byte is ignored.  `expects` asks for a 100 Continue.  `held` counts the octets of the body so
    far, `messages` those begun.
    """

    def __init__(self, routes: Routes, limits: HeadLimits, peer: Link, faults: Faults) -> None:
        super().__init__(limits)
        self._routes = routes
        self._peer = peer
        self._faults = faults
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._pieces: list[bytes] = []
        self._room = 0
        self.ready: deque[Arrival] = deque()
        self.current: Arrival | None = None
        self.begun = False
        self.over = False
        self.expects = False
        self.held = 0
        self.messages = 0

    def feed(self, data: bytes) -> None:
        """Take the bytes that came; afterwards look at `ready`, `over` and `expects`."""
        if self.over:
            return
        before = self.progress
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._break(trouble(codes.BAD_REQUEST, reason="upgrade"))
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, _Stop):
                self._break(self._faults.report(cause or error))
        except httptools.HttpParserError:
            self._break(trouble(codes.BAD_REQUEST, reason="http"))
        else:
            if self.strays(len(data), before):
                self._break(trouble(codes.HEAD_LIMIT))

    def expire(self, why: Trouble) -> None:
        """Answer the message that has begun with `why` and read no more."""
        self._break(why)

    def close(self) -> None:
        """Let go of everything; the connection is gone."""
        self.over = True
        self.ready.clear()
        self._forget()
        del self._parser  # the parser holds our bound methods: without this both wait for the garbage collector

    # --- called by the parser, in the order of a message -------------------------------------------------------

    def on_message_begin(self) -> None:
        """A first byte came."""
        self.begin()
        self.messages += 1
        self.begun = True
        self._url = b""

    def on_url(self, url: bytes) -> None:
        """A part of the request target."""
        self._url += url
        if len(self._url) > self.limits.url:
            self._stop(trouble(codes.HEAD_LIMIT))

    def too_much(self) -> NoReturn:
        """The fields are too many or too long."""
        self._stop(trouble(codes.HEAD_LIMIT))

    def on_headers_complete(self) -> None:
        """The head is whole: refuse what can be refused, and make room for the body."""
        headers, parser = self.headers, self._parser
        self.trailing = True
        path, _, query = self._target().partition(b"?")
        request = Request(parser.get_method().decode("ascii"), path.decode("ascii"), query, headers, self._peer)
        arrival = Arrival(request, parser.should_keep_alive())
        length = self._framing(headers)
        arrival.refusal = self._route(arrival, length)
        self.current = arrival
        if arrival.refusal is None:
            assert arrival.route is not None
            self._room = arrival.route.limit
            self.expects = b"expect" in headers and length != 0
        else:
            self._room = SWALLOW
            if b"expect" in headers or length > SWALLOW:
                self._end(arrival)

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self.progress += 1
        self.expects = False
        self.held += len(piece)
        arrival = self.current
        assert arrival is not None
        if self.held > self._room:
            if arrival.refusal is None and arrival.route is not None:
                arrival.refusal = _too_large(arrival.route.limit)
                self._pieces = []
                self._room = self.held + SWALLOW
            else:
                self._end(arrival)
        if arrival.refusal is None:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The message is whole."""
        self.progress += 1
        arrival = self.current
        assert arrival is not None
        pieces = self._pieces
        if pieces:
            arrival.request.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self.ready.append(arrival)
        self._forget()
        if not arrival.keep:
            self.over = True

    # --- decisions ---------------------------------------------------------------------------------------------

    def _target(self) -> bytes:
        """Return the origin form of the target (RFC 9112 §3.2)."""
        url = self._url
        if url[:1] == b"/":
            return url
        if self._parser.should_upgrade():
            self._stop(trouble(codes.BAD_REQUEST, reason="upgrade"))
        try:
            parsed = httptools.parse_url(url)
        except httptools.HttpParserInvalidURLError:
            self._stop(trouble(codes.BAD_REQUEST, reason="target"))
        return (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")

    def _framing(self, headers: dict[bytes, bytes]) -> int:
        """Return the body's length, −1 for chunked; stop at any doubt about it."""
        version = self._parser.get_http_version()
        if version != "1.1" and version != "1.0":
            self._stop(trouble(codes.BAD_REQUEST, reason="version"))
        if self._parser.should_upgrade():
            self._stop(trouble(codes.BAD_REQUEST, reason="upgrade"))
        host = headers.get(b"host")
        if (host is None and version == "1.1") or (host is not None and b"," in host):
            self._stop(trouble(codes.BAD_REQUEST, reason="host"))
        if b"expect" in headers and headers[b"expect"].lower() != b"100-continue":
            self._stop(trouble(codes.BAD_REQUEST, reason="expect"))
        coding = headers.get(b"transfer-encoding")
        if coding is not None:
            if coding.lower() != b"chunked" or version == "1.0":
                self._stop(trouble(codes.BAD_REQUEST, reason="transfer-encoding"))
            return -1
        length = headers.get(b"content-length")
        if length is None:
            return 0
        if not length.isdigit() or len(length) > 18:
            self._stop(trouble(codes.BAD_REQUEST, reason="content-length"))
        return int(length)

    def _route(self, arrival: Arrival, length: int) -> Trouble | None:
        """Set the route, or return why there is none or why it does not take this request."""
        request = arrival.request
        found = self._routes.find(request.path)
        if found is None:
            return trouble(codes.NOT_FOUND)
        place, request.arguments = found
        request.template = place.template
        route = arrival.route = place.route(request.method)
        if route is None:
            arrival.allow = place.allow
            return trouble(codes.METHOD)
        if length > route.limit:
            return _too_large(route.limit)
        if route.early is not None:
            try:
                route.early(request)
            except Trouble as refusal:
                return refusal
            except Exception as error:
                return self._faults.report(error)
        return None

    # --- ends --------------------------------------------------------------------------------------------------

    def _end(self, arrival: Arrival) -> NoReturn:
        """Answer `arrival` and read no more."""
        arrival.keep = False
        arrival.abrupt = True
        self.ready.append(arrival)
        self._forget()
        self.over = True
        raise _Stop

    def _stop(self, why: Trouble) -> NoReturn:
        """Answer with `why` from within the parser and read no more."""
        self._break(why)
        raise _Stop

    def _break(self, why: Trouble) -> None:
        if self.over:
            return
        arrival = self.current or Arrival(Request("", "", b"", {}, self._peer), keep=False)
        arrival.keep = False
        arrival.abrupt = True
        arrival.refusal = why
        self.ready.append(arrival)
        self._forget()
        self.over = True

    def _forget(self) -> None:
        self.current = None
        self.begun = self.expects = False
        self.held = 0
        self._pieces = []


def _too_large(limit: int) -> Trouble:
    return trouble(codes.TOO_LARGE, what="body", limit=limit)
