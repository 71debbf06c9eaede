"""The HTTP/1.1 server: makes the connections of one port, knows them all, drains and closes them."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.ports import Clock
from node.wire.connection import Connection, Limits
from node.wire.problem import Faults
from node.wire.routes import Routes


class Server(Factory):
    """Makes the connections of one listening port and knows them all.

    `check` is given the TLS connection after its handshake and returns the client's fingerprint or raises `Trouble`;
    None on a port without TLS.  `turned_away` is told of every connection that was not let in.  With a `wall` clock
    answers carry a Date (RFC 9110 §6.6.1).
    """

    noisy = False

    def __init__(
        self,
        routes: Routes,
        clock: IReactorTime,
        faults: Faults,
        limits: Limits = Limits(),
        check: Callable[[Any], str] | None = None,
        turned_away: Callable[[str, Trouble], None] | None = None,
        wall: Clock | None = None,
    ) -> None:
        self.routes = routes
        self.clock = clock
        self.faults = faults
        self.limits = limits
        self.check = check
        self.held = 0
        self.draining = False
        self.links: set[Connection] = set()
        self._turned_away = turned_away
        self._wall = wall
        self._date = (0, b"")
        self._drained: list[Deferred[None]] = []

    def buildProtocol(self, addr: IAddress | None) -> Connection | None:
        """Return a connection, or None (which closes it) when there are enough or the node is stopping."""
        if self.draining or len(self.links) >= self.limits.connections:
            self.turn_away(getattr(addr, "host", ""), trouble(codes.DRAINING if self.draining else codes.CROWDED))
            return None
        connection = Connection(self)
        connection.factory = self
        self.links.add(connection)
        return connection

    def turn_away(self, address: str, why: Trouble) -> None:
        """Tell whoever watches that `address` was not let in."""
        if self._turned_away is not None:
            self._turned_away(address, why)

    def date(self) -> bytes:
        """Return the Date line of this second, or nothing without a wall clock."""
        if self._wall is None:
            return b""
        second = self._wall() // 1000
        if self._date[0] != second:
            self._date = (second, f"Date: {formatdate(second, usegmt=True)}\r\n".encode("ascii"))
        return self._date[1]

    def close_where(self, gone: Callable[[str], bool]) -> int:
        """Abort every connection whose TLS fingerprint satisfies `gone`; return how many (a CRL or registry change)."""
        chosen = [link for link in self.links if link.peer.tls_fingerprint and gone(link.peer.tls_fingerprint)]
        for link in chosen:
            link.abort()
        return len(chosen)

    def drain(self, within: float) -> Deferred[None]:
        """Take no new connection, finish what was begun, close; after `within` seconds cancel what still runs."""
        self.draining = True
        done: Deferred[None] = Deferred()
        self._drained.append(done)
        for link in list(self.links):
            link.drain()
        timer = self.clock.callLater(within, self._abort_all)
        done.addBoth(lambda result: timer.cancel() if timer.active() else None)
        self.left(None)
        return done

    def left(self, connection: Connection | None) -> None:
        """A connection is gone."""
        if connection is not None:
            self.links.discard(connection)
        if self.draining and not self.links:
            waiting, self._drained = self._drained, []
            for done in waiting:
                done.callback(None)

    def _abort_all(self) -> None:
        for link in list(self.links):
            link.abort()
