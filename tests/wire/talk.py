"""A server to talk to in bytes: some routes, a clock, and a client that keeps what it hears."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httptools
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.wire.connection import Connection, Limits
from node.wire.message import Request, Response
from node.wire.problem import Faults
from node.wire.routes import Routes
from node.wire.server import Server
from tests.wire.pipe import Pipe


@dataclass
class Heard:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])


class Caller(Protocol):
    """Keeps every answer; `lost` once the connection is closed."""

    def __init__(self) -> None:
        self.raw = b""
        self.answers: list[Heard] = []
        self.continues = 0
        self.lost = self.garbled = False
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body = b""

    def dataReceived(self, data: bytes) -> None:
        self.raw += data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.garbled = True  # as it must be for whoever does not remember that it asked by HEAD

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = True

    def on_message_begin(self) -> None:
        self._headers, self._body = {}, b""

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status == 100:
            self.continues += 1
        else:
            self.answers.append(Heard(status, self._headers, self._body))


@dataclass
class Talk:
    """A server with routes for every need of the tests; `waits` are the Deferreds of /wait, oldest first."""

    limits: Limits = Limits()
    clock: Clock = field(default_factory=Clock)
    waits: list[Deferred[Response]] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    observed: list[tuple[str, str, int, float]] = field(default_factory=list)
    turned_away: list[tuple[str, Trouble]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.routes = Routes(lambda *seen: self.observed.append(seen))
        self.server = Server(
            self.routes, self.clock, Faults(lambda _, where: self.faults.append(where), lambda n: b"\x07" * n),
            self.limits, turned_away=lambda address, why: self.turned_away.append((address, why)),
        )
        add = self.routes.add
        add("POST", "/echo", lambda request: Response(200, request.body), limit=1 << 20)
        add("GET", "/echo", lambda request: Response.json(dict(request.query)))
        add("POST", "/small", lambda request: Response(200, request.body), limit=10)
        add("POST", "/resources/{resource}/records", lambda request: Response.json(dict(request.arguments)))
        add("POST", "/wait", self._wait)
        add("GET", "/large", lambda request: Response(200, [b"x" * (1 << 20)] * 4))
        add("GET", "/trouble", _raise(trouble(codes.QUOTA, peer="p1")))
        add("GET", "/unfilled", _raise(trouble(codes.QUOTA)))
        add("GET", "/bug", _raise(LookupError("a person's name")))
        add("GET", "/later-bug", _raise_later)
        add("GET", "/nothing", lambda request: None)  # type: ignore[arg-type,return-value]  # what a bug would return
        add("GET", "/bad-header", lambda request: Response(200, b"", [(b"X", b"a\r\nb: c")]))
        add("GET", "/bad-status", lambda request: Response(999, b""))
        add("POST", "/early", lambda request: Response(200), limit=1 << 20, early=_raise(trouble(codes.DISK, what="x")))
        add("POST", "/early-bug", lambda request: Response(200), limit=1 << 20, early=_raise(LookupError("x")))

    async def _wait(self, request: Request) -> Response:
        name = request.body.decode("latin-1")
        self.begun.append(name)
        waiting: Deferred[Response] = Deferred(lambda _: self.cancelled.append(name))
        self.waits.append(waiting)
        return await waiting

    def connect(self) -> tuple[Caller, Pipe]:
        """Return a client and its pipe."""
        caller, connection = Caller(), self.server.buildProtocol(IPv4Address("TCP", "192.0.2.2", 40000))
        assert isinstance(connection, Connection)
        return caller, Pipe(connection, caller)

    def say(self, *pieces: bytes) -> Caller:
        """Return the client after it has said the pieces, each carried alone."""
        caller, pipe = self.connect()
        for piece in pieces:
            pipe.client.write(piece)
            pipe.pump()
        return caller

    def answer(self, *pieces: bytes) -> Heard:
        """Return the one answer to the pieces."""
        caller = self.say(*pieces)
        assert len(caller.answers) == 1, caller.raw
        return caller.answers[0]


def _raise(error: Exception) -> Any:
    def action(request: Request) -> Response:
        raise error

    return action


async def _raise_later(request: Request) -> Response:
    raise LookupError("a person's name")


def get(path: str, *lines: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: node", *lines, "", "")).encode("latin-1")


def post(path: str, body: bytes = b"", *lines: str) -> bytes:
    head = "\r\n".join((f"POST {path} HTTP/1.1", "Host: node", *lines, f"Content-Length: {len(body)}", "", ""))
    return head.encode("latin-1") + body
