"""The line with TLS taken off: a relay that holds both ends' TLS keys and keeps what the nodes say inside.

The nodes run as they are: there is no setting that turns TLS off, so it is taken off between them.
"""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from node.config import load
from node.crypto import certificates
from node.crypto.tls import Channels, TlsKey
from node.service.build import now
from node.service.papers import read_papers
from tests.processes.exchange import CENTRE, CRYPTO, Exchange


class Unwrapped:
    """Stands before the centre's gateway; `said` holds all that either side sent, in clear, by connection."""

    def __init__(self, exchange: Exchange) -> None:
        self._gateway = exchange.seat(CENTRE).gateway
        self._channels = {node: _channels(exchange, node) for node in exchange.site.seats}
        self._nodes = {made._certificate.fingerprint: node for node, made in self._channels.items()}
        self.said: list[bytearray] = []
        self.asked: dict[str, list[bytearray]] = {node: [] for node in exchange.site.seats}
        """What each node said, by connection."""
        self.troubles: list[str] = []
        self._closing = False
        self._ear = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._ear.getsockname()[1])
        self._threads = [threading.Thread(target=self._listen, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """End all lines."""
        self._closing = True
        with suppress(OSError):
            self._ear.shutdown(socket.SHUT_RDWR)
        self._ear.close()
        for thread in self._threads:
            thread.join(10)

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._ear.accept()
                self._threads.append(threading.Thread(target=self._serve, args=[near], daemon=True))
                self._threads[-1].start()

    def _serve(self, near: socket.socket) -> None:
        try:
            with near, socket.create_connection(("127.0.0.1", self._gateway)) as far:
                for one in (near, far):
                    one.settimeout(None)
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                inner = SSL.Connection(self._channels[CENTRE].server(), near)
                inner.set_accept_state()
                inner.do_handshake()
                peer = inner.get_peer_certificate(as_cryptography=True)
                assert peer is not None
                der = peer.public_bytes(Encoding.DER)
                node = self._nodes[certificates.parse(der, CRYPTO.sm3).fingerprint]
                outer = SSL.Connection(self._channels[node].client(), far)
                outer.set_connect_state()
                outer.do_handshake()
                self._shuttle(node, (inner, near), (outer, far))
        except (SSL.Error, OSError):
            pass
        except Exception as error:
            self.troubles.append(repr(error))

    def speaks(self, node: str, act: bytes) -> bool:
        """Whether a node has asked for something through here."""
        return any(act in one for one in self.asked[node])

    def _shuttle(
        self, node: str, one: tuple[SSL.Connection, socket.socket], other: tuple[SSL.Connection, socket.socket]
    ) -> None:
        kept = bytearray(), bytearray()
        self.said += kept
        self.asked[node].append(kept[0])
        for _, line in (one, other):
            line.setblocking(False)
        while not self._closing:
            moved = False
            for (origin, _), (goal, line), said in ((one, other, kept[0]), (other, one, kept[1])):
                try:
                    octets = origin.recv(1 << 16)
                except SSL.WantReadError:
                    continue
                said += octets
                moved = True
                _send(goal, line, octets)
            if not moved:
                select.select([one[1], other[1]], [], [], 0.2)


def _send(goal: SSL.Connection, line: socket.socket, octets: bytes) -> None:
    while octets:
        try:
            octets = octets[goal.send(octets) :]
        except SSL.WantWriteError:
            select.select([], [line], [], 5)


def _channels(exchange: Exchange, node: str) -> Channels:
    papers = read_papers(load(exchange.seat(node).config), lambda said: None)
    return Channels(TlsKey(*papers.keyring.tls()), papers.trust, papers.crypto.sm3, now)
