"""Handshakes over memory, and the reading of what they said (RFC 8446 §7 over SM3, RFC 8998)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from OpenSSL import SSL

from tests.crypto.papers import CRYPTO

_HANDSHAKE, _APPLICATION = 22, 23
_CERTIFICATE_VERIFY, _FINISHED = 15, 20


@dataclass
class Ends:
    """Both connections after a handshake, all they said, and the error of the end that refused."""

    client: SSL.Connection
    server: SSL.Connection
    from_client: bytes = b""
    from_server: bytes = b""
    client_error: SSL.Error | None = None
    server_error: SSL.Error | None = None

    @property
    def refused(self) -> bool:
        return self.client_error is not None or self.server_error is not None

    def pump(self) -> bool:
        """Carry what either end has to say; return whether there was anything."""
        moved = False
        for sender, taker in ((self.client, self.server), (self.server, self.client)):
            try:
                octets = sender.bio_read(1 << 20)
            except SSL.WantReadError:
                continue
            moved = True
            if sender is self.client:
                self.from_client += octets
            else:
                self.from_server += octets
            taker.bio_write(octets)
        return moved

    def carry(self, data: bytes) -> bytes:
        """Return what the server reads when the client writes `data`, and have the client read too."""
        self.client.send(data)
        self.pump()
        try:
            self.client.recv(1)
        except SSL.WantReadError:
            pass
        return self.server.recv(1 << 20)


def shake(server: SSL.Context, client: SSL.Context, session: SSL.Session | None = None) -> Ends:
    """Return the ends after as much of a handshake as they allow."""
    ends = Ends(SSL.Connection(client, None), SSL.Connection(server, None))
    ends.client.set_connect_state()
    ends.server.set_accept_state()
    if session is not None:
        ends.client.set_session(session)
    moved = True
    while moved:
        for connection in (ends.client, ends.server):
            try:
                connection.do_handshake()
            except SSL.WantReadError:
                pass
            except SSL.Error as error:
                if connection is ends.client:
                    ends.client_error = ends.client_error or error
                else:
                    ends.server_error = ends.server_error or error
        moved = ends.pump()
    try:
        ends.client.recv(1)  # in TLS 1.3 a client learns only now that it was refused
    except SSL.WantReadError:
        pass
    except SSL.Error as error:
        ends.client_error = ends.client_error or error
    return ends


SIGNED_BY_SERVER = b"TLS 1.3, server CertificateVerify"
SIGNED_BY_CLIENT = b"TLS 1.3, client CertificateVerify"


def certificate_verify(ends: Ends, keylog: Sequence[bytes], signer: bytes) -> tuple[int, bytes, bytes]:
    """Return scheme, signature and signed content of one end's CertificateVerify (RFC 8446 §4.4.3)."""
    secrets = {line.split()[0]: bytes.fromhex(line.split()[2].decode()) for line in keylog}
    hello, *client = _messages(ends.from_client, secrets[b"CLIENT_HANDSHAKE_TRAFFIC_SECRET"])
    server = _messages(ends.from_server, secrets[b"SERVER_HANDSHAKE_TRAFFIC_SECRET"])
    own = server if signer == SIGNED_BY_SERVER else client
    order = [hello, *server, *client]
    message = next(message for message in own if message[0] == _CERTIFICATE_VERIFY)
    content = b"\x20" * 64 + signer + b"\0" + CRYPTO.sm3(b"".join(order[: order.index(message)]))
    assert len(message) == 8 + int.from_bytes(message[6:8], "big")
    return int.from_bytes(message[4:6], "big"), message[8:], content


def _messages(octets: bytes, secret: bytes) -> list[bytes]:
    """Return one end's handshake messages up to its Finished, opened with its handshake traffic secret."""
    key, iv = _expand(secret, b"key", 16), int.from_bytes(_expand(secret, b"iv", 12), "big")
    clear, sequence, at = b"", 0, 0
    while at < len(octets):
        head, size = octets[at : at + 5], int.from_bytes(octets[at + 3 : at + 5], "big")
        body, at = octets[at + 5 : at + 5 + size], at + 5 + size
        if head[0] == _HANDSHAKE:
            clear += body
        elif head[0] == _APPLICATION:
            inner = CRYPTO.sm4_gcm_open(key, (iv ^ sequence).to_bytes(12, "big"), body, head).rstrip(b"\0")
            sequence += 1
            assert inner[-1] == _HANDSHAKE
            clear += inner[:-1]
            if (found := _split(clear)) and found[-1][0] == _FINISHED:
                return found
    raise AssertionError("no Finished")


def _split(clear: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while at + 4 <= len(clear):
        end = at + 4 + int.from_bytes(clear[at + 1 : at + 4], "big")
        if end > len(clear):
            break
        found.append(clear[at:end])
        at = end
    return found


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label over HMAC-SM3 for at most one block (RFC 8446 §7.1)."""
    name = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes([len(name)]) + name + b"\0"
    return CRYPTO.hmac_sm3(secret, info + b"\x01")[:size]
