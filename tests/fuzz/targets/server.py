"""HTTP as the server reads it: any bytes, in any pieces."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from random import Random
from zlib import crc32

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

from node.model import codes
from node.model.trouble import trouble
from node.wire.connection import Connection
from node.wire.message import Request, Response
from node.wire.problem import Faults
from node.wire.routes import Routes
from node.wire.server import Server
from tests.fuzz.mutate import any_of, http, octets
from tests.fuzz.target import MARKER, Target, hidden
from tests.wire.pipe import Pipe
from tests.wire.talk import Caller, Heard, get, post

LIMIT = 8 << 10


def seeds() -> Iterator[bytes]:
    """Yield requests of every form that clients use."""
    yield get("/echo?a=1&b=%E4%B8%AD")
    yield post("/echo", b"hello " + MARKER)
    yield post("/small", b"hello world", f"X-Token: {MARKER.decode()}")
    yield post("/resources/population/records", b"{}", "Expect: 100-continue")
    yield get("/echo", "Connection: close") + get("/echo")
    yield post("/echo", b"a") + post("/echo", b"b") + get("/nothing") + get("/trouble")
    chunked = b"POST /echo HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield chunked + b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: a\r\n\r\n" + get("/echo")
    yield b"HEAD /echo HTTP/1.0\r\n\r\n"
    yield b"OPTIONS * HTTP/1.1\r\nHost: n\r\n\r\n"
    yield b"GET http://node/echo?x HTTP/1.1\r\nHost: n\r\n\r\n"


def _routes() -> Routes:
    routes = Routes()
    routes.add("GET", "/echo", lambda request: Response.json(dict(request.query)))
    routes.add("POST", "/echo", lambda request: Response.json({"size": len(request.body)}), limit=LIMIT)
    routes.add("POST", "/small", lambda request: Response(200, b"%d" % len(request.body)), limit=10)
    routes.add("POST", "/resources/{resource}/records", lambda request: Response.json({"n": len(request.arguments)}))
    routes.add("GET", "/trouble", _trouble)
    routes.add("POST", "/early", lambda request: Response(200), limit=LIMIT, early=_early)
    return routes


def _trouble(request: Request) -> Response:
    raise trouble(codes.QUOTA, peer="p1")


def _early(request: Request) -> None:
    raise trouble(codes.UNAUTHORIZED)


def conversation(data: bytes, sizes: Callable[[], int]) -> list[Heard]:
    """Return the answers to bytes that come in pieces; assert that nothing is left behind."""
    faults: list[str] = []
    clock = Clock()
    server = Server(_routes(), clock, Faults(lambda _, place: faults.append(place), lambda size: bytes(size)))
    caller, connection = Caller(), server.buildProtocol(IPv4Address("TCP", "192.0.2.2", 40000))
    assert isinstance(connection, Connection)
    pipe, at = Pipe(connection, caller), 0
    while at < len(data) and not pipe.server.lost:
        size = sizes()
        pipe.client.write(data[at : at + size])
        pipe.pump()
        at += size
    clock.advance(0)
    pipe.pump()
    heard = list(caller.answers)
    pipe.cut()
    assert not faults, faults
    assert server.held == 0, "octets are counted that are gone"
    assert not clock.getDelayedCalls(), "a timer is left"
    return heard


def run(data: bytes) -> Hashable:
    """Say it whole and in pieces: the same answers, none of them a fault, and none tells what was sent."""
    whole = conversation(data, lambda: 1 << 30)
    chance = Random(crc32(data))
    pieces = conversation(data, lambda: chance.choice((1, 2, 3, 10, 60, 500, 4096)))
    # What a head or trailers that never end may hold is counted from read to read: in one read nothing is refused yet.
    if len(pieces) == len(whole) + 1 and pieces[-1].code == codes.HEAD_LIMIT.name:
        pieces.pop()
    # Of a head that is too long and malformed further on pieces show the length first; either ends the connection.
    ends = [one[-1].code if one and one[-1].status in (400, 431) else "" for one in (whole, pieces)]
    if len(pieces) == len(whole) and ends == [codes.BAD_REQUEST.name, codes.HEAD_LIMIT.name]:
        assert {whole.pop().headers["connection"], pieces.pop().headers["connection"]} == {"close"}
    assert [(one.status, one.body) for one in whole] == [(one.status, one.body) for one in pieces], "pieces matter"
    for one in whole:
        assert one.status != 500, one.body
        if MARKER not in data.split(b"?", 1)[-1].split(b"\n", 1)[0]:
            hidden(one.body if one.status >= 400 else b"", one.headers)
    return tuple((one.status, one.body[:60] if one.status >= 400 else b"") for one in whole[:6])


TARGET = Target("server", "HTTP requests, in any pieces", seeds, run, any_of(http, http, http, octets), most=40 << 10,
                rounds=150)
