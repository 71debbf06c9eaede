"""The server's time and room: slow clients, stuck clients, too many clients, back-pressure, drain."""

from __future__ import annotations

from twisted.internet.address import IPv4Address

from node.wire.connection import Limits
from node.wire.message import Response
from tests.wire.pipe import BUFFER
from tests.wire.talk import Talk, get, post


def test_an_idle_connection_is_closed_after_its_time_and_not_before() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    talk.clock.advance(70)
    pipe.client.write(post("/echo", b"a"))
    pipe.pump()
    talk.clock.advance(70)
    pipe.pump()
    assert not caller.lost
    talk.clock.advance(10)
    pipe.pump()
    assert caller.lost and len(caller.answers) == 1
    assert not talk.clock.getDelayedCalls() and not talk.server.links


def test_a_head_that_drips_is_answered_408_in_its_time() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    message = get("/echo", "X: " + "a" * 100)
    for octet in range(9):
        pipe.client.write(message[octet : octet + 1])
        pipe.pump()
        talk.clock.advance(1)
    assert not caller.answers
    talk.clock.advance(1)
    pipe.pump()
    assert caller.answers[0].status == 408
    talk.clock.advance(talk.limits.linger)
    pipe.pump()
    assert caller.lost


def test_a_dripping_head_gains_no_time_from_blank_lines() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    for _ in range(20):
        pipe.client.write(b"\r\n")
        pipe.pump()
        talk.clock.advance(5)
    pipe.pump()
    assert caller.lost


def test_a_slow_body_is_read_as_long_as_it_moves() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.write(b"POST /echo HTTP/1.1\r\nHost: node\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(10):
        pipe.client.write(b"x" * 100_000)
        pipe.pump()
        talk.clock.advance(19)
    assert caller.answers[0].status == 200 and len(caller.answers[0].body) == 1_000_000


def test_a_body_that_drips_is_answered_408() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.write(b"POST /echo HTTP/1.1\r\nHost: node\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(19):
        pipe.client.write(b"x" * 100)
        pipe.pump()
        talk.clock.advance(1)
    assert not caller.answers
    talk.clock.advance(1)
    pipe.pump()
    assert caller.answers[0].status == 408 and talk.server.held == 0


def test_a_busy_pipeliner_whose_pieces_end_in_mid_head_is_never_late() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    stream = post("/echo", b"a") * 100
    for start in range(0, len(stream), 31):
        pipe.client.write(stream[start : start + 31])
        pipe.pump()
        talk.clock.advance(3)
    pipe.pump()
    assert len(caller.answers) == 100


def test_a_long_poll_is_no_idleness() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.write(post("/wait", b"a"))
    pipe.pump()
    talk.clock.advance(1000)
    pipe.pump()
    assert not caller.lost
    talk.waits[0].callback(Response(204))
    pipe.pump()
    assert caller.answers[0].status == 204
    talk.clock.advance(talk.limits.idle)
    pipe.pump()
    assert caller.lost


def test_a_large_answer_is_handed_over_as_it_is_read() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.write(get("/large"))
    pipe.pump()
    assert len(caller.answers[0].body) == 4 << 20
    assert pipe.server.most < BUFFER + (256 << 10)


def test_a_client_that_does_not_read_gets_nothing_more_started_and_then_its_end() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.paused = True
    pipe.client.write(get("/large") * 50)
    pipe.pump()
    assert len(talk.observed) == 1
    assert pipe.server.paused
    talk.clock.advance(talk.limits.stall - 1)
    pipe.pump()
    assert not caller.lost
    talk.clock.advance(1)
    pipe.pump()
    assert caller.lost and not talk.server.links


def test_a_client_that_reads_slowly_gets_all() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.paused = True
    pipe.client.write(get("/large") * 3)
    pipe.pump()
    rounds = 0
    while len(caller.answers) < 3 and rounds < 1000:
        rounds += 1
        if len(pipe.server.sent) > 0:
            pipe.client.protocol.dataReceived(pipe.server.take(100_000))
        pipe.pump()
        talk.clock.advance(talk.limits.stall / 4)
    assert len(caller.answers) == 3 and not caller.lost


def test_arriving_bodies_have_one_bound_for_the_whole_server() -> None:
    talk = Talk(Limits(held=1_000_000))
    callers = [talk.connect() for _ in range(4)]
    for caller, pipe in callers:
        pipe.client.write(b"POST /echo HTTP/1.1\r\nHost: node\r\nContent-Length: 900000\r\n\r\n" + b"x" * 300_000)
        pipe.pump()
    assert [len(caller.answers) for caller, _ in callers] == [0, 0, 0, 1]
    assert callers[3][0].answers[0].code == "EXN-API-CROWDED"
    for caller, pipe in callers[:3]:
        pipe.cut()
    assert talk.server.held == 0
    assert talk.answer(post("/echo", b"x" * 900_000)).status == 200
    assert talk.server.held == 0


def test_bodies_being_answered_count_against_the_bound() -> None:
    talk = Talk(Limits(held=1_000_000))
    talk.routes.add("POST", "/large-wait", talk._wait, limit=1 << 20)
    caller, pipe = talk.connect()
    pipe.client.write(post("/large-wait", b"x" * 900_000))
    pipe.pump()
    assert talk.server.held == 900_000
    assert talk.answer(post("/echo", b"x" * 200_000)).status == 503
    talk.waits[0].callback(Response(200))
    assert talk.server.held == 0
    pipe.client.write(post("/large-wait", b"x" * 900_000))
    pipe.pump()
    pipe.cut()
    assert talk.server.held == 0


def test_there_are_no_more_connections_than_allowed() -> None:
    talk = Talk(Limits(connections=2))
    _, first = talk.connect()
    talk.connect()
    assert talk.server.buildProtocol(IPv4Address("TCP", "192.0.2.9", 1)) is None
    assert [(address, why.code.name) for address, why in talk.turned_away] == [("192.0.2.9", "EXN-API-CROWDED")]
    first.cut()
    talk.connect()


def test_draining_closes_the_idle_and_lets_the_others_finish() -> None:
    talk = Talk()
    idle, idle_pipe = talk.connect()
    busy, busy_pipe = talk.connect()
    half, half_pipe = talk.connect()
    busy_pipe.client.write(post("/wait", b"a") + post("/wait", b"b"))
    half_pipe.client.write(post("/echo", b"abc")[:-1])
    for pipe in (busy_pipe, half_pipe):
        pipe.pump()
    done: list[None] = []
    talk.server.drain(30).addCallback(done.append)
    idle_pipe.pump()
    assert idle.lost and not done
    assert talk.server.buildProtocol(None) is None
    half_pipe.client.write(b"c")
    half_pipe.pump()
    assert half.answers[0].body == b"abc" and half.answers[0].headers["connection"] == "close" and half.lost
    talk.waits[0].callback(Response(200, b"a"))
    talk.waits[1].callback(Response(200, b"b"))
    busy_pipe.pump()
    assert [heard.body for heard in busy.answers] == [b"a", b"b"] and busy.lost
    assert busy.answers[1].headers["connection"] == "close"
    assert done == [None]
    assert not talk.clock.getDelayedCalls()


def test_draining_cancels_what_still_runs_when_its_time_is_over() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.write(post("/wait", b"a"))
    pipe.pump()
    done: list[None] = []
    talk.server.drain(30).addCallback(done.append)
    talk.clock.advance(29)
    pipe.pump()
    assert not done and talk.cancelled == []
    talk.clock.advance(1)
    pipe.pump()
    assert done == [None] and talk.cancelled == ["a"]


def test_draining_an_idle_server_is_done_at_once() -> None:
    done: list[None] = []
    Talk().server.drain(30).addCallback(done.append)
    assert done == [None]
