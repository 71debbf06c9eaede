"""Nodes joined in memory: servers, callers and peer clients whose channels are as if TLS had been checked."""

from __future__ import annotations

import os
from collections.abc import Callable

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock

from node.wire.client import Answer, PeerClient
from node.wire.connection import Connection, Limits
from node.wire.link import PeerLink
from node.wire.problem import Faults
from node.wire.routes import Routes
from node.wire.server import Server
from tests.stage.desk import Staged, channel_of
from tests.wire.pipe import MemoryEndpoint, Pipe
from tests.wire.talk import Caller, Heard


class Port(Factory):
    """A listening port: connections made through it come from the node `caller`, None for one without TLS."""

    def __init__(self, server: Server, caller: str | None) -> None:
        self.server = server
        self.fingerprint = None if caller is None else channel_of(caller)

    def buildProtocol(self, addr: IAddress | None) -> Connection | None:
        connection = self.server.buildProtocol(addr)
        if connection is not None:
            connection.peer.tls_fingerprint = self.fingerprint
        return connection


class House:
    """A node's server over some routes, and ways to talk to it; `faults` are the places of its bugs."""

    def __init__(self, staged: Staged, fill: Callable[[Routes], None], limits: Limits = Limits()) -> None:
        self.clock: Clock = staged.clock
        self.faults: list[str] = []
        self.routes = Routes()
        fill(self.routes)
        faults = Faults(lambda number, where: self.faults.append(where), os.urandom)
        self.server = Server(self.routes, staged.clock, faults, limits)

    def endpoint(self, caller: str | None = None) -> MemoryEndpoint:
        """Return an endpoint that connects the node `caller` to this server."""
        return MemoryEndpoint(Port(self.server, caller))

    def connect(self, caller: str | None = None) -> tuple[Caller, Pipe]:
        """Return a client that keeps what it hears, and its pipe."""
        client = Caller()
        connection = Port(self.server, caller).buildProtocol(IPv4Address("TCP", "192.0.2.2", 40000))
        assert connection is not None
        return client, Pipe(connection, client)

    def turn(self, *pipes: Pipe, turns: int = 50) -> None:
        """Let everything happen that needs no time."""
        for _ in range(turns):
            self.clock.advance(0)
            if not sum(pipe.pump() for pipe in pipes) and not _due(self.clock):
                break

    def say(self, *requests: bytes, caller: str | None = None) -> list[Heard]:
        """Return the answers to requests said one after the other on one connection, without time passing."""
        client, pipe = self.connect(caller)
        pipe.client.write(b"".join(requests))
        self.turn(pipe)
        answers = client.answers
        pipe.client.loseConnection()
        pipe.pump()
        return answers

    def answer(self, request: bytes, caller: str | None = None) -> Heard:
        """Return the one answer to a request."""
        answers = self.say(request, caller=caller)
        assert len(answers) == 1, answers
        return answers[0]


class Line:
    """A node's link to another house, carried in memory."""

    def __init__(self, house: House, caller: str, callee: str, changed: Callable[[], None] = lambda: None) -> None:
        self.endpoint = house.endpoint(caller)
        self.client = PeerClient(callee, self.endpoint, callee, house.clock)
        self.link = PeerLink(self.client, changed)
        self._clock = house.clock

    def carry(self, turns: int = 50) -> None:
        """Carry what waits on every connection and let everything happen that needs no time."""
        for _ in range(turns):
            self._clock.advance(0)
            if not sum(pipe.pump() for pipe in self.endpoint.pipes) and not _due(self._clock):
                break

    def finish(self, work: Deferred[Answer]) -> Answer:
        """Return what a request comes to without time passing."""
        found: list[Answer] = []
        work.addCallback(found.append)
        self.carry()
        assert found, "it waits for something that did not come"
        return found[0]


def _due(clock: Clock) -> bool:
    return any(call.getTime() <= clock.seconds() for call in clock.getDelayedCalls())
