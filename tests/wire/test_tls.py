"""TLS around server and client: the channel is checked before a byte, and closed when trust goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock

from node.crypto.chain import CertificateTrust
from node.crypto.tls import Channels
from node.model import codes
from node.model.certificate import Role
from node.model.trouble import trouble
from node.wire.client import PeerClient
from node.wire.connection import Limits
from node.wire.message import Request, Response
from node.wire.problem import Faults
from node.wire.routes import Routes
from node.wire.server import Server
from node.wire.tls import TlsEndpoint, over_tls
from tests.crypto.papers import (
    CRYPTO,
    Paper,
    channels,
    lists,
    make_leaf,
    make_root,
    revoke,
    the_authority,
    the_leaf,
    the_root,
    trust,
)
from tests.wire.pipe import MemoryEndpoint
from tests.wire.talk import Caller
from tests.wire.test_client import Call


def judge(made: Channels, expected: set[str] | None = None) -> Callable[[Any], str]:
    """Return the check `service` gives to both directions."""
    return lambda connection: made.assert_channel(connection, expected).fingerprint


@dataclass
class Secure:
    """A server and a client with certificates, joined in memory."""

    server_paper: Paper
    client_paper: Paper
    server_channels: Channels
    client_channels: Channels
    expected: set[str] | None = None

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.seen: list[str | None] = []
        self.faults: list[str] = []
        self.turned_away: list[str] = []
        self.waits: list[Deferred[Response]] = []
        routes = Routes()
        routes.add("POST", "/who", self._who, limit=1 << 22)
        routes.add("POST", "/wait", self._wait)
        self.server = Server(
            routes, self.clock, Faults(lambda _, place: self.faults.append(place), bytes), Limits(),
            judge(self.server_channels), lambda address, why: self.turned_away.append(why.code.name),
        )
        self.memory = MemoryEndpoint(over_tls(self.server, self.server_channels.server))
        self.client = PeerClient(
            "centre", TlsEndpoint(self.memory, self.client_channels.client, self.clock), "centre", self.clock,
            check=judge(self.client_channels, self.expected),
        )

    def _who(self, request: Request) -> Response:
        self.seen.append(request.peer.tls_fingerprint)
        return Response(200, request.body)

    def _wait(self, request: Request) -> Deferred[Response]:
        self.waits.append(Deferred())
        return self.waits[-1]

    def pump(self) -> None:
        """Carry and let small writes gather, as TLS does, until nothing moves."""
        for _ in range(20):
            self.memory.pump()
            self.clock.advance(0)

    def ask(self, body: bytes = b"a", path: str = "/who") -> Call:
        call = Call(Deferred.fromCoroutine(self.client.request("POST", path, (), (body,), limit=1 << 22)))
        self.pump()
        return call


def pair(server: Paper | None = None, client: Paper | None = None, **settings: Any) -> Secure:
    server, client = server or the_leaf(Role.TLS, "centre"), client or the_leaf(Role.TLS, "dept-a")
    return Secure(server, client, channels(server), channels(client), **settings)


def test_the_action_sees_the_fingerprint_of_the_clients_certificate() -> None:
    secure = pair()
    answer = secure.ask(b"hello").answer
    assert answer is not None and answer.body == b"hello"
    assert secure.seen == [secure.client_paper.certificate.fingerprint]
    assert secure.ask(b"again").answer is not None
    assert len(secure.memory.pipes) == 1
    assert secure.faults == [] and secure.turned_away == []


def test_a_large_body_passes_both_ways() -> None:
    secure = pair()
    body = bytes(range(256)) * 8192
    answer = secure.ask(body).answer
    assert answer is not None and answer.body == body


def test_another_node_than_the_expected_hears_nothing_from_us() -> None:
    secure = pair(expected={"0" * 64})
    assert secure.ask().code == "EXN-TLS-PEER"
    assert secure.seen == []
    assert not secure.server.links


def test_a_client_of_another_authority_is_not_heard() -> None:
    other = make_root("别处CA")
    stranger, server = make_leaf(other, Role.TLS, "dept-x"), the_leaf(Role.TLS, "centre")
    both = CertificateTrust(
        CRYPTO, [the_root().der, other.der], [the_authority().der], [*lists(), other.revoking()],
    )
    secure = Secure(server, stranger, channels(server), channels(stranger, both))
    assert secure.ask().code == "EXN-PEER-DOWN"
    assert secure.seen == [] and not secure.server.links


def test_without_a_context_nobody_is_let_in_and_nobody_is_called() -> None:
    secure = pair()

    def none() -> Any:
        raise trouble(codes.CRL_MISSING)

    secure.memory.server._contexts._context = none  # type: ignore[attr-defined]  # the lists have just run out
    assert secure.ask().code == "EXN-PEER-DOWN"
    assert secure.turned_away == ["EXN-CRL-MISSING"] and not secure.server.links
    secure = pair()
    secure.client._endpoint._contexts._context = none  # type: ignore[attr-defined]  # as above
    assert secure.ask().code == "EXN-CRL-MISSING"
    assert secure.memory.pipes == []


def test_a_full_server_lets_nobody_in_over_tls_either() -> None:
    secure = pair()
    secure.server.limits = Limits(connections=0)
    assert secure.ask().code == "EXN-PEER-DOWN"
    assert secure.turned_away == ["EXN-API-CROWDED"]


def test_a_check_that_fails_on_the_server_turns_the_client_away_before_its_first_byte() -> None:
    secure = pair()
    client = secure.client_paper
    secure.server.check = judge(channels(secure.server_paper, trust(revoke(client))))
    assert secure.ask().code == "EXN-PEER-DOWN"
    assert secure.seen == [] and not secure.server.links
    assert secure.turned_away == ["EXN-CERT-REVOKED"]


def test_a_bug_in_the_check_closes_too_and_is_logged() -> None:
    secure = pair()

    def broken(connection: object) -> str:
        raise LookupError("x")

    secure.server.check = broken
    assert secure.ask().code == "EXN-PEER-DOWN"
    assert secure.seen == [] and len(secure.faults) == 1 and secure.turned_away == ["EXN-FAULT"]


def test_connections_of_a_revoked_certificate_are_closed_at_both_ends() -> None:
    secure = pair()
    call = secure.ask(path="/wait")
    fingerprint = secure.client_paper.certificate.fingerprint
    assert secure.server.close_where(lambda seen: seen == "other") == 0
    assert secure.server.close_where(lambda seen: seen == fingerprint) == 1
    secure.pump()
    assert call.code == "EXN-PEER-DOWN" and not secure.server.links
    secure.ask()
    assert secure.client.close_where(lambda seen: seen == secure.server_paper.certificate.fingerprint) == 1
    secure.pump()
    assert not secure.server.links


def test_a_connection_that_has_no_fingerprint_yet_is_nobodys() -> None:
    secure = pair()
    secure.memory.connect(Factory.forProtocol(Caller))
    assert secure.server.close_where(lambda seen: True) == 0


def test_a_server_with_a_check_hears_nobody_without_tls() -> None:
    secure = pair()
    plain = MemoryEndpoint(secure.server)
    caller = Caller()
    plain.connect(Factory.forProtocol(lambda: caller))  # type: ignore[arg-type]  # one connection
    plain.pipes[0].client.write(b"POST /who HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    plain.pump()
    assert caller.raw == b"" and caller.lost and secure.seen == []


def test_a_handshake_that_does_not_end_is_bounded_in_time() -> None:
    secure = pair()
    caller = Caller()
    secure.memory.connect(Factory.forProtocol(lambda: caller))  # type: ignore[arg-type]  # one connection
    secure.clock.advance(9)
    secure.pump()
    assert len(secure.server.links) == 1
    secure.clock.advance(1)
    secure.pump()
    assert not secure.server.links


def test_a_server_behind_tls_must_check() -> None:
    secure = pair()
    secure.server.check = None
    with pytest.raises(TypeError):
        over_tls(secure.server, secure.server_channels.server)


def test_draining_ends_the_connections_in_good_order() -> None:
    secure = pair()
    call = secure.ask(path="/wait")
    done: list[None] = []
    secure.server.drain(30).addCallback(done.append)
    secure.waits[0].callback(Response(200, b"last"))
    secure.pump()
    assert call.answer is not None and call.answer.body == b"last"
    secure.clock.advance(6)
    secure.pump()
    assert done == [None]
