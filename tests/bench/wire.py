"""How many octets go over the wire: a relay between department and centre that counts and changes nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress


class Relay:
    """Carries connections to a port of this machine, and counts both ways."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.there = self.back = 0
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def close(self) -> None:
        """End all connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()  # from here on nothing is added
        for each in self._sockets:
            with suppress(OSError):  # its other end went first
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()
        for each in (self._listening, *self._sockets):
            each.close()

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near = self._listening.accept()[0]
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                near.close()  # who is behind it is not up yet, and whoever called tries again
                continue
            self._sockets += [near, far]
            self._run(self._carry, near, far, True)
            self._run(self._carry, far, near, False)

    def _carry(self, one: socket.socket, other: socket.socket, there: bool) -> None:
        try:
            while octets := one.recv(1 << 18):
                other.sendall(octets)
                if there:
                    self.there += len(octets)
                else:
                    self.back += len(octets)
        except OSError:
            pass  # reset, or closed from outside: the other end shall see the connection end as well
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)
