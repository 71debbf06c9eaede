"""Servers that are broken or mean: without end, slow, cut off, packed, redirecting; and bad certificates."""

from __future__ import annotations

import gzip
import socket
import struct
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import Misconfigured, Order, Unavailable
from adapters.http_poll import HttpPoll
from tests.adapters.http_service import Asked, Authority, Told, Web, settings, web, wire

SECRET = "hunter2-secret"
PERSON = "张三110101199003078888"
WHAT = {"path": "/persons", "rows": "data"}
GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"data":[{"id": 1}]}'


def read(given: dict[str, Any], **what: Any) -> list[Any]:
    """Read once; what is raised tells neither the secret nor what the server said."""
    adapter = HttpPoll(given)
    try:
        return list(adapter.read(Order({**WHAT, **what})))
    except (Misconfigured, Unavailable) as why:
        assert not any(one in why.zh + why.en + repr(why.__context__ if not why.__suppress_context__ else "")
                       for one in (SECRET, PERSON, "Person"))
        assert why.zh and why.en and why.zh != why.en
        raise
    finally:
        adapter.close()


def keyed(port: int, **more: Any) -> dict[str, Any]:
    """Return settings with a secret, and little patience."""
    return settings(port, **{"auth": {"kind": "bearer"}, "secret": SECRET, "secret_headers": f"X-Other: {SECRET}",
                             "connect": 2, "silence": 0.4, "total": 0.8, "most_octets": 100_000, **more})


def endless(start: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Return a speaker that never ends."""
    def speak(one: socket.socket) -> None:
        one.sendall(start)
        while True:
            one.sendall(piece)

    return speak


def said(octets: bytes) -> Callable[[socket.socket], None]:
    """Return a speaker of these octets."""
    return lambda one: one.sendall(octets)


def reset(octets: bytes) -> Callable[[socket.socket], None]:
    """Return a speaker that resets the connection behind these octets."""
    def speak(one: socket.socket) -> None:
        one.sendall(octets)
        time.sleep(0.05)  # so that they are there before the reset, which would take them away
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return speak


def drip(start: bytes) -> Callable[[socket.socket], None]:
    """Return a speaker that gives an octet now and then: never silent for long, never done."""
    def speak(one: socket.socket) -> None:
        one.sendall(start)
        while True:
            one.sendall(b" ")
            time.sleep(0.1)

    return speak


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(("speak", "kind"), [
    (endless(HEAD + b"\r\n", b"x" * 65536), Misconfigured),
    (endless(CHUNKED, b"8000\r\n" + b"x" * 0x8000 + b"\r\n"), Misconfigured),
    (endless(HEAD + b"Content-Length: 99999999999999999999\r\n\r\n", b"x" * 65536), Misconfigured),
    (endless(b"HTTP/1.1 200 OK\r\n", b"X-Person: " + b"x" * 60000 + b"\r\n"), Misconfigured),
    (endless(b"HTTP/1.1 200 OK\r\n", b"X-Person: x\r\n" * 10), Unavailable),
    (endless(b"HTTP/1.1 200 OK\r\nX-Person: ", b"x" * 65536), Unavailable),
    (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), Misconfigured),
    (endless(CHUNKED + b"0\r\n", b"X-Trailer: x\r\n" * 1000), Misconfigured),
    (endless(CHUNKED, b"0" * 65536), Unavailable),
    (drip(b""), Unavailable), (drip(b"HTTP/1.1 200 OK\r\nX: "), Unavailable), (drip(HEAD + b"\r\n"), Unavailable),
    (lambda one: time.sleep(5), Unavailable),
    (said(b""), Unavailable), (said(b"SSH-2.0-OpenSSH_9\r\n"), Unavailable), (said(PERSON.encode() * 99), Unavailable),
    (said(HEAD + b"Content-Length: 50\r\n\r\n" + b'{"data":[{"id": 1}]}'), Unavailable),
    (said(HEAD + b"Content-Length: 10\r\n\r\n" + b'{"data":[{"id": 1}]}'), Unavailable),
    (said(HEAD + b"Content-Length: -7\r\n\r\n" + b'{"data":[{"id": 1'), Unavailable),
    (said(CHUNKED + b"-5\r\n" + PERSON.encode()), Unavailable),
    (said(CHUNKED + b"zz\r\n" + PERSON.encode()), Unavailable),
    (said(CHUNKED + b"14\r\n" + b'{"data":[{"id": 1}]}'), Unavailable),
    (reset(HEAD + b'Content-Length: 999\r\n\r\n{"data":[{"id": 1}'), Unavailable),
    (reset(b"HTTP/1.1 200"), Unavailable),
    (said(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nPerso"), Unavailable),
    (said(HEAD + b"Content-Encoding: br\r\nContent-Length: 5\r\n\r\nPerso"), Misconfigured),
    (said(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\nPerso"), Unavailable),
])
def test_a_mean_server_is_left_in_time(speak: Callable[[socket.socket], None], kind: type[Exception]) -> None:
    with wire(speak) as port:
        at = time.monotonic()
        with pytest.raises(kind):
            read(keyed(port))
        assert time.monotonic() - at < 4


@pytest.mark.parametrize("level", [1, 9])
def test_a_bomb_of_gzip_is_not_unpacked(level: int) -> None:
    bomb = gzip.compress(bytes(300_000_000 if level == 9 else 50_000_000), level)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with wire(said(head + bomb)) as port:
        at = time.monotonic()
        with pytest.raises(Misconfigured):
            read(keyed(port, most_octets=200_000_000, silence=5, total=10))
        assert time.monotonic() - at < 3


def test_what_is_packed_well_enough_is_unpacked() -> None:
    packed = gzip.compress(b'{"data":[{"id":') + gzip.compress(b" 1}]}")  # of two members
    with web(lambda asked: Told(packed, headers={"Content-Encoding": "gzip"})) as served:
        assert read(keyed(served.port))[0] == {"id": 1}


@pytest.mark.parametrize("body", [
    "<html><body>系统维护中 " + PERSON, "", "{", '{"data":[', "[" * 100_000, "\0", "null x", PERSON, '{"data":[]}}',
])
def test_a_good_status_with_something_else_is_no_empty_answer(body: str) -> None:
    with web(lambda asked: Told(body, headers={"Content-Type": "text/html"})) as served:
        with pytest.raises(Unavailable):
            read(keyed(served.port))


@pytest.mark.parametrize("body", ["null", "[]", "7", '"data"', '{"data":{}}', '{"data":7}', '{"daten":[]}',
                                  '{"data":[],"data":[]}'])
def test_an_answer_of_another_shape_is_no_empty_answer(body: str) -> None:
    with web(lambda asked: Told(body)) as served:
        with pytest.raises(Misconfigured):
            read(keyed(served.port))


def test_an_answer_is_counted_in_octets_and_rows() -> None:
    with web(lambda asked: Told({"data": [{"id": 1}] * 100_001})) as served:
        with pytest.raises(Misconfigured, match="100000"):
            read(keyed(served.port, most_octets=8 << 20, silence=5, total=10))


# --- redirects -------------------------------------------------------------------------------------------------------

def test_redirects_are_followed_within_the_origin_alone() -> None:
    def moved(asked: Asked) -> Told:
        if asked.path == "/persons":
            return Told("", 302, {"Location": "/v2/persons?x=张".encode().decode("latin-1")})
        return Told({"data": [{"id": int(asked.headers["Authorization"] == f"Bearer {SECRET}")}]})

    with web(moved) as served:
        assert read(keyed(served.port))[0] == {"id": 1} and len(served.asked) == 2
        with pytest.raises(Misconfigured, match="redirects with 302"):
            read(keyed(served.port), body="{}")


@pytest.mark.parametrize("place", [
    "http://127.0.0.1:{other}/persons", "//127.0.0.1:{other}/persons", "http://localhost:{port}/persons",
    "https://127.0.0.1:{port}/persons", "http://x@127.0.0.1:{port}/", "ftp://127.0.0.1/", "http://[", "http://:99999/",
    "\\\\127.0.0.1:{other}\\x", "http:/\\127.0.0.1:{other}/",
])
def test_credentials_do_not_follow_to_another_host(place: str) -> None:
    with web(lambda asked: Told({"data": []})) as other:
        with web(lambda asked: Told("", 307, {"Location": place.format(other=other.port, port=served.port)})) as served:
            with pytest.raises(Misconfigured):
                read(keyed(served.port))
            assert 1 <= len(served.asked) <= 6
        assert other.asked == []


def test_redirects_that_never_end_are_counted() -> None:
    with web(lambda asked: Told("", 301, {"Location": f"/{len(served.asked)}"})) as served:
        with pytest.raises(Misconfigured, match="more than 5"):
            read(keyed(served.port))
        assert len(served.asked) == 6


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with web(lambda asked: Told({"data": []})) as proxy, web(lambda asked: Told({"data": [{"id": 1}]})) as served:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{proxy.port}")
        assert read(keyed(served.port))[0] == {"id": 1} and not proxy.asked


@pytest.mark.parametrize("given", [
    {"url": "http://127.0.0.1/"}, {"url": "http://example.org/", "plain": True},
    {"url": "http://8.8.8.8/", "plain": True},
    {"url": "http://0.0.0.0:1/", "plain": True}, {"url": "ftp://127.0.0.1/"}, {"url": "https://127.0.0.1/?x=1"},
    {"url": "https://u:hunter2-secret@127.0.0.1/"}, {"url": "https://"}, {"url": "https://a b/"},
    {"url": "https://a:x/"},
    {"url": "http://[::ffff:8.8.8.8]/", "plain": True},
])
def test_where_personal_data_may_not_go_is_refused(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_: [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34" if host == "example.org" else host, port))])
    with pytest.raises(Misconfigured):
        read(given)


# --- TLS -------------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Give an authority."""
    return Authority(tmp_path_factory.mktemp("ca"))


def secured(served: Web, authority: Authority, **more: Any) -> dict[str, Any]:
    """Return settings for a server with TLS."""
    return keyed(served.port, url=f"https://127.0.0.1:{served.port}", plain=False, ca=str(authority.file), **more)


def answers(asked: Asked) -> Told:
    """Answer with one row."""
    return Told({"data": [{"id": 1}]})


def test_a_good_certificate_is_accepted_and_its_end_told(authority: Authority) -> None:
    for days, level in ((100, "good"), (10, "warning")):
        with web(answers, authority.context(days=days)) as served:
            assert read(secured(served, authority))[0] == {"id": 1}
            adapter = HttpPoll(secured(served, authority, probe="/persons"))
            found = list(adapter.check())
            adapter.close()
            assert [one.level for one in found] == ["good", level, "good", "good"] and f"{days - 1}天" in found[1].zh


def test_a_clock_that_differs_is_told(authority: Authority) -> None:
    behind = format_datetime(datetime.now(timezone.utc) - timedelta(hours=8), usegmt=True)
    head = f"HTTP/1.1 200 OK\r\nDate: {behind}\r\nContent-Length: 2\r\n\r\n[]"
    with wire(said(head.encode())) as port:
        adapter = HttpPoll(keyed(port, probe="/"))
        found = list(adapter.check())
        adapter.close()
    assert found[-1].level == "warning" and "2880" in found[-1].zh


@pytest.mark.parametrize(("days", "host", "code"), [(-1, "127.0.0.1", "10"), (9, "10.0.0.1", "64"), (9, "a.cn", "64")])
def test_a_certificate_that_is_not_good_is_refused(authority: Authority, days: int, host: str, code: str) -> None:
    with web(answers, authority.context(days=days, host=host)) as served:
        with pytest.raises(Misconfigured, match=code):
            read(secured(served, authority))
        assert served.asked == []


def test_another_authority_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "Other")
    with web(answers, authority.context()) as served:
        with pytest.raises(Misconfigured, match="certificate"):
            read(secured(served, other))
        with pytest.raises(Misconfigured, match="certificate"):
            read({name: one for name, one in secured(served, authority).items() if name != "ca"})
        assert served.asked == []


def test_a_client_certificate_is_shown(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.issue("client")
    with web(answers, authority.context(clients=True)) as served:
        given = secured(served, authority)
        assert read({**given, "client_cert": str(certificate), "client_key": key.read_text()})[0] == {"id": 1}
        told = set()
        for _ in range(20):  # the alert of TLS that says why can be lost when the server closes at once
            with pytest.raises((Misconfigured, Unavailable)) as met:
                read(given)
            told.add(met.type)
        assert Misconfigured in told
        other, _ = Authority(tmp_path, "Other").issue("client")
        for wrong in ({"client_cert": str(other), "client_key": key.read_text()}, {"client_cert": str(certificate)},
                      {"client_cert": str(certificate), "client_key": SECRET}, {"client_cert": "/no"}):
            with pytest.raises(Misconfigured):
                read({**given, **wrong})


def test_a_server_without_tls_or_with_an_old_one_is_refused(authority: Authority) -> None:
    with web(answers) as served:
        with pytest.raises(Misconfigured, match="WRONG_VERSION|TLS"):
            read(secured(served, authority))
    with web(answers, authority.context()) as served:
        with pytest.raises(Unavailable):
            read(keyed(served.port))  # plain HTTP to a server that speaks TLS
