"""One connection to a peer: one request at a time, its answer read within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import httptools
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.wire.flow import Alarm, Outflow
from node.wire.head import Head, HeadLimits

if TYPE_CHECKING:
    from node.wire.client import PeerClient

Got = tuple[int, dict[bytes, bytes], bytes]
"""Status, headers, body."""


class Stale(Exception):
    """The connection was gone before it gave any byte of an answer."""


class _Broken(Exception):
    """What the peer sends is not an answer; the word says why."""


class AnswerReader(Head):
    """Reads answers; `got` holds one once it is whole, `keep` whether the connection lives on, `some` if any byte came.

    An answer without a length is refused: its end could not be told from a cut (RFC 9112 §8).
    """

    def __init__(self, limits: HeadLimits) -> None:
        super().__init__(limits)
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._held = 0
        self.limit = 0
        self.status = 0
        self.got: Got | None = None
        self.keep = True

    def feed(self, data: bytes) -> str:
        """Take bytes; return why they are no answer, or an empty text."""
        before = self.progress
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return "upgrade"
        except httptools.HttpParserCallbackError as error:
            return str(error.__context__) if isinstance(error.__context__, _Broken) else "http"
        except httptools.HttpParserError:
            return "http"
        return "head" if self.strays(len(data), before) else ""

    def close(self) -> None:
        """Let go of the parser, which holds our bound methods."""
        del self._parser

    def on_message_begin(self) -> None:
        """A first byte came; one after a whole answer belongs to no request."""
        if self.got is not None:
            raise _Broken("excess")
        self.begin()
        self._pieces = []
        self._held = 0

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.trailing = True
        self.status = status = self._parser.get_status_code()
        self.keep = self._parser.should_keep_alive()
        length = self.headers.get(b"content-length")
        coding = self.headers.get(b"transfer-encoding")
        if coding is not None and coding.lower() != b"chunked":
            raise _Broken("coding")
        if length is None:
            if coding is None and status >= 200 and status not in (204, 304):
                raise _Broken("length")
        elif not length.isdigit() or len(length) > 18 or int(length) > self.limit:
            raise _Broken("size")

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self.progress += 1
        self._held += len(piece)
        if self._held > self.limit:
            raise _Broken("size")
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The message is whole; a 1xx only announces another."""
        self.progress += 1
        if self.status >= 200:
            self.got = (self.status, self.headers, b"".join(self._pieces))
            self._pieces = []

    def too_much(self) -> NoReturn:
        """The fields are too many or too long."""
        raise _Broken("head")


@implementer(IHandshakeListener)
class Line(Protocol):
    """A connection of a `PeerClient`; `opened` once connected, `used` once asked, `gone` when of no use."""

    def __init__(self, client: PeerClient) -> None:
        self._client = client
        self._reader = AnswerReader(client.limits)
        self._alarm = Alarm(client.clock, self._late)
        self._waiting: Deferred[None] | None = None
        self._asked: Deferred[Got] | None = None
        self._checked = client.check is None
        self._refused: Trouble | None = None
        self._some = False
        self.tls_fingerprint: str | None = None
        self.opened = self.used = self.gone = False

    # --- what the client asks ----------------------------------------------------------------------------------

    async def ready(self, until: float) -> None:
        """Return once the channel is checked, before which nothing is sent."""
        if self.gone:
            raise self._lost()
        if not self._checked:
            self._alarm.set(until)
            self._waiting = Deferred(self._cancel)
            await self._waiting

    def ask(self, message: Sequence[bytes], until: float, limit: int) -> Deferred[Got]:
        """Send a request and fire with its answer; fails with Stale or Trouble.  Cancelling closes the connection."""
        asked: Deferred[Got] = Deferred(self._cancel)
        if self.gone:
            asked.errback(Stale())
            return asked
        self.used = True
        self._some = False
        self._asked = asked
        self._reader.limit = limit
        self._alarm.set(until)
        self._outflow.write(message)
        return asked

    def abort(self) -> None:
        """Drop the connection."""
        if not self.gone:
            self.gone = True
            self.transport.abortConnection()  # type: ignore[union-attr]  # TCP's and TLS's transports have it

    # --- events of the transport -------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """The peer is there; with TLS, before its handshake."""
        self.opened = True
        transport = self.transport
        assert transport is not None
        nodelay = getattr(transport, "setTcpNoDelay", None)
        if nodelay is not None:
            nodelay(True)
        self._outflow = Outflow(transport, _nothing)
        self._client.made(self)

    def handshakeCompleted(self) -> None:
        """TLS is up: check the channel before anything is sent (WIRE §7)."""
        check = self._client.check
        if check is None:
            return
        try:
            self.tls_fingerprint = check(self.transport.getHandle())  # type: ignore[union-attr]  # TLS's transport
        except Trouble as why:
            self._refused = why
            self.abort()
            return
        self._checked = True
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def dataReceived(self, data: bytes) -> None:
        """Bytes of an answer came."""
        if self.gone:
            return
        if self._asked is None or not self._checked:
            self.abort()  # nobody asked: the next answer would be taken for another's
            return
        self._some = True
        why = self._reader.feed(data)
        got = self._reader.got
        if got is not None:
            # An answer that came before our body was out leaves a connection that cannot be used again.
            self._finish(got, keep=not why and self._reader.keep and not self._outflow.pressed)
        elif why:
            self._fail(trouble(codes.PEER_ANSWER, peer=self._client.peer, reason=why))
            self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The peer is gone."""
        self.gone = True
        self._alarm.close()
        self._outflow.stop()
        self._reader.close()
        self._client.lost(self)
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.called:
            waiting.errback(self._lost())
        self._fail(self._client.down() if self._some else Stale())

    # --- ends of a request -------------------------------------------------------------------------------------

    def _lost(self) -> Trouble:
        return self._refused or self._client.down()

    def _cancel(self, _: object) -> None:
        """The caller has lost interest: what it waited for is told by the Deferred that is being cancelled."""
        self._asked = self._waiting = None
        self.abort()

    def _finish(self, got: Got, keep: bool) -> None:
        asked, self._asked = self._asked, None
        self._reader.got = None
        if keep:
            self._alarm.set(self._client.clock.seconds() + self._client.idle_for)
            self._client.free(self)
        else:
            self.abort()
        if asked is not None and not asked.called:
            asked.callback(got)

    def _fail(self, error: Exception) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not asked.called:
            asked.errback(error)

    def _late(self) -> None:
        """The request has taken too long, or nobody has needed the connection for a while."""
        self._fail(self._client.down())
        self.abort()


def _nothing() -> None:
    """Nobody waits for the outflow of a client: the answer says how it went."""
