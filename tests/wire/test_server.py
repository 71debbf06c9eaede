"""The server, spoken to in bytes: framing, order, limits, refusals, faults."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred

from node.wire.connection import Limits
from node.wire.message import Request, Response
from tests.wire.talk import Talk, get, post

CHUNKED = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_request_is_answered_and_the_connection_kept() -> None:
    caller = Talk().say(post("/echo", b"one"), post("/echo", b"two"))
    assert [(heard.status, heard.body) for heard in caller.answers] == [(200, b"one"), (200, b"two")]
    assert not caller.lost


def test_a_request_may_come_octet_by_octet() -> None:
    message = post("/echo", b"hello", "X-Long: " + "a" * 50)
    assert Talk().answer(*(message[i : i + 1] for i in range(len(message)))).body == b"hello"


def test_a_chunked_body_is_joined_and_its_trailers_dropped() -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n"
    heard = Talk().answer(head, b"3\r\nabc\r\n", b"4;x=y\r\ndefg\r\n0\r\nExpires: never\r\n\r\n")
    assert heard.body == b"abcdefg"


def test_pipelined_requests_are_answered_in_order() -> None:
    caller = Talk().say(b"".join(post("/echo", b"%d" % n) for n in range(300)))
    assert [int(heard.body) for heard in caller.answers] == list(range(300))


def test_answers_keep_the_order_of_the_requests_however_the_actions_end() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.write(post("/wait", b"first") + post("/echo", b"second") + post("/wait", b"third"))
    pipe.pump()
    assert talk.begun == ["first", "third"]
    assert caller.answers == []
    talk.waits[1].callback(Response(200, b"third"))
    pipe.pump()
    assert caller.answers == []
    talk.waits[0].callback(Response(200, b"first"))
    pipe.pump()
    assert [heard.body for heard in caller.answers] == [b"first", b"second", b"third"]


def test_no_more_actions_run_than_the_connection_may() -> None:
    talk = Talk(Limits(concurrent=3))
    caller, pipe = talk.connect()
    pipe.client.write(b"".join(post("/wait", b"%d" % n) for n in range(8)))
    pipe.pump()
    assert len(talk.begun) == 3
    assert pipe.server.paused, "reading must stop while requests wait"
    for n in range(8):
        talk.waits[n].callback(Response(200, b"%d" % n))
        assert len(talk.begun) == min(8, n + 4)
    pipe.pump()
    assert [int(heard.body) for heard in caller.answers] == list(range(8))
    assert not pipe.server.paused


def test_connection_close_is_honoured_and_said() -> None:
    caller = Talk().say(post("/echo", b"a", "Connection: close"))
    assert caller.answers[0].headers["connection"] == "close"
    assert caller.lost


def test_what_follows_the_last_request_is_ignored() -> None:
    caller = Talk().say(post("/echo", b"a", "Connection: close") + post("/echo", b"b"))
    assert [heard.body for heard in caller.answers] == [b"a"]


def test_http_1_0_closes_unless_it_asks_to_keep() -> None:
    talk = Talk()
    assert talk.say(b"GET /echo HTTP/1.0\r\n\r\n").lost
    assert not talk.say(b"GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").lost


def test_head_is_answered_with_the_length_and_no_body() -> None:
    caller = Talk().say(b"HEAD /echo?a=b HTTP/1.1\r\nHost: node\r\n\r\n" + b"")
    assert caller.raw.endswith(b"Content-Length: 9\r\n\r\n")


def test_an_expecting_client_is_told_to_go_on() -> None:
    caller = Talk().say(b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", b"ab")
    assert caller.continues == 1
    assert caller.answers[0].body == b"ab"


def test_an_expecting_client_is_refused_before_it_sends() -> None:
    caller = Talk().say(b"POST /small HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 20\r\n\r\n")
    assert caller.continues == 0
    assert caller.answers[0].status == 413


def test_an_expecting_client_waits_for_the_answers_before_its_own() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    expecting = b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    pipe.client.write(post("/wait", b"first") + expecting)
    pipe.pump()
    assert caller.continues == 0
    talk.waits[0].callback(Response(204))
    pipe.pump()
    assert caller.continues == 1 and caller.answers[0].status == 204


def test_a_body_over_the_routes_limit_is_refused_at_the_head() -> None:
    caller = Talk().say(b"POST /echo HTTP/1.1\r\nHost: node\r\nContent-Length: 9000000000\r\n\r\n")
    assert caller.answers[0].status == 413
    assert caller.answers[0].code == "EXN-TOO-LARGE"
    assert caller.answers[0].headers["connection"] == "close"


def test_a_small_refused_body_is_dropped_and_the_connection_lives() -> None:
    caller = Talk().say(post("/small", b"x" * 11), post("/small", b"x" * 10))
    assert [heard.status for heard in caller.answers] == [413, 200]
    assert not caller.lost


def test_a_chunked_body_over_the_limit_is_refused_as_it_comes() -> None:
    head = b"POST /small HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    caller = Talk().say(head, chunk, chunk)
    assert caller.answers == []
    caller = Talk().say(head, chunk, chunk, chunk, chunk)
    assert caller.answers[0].status == 413
    assert Talk().answer(head, chunk + b"0\r\n\r\n").status == 413


def test_a_client_turned_away_in_mid_body_is_listened_to_for_a_while() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.write(b"POST /echo HTTP/1.1\r\nHost: node\r\nContent-Length: 9000000\r\n\r\n")
    pipe.pump()
    for _ in range(20):
        pipe.client.write(b"x" * 65536)
        pipe.pump()
    assert caller.answers[0].status == 413 and not caller.lost
    talk.clock.advance(talk.limits.linger)
    pipe.pump()
    assert caller.lost


def test_a_route_may_refuse_before_the_body() -> None:
    caller = Talk().say(b"POST /early HTTP/1.1\r\nHost: node\r\nContent-Length: 900000\r\n\r\n")
    assert caller.answers[0].status == 507
    assert caller.answers[0].headers["retry-after"] == "5"


def test_an_unknown_path_is_404_and_a_wrong_method_405_with_allow() -> None:
    talk = Talk()
    assert talk.answer(get("/nowhere")).code == "EXN-API-NOT-FOUND"
    heard = talk.answer(b"DELETE /echo HTTP/1.1\r\nHost: node\r\n\r\n")
    assert heard.code == "EXN-API-METHOD"
    assert heard.headers["allow"] == "GET, HEAD, POST"


def test_braces_match_one_segment_and_are_decoded() -> None:
    talk = Talk()
    assert talk.answer(post("/resources/%E4%BA%BA%E5%8F%A3/records")).json == {"resource": "人口"}
    assert talk.answer(post("/resources//records")).status == 404
    assert talk.answer(post("/resources/%FF/records")).status == 404
    assert talk.answer(post("/resources/a/b/records")).status == 404


def test_the_query_is_read_when_asked_for() -> None:
    talk = Talk()
    assert talk.answer(get("/echo?a=1&b=%E4%BA%BA&c")).json == {"a": "1", "b": "人", "c": ""}
    for bad in ("a=1&a=2", "a=%FF", "&".join(f"a{n}=" for n in range(40))):
        assert talk.answer(get("/echo?" + bad)).code == "EXN-API-REQUEST"


def test_an_absolute_target_is_understood() -> None:
    assert Talk().answer(get("http://node:8443/echo?a=1")).json == {"a": "1"}


@pytest.mark.parametrize("message", [
    b"nonsense\r\n\r\n",
    b"GET /echo HTTP/1.1\r\n\r\n",
    b"GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /echo HTTP/2.0\r\nHost: a\r\n\r\n",
    b"GET /echo\r\n\r\n",
    b"GET echo HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nabc",
    b"GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 3\r\n\r\nGET",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\nabc",
    b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n0123456789",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\na",
    b"GET /echo HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
    b"GET /echo HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET /echo HTTP/1.1\nHost: a\n\n",
    b"GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n",
])
def test_whatever_leaves_the_framing_in_doubt_is_400_once_and_the_end(message: bytes) -> None:
    talk = Talk()
    caller = talk.say(message + get("/echo"))
    assert [heard.status for heard in caller.answers] == [400]
    assert caller.answers[0].headers["connection"] == "close"
    assert talk.faults == []


def test_a_bad_request_does_not_take_the_good_ones_before_it_along() -> None:
    caller = Talk().say(post("/echo", b"good") + b"bad\r\n\r\n")
    assert [heard.status for heard in caller.answers] == [200, 400]


@pytest.mark.parametrize("pieces", [
    (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",),
    (get("/echo", *(f"X-{n}: a" for n in range(70))),),
    (get("/echo", "X: " + "a" * 17000),),
    (b"GET /echo HTTP/1.1\r\nX: ", *[b"a" * 4000] * 5),
    (b"GET /echo HTTP/1.1\r\nX", *[b"a" * 4000] * 5),
    (b"GET /echo HTTP/1.1\r\nHost: a\r\n", *[b"X: y\r\n"] * 80),
    (*[b"\r\n" * 2000] * 6,),
    (CHUNKED, b"1\r\na\r\n0\r\nX: ", *[b"a" * 4000] * 6),
    (CHUNKED, b"1;x=", *[b"a" * 4000] * 6),
])
def test_an_endless_head_is_refused(pieces: tuple[bytes, ...]) -> None:
    caller = Talk().say(*pieces)
    assert [heard.status for heard in caller.answers] == [431]


def test_raw_headers_may_hold_any_octet() -> None:
    assert Talk().answer(get("/echo", "Content-Type: \xff\xfe", "X: \x80")).status == 200


def test_a_trouble_is_told_as_a_problem_in_both_languages() -> None:
    talk = Talk()
    heard = talk.answer(get("/trouble"))
    assert (heard.status, heard.code) == (429, "EXN-QUOTA")
    assert heard.headers["content-type"] == "application/problem+json"
    assert heard.json["detail"] == heard.json["zh"]["detail"] == "对端p1超出配额"
    heard = talk.answer(get("/trouble", "Accept-Language: en-GB, zh;q=0.5"))
    assert heard.json["detail"] == heard.json["en"]["detail"] == "Peer p1 is over its quota"
    assert heard.headers["content-language"] == "en"
    assert talk.faults == []


@pytest.mark.parametrize("path", ["/bug", "/later-bug", "/unfilled", "/nothing", "/bad-header", "/bad-status"])
def test_a_bug_becomes_a_numbered_fault_whose_place_is_logged_without_content(path: str) -> None:
    talk = Talk()
    caller = talk.say(get(path), post("/echo", b"on"))
    assert [heard.status for heard in caller.answers] == [500, 200]
    assert "07" * 6 in caller.answers[0].json["en"]["detail"]
    assert talk.faults
    assert not any("person" in where for where in talk.faults)
    assert any(".py:" in where for where in talk.faults)


def test_a_bug_before_the_body_is_a_fault_too() -> None:
    talk = Talk()
    assert talk.answer(post("/early-bug", b"x")).status == 500
    assert talk.faults


def test_a_bug_in_the_metrics_does_not_reach_the_client() -> None:
    talk = Talk()

    def observe(template: str, method: str, status: int, seconds: float) -> None:
        raise LookupError("x")

    talk.routes.observe = observe
    assert talk.answer(get("/echo")).status == 200
    assert len(talk.faults) == 1


def test_the_template_is_observed_and_never_the_path() -> None:
    talk = Talk()
    talk.say(post("/resources/a/records"), get("/made-up"), b"DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n", b"bad\r\n\r\n")
    assert [seen[:3] for seen in talk.observed] == [
        ("/resources/{resource}/records", "POST", 200), ("-", "GET", 404), ("/echo", "DELETE", 405), ("-", "", 400),
    ]


def test_seconds_are_measured_from_the_start_of_the_action() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.write(post("/wait", b"a"))
    pipe.pump()
    talk.clock.advance(3)
    talk.waits[0].callback(Response(200))
    assert talk.observed == [("/wait", "POST", 200, 3.0)]


def test_a_client_that_goes_away_has_its_actions_cancelled() -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.write(post("/wait", b"a") + post("/wait", b"b"))
    pipe.pump()
    pipe.cut()
    assert talk.cancelled == ["a", "b"]
    assert talk.faults == [] and talk.server.held == 0 and not talk.server.links
    assert not talk.clock.getDelayedCalls()


def test_a_response_may_come_from_a_deferred() -> None:
    talk = Talk()
    waiting: Deferred[Response] = Deferred()
    talk.routes.add("GET", "/deferred", lambda request: waiting)
    caller, pipe = talk.connect()
    pipe.client.write(get("/deferred"))
    pipe.pump()
    waiting.callback(Response(200, b"at last"))
    pipe.pump()
    assert caller.answers[0].body == b"at last"


def test_a_bug_whose_client_is_gone_is_logged_all_the_same() -> None:
    talk = Talk()

    async def clumsy(request: Request) -> Response:
        try:
            return await Deferred()
        finally:
            raise LookupError("while cleaning up")

    talk.routes.add("GET", "/clumsy", clumsy)
    caller, pipe = talk.connect()
    pipe.client.write(get("/clumsy"))
    pipe.pump()
    pipe.cut()
    assert len(talk.faults) == 1


def test_what_ends_after_the_client_went_is_dropped() -> None:
    talk = Talk()

    async def stubborn(request: Request) -> Response:
        try:
            await Deferred()
        except CancelledError:
            pass
        return Response(200)

    talk.routes.add("GET", "/stubborn", stubborn)
    caller, pipe = talk.connect()
    pipe.client.write(get("/stubborn"))
    pipe.pump()
    pipe.cut()
    assert talk.faults == [] and talk.observed == []


def test_answers_carry_a_date_when_there_is_a_wall_clock() -> None:
    talk = Talk()
    talk.server._wall = lambda: 784_111_777_123
    assert talk.answer(get("/echo")).headers["date"] == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_a_bug_under_the_parser_is_a_numbered_fault() -> None:
    talk = Talk()

    def find(path: str) -> None:
        raise LookupError("x")

    talk.routes.find = find  # type: ignore[method-assign]  # a bug of ours
    assert talk.answer(get("/echo")).status == 500
    assert any("LookupError" in where for where in talk.faults)


@pytest.mark.parametrize("place", ["_advance", "_settle"])
def test_a_bug_of_the_connection_is_logged_and_closes_it(place: str) -> None:
    talk = Talk()
    caller, pipe = talk.connect()
    pipe.client.write(post("/wait", b"a"))
    pipe.pump()

    def broken() -> None:
        raise LookupError("x")

    setattr(pipe.server.protocol, place, broken)
    talk.waits[0].callback(Response(200))
    pipe.pump()
    assert caller.lost and any("LookupError" in where for where in talk.faults)
    caller, pipe = talk.connect()
    setattr(pipe.server.protocol, place, broken)
    pipe.client.write(get("/echo"))
    pipe.pump()
    assert caller.lost and len(talk.faults) == 2


def test_a_bug_at_the_deadline_is_logged_and_closes() -> None:
    talk = Talk()
    caller, pipe = talk.connect()

    def broken() -> None:
        raise LookupError("x")

    pipe.server.protocol._finish = broken
    talk.clock.advance(100)
    pipe.pump()
    assert caller.lost and len(talk.faults) == 1
