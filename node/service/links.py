"""The links to the peers we connect to, over the channels of our keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorTime

from node.config import PeerSection
from node.crypto.chain import CertificateTrust
from node.crypto.keyring import Keyring
from node.crypto.tls import Channels, TlsKey
from node.ports import Clock, Crypto, Registry
from node.wire.address import client_of
from node.wire.client import PeerClient
from node.wire.link import PeerLink
from node.wire.tls import TlsEndpoint

CONNECTIONS = 8
"""Two long polls and what is posted beside them."""


class Wires:
    """Makes channels of either profile from one key and one trust."""

    def __init__(self, keyring: Keyring, trust: CertificateTrust, crypto: Crypto, clock: Clock) -> None:
        self._made: dict[str, Channels] = {}
        self._keyring, self._trust, self._crypto, self._clock = keyring, trust, crypto, clock

    def channels(self, profile: str) -> Channels:
        """Return the channels of a profile."""
        if profile not in self._made:
            key = TlsKey(*self._keyring.tls())
            self._made[profile] = Channels(key, self._trust, self._crypto.sm3, self._clock, profile)
        return self._made[profile]

    def accept(self, profile: str) -> tuple[Callable[[], Any], Callable[[Any], str]]:
        """Return the contexts and the check of accepted connections; who it is says the registry, per request."""
        channels = self.channels(profile)
        return channels.server, lambda connection: channels.assert_channel(connection).fingerprint

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
