"""HTTP as the client reads it: a hostile server's answers, and what of its problem+json is believed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from random import Random
from zlib import crc32

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from node.model import codes
from node.model.trouble import Trouble
from node.wire.client import Answer, PeerClient
from node.wire.link import PeerLink, PeerSaid
from node.wire.message import Response
from node.wire.problem import problem, read_problem
from tests.fuzz.mutate import any_of, http, json_text, octets
from tests.fuzz.target import MARKER, Target, hidden
from tests.wire.pipe import MemoryEndpoint

LIMIT = 4096
TIMEOUT = 30.0


class Hostile(Protocol):
    """Answers the first bytes it hears with its own, in pieces."""

    def __init__(self, data: bytes, sizes: Callable[[], int]) -> None:
        self._data, self._sizes, self._at = data, sizes, 0

    def dataReceived(self, data: bytes) -> None:
        self.more()

    def more(self) -> bool:
        """Say the next piece; return whether there was one."""
        if self._at >= len(self._data) or self.transport is None:
            return False
        size = self._sizes()
        self.transport.write(self._data[self._at : self._at + size])
        self._at += size
        return True


def _answer(response: Response) -> bytes:
    return b"".join(response.parts(True, b"", False))


def seeds() -> Iterator[bytes]:
    """Yield answers of every form."""
    yield _answer(Response(200, b"hello " + MARKER))
    yield _answer(Response(204))
    yield _answer(Response(200, b"x" * (LIMIT + 1)))
    behind = {"epoch": 3, "seq": 4, "head": "ab" * 32}
    for code in (codes.BEHIND, codes.GREET, codes.SUPERSEDED, codes.DRAINING, codes.FORK):
        met = Trouble(code, **dict.fromkeys(("peer", "lane", "what", "seq", "epoch", "head", "resource", "name"), "x"))
        try:
            yield _answer(problem(met, b"en", 7, **behind))
        except LookupError:
            continue
    yield b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: x\r\n\r\n"
    yield b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nRetry-After: 5\r\nConnection: close\r\n\r\n"


def asked(data: bytes, sizes: Callable[[], int]) -> str | tuple[int, bytes]:
    """Return what a request comes to whose answer is `data`: the answer, or the code of the trouble."""
    clock, hostile = Clock(), Hostile(data, sizes)
    endpoint = MemoryEndpoint(Factory.forProtocol(lambda: hostile))
    client = PeerClient("centre", endpoint, "centre", clock)
    link = PeerLink(client, lambda: None)
    work = Deferred.fromCoroutine(link.post("/v1/hello", b"x/y", [b"body"], TIMEOUT, LIMIT))
    found: list[Answer | Failure] = []
    work.addBoth(found.append)
    endpoint.pump()
    while not found and hostile.more():
        endpoint.pump()
    if not found:
        clock.advance(TIMEOUT)
        endpoint.pump()
    assert found, "the request never ends"
    client.close()
    endpoint.pump()
    clock.advance(120)
    assert not clock.getDelayedCalls(), "a timer is left"
    return _outcome(found[0])


def _outcome(found: Answer | Failure) -> str | tuple[int, bytes]:
    if isinstance(found, Answer):
        assert len(found.body) <= LIMIT and found.status < 300
        return found.status, found.body
    error = found.value
    if not isinstance(error, Trouble):
        found.raiseException()
    assert isinstance(error, Trouble)
    hidden(error, error.members("zh"), error.details)
    if isinstance(error, PeerSaid):
        told = error.told
        assert told.retry_after is None or 0 <= told.retry_after < 100_000
        return f"{error.code.name} {told.status} {told.code.name if told.code else told.name[:8]}"
    return error.code.name


def run(data: bytes) -> Hashable:
    """Hear it whole and in pieces; every request ends with an answer within its limit, or a trouble."""
    whole = asked(data, lambda: 1 << 30)
    chance = Random(crc32(data))
    pieces = asked(data, lambda: chance.choice((1, 2, 9, 80, 1000)))
    if isinstance(whole, tuple):
        assert whole == pieces, "pieces matter"
        return whole[0], len(whole[1]).bit_length()
    return whole, str(pieces)[:40]


def problems() -> Iterator[bytes]:
    """Yield documents of problems."""
    yield b'{"code":"EXN-BEHIND","epoch":1,"seq":2,"head":"%b","detail":"%b"}' % (b"ab" * 32, MARKER)
    yield b'{"code":"EXN-UNHEARD-OF","status":409,"zh":{"detail":"x"}}'
    yield b"[]"
    yield b'"EXN-BEHIND"'


def run_problem(data: bytes) -> Hashable:
    """Read an answer's problem: nothing is ever raised, and only a known code is one."""
    told = read_problem(409, {b"content-type": b"application/problem+json", b"retry-after": data[:5]}, data)
    assert told.code is None or told.code.name == told.name
    hidden(told.name)
    return told.code.name if told.code else told.name[:4], told.retry_after is None


TARGETS = (
    Target("client", "HTTP answers of a hostile peer", seeds, run, any_of(http, http, http, octets), most=40 << 10,
           rounds=120),
    Target("problem", "problem+json of a peer", problems, run_problem, any_of(json_text, octets), rounds=200),
)
