"""One client of the server: its requests, their actions, the order of the answers, and its time.

Rule 1: answers leave in the order of the requests, however their actions end.
Rule 2: a connection that gives nothing back in time is closed; a client that is gone has its actions cancelled.
Rule 3: reading stops while answers are not being read or more requests wait than may run.
Rule 4: with a channel check, no byte is handled before the check has passed; a failing check closes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.wire.flow import Alarm, Outflow
from node.wire.head import HeadLimits
from node.wire.message import Link, Response
from node.wire.problem import problem
from node.wire.reader import Arrival, Reader
from node.wire.routes import SMALL, UNMATCHED

if TYPE_CHECKING:
    from node.wire.server import Server

PROGRESS = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a server; times in seconds, sizes in octets.

    `body` is the time in which the next 64 KiB of a body must come, so a slow line is served and a stuck one is not;
    `stall` the time in which a client must take something of what we send it; `linger` how long we listen to a
    client that we turned away in mid-body, so that it can read why.  `concurrent` is per connection; `held` bounds
    the bodies of the whole server that are arriving or being answered.
    """

    connections: int = 1024
    concurrent: int = 16
    held: int = 256 * 1024 * 1024
    idle: float = 75.0
    head: float = 10.0
    body: float = 20.0
    stall: float = 60.0
    linger: float = 5.0
    heads: HeadLimits = field(default_factory=HeadLimits)


@implementer(IHandshakeListener)
class Connection(Protocol):
    """One client: reads requests, runs their actions, writes the answers in order."""

    def __init__(self, server: Server) -> None:
        self.peer = Link()
        self._server = server
        self._clock = server.clock
        self._limits = server.limits
        self._reader = Reader(server.routes, server.limits.heads, self.peer, server.faults)
        self._alarm = Alarm(server.clock, self._late)
        self._order: deque[Arrival] = deque()
        self._deaf = server.check is not None
        self._gone = self._advancing = self._paused = self._ending = self._closing = False
        self._counted = 0
        self._stage: tuple[int, bool, int] | None = None
        self._due = 0.0

    # --- events of the transport -------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """A client connected; with TLS, before its handshake."""
        transport = self.transport
        assert transport is not None
        host = transport.getPeer()
        self.peer.address, self.peer.port = getattr(host, "host", ""), getattr(host, "port", 0)
        nodelay = getattr(transport, "setTcpNoDelay", None)
        if nodelay is not None:
            nodelay(True)
        self._outflow = Outflow(transport, self._advance)
        self._alarm.set(self._clock.seconds() + (self._limits.head if self._deaf else self._limits.idle))

    def handshakeCompleted(self) -> None:
        """TLS is up: check the channel before anything else (WIRE §7)."""
        check = self._server.check
        if check is None:
            return
        try:
            self.peer.tls_fingerprint = check(self.transport.getHandle())  # type: ignore[union-attr]  # TLS's transport
        except Exception as error:
            why = error if isinstance(error, Trouble) else self._server.faults.report(error)
            self._server.turn_away(self.peer.address, why)
            self.abort()
        else:
            self._deaf = False
            self._settle()

    def dataReceived(self, data: bytes) -> None:
        """Bytes came; a connection that was turned away is listened to and not heard."""
        if self._deaf:
            if not self._ending:
                self.abort()
            return
        reader = self._reader
        try:
            reader.feed(data)
            if reader.held or self._counted:
                self._weigh()
            self._advance()
        except Exception as error:
            self._broken(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone: cancel what runs for it."""
        self._gone = self._deaf = True
        self._alarm.close()
        self._outflow.stop()
        self._reader.close()
        self._server.held -= self._counted
        self._counted = 0
        order, self._order = self._order, deque()
        for arrival in order:
            self._release(arrival)
            if arrival.running is not None:
                arrival.running.cancel()
        self._server.left(self)

    def abort(self) -> None:
        """Drop the connection and whatever runs for it."""
        self._deaf = True
        if not self._gone:
            self.transport.abortConnection()  # type: ignore[union-attr]  # TCP's and TLS's transports have it

    def drain(self) -> None:
        """Close as soon as nothing of a request is left to do."""
        if not self._gone and not self._closing and not (self._order or self._reader.ready or self._reader.begun):
            self._finish()

    # --- requests ----------------------------------------------------------------------------------------------

    def _weigh(self) -> None:
        """Count the arriving body against the server's bound; the one that breaks it is turned away."""
        server, held = self._server, self._reader.held
        server.held += held - self._counted
        self._counted = held
        if server.held > self._limits.held and held:
            self._reader.expire(trouble(codes.CROWDED))
            server.held -= held
            self._counted = 0

    def _advance(self) -> None:
        """Start what may start, write what may be written, as long as there is either."""
        if self._advancing or self._gone:
            return
        self._advancing = True
        try:
            ready, order, most = self._reader.ready, self._order, self._limits.concurrent
            while True:
                while ready and len(order) < most and not self._ending and not self._outflow.pressed:
                    arrival = ready.popleft()
                    order.append(arrival)
                    self._start(arrival)
                    if arrival.response is not None and arrival.response.size > SMALL:
                        break  # a large answer leaves before the next is made
                if not self._flush() or not ready:
                    break
        finally:
            self._advancing = False
        if not self._gone:
            self._settle()

    def _start(self, arrival: Arrival) -> None:
        """Run the action of one request; its response may come at once or later."""
        arrival.started = self._clock.seconds()
        if arrival.refusal is not None or arrival.route is None:
            self._done(arrival, self._explain(arrival.refusal or trouble(codes.NOT_FOUND), arrival))
            return
        size = len(arrival.request.body)
        if size > SMALL:
            self._server.held += size
        try:
            reply = arrival.route.action(arrival.request)
            if isinstance(reply, Response):
                self._done(arrival, reply)
                return
            running = reply if isinstance(reply, Deferred) else Deferred.fromCoroutine(reply)
        except Exception as error:
            self._done(arrival, self._explain(error, arrival))
            return
        arrival.running = running
        running.addCallbacks(self._ended, self._failed, callbackArgs=(arrival,), errbackArgs=(arrival,))

    def _ended(self, response: Response, arrival: Arrival) -> None:
        """An action that took time has its response."""
        arrival.running = None
        if self._gone:
            return
        try:
            self._done(arrival, response)
            self._advance()
        except Exception as error:
            self._broken(error)

    def _failed(self, failure: Failure, arrival: Arrival) -> None:
        """An action that took time has failed; when the client is gone, only a bug is worth a word."""
        error = failure.value
        assert error is not None
        if not self._gone:
            self._ended(self._explain(error, arrival), arrival)
        elif not isinstance(error, (Trouble, CancelledError)):
            self._server.faults.report(error)

    def _broken(self, error: BaseException) -> None:
        """A bug of this file: log it here, for an exception in a callback of the reactor is told to nobody."""
        self._server.faults.report(error)
        self.abort()

    def _done(self, arrival: Arrival, response: Response) -> None:
        self._release(arrival)
        arrival.response = response
        observe = self._server.routes.observe
        if observe is not None:
            request, seconds = arrival.request, self._clock.seconds() - arrival.started
            try:
                observe(request.template or UNMATCHED, request.method, response.status, seconds)
            except Exception as error:
                self._server.faults.report(error)

    def _release(self, arrival: Arrival) -> None:
        """Give back the room of a large body."""
        size = len(arrival.request.body)
        if size > SMALL and arrival.route is not None and arrival.response is None and arrival.refusal is None:
            self._server.held -= size

    def _explain(self, error: BaseException, arrival: Arrival) -> Response:
        """Return the answer for an error: a trouble's own, or a numbered fault."""
        faults, accept = self._server.faults, arrival.request.headers.get(b"accept-language", b"")
        try:
            what = error if isinstance(error, Trouble) else faults.report(error)
            return problem(what, accept, allow=arrival.allow)
        except Exception as worse:  # a trouble whose details do not fill its sentence
            return problem(faults.report(worse), accept)

    # --- answers -----------------------------------------------------------------------------------------------

    def _flush(self) -> bool:
        """Write every answer whose turn it is; return whether any was written."""
        order, reader = self._order, self._reader
        if not order or order[0].response is None:
            return False
        parts: list[bytes] = []
        arrival = order[0]
        while order and order[0].response is not None and not self._ending:
            arrival = order.popleft()
            last = self._server.draining and not (order or reader.ready or reader.begun)
            keep = arrival.keep and not last
            parts += self._render(arrival, keep)
            self._ending = not keep
        self._outflow.write(parts)
        if self._ending:
            if arrival.abrupt:
                self._deaf = True
                self._due = self._clock.seconds() + self._limits.linger
            else:
                self._finish()
        return True

    def _render(self, arrival: Arrival, keep: bool) -> list[bytes]:
        response, bodiless = arrival.response, arrival.request.method == "HEAD"
        assert response is not None
        try:
            return response.parts(keep, self._server.date(), bodiless)
        except Exception as error:
            return self._explain(error, arrival).parts(keep, b"", bodiless)

    def _finish(self) -> None:
        """Send what waits and close."""
        self._ending = self._closing = self._deaf = True
        self._due = self._clock.seconds() + (self._limits.stall if self._outflow.pressed else self._limits.linger)
        self._alarm.set(self._due)
        self._outflow.finish()

    # --- time --------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Say whether we read on, and by when something must happen."""
        reader, outflow, now = self._reader, self._outflow, self._clock.seconds()
        pressed = outflow.pressed
        crowded = pressed or bool(reader.ready)
        if crowded is not self._paused and not self._ending:
            self._paused = crowded
            if crowded:
                self.transport.pauseProducing()  # type: ignore[union-attr]  # every stream transport is a producer
            else:
                self._stage = None
                self.transport.resumeProducing()  # type: ignore[union-attr]  # as above
        if reader.expects and not self._order and not crowded and not self._ending:
            reader.expects = False
            outflow.write((_CONTINUE,))
        if pressed:
            self._alarm.set(now + self._limits.stall)
        elif self._ending:
            self._alarm.set(self._due)
        elif crowded:
            self._alarm.clear()
        elif reader.begun:
            self._watch(now)
        elif self._order:
            self._alarm.clear()
        else:
            self._rest(now)

    def _rest(self, now: float) -> None:
        """Nothing is begun; what comes without beginning a message (blank lines) does not prolong the idleness."""
        stage = (self._reader.messages, False, -1)
        if stage != self._stage:
            self._stage = stage
            self._due = now + self._limits.idle
        self._alarm.set(self._due)

    def _watch(self, now: float) -> None:
        """A message is coming in: its head has one deadline, its body a new one with every 64 KiB."""
        reader = self._reader
        body = reader.current is not None
        stage = (reader.messages, body, reader.held // PROGRESS)
        if stage != self._stage:
            self._stage = stage
            self._due = now + (self._limits.body if body else self._limits.head)
        self._alarm.set(self._due)

    def _late(self) -> None:
        """The deadline has passed."""
        try:
            if self._closing or self._outflow.pressed:
                self.abort()
            elif self._ending or not self._reader.begun:
                self._finish()
            else:
                self._server.held -= self._counted
                self._counted = 0
                self._reader.expire(trouble(codes.TOO_SLOW))
                self._advance()
        except Exception as error:
            self._broken(error)
