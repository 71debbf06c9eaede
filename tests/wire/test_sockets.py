"""A handful over real sockets: both families, TLS, a large body, a cut."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from node.model.certificate import Role
from node.model.trouble import Retry
from node.wire.address import client_of, server_at
from node.wire.client import PeerClient
from node.wire.message import Request, Response
from node.wire.problem import Faults
from node.wire.routes import Routes
from node.wire.server import Server
from node.wire.tls import TlsEndpoint, over_tls
from tests.crypto.papers import channels, the_leaf
from tests.wire.test_tls import judge

HOSTS = ["127.0.0.1", "[::1]"]
TWISTED: Any = reactor


class House:
    """A server on a free port, and clients of it; everything is closed at the end."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.seen: list[Request] = []
        self.waits: list[Deferred[Response]] = []
        self.ports: list[Any] = []
        self.clients: list[PeerClient] = []
        routes = Routes()
        routes.add("POST", "/echo", self._echo, limit=16 << 20)
        routes.add("POST", "/wait", self._wait)
        self.routes = routes

    def _echo(self, request: Request) -> Response:
        self.seen.append(request)
        return Response(200, request.body)

    async def _wait(self, request: Request) -> Response:
        self.waits.append(Deferred())
        return await self.waits[-1]

    async def open(self, host: str, tls: bool) -> PeerClient:
        faults = Faults(lambda _, place: self.faults.append(place), os.urandom)
        if tls:
            held, ours = channels(the_leaf(Role.TLS, "centre")), channels(the_leaf(Role.TLS, "dept-a"))
            self.server = Server(self.routes, TWISTED, faults, check=judge(held))
            factory = over_tls(self.server, held.server)
        else:
            self.server = Server(self.routes, TWISTED, faults)
            factory = self.server
        port = await server_at(TWISTED, f"{host}:0").listen(factory)
        self.ports.append(port)
        address = f"{host}:{port.getHost().port}"
        endpoint = client_of(TWISTED, address)
        if tls:
            endpoint = TlsEndpoint(endpoint, ours.client, TWISTED)
        client = PeerClient("centre", endpoint, address, TWISTED, check=judge(ours) if tls else None)
        self.clients.append(client)
        return client

    async def close(self) -> None:
        for client in self.clients:
            client.close()
        for port in self.ports:
            await port.stopListening()
        await self.server.drain(5)
        assert self.faults == []


@pytest_twisted.async_yield_fixture
async def house() -> AsyncIterator[House]:
    made = House()
    yield made
    await made.close()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("host", HOSTS)
@pytest_twisted.ensureDeferred
async def test_a_large_body_passes_both_ways(house: House, host: str, tls: bool) -> None:
    client = await house.open(host, tls)
    parts = [os.urandom(1000), os.urandom(5 << 20)]
    for _ in range(2):
        answer = await client.request("POST", "/echo", (), parts, timeout=30, limit=16 << 20)
        assert answer.status == 200 and answer.body == b"".join(parts)
    assert house.seen[0].peer.address == host.strip("[]")
    assert (house.seen[0].peer.tls_fingerprint is not None) is tls


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest_twisted.ensureDeferred
async def test_a_server_that_drops_the_connection_is_a_peer_that_is_down(house: House, tls: bool) -> None:
    client = await house.open("127.0.0.1", tls)
    asked = Deferred.fromCoroutine(client.request("POST", "/wait", timeout=30))
    while not house.waits:
        await _turn()
    for link in list(house.server.links):
        link.abort()
    with pytest.raises(Retry):
        await asked


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest_twisted.ensureDeferred
async def test_a_cancelled_request_cancels_the_action_at_the_other_end(house: House, tls: bool) -> None:
    client = await house.open("127.0.0.1", tls)
    asked = Deferred.fromCoroutine(client.request("POST", "/wait", timeout=30))
    asked.addErrback(lambda failure: None)
    while not house.waits:
        await _turn()
    asked.cancel()
    while not house.waits[0].called:
        await _turn()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest_twisted.ensureDeferred
async def test_a_drained_server_has_answered_what_it_had_begun(house: House, tls: bool) -> None:
    client = await house.open("127.0.0.1", tls)
    asked = Deferred.fromCoroutine(client.request("POST", "/wait", timeout=30))
    while not house.waits:
        await _turn()
    drained = house.server.drain(30)
    house.waits[0].callback(Response(200, b"last"))
    assert (await asked).body == b"last"
    await drained


@pytest_twisted.ensureDeferred
async def test_nobody_listening_is_a_peer_that_is_down(house: House) -> None:
    client = await house.open("127.0.0.1", tls=False)
    await house.ports.pop().stopListening()
    with pytest.raises(Retry):
        await client.request("POST", "/echo", timeout=30)


def _turn() -> Deferred[None]:
    turn: Deferred[None] = Deferred()
    TWISTED.callLater(0, turn.callback, None)
    return turn
