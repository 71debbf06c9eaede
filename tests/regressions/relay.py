"""A line between two nodes that a test can hold, slow down and cut; what runs over it stays the nodes' own TLS."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

PIECE = 1 << 16


@dataclass
class Relay:
    """Carries every connection to `target`; `answering` cleared holds what the target says, `cut` ends all lines.

    `delay` gives the seconds that each piece of an answer is late, `carried` counts octets to the target, and `most`
    is how many of them may pass before every line is cut.
    """

    target: tuple[str, int]
    answering: threading.Event = field(default_factory=threading.Event)
    delay: Callable[[], float] = lambda: 0.0
    carried: int = 0
    most: int | None = None

    def __post_init__(self) -> None:
        self.answering.set()
        self._lines: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._ear = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._ear.getsockname()[1])
        self._start(self._listen)

    def cut(self) -> None:
        """End every line with a reset; new ones are carried as before."""
        for line in list(self._lines):
            _reset(line)

    def close(self) -> None:
        """End everything."""
        with suppress(OSError):
            self._ear.shutdown(socket.SHUT_RDWR)
        self._ear.close()
        self.answering.set()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def _start(self, work: Callable[..., None], *given: object) -> None:
        thread = threading.Thread(target=work, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._ear.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.target, 5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines |= {near, far}
            self._start(self._carry, near, far, True)
            self._start(self._carry, far, near, False)

    def _carry(self, origin: socket.socket, goal: socket.socket, outward: bool) -> None:
        with suppress(OSError):
            while octets := origin.recv(PIECE):
                if outward:
                    octets = self._bounded(octets)
                else:
                    time.sleep(self.delay())
                    self.answering.wait()
                goal.sendall(octets)
        for one in (origin, goal):
            self._lines.discard(one)
            _reset(one)

    def _bounded(self, octets: bytes) -> bytes:
        """Return what may still pass; the last of it is followed by the cut."""
        room = len(octets) if self.most is None else self.most - self.carried
        self.carried += len(octets[:room])
        if room < len(octets):
            self.most = None
            self.cut()
        return octets[:room]


def _reset(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
