"""Two ends of a connection joined in memory: bounded buffers, back-pressure, cuts; no reactor, no socket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

BUFFER = 64 * 1024


@implementer(ITransport, IConsumer, IPushProducer)
class End:
    """One end's transport; what it writes waits in `sent` until the pipe carries it."""

    def __init__(self, name: str) -> None:
        self.protocol: Any = None
        self.other: End
        self.sent = bytearray()
        self.most = 0
        self.disconnecting = self.aborted = self.lost = self.paused = False
        self.producer: IPushProducer | None = None
        self._peer = IPv4Address("TCP", "192.0.2.1" if name == "server" else "192.0.2.2", 40000)

    def write(self, data: bytes) -> None:
        assert isinstance(data, bytes)
        if self.lost or self.aborted:
            return
        self.sent += data
        self.most = max(self.most, len(self.sent))
        if self.producer is not None and len(self.sent) > BUFFER:
            self.producer.pauseProducing()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert streaming and self.producer is None
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def loseConnection(self) -> None:
        self.disconnecting = True

    def abortConnection(self) -> None:
        self.aborted = True

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def stopProducing(self) -> None:
        self.loseConnection()

    def getPeer(self) -> IAddress:
        return self._peer

    def getHost(self) -> IAddress:
        return self._peer

    def take(self, most: int) -> bytes:
        """Remove and return what is carried next, and tell the producer when all is gone."""
        piece = bytes(self.sent[:most])
        del self.sent[:most]
        if not self.sent and piece and self.producer is not None:
            self.producer.resumeProducing()
        return piece

    def gone(self, why: Exception) -> None:
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(Failure(why))


class Pipe:
    """Both ends; `pump` carries what waits, in pieces of `piece` octets, until nothing moves."""

    def __init__(self, server: IProtocol, client: IProtocol) -> None:
        self.server, self.client = End("server"), End("client")
        self.server.other, self.client.other = self.client, self.server
        self.server.protocol, self.client.protocol = server, client
        self.carried = 0
        server.makeConnection(self.server)
        client.makeConnection(self.client)

    def pump(self, piece: int = 1 << 16) -> int:
        """Return how many octets were carried."""
        before = self.carried
        while self._step(piece):
            pass
        return self.carried - before

    def cut(self) -> None:
        """The network is gone; what was under way is lost."""
        for end in (self.server, self.client):
            end.gone(ConnectionLost())

    def _step(self, piece: int) -> bool:
        moved = False
        for end in (self.client, self.server):
            if end.aborted and not end.lost:
                end.gone(ConnectionAborted())
                end.other.gone(ConnectionLost())
                return True
            if end.sent and not end.other.paused and not end.lost:
                data = end.take(piece)
                self.carried += len(data)
                end.other.protocol.dataReceived(data)
                moved = True
            if end.disconnecting and not end.sent and not end.lost:  # as TCP's transport: whatever is registered
                end.gone(ConnectionDone())
                end.other.gone(ConnectionDone())
                return True
        return moved


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """Connects to a factory in the same process; `pipes` are the connections made, `refusing` one that is down."""

    def __init__(self, server: IProtocolFactory) -> None:
        self.server = server
        self.refusing = False
        self.pipes: list[Pipe] = []

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        address = IPv4Address("TCP", "192.0.2.2", 40000)
        server = None if self.refusing else self.server.buildProtocol(address)
        client = protocolFactory.buildProtocol(address)
        if server is None or client is None:
            return fail(ConnectionRefusedError())
        self.pipes.append(Pipe(server, client))
        return succeed(client)

    def pump(self, piece: int = 1 << 16) -> None:
        """Carry on every connection until nothing moves."""
        while any([pipe.pump(piece) for pipe in self.pipes]):
            pass
