"""A socket to a service that never waits for ever: each wait ends, all of them together end, and so does what comes.

Rule: `http.client` reads and writes through this alone, so that whatever it waits for, it waits no longer.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from dataclasses import dataclass

from adapters.web.address import Address, resolve

_PIECE = 1 << 16


class TooMuch(Exception):
    """More octets came than an answer may have."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: to connect, without an octet, for a request and its answer together."""

    connect: float = 10.0
    silence: float = 30.0
    total: float = 120.0


class Line:
    """A connected socket; `begin` before each request says how long it may take and how many octets may come."""

    def __init__(self, address: Address, patience: Patience, context: ssl.SSLContext | None) -> None:
        """Connect; raise OSError (TimeoutError and ssl.SSLError too), or Misconfigured where http may not go."""
        self._patience = patience
        self._until = time.monotonic() + patience.connect
        self.socket = self._connected(address)
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                self._wait(patience.connect)
                self.socket = context.wrap_socket(self.socket, server_hostname=address.host)
        except BaseException:
            self.socket.close()
            raise
        self._left = 0

    def _connected(self, address: Address) -> socket.socket:
        failed: OSError = OSError("no address")
        for family, at in resolve(address):
            made = socket.socket(family, socket.SOCK_STREAM)
            try:
                made.settimeout(self._remaining(self._patience.connect))
                made.connect(at)
                return made
            except OSError as why:
                made.close()
                failed = why
        raise failed

    def begin(self, most: int) -> None:
        """Start the time of a request, whose answer has at most so many octets."""
        self._until, self._left = time.monotonic() + self._patience.total, most

    def _remaining(self, most: float) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, most)

    def _wait(self, most: float) -> None:
        self.socket.settimeout(self._remaining(most))

    def take(self, into: memoryview) -> int:
        """Receive what there is; raise TimeoutError, or TooMuch."""
        self._wait(self._patience.silence)
        got = self.socket.recv_into(into)
        self._left -= got
        if self._left < 0:
            raise TooMuch
        return got

    # --- what http.client asks of a socket ---------------------------------------------------------------------

    def sendall(self, octets: bytes) -> None:
        """Send everything; raise TimeoutError."""
        whole = memoryview(octets)
        for at in range(0, len(whole), _PIECE):
            self._wait(self._patience.silence)
            self.socket.sendall(whole[at:at + _PIECE])

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a reader of what is received."""
        return io.BufferedReader(_Incoming(self), _PIECE)

    def close(self) -> None:
        """Do nothing: http.client closes before the answer is read; `end` ends it."""

    def end(self) -> None:
        """Close the socket."""
        self.socket.close()


class _Incoming(io.RawIOBase):
    """What a line receives, for a buffered reader; closing it leaves the line open."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]  # io gives a memoryview
        return self._line.take(into)
