"""A peer of the vectors on a real socket: RFC 8998 TLS under its own certificate, HTTP/1.1, one request at a time."""

from __future__ import annotations

import select
import socket
import time

from OpenSSL import SSL

from node.crypto.chain import CertificateTrust
from node.crypto.keyfile import plain
from node.crypto.tls import Channels, TlsKey
from tests.vectors import wire_world
from tests.vectors.cms_parts import CRYPTO
from tests.vectors.wire_parts import BOB, Node
from tests.wire.talk import Caller, Heard, post

PATIENCE = 60.0


def channels(node: Node) -> Channels:
    """Return what the node's connections are made with."""
    papers, lists = wire_world.papers(), wire_world.lists()
    trust = CertificateTrust(CRYPTO, [papers.pop("root")], papers.values(), lists.values())
    key = CRYPTO.sm2_load(node.speaks.d.to_bytes(32, "big"))
    return Channels(TlsKey(node.channel, plain(CRYPTO, key)), trust, CRYPTO.sm3, lambda: int(time.time() * 1000))


class Line:
    """One node's connection to the receiver; made when it is needed, and again when the receiver closed it."""

    def __init__(self, node: Node, address: tuple[str, int]) -> None:
        self._channels, self._address = channels(node), address
        self._open: SSL.Connection | None = None

    def post(self, path: str, body: bytes, media: str) -> Heard:
        """Return the answer to one request; whoever turns a body away may close the connection after its answer."""
        fresh = self._open is None
        connection = self._connected()
        caller = Caller()
        try:
            self._send(connection, post(path, body, f"Content-Type: {media}"))
        except SSL.Error:
            pass  # it may have answered before it had read everything
        while not caller.answers:
            piece = self._receive(connection)
            if not piece:
                break
            caller.dataReceived(piece)
        if not caller.answers:
            self.close()
            assert not fresh, "the receiver closed the connection without an answer"
            return self.post(path, body, media)
        if caller.answers[0].headers.get("connection", "").lower() == "close":
            self.close()
        return caller.answers[0]

    def close(self) -> None:
        """Close the connection."""
        connection, self._open = self._open, None
        if connection is not None:
            connection.close()

    def _connected(self) -> SSL.Connection:
        if self._open is None:
            made = socket.create_connection(self._address, PATIENCE)
            made.setblocking(False)
            connection = SSL.Connection(self._channels.client(), made)
            connection.set_connect_state()
            self._until(connection, connection.do_handshake)
            self._channels.assert_channel(connection, {BOB.channel.fingerprint})
            self._open = connection
        return self._open

    def _send(self, connection: SSL.Connection, octets: bytes) -> None:
        while octets:
            piece = octets[: 1 << 14]
            self._until(connection, lambda: connection.sendall(piece))
            octets = octets[1 << 14 :]

    def _receive(self, connection: SSL.Connection) -> bytes:
        try:
            return bytes(self._until(connection, lambda: connection.recv(1 << 16)))  # type: ignore[call-overload]
        except SSL.Error:
            return b""

    def _until(self, connection: SSL.Connection, act: object) -> object:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return act()  # type: ignore[operator]
            except SSL.WantReadError:
                ready, _, _ = select.select([connection], [], [], max(0.0, end - time.monotonic()))
            except SSL.WantWriteError:
                _, ready, _ = select.select([], [connection], [], max(0.0, end - time.monotonic()))
            assert ready, "the receiver says nothing"
