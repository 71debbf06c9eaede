"""The local API by certificate: its trust is its own, a peer's opens nothing, a revoked caller is cut off."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from OpenSSL import SSL

from node.crypto import authority, certificates, keyfile
from node.crypto.chain import CertificateTrust
from node.crypto.tls import Channels, TlsKey
from node.model.certificate import Role
from node.ports import PrivateKey
from tests.processes.exchange import CRYPTO, SOURCE, Exchange, running, until

ORG = "91440300708461136T"


class Callers:
    """The department's own CA, the API's certificate, and systems that call it."""

    def __init__(self, folder: Path, passphrase: bytes) -> None:
        self.folder, self._passphrase = folder, passphrase
        self.desk = authority.Desk(folder / "ca", os.urandom(16).hex().encode(), CRYPTO, os.urandom, _now)
        authority.init(self.desk, intermediate=False)
        self.issue("api", passphrase)

    def issue(self, name: str, passphrase: bytes | None = None) -> TlsKey:
        """Make a key and a certificate, with files for the node if a passphrase is given."""
        made: list[PrivateKey] = []

        def public(role: Role) -> bytes:
            made.append(CRYPTO.sm2_generate())
            return made[0].public

        request = authority.Request(name, ORG, "部门系统", ["localhost", "127.0.0.1"], public, roles=[Role.TLS])
        (der,) = authority.issue(self.desk, request).values()
        if passphrase is not None:
            (self.folder / f"{name}.crt").write_bytes(der)
            keyfile.write_key(self.folder / f"{name}.key", CRYPTO, made[0], passphrase, os.urandom)
        return TlsKey(certificates.parse(der, CRYPTO.sm3), keyfile.plain(CRYPTO, made[0]))

    def revoke(self, key: TlsKey) -> None:
        """Put a caller on the CA's list."""
        authority.revoke(self.desk, key.certificate.serial)
        authority.crl(self.desk)


def _now() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Exchange, Callers]]:
    folder = tmp_path_factory.mktemp("callers")
    with running(folder / "site") as exchange:
        seat = exchange.seat(SOURCE)
        callers = Callers(folder / "own", (seat.folder / "keys" / "passphrase").read_bytes().strip())
        exchange.set(SOURCE, "60-callers", (
            f'[api.tls]\nkey = "{callers.folder}/api.key"\ncert = "{callers.folder}/api.crt"\n'
            f'ca = "{callers.folder}/ca/root.crt"\ncrl = ["{callers.folder}/ca/root.crl"]\n'
        ))
        exchange.start(SOURCE)
        yield exchange, callers


def _system(callers: Callers, key: TlsKey, *more: Path) -> Channels:
    """Return a caller's end as its CA stands now; `more` are folders of CAs its own key needs."""
    folders = [callers.folder / "ca", *more]
    roots = [(folder / "root.crt").read_bytes() for folder in folders]
    between = [path.read_bytes() for folder in folders if (path := folder / "issuing.crt").exists()]
    lists = [path.read_bytes() for folder in folders for path in sorted(folder.glob("*.crl"))]
    return Channels(key, CertificateTrust(CRYPTO, roots, between, lists), CRYPTO.sm3, _now)


def _call(exchange: Exchange, system: Channels) -> SSL.Connection:
    """Return a connection that came through the handshake."""
    seat = exchange.seat(SOURCE)
    plain = socket.create_connection((seat.host, seat.api), timeout=20)
    plain.setblocking(True)
    line = SSL.Connection(system.client(), plain)
    line.set_connect_state()
    try:
        line.do_handshake()
    except SSL.Error:
        plain.close()
        raise
    return line


def _ask(line: SSL.Connection, more: bytes = b"") -> tuple[int, bytes]:
    """Return status and body of one request; raise SSL.Error when the other end has closed."""
    line.sendall(b"GET /v1/resources/population/deliveries HTTP/1.1\r\nHost: x\r\n" + more + b"\r\n")
    answer = b""
    while b"\r\n\r\n" not in answer or not answer.endswith(b"}"):
        answer += line.recv(65536)
    return int(answer.split(b" ")[1]), answer.partition(b"\r\n\r\n")[2]


def _end(line: SSL.Connection) -> None:
    line.sock_shutdown(socket.SHUT_RDWR)
    line.close()


def _turned_away(exchange: Exchange, system: Channels) -> None:
    """Assert that a system gets no answer; in TLS 1.3 its own end of the handshake may still look well."""
    try:
        line = _call(exchange, system)
    except (SSL.Error, OSError):
        return
    with pytest.raises((SSL.Error, OSError)):
        _ask(line)
    line.close()


def test_a_caller_with_a_certificate_needs_no_token(place: tuple[Exchange, Callers]) -> None:
    exchange, callers = place
    line = _call(exchange, _system(callers, callers.issue("ledger")))
    status, body = _ask(line)
    assert status == 200 and json.loads(body)["records"] == []
    _end(line)
    assert not exchange.seat(SOURCE).token.exists(), "no token will do, so none is made"


def test_a_peers_certificate_does_not_open_the_local_api(place: tuple[Exchange, Callers]) -> None:
    exchange, callers = place
    keys = exchange.seat(SOURCE).folder / "keys"
    certificate = certificates.parse((keys / "tls.crt").read_bytes(), CRYPTO.sm3)
    private = keyfile.read_key(keys / "tls.key", CRYPTO, (keys / "passphrase").read_bytes().strip(), certificate)
    peer = TlsKey(certificate, keyfile.plain(CRYPTO, private))
    _turned_away(exchange, _system(callers, peer, exchange.site.folder / "ca"))
    until("told", lambda: "EXN-CERT-CHAIN" in exchange.events(SOURCE))


def test_a_revoked_caller_is_cut_off_and_not_let_in_again(place: tuple[Exchange, Callers]) -> None:
    exchange, callers = place
    key = callers.issue("gone")
    good, bad = _system(callers, callers.issue("kept")), _system(callers, key)
    staying, leaving = _call(exchange, good), _call(exchange, bad)
    assert _ask(staying)[0] == _ask(leaving)[0] == 200
    callers.revoke(key)
    exchange.crew.signal(SOURCE, signal.SIGHUP)
    until("reloaded", lambda: "config.reloaded" in exchange.events(SOURCE))
    with pytest.raises((SSL.Error, OSError)):
        _ask(leaving)
    leaving.close()
    assert _ask(staying)[0] == 200, "the others go on"
    _end(staying)
    _turned_away(exchange, bad)
    until("told", lambda: "EXN-CERT-REVOKED" in exchange.events(SOURCE))
