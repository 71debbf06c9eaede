"""The registry as configuration states it: peers, resources and grants, looked up by what a statement shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from node.model.registry import Grant, Peer, Resource
from node.ports import Registry


class StaticRegistry:
    """A registry that changes only by being replaced."""

    def __init__(self, peers: Iterable[Peer], resources: Iterable[Resource], grants: Iterable[Grant]) -> None:
        self._peers = {peer.node: peer for peer in peers}
        self._resources = {resource.code: resource for resource in resources}
        self._grants = tuple(grants)
        self._signers = {one.fingerprint: peer for peer in self._peers.values() for one in peer.signing}
        self._channels = {one.fingerprint: peer for peer in self._peers.values() for one in peer.tls}

    def signer(self, fingerprint: str) -> Peer | None:
        """Return the peer that signs with the certificate of this SM3 fingerprint."""
        return self._signers.get(fingerprint)

    def peer(self, node: str) -> Peer | None:
        """Return the peer of this node code."""
        return self._peers.get(node)

    def channel(self, fingerprint: str) -> Peer | None:
        """Return the peer whose TLS certificate has this SM3 fingerprint."""
        return self._channels.get(fingerprint)

    def peers(self) -> Sequence[Peer]:
        """Return all peers."""
        return tuple(self._peers.values())

    def resource(self, code: str) -> Resource | None:
        """Return the catalogue entry."""
        return self._resources.get(code)

    def resources(self) -> Sequence[Resource]:
        """Return all catalogue entries."""
        return tuple(self._resources.values())

    def grants(self) -> Sequence[Grant]:
        """Return all grants, ended ones included."""
        return self._grants


_: type[Registry] = StaticRegistry
