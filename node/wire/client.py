"""The HTTP/1.1 client for talking to one peer: a few connections kept open, nothing copied, everything bounded.

Rule 1: a caller gets an `Answer`, or a `Trouble`: Retry(PEER_DOWN) when the peer is not there or goes away in the
    middle, Retry(PEER_ANSWER) when what it says is not HTTP or too large, or what the channel check raised.
Rule 2: a request on a connection that was kept open and turns out dead before any byte of an answer is sent once
    more on a new one.  Every request between nodes may be repeated (WIRE §3, §4), so this is safe.
Rule 3: redirects, cookies, proxies and compression do not exist here.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import ConnectError, ConnectingCancelledError
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.wire.head import HeadLimits, lines
from node.wire.line import Line, Stale
from node.wire.message import Headers

_PATH = re.compile(r"/[!-~]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the peer answered, whole."""

    status: int
    headers: Headers
    body: bytes


class PeerClient:
    """A pool of at most `size` connections to one peer.

    `peer` is its node code, for the troubles; `host` the Host header; `check` as in `Server`, for the peer's
    certificate; `idle` how many seconds an unused connection is kept (shorter than the servers', so that it is we who
    close).  A long poll holds a connection, so `size` is the number of polls plus what is posted beside them.
    """

    def __init__(
        self,
        peer: str,
        endpoint: IStreamClientEndpoint,
        host: str,
        clock: IReactorTime,
        size: int = 4,
        idle: float = 50.0,
        check: Callable[[Any], str] | None = None,
        limits: HeadLimits = HeadLimits(),
    ) -> None:
        self.peer = peer
        self.clock = clock
        self.idle_for = idle
        self.check = check
        self.limits = limits
        self._endpoint = endpoint
        self._host = lines([(b"Host", host.encode("ascii"))])
        self._size = size
        self._taken = 0
        self._lines: set[Line] = set()
        self._idle: list[Line] = []
        self._waiters: deque[Deferred[None]] = deque()
        self._closed = False

    async def request(
        self,
        method: str,
        path: str,
        headers: Sequence[tuple[bytes, bytes]] = (),
        parts: Sequence[bytes] = (),
        timeout: float = 30.0,
        limit: int = 64 * 1024,
    ) -> Answer:
        """Send one request and return its answer, at most `limit` octets of it, within `timeout` seconds.

        `parts` are the buffers of the body; they are sent one after the other and never joined.  Raises `Trouble`
        (rule 1) and lets a cancellation through, which closes the connection in use.
        """
        message = self._message(method, path, headers, parts)
        until = self.clock.seconds() + timeout
        while True:
            line = await self._take(until)
            fresh = not line.used
            try:
                status, fields, body = await line.ask(message, until, limit)
            except Stale:
                if fresh:
                    raise self.down() from None
                self._forget_idle()
            else:
                return Answer(status, fields, body)

    def close(self) -> None:
        """Drop all connections, whatever they are doing; later requests raise Retry(PEER_DOWN)."""
        self._closed = True
        for line in list(self._lines):
            line.abort()
        waiters, self._waiters = self._waiters, deque()
        for waiter in waiters:
            if not waiter.called:
                waiter.callback(None)

    def close_where(self, gone: Callable[[str], bool]) -> int:
        """Abort the connections to certificates whose fingerprint satisfies `gone`; return how many."""
        chosen = [line for line in self._lines if line.tls_fingerprint and gone(line.tls_fingerprint)]
        for line in chosen:
            line.abort()
        return len(chosen)

    def down(self) -> Trouble:
        """Return the trouble of a peer that is not there."""
        return trouble(codes.PEER_DOWN, peer=self.peer)

    # --- called by the lines -----------------------------------------------------------------------------------

    def made(self, line: Line) -> None:
        """The line is connected."""
        self._lines.add(line)

    def free(self, line: Line) -> None:
        """The line has done its work and may be used again."""
        if self._closed:
            line.abort()
            return
        self._idle.append(line)
        self._wake()

    def lost(self, line: Line) -> None:
        """The line is gone."""
        self._lines.discard(line)
        if line in self._idle:
            self._idle.remove(line)
        self._taken -= 1
        self._wake()

    # --- the pool ----------------------------------------------------------------------------------------------

    def _message(
        self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]], parts: Sequence[bytes]
    ) -> list[bytes]:
        """Return head and body as buffers."""
        if method not in ("GET", "POST") or not _PATH.fullmatch(path):
            raise ValueError("not a request this client makes")
        head = [f"{method} {path} HTTP/1.1\r\n".encode("ascii"), *self._host, *lines(headers)]
        if method == "POST":
            head.append(b"Content-Length: %d\r\n" % sum(map(len, parts)))
        head.append(b"\r\n")
        return [b"".join(head), *parts]

    async def _take(self, until: float) -> Line:
        """Return an idle line, or a new one, or wait for either."""
        while not self._closed:
            while self._idle:
                line = self._idle.pop()
                if not line.gone:
                    return line
            if self._taken < self._size:
                return await self._dial(until)
            waiter: Deferred[None] = Deferred()
            self._waiters.append(waiter)
            try:
                await waiter.addTimeout(max(0.0, until - self.clock.seconds()), self.clock)
            except TimeoutError:
                break
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        raise self.down()

    async def _dial(self, until: float) -> Line:
        """Open a line, its channel checked."""
        self._taken += 1
        line = Line(self)
        try:
            connecting = self._endpoint.connect(Factory.forProtocol(lambda: line))
            await connecting.addTimeout(max(0.0, until - self.clock.seconds()), self.clock)
        except (ConnectError, ConnectingCancelledError, TimeoutError, OSError):
            raise self.down() from None
        finally:
            if not line.opened:  # otherwise `lost` gives the place back
                self._taken -= 1
                self._wake()
        await line.ready(until)
        return line

    def _forget_idle(self) -> None:
        """One kept connection was dead, so the others are most likely too."""
        idle, self._idle = self._idle, []
        for line in idle:
            line.abort()

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.called:
                waiter.callback(None)
                return
