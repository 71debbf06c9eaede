"""TLS around a server or an endpoint: contexts come from `crypto`, and so does the verdict on each channel.

Rule 1: a context is asked for per connection, so a change of roots or CRLs holds for the next one.
Rule 2: the verdict is asked for after the handshake and before a byte is handled or sent (`Connection`, `Line`).
Rule 3: no library of TLS is named here; what `context` returns is handed to Twisted, which makes the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IOpenSSLContextFactory,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from node.model.trouble import Trouble
from node.wire.server import Server

Context = Callable[[], Any]
"""Returns the OpenSSL context of one direction under the present roots and CRLs."""


@implementer(IOpenSSLContextFactory)
class _Contexts:
    """Gives Twisted the present context for each new connection."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def getContext(self) -> Any:
        """Return the context for one connection."""
        return self._context()


class _TlsServer(TLSMemoryBIOFactory):
    """Wraps a server's connections; what the server or the context refuses is no connection."""

    def __init__(self, contexts: _Contexts, server: Server) -> None:
        super().__init__(contexts, False, server, clock=server.clock)
        self._contexts = contexts
        self._server = server

    def buildProtocol(  # type: ignore[override]  # IProtocolFactory allows None
        self, addr: IAddress | None
    ) -> TLSMemoryBIOProtocol | None:
        """Return a connection with TLS around it, or None, which closes."""
        try:
            self._contexts.getContext()  # no good key, roots or CRLs now: nobody is let in
        except Exception as error:
            why = error if isinstance(error, Trouble) else self._server.faults.report(error)
            self._server.turn_away(getattr(addr, "host", ""), why)
            return None
        inner = self._server.buildProtocol(addr)
        return None if inner is None else self.protocol(self, inner)


def over_tls(server: Server, context: Context) -> IProtocolFactory:
    """Return the factory to listen with; raise TypeError for a server that checks no channel.

    A handshake that does not end is bounded by the server's time for a head, and a failing one closes.
    """
    if server.check is None:
        raise TypeError("a server behind TLS needs a check of the channel")
    return _TlsServer(_Contexts(context), server)


@implementer(IStreamClientEndpoint)
class TlsEndpoint:
    """Connects through another endpoint and speaks TLS; give the `PeerClient` that uses it a `check`."""

    def __init__(self, endpoint: IStreamClientEndpoint, context: Context, clock: IReactorTime) -> None:
        self._endpoint = endpoint
        self._contexts = _Contexts(context)
        self._clock = clock

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect; the Deferred fires before the handshake, for whose end the protocol is told by itself."""
        factory = TLSMemoryBIOFactory(self._contexts, True, protocolFactory, clock=self._clock)
        return self._endpoint.connect(factory).addCallback(_inner)


def _inner(outer: IProtocol) -> IProtocol:
    inner: IProtocol = outer.wrappedProtocol  # type: ignore[attr-defined]  # TLSMemoryBIOProtocol's
    return inner
