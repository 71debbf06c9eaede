"""The client against our own server joined in memory, and against peers that break the rules."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory, Protocol

from node.model import codes
from node.model.trouble import Trouble
from node.wire.client import Answer, PeerClient
from node.wire.message import Response
from tests.wire.pipe import BUFFER, MemoryEndpoint
from tests.wire.talk import Talk


class Call:
    """One request under way, or its outcome."""

    def __init__(self, asked: Deferred[Answer]) -> None:
        self.asked = asked
        self.answer: Answer | None = None
        self.error: BaseException | None = None
        asked.addCallbacks(self._took, self._failed)

    def _took(self, answer: Answer) -> None:
        self.answer = answer

    def _failed(self, failure: Any) -> None:
        self.error = failure.value

    @property
    def over(self) -> bool:
        return self.answer is not None or self.error is not None

    @property
    def code(self) -> str:
        assert isinstance(self.error, Trouble), self.error
        return self.error.code.name


class Speaking:
    """A client of a `Talk` server, joined in memory."""

    def __init__(self, **settings: Any) -> None:
        self.talk = Talk()
        self.endpoint = MemoryEndpoint(self.talk.server)
        self.client = PeerClient("p1", self.endpoint, "node:8443", self.talk.clock, **settings)

    def begin(self, path: str, body: bytes = b"", **settings: Any) -> Call:
        call = Call(Deferred.fromCoroutine(self.client.request("POST", path, (), (body,), **settings)))
        self.endpoint.pump()
        return call

    def ask(self, path: str, body: bytes = b"", **settings: Any) -> Answer:
        answer = self.begin(path, body, **settings).answer
        assert answer is not None
        return answer


class Rude(Protocol):
    """Answers whatever comes with fixed bytes, and perhaps hangs up."""

    def __init__(self, *answers: bytes, hang_up: bool = False) -> None:
        self._answers = list(answers)
        self._hang_up = hang_up
        self.heard = b""

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        if self._answers:
            assert self.transport is not None
            self.transport.write(self._answers.pop(0))
            if self._hang_up and not self._answers:
                self.transport.loseConnection()


def rude(*answers: bytes, hang_up: bool = False, limit: int = 1000) -> Call:
    talk = Talk()
    endpoint = MemoryEndpoint(Factory.forProtocol(lambda: Rude(*answers, hang_up=hang_up)))  # type: ignore[arg-type]
    client = PeerClient("p1", endpoint, "node", talk.clock)
    call = Call(Deferred.fromCoroutine(client.request("POST", "/x", (), (b"a",), 30, limit)))
    endpoint.pump()
    return call


def test_one_connection_serves_request_after_request() -> None:
    speaking = Speaking()
    for n in range(10):
        answer = speaking.ask("/echo", b"%d" % n)
        assert (answer.status, answer.body) == (200, b"%d" % n)
    assert len(speaking.endpoint.pipes) == 1


def test_requests_at_once_take_as_many_connections_as_allowed_and_the_rest_wait() -> None:
    speaking = Speaking(size=2)
    calls = [speaking.begin("/wait", b"%d" % n) for n in range(5)]
    assert len(speaking.endpoint.pipes) == 2 and speaking.talk.begun == ["0", "1"]
    for n in range(5):
        speaking.talk.waits[n].callback(Response(200, b"%d" % n))
        speaking.endpoint.pump()
    assert [call.answer and call.answer.body for call in calls] == [b"%d" % n for n in range(5)]
    assert len(speaking.endpoint.pipes) == 2


def test_an_error_status_is_an_answer() -> None:
    answer = Speaking().ask("/nowhere")
    assert answer.status == 404 and answer.headers[b"content-type"] == b"application/problem+json"


def test_the_parts_of_a_large_body_are_sent_as_they_are_taken() -> None:
    speaking = Speaking()
    parts = [b"m" * 1000, b"p" * (1 << 19), b"q" * (1 << 18)]
    call = Call(Deferred.fromCoroutine(speaking.client.request("POST", "/echo", (), parts, limit=1 << 20)))
    speaking.endpoint.pump()
    assert call.answer is not None and call.answer.body == b"".join(parts)
    assert speaking.endpoint.pipes[0].client.most <= BUFFER + (128 << 10)


def test_a_connection_closed_by_the_peer_while_idle_is_replaced() -> None:
    speaking = Speaking()
    speaking.ask("/echo")
    speaking.endpoint.pipes[0].cut()
    assert speaking.ask("/echo", b"again").body == b"again"
    assert len(speaking.endpoint.pipes) == 2


def test_a_kept_connection_that_turns_out_dead_is_tried_once_more_on_a_new_one() -> None:
    speaking = Speaking()
    speaking.ask("/echo")
    pipe = speaking.endpoint.pipes[0]
    pipe.server.paused = True
    call = speaking.begin("/echo", b"again")
    assert not call.over
    pipe.cut()
    speaking.endpoint.pump()
    assert call.answer is not None and call.answer.body == b"again"


def test_a_new_connection_that_dies_is_a_peer_that_is_down() -> None:
    speaking = Speaking()
    call = speaking.begin("/wait", b"a")
    speaking.endpoint.pipes[0].cut()
    assert call.code == "EXN-PEER-DOWN"
    assert speaking.talk.cancelled == ["a"]


def test_a_connection_that_drops_in_mid_answer_is_never_tried_again() -> None:
    speaking = Speaking()
    speaking.ask("/echo")
    pipe = speaking.endpoint.pipes[0]
    call = speaking.begin("/wait", b"a")
    pipe.client.protocol.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Le")
    pipe.cut()
    assert call.code == "EXN-PEER-DOWN"
    assert len(speaking.endpoint.pipes) == 1


def test_a_peer_that_refuses_connections_is_down_and_the_place_is_given_back() -> None:
    speaking = Speaking(size=1)
    speaking.endpoint.refusing = True
    for _ in range(3):
        assert speaking.begin("/echo").code == "EXN-PEER-DOWN"
    speaking.endpoint.refusing = False
    assert speaking.ask("/echo", b"up").body == b"up"


def test_an_answer_that_does_not_come_in_time_is_a_peer_that_is_down() -> None:
    speaking = Speaking()
    call = speaking.begin("/wait", b"a", timeout=30.0)
    speaking.talk.clock.advance(29.9)
    assert not call.over
    speaking.talk.clock.advance(0.2)
    speaking.endpoint.pump()
    assert call.code == "EXN-PEER-DOWN"
    assert speaking.talk.cancelled == ["a"]


def test_waiting_for_a_connection_counts_against_the_time() -> None:
    speaking = Speaking(size=1)
    speaking.begin("/wait", b"a", timeout=1000.0)
    second = speaking.begin("/wait", b"b", timeout=5.0)
    speaking.talk.clock.advance(5)
    assert second.code == "EXN-PEER-DOWN" and speaking.talk.begun == ["a"]


def test_a_connection_that_is_never_made_counts_against_the_time() -> None:
    talk = Talk()

    class Nowhere:
        def connect(self, factory: object) -> Deferred[Any]:
            return Deferred()

    client = PeerClient("p1", Nowhere(), "node", talk.clock, size=1)  # type: ignore[arg-type]  # has its one method
    for _ in range(2):
        call = Call(Deferred.fromCoroutine(client.request("GET", "/", timeout=5)))
        talk.clock.advance(5)
        assert call.code == "EXN-PEER-DOWN"


def test_a_cancelled_request_closes_its_connection_and_frees_its_place() -> None:
    speaking = Speaking(size=1)
    call = speaking.begin("/wait", b"a")
    call.asked.cancel()
    speaking.endpoint.pump()
    assert isinstance(call.error, CancelledError)
    assert speaking.talk.cancelled == ["a"]
    assert speaking.ask("/echo", b"next").body == b"next"


def test_a_cancelled_wait_for_a_connection_leaves_the_others_in_place() -> None:
    speaking = Speaking(size=1)
    speaking.begin("/wait", b"a")
    second, third = speaking.begin("/wait", b"b"), speaking.begin("/wait", b"c")
    second.asked.cancel()
    assert isinstance(second.error, CancelledError)
    speaking.talk.waits[0].callback(Response(200))
    speaking.endpoint.pump()
    assert speaking.talk.begun == ["a", "c"]
    speaking.talk.waits[1].callback(Response(200))
    speaking.endpoint.pump()
    assert third.answer is not None


def test_a_kept_connection_dropped_in_this_very_turn_is_not_used() -> None:
    speaking = Speaking()
    speaking.ask("/echo")
    line = next(iter(speaking.client._lines))
    line.abort()  # the transport tells of the loss only later
    assert speaking.ask("/echo", b"new").body == b"new"
    assert len(speaking.endpoint.pipes) == 2


def test_an_idle_connection_is_closed_by_us_before_the_server_would() -> None:
    speaking = Speaking()
    speaking.ask("/echo")
    speaking.talk.clock.advance(50)
    speaking.endpoint.pump()
    assert not speaking.talk.server.links
    assert speaking.ask("/echo", b"new").body == b"new"


def test_an_early_refusal_is_heard_and_the_connection_dropped() -> None:
    speaking = Speaking()
    call = speaking.begin("/early", b"x" * 1_000_000)
    assert call.answer is not None and call.answer.status == 507
    assert not speaking.talk.server.links


def test_an_answer_before_our_body_is_out_leaves_no_connection_to_use_again() -> None:
    server = Rude(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
    talk = Talk()
    endpoint = MemoryEndpoint(Factory.forProtocol(lambda: server))  # type: ignore[arg-type]  # one connection
    client = PeerClient("p1", endpoint, "node", talk.clock)
    call = Call(Deferred.fromCoroutine(client.request("POST", "/x", (), (b"a" * (1 << 20),))))
    endpoint.pump()
    assert call.answer is not None and call.answer.status == 503
    assert endpoint.pipes[0].client.lost and len(server.heard) < 1 << 20


def test_closing_drops_everything_and_refuses_what_comes_later() -> None:
    speaking = Speaking(size=1)
    first, waiting = speaking.begin("/wait", b"a"), speaking.begin("/wait", b"b")
    speaking.client.close()
    speaking.endpoint.pump()
    assert first.code == waiting.code == speaking.begin("/echo").code == "EXN-PEER-DOWN"
    assert speaking.talk.cancelled == ["a"]
    assert not speaking.talk.clock.getDelayedCalls()


@pytest.mark.parametrize("message", [
    b"SSH-2.0-OpenSSH\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001,
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100 + b"Content-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20000 + b"\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc",
])
def test_what_is_no_answer_is_a_peer_to_be_tried_again(message: bytes) -> None:
    assert rude(message).code == codes.PEER_ANSWER.name


def test_a_peer_that_hangs_up_in_mid_answer_is_down() -> None:
    assert rude(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", hang_up=True).code == "EXN-PEER-DOWN"


def test_a_provisional_answer_only_announces() -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nX: y\r\n\r\n"
    call = rude(early + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert call.answer is not None and (call.answer.status, call.answer.body) == (200, b"ok")


def test_an_answer_nobody_asked_for_ends_the_connection() -> None:
    speaking = Speaking()
    speaking.ask("/echo")
    pipe = speaking.endpoint.pipes[0]
    pipe.client.protocol.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    speaking.endpoint.pump()
    assert pipe.client.lost


def test_excess_after_an_answer_ends_the_connection_and_keeps_the_answer() -> None:
    good = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    call = rude(good + good)
    assert call.answer is not None and call.answer.body == b"ok"


@pytest.mark.parametrize(("method", "path", "headers"), [
    ("POST", "/a b", ()), ("POST", "/a\r\nX: y", ()), ("POST", "a", ()), ("HEAD", "/a", ()), ("GET\r\n", "/a", ()),
    ("POST", "/a", ((b"X", b"a\r\nb"),)), ("POST", "/a", ((b"X y", b"a"),)),
])
def test_a_request_that_would_break_the_framing_is_not_made(
    method: str, path: str, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    speaking = Speaking()
    call = Call(Deferred.fromCoroutine(speaking.client.request(method, path, headers)))
    assert isinstance(call.error, ValueError)
    assert not speaking.endpoint.pipes
