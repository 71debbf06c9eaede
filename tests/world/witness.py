"""The witness: sees what a machine verifies and what it unwraps, and says if the order was wrong (DESIGN §8.4)."""

from __future__ import annotations

from typing import Any

from node.model.certificate import Certificate
from node.ports import SM2_ID, Crypto, Identity
from tests.crypto.papers import CRYPTO


class _WatchedCrypto:
    """A suite that tells its witness of each good signature."""

    def __init__(self, crypto: Crypto, witness: Witness) -> None:
        self._crypto, self._witness = crypto, witness

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._crypto, name)
        setattr(self, name, found)
        return found

    def sm2_verify(self, public: bytes, data: bytes, signature: bytes, signer: bytes = SM2_ID) -> bool:
        good = self._crypto.sm2_verify(public, data, signature, signer)
        if good:
            self._witness.verified(data)
        return good


class _WatchedIdentity:
    """A real identity that tells its witness of each unwrapping."""

    def __init__(self, identity: Identity, witness: Witness) -> None:
        self._identity, self._witness = identity, witness
        self.domain, self.node, self.org = identity.domain, identity.node, identity.org

    @property
    def signing(self) -> Certificate:
        return self._identity.signing

    @property
    def encryption(self) -> Certificate:
        return self._identity.encryption

    def sign(self, data: bytes) -> bytes:
        return self._identity.sign(data)

    def decrypts(self, fingerprint: str) -> bool:
        return self._identity.decrypts(fingerprint)

    def lost(self, fingerprint: str) -> bool:
        return self._identity.lost(fingerprint)

    def unwrap(self, issuer: bytes, serial: int, wrapped: bytes) -> bytes:
        self._witness.unwrapped(wrapped)
        return self._identity.unwrap(issuer, serial, wrapped)


class Witness:
    """What one machine verified and unwrapped, over all its lives.

    `envelopes` holds every EnvelopedData that crossed the wire by its digest; a key may be unwrapped only from one
    that a statement names whose signature this machine found good before.
    """

    def __init__(self, name: str, envelopes: dict[str, bytes], crypto: Crypto) -> None:
        self.name, self.envelopes = name, envelopes
        self.crypto: Any = _WatchedCrypto(crypto, self)
        self.broken: list[str] = []
        self._named: set[str] = set()

    def beside(self) -> Witness:
        """Return the witness of a copy of this machine: it verified what this one did, and goes its own way."""
        twin = Witness(self.name, self.envelopes, self.crypto._crypto)
        twin.broken, twin._named = self.broken, set(self._named)
        return twin

    def identity(self, identity: Identity) -> Identity:
        """Return the identity, watched."""
        return _WatchedIdentity(identity, self)

    def verified(self, data: bytes) -> None:
        """A signature over these octets was good."""
        text = data.decode("latin-1")
        for name in ('"digest":"', '"envelope":"'):
            at = text.find(name)
            while at >= 0:
                self._named.add(text[at + len(name) : at + len(name) + 64])
                at = text.find(name, at + 1)

    def unwrapped(self, wrapped: bytes) -> None:
        """A key is about to be unwrapped."""
        for digest, octets in reversed(self.envelopes.items()):
            if wrapped in octets:
                if digest not in self._named:
                    self.broken.append(f"{self.name} unwrapped a key of {digest} before it had verified a statement")
                return
        self.broken.append(f"{self.name} unwrapped a key of an envelope that never crossed the wire")


def digest_of(octets: bytes) -> str:
    """Return the digest by which a statement names an envelope."""
    return CRYPTO.sm3(octets).hex()
