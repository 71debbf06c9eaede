"""What TLS costs each end for the octets of a parcel: the nodes' own contexts, joined in memory, without sockets."""

from __future__ import annotations

import time

from OpenSSL import SSL

from node.crypto.tls import Channels, TlsKey
from node.service.papers import Papers

SLICE = 1 << 16
"""Octets handed to TLS at a time, as Twisted does."""


def _now() -> int:
    return time.time_ns() // 1_000_000


def _channels(papers: Papers) -> Channels:
    certificate, key = papers.keyring.tls()
    return Channels(TlsKey(certificate, key), papers.trust, papers.crypto.sm3, _now)


class Channel:
    """A connection from a department to a centre after its handshake."""

    def __init__(self, department: Papers, centre: Papers) -> None:
        self._here = SSL.Connection(_channels(department).client(), None)
        self._there = SSL.Connection(_channels(centre).server(), None)
        self._here.set_connect_state()
        self._there.set_accept_state()
        for _ in range(4):
            for one, other in ((self._here, self._there), (self._there, self._here)):
                try:
                    one.do_handshake()
                except SSL.WantReadError:
                    pass
                self._move(one, other)

    @staticmethod
    def _move(one: SSL.Connection, other: SSL.Connection) -> None:
        try:
            while octets := one.bio_read(SLICE):
                other.bio_write(octets)
        except SSL.WantReadError:
            pass

    def carry(self, octets: bytes) -> tuple[float, float]:
        """Carry octets from the department to the centre; return the cpu seconds of each."""
        view, spent, came = memoryview(octets), [0.0, 0.0], 0
        for start in range(0, len(octets), SLICE):
            part = bytes(view[start:start + SLICE])
            begun = time.process_time()
            self._here.sendall(part)
            wire = self._here.bio_read(2 * SLICE)
            sealed = time.process_time()
            self._there.bio_write(wire)
            while came < start + len(part):
                came += len(self._there.recv(SLICE))
            opened = time.process_time()
            spent = [spent[0] + sealed - begun, spent[1] + opened - sealed]
        return spent[0], spent[1]
