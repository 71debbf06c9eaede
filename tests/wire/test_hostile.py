"""Any octets at all, in any pieces: never an exception, never a fault, always bounded, always an end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory

from node.model.trouble import Retry
from node.wire.client import PeerClient
from node.wire.message import Response
from tests.wire.pipe import MemoryEndpoint
from tests.wire.talk import Talk, get, post
from tests.wire.test_client import Call, Rude

GOOD = [
    post("/echo", b"abc"), get("/echo?a=1"), post("/resources/%E4%BA%BA/records", b"{}"),
    b"HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: x\r\n\r\n",
    b"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n" + b"x" * 100,
    post("/wait", b"w"), get("/trouble"),
    b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", get("/large"),
]
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
]


@st.composite
def damaged(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """Return good messages with a few octets changed, cut or put in."""
    octets = bytearray(b"".join(draw(st.lists(st.sampled_from(seeds), min_size=1, max_size=4))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(octets)))
        octets[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(octets)


def pieces(octets: bytes, cuts: list[int]) -> list[bytes]:
    marks = sorted({cut % (len(octets) + 1) for cut in cuts} | {0, len(octets)})
    return [octets[a:b] for a, b in zip(marks, marks[1:])]


def deal(octets: bytes, cuts: list[int]) -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    for piece in pieces(octets, cuts):
        pipe.client.write(piece)
        pipe.pump()
    for waiting in talk.waits:  # answering one may begin another, which then stands behind it in the list
        if not waiting.called:
            waiting.callback(Response(204))
        pipe.pump()
    assert talk.faults == []
    assert not caller.garbled or b"HEAD" in octets
    for heard in caller.answers:
        assert heard.status in (200, 204, 400, 404, 405, 408, 413, 429, 431)
    # Whatever was left half said has its end in time, and leaves nothing behind.
    for _ in range(10):
        talk.clock.advance(100)
        pipe.pump()
    assert caller.lost and not talk.server.links and talk.server.held == 0
    assert not talk.clock.getDelayedCalls()


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=4))
def test_raw_octets(octets: bytes, cuts: list[int]) -> None:
    deal(octets, cuts)


@settings(max_examples=300)
@given(damaged(GOOD), st.lists(st.integers(0, 2000), max_size=6))
def test_damaged_requests(octets: bytes, cuts: list[int]) -> None:
    deal(octets, cuts)


@given(st.lists(st.sampled_from([0, 1, 3]), min_size=1, max_size=6), st.lists(st.integers(0, 2000), max_size=8))
def test_how_the_octets_are_cut_changes_nothing(chosen: list[int], cuts: list[int]) -> None:
    stream = b"".join(GOOD[n] for n in chosen)
    whole, cut = Talk().say(stream), Talk().say(*pieces(stream, cuts))
    assert whole.raw == cut.raw


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=300), damaged(ANSWERS)), st.lists(st.integers(0, 400), max_size=4))
def test_damaged_answers(octets: bytes, cuts: list[int]) -> None:
    talk = Talk()
    server = Rude(*pieces(octets, cuts))
    endpoint = MemoryEndpoint(Factory.forProtocol(lambda: server))  # type: ignore[arg-type]  # one connection
    client = PeerClient("p1", endpoint, "node", talk.clock)
    call = Call(Deferred.fromCoroutine(client.request("POST", "/x", (), (b"a",), 30, 1000)))
    endpoint.pump()
    for piece in list(server._answers):
        if not endpoint.pipes[0].server.lost:
            endpoint.pipes[0].server.write(piece)
            endpoint.pump()
    talk.clock.advance(30)
    endpoint.pump()
    assert call.over
    assert call.answer is not None or isinstance(call.error, Retry)
    client.close()
    endpoint.pump()
    assert not talk.clock.getDelayedCalls()
