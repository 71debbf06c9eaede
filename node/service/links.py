"""The TLS of a node: gates for those who come to us, links to the peers we connect to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IReactorTime

from node.config import PeerSection
from node.crypto.chain import CertificateTrust
from node.crypto.keyring import Keyring
from node.crypto.tls import Channels, TlsKey
from node.model.certificate import Certificate
from node.model.instant import Instant
from node.model.trouble import Trouble
from node.ports import Clock, Crypto, Registry, Trust
from node.wire.address import client_of
from node.wire.client import PeerClient
from node.wire.link import PeerLink
from node.wire.tls import TlsEndpoint

CONNECTIONS = 8
"""Two long polls and what is posted beside them."""

Refused = Callable[[Trouble], None]
"""Is told why a handshake failed, with the fingerprint of the certificate it failed for."""

SEEN = 4096
"""Certificates of callers that are remembered."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a port behind TLS needs: a context per connection, and the fingerprint of who came through it."""

    context: Callable[[], Any]
    check: Callable[[Any], str]


class Callers:
    """The department's own systems that come by certificate, under a trust of their own."""

    def __init__(
        self, key: TlsKey, trust: CertificateTrust, crypto: Crypto, clock: Clock, profile: str, refused: Refused
    ) -> None:
        self.trust = trust
        self._channels = Channels(key, trust, crypto.sm3, clock, profile, refused)
        self._clock = clock
        self._seen: dict[str, Certificate] = {}

    def gate(self) -> Gate:
        """Return the gate of the local API."""
        return Gate(self._channels.server, self._check)

    def gone(self, fingerprint: str) -> bool:
        """Return whether a certificate that came in is good no more."""
        certificate = self._seen.get(fingerprint)
        return certificate is None or not good(self.trust, certificate, self._clock())

    def _check(self, connection: Any) -> str:
        certificate = self._channels.assert_channel(connection)
        if len(self._seen) >= SEEN:
            self._seen.clear()  # those still connected are then closed by a reload, and come again
        self._seen[certificate.fingerprint] = certificate
        return certificate.fingerprint


def good(trust: Trust, certificate: Certificate, at: Instant) -> bool:
    """Return whether a certificate is good at `at`."""
    try:
        trust.check(certificate, at)
    except Trouble:
        return False
    return True


class Wires:
    """Makes channels of either profile from one key and one trust."""

    def __init__(
        self, keyring: Keyring, trust: CertificateTrust, crypto: Crypto, clock: Clock, refused: Refused
    ) -> None:
        self._made: dict[str, Channels] = {}
        self._keyring, self._trust, self._crypto, self._clock, self._refused = keyring, trust, crypto, clock, refused

    def channels(self, profile: str) -> Channels:
        """Return the channels of a profile."""
        if profile not in self._made:
            key = TlsKey(*self._keyring.tls())
            self._made[profile] = Channels(
                key, self._trust, self._crypto.sm3, self._clock, profile, self._refused
            )
        return self._made[profile]

    def gate(self, profile: str) -> Gate:
        """Return the gate of peers that connect to us; who it is says the registry, per request."""
        channels = self.channels(profile)
        return Gate(channels.server, lambda connection: channels.assert_channel(connection).fingerprint)

    def link(
        self, reactor: IReactorTime, section: PeerSection, registry: Callable[[], Registry], changed: Callable[[], None]
    ) -> PeerLink:
        """Return the link to a peer with an address; it speaks only to a certificate registered for that node."""
        channels = self.channels(section.profile)

        def check(connection: Any) -> str:
            peer = registry().peer(section.node)
            expected = {one.fingerprint for one in peer.tls} if peer is not None else set()
            return channels.assert_channel(connection, expected).fingerprint

        address = str(section.address)
        endpoint = TlsEndpoint(client_of(reactor, address), channels.client, reactor)
        return PeerLink(
            PeerClient(section.node, endpoint, address, reactor, size=CONNECTIONS, check=check), changed
        )
