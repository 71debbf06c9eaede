"""What the core asks of keys, certificates and the registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from node.model.certificate import Certificate
from node.model.instant import Instant
from node.model.registry import Grant, Peer, Resource

Chance = Callable[[int], bytes]
"""`chance(n)` returns n bytes of the system's randomness, and is the only source of it."""

Clock = Callable[[], Instant]
"""The wall clock.  Order is never taken from it."""

SM2_ID = b"1234567812345678"
"""The default signer identity of GB/T 35276 (GM/T 0009)."""


class PrivateKey(Protocol):
    """One SM2 private key, addressed and never shown."""

    @property
    def public(self) -> bytes:
        """The point `04 ‖ X ‖ Y`, 65 bytes."""

    def sign(self, data: bytes, signer: bytes = SM2_ID) -> bytes:
        """Return DER `SM2Signature` over e = SM3(Z ‖ data) (GB/T 32918.2)."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the 16-byte key inside DER `SM2Cipher`; raise Refused for anything else (GB/T 32918.4)."""


class Crypto(Protocol):
    """SM2, SM3 and SM4 in one suite; keys and IVs of symmetric calls are arguments, SM2's randomness never is."""

    name: str

    @property
    def library(self) -> str:
        """The libraries that compute, with their versions, for the log and for `check`."""

    def sm3(self, data: bytes) -> bytes:
        """Return the 32-byte digest (GB/T 32905)."""

    def hmac_sm3(self, key: bytes, data: bytes) -> bytes:
        """Return HMAC-SM3, 32 bytes."""

    def keyed(self, key: bytes) -> Callable[[bytes], bytes]:
        """Return a function of `data` equal to HMAC-SM3 under `key`, prepared once for many calls."""

    def sm4_ecb(self, key: bytes, blocks: bytes) -> bytes:
        """Encrypt whole 16-byte blocks, no padding (only for key derivation; GB/T 32907)."""

    def sm4_cbc_encrypt(self, key: bytes, iv: bytes, clear: bytes) -> bytes:
        """Encrypt with PKCS#7 padding."""

    def sm4_cbc_decrypt(self, key: bytes, iv: bytes, secret: bytes) -> bytes:
        """Undo `sm4_cbc_encrypt`; raise Refused(OPEN) on bad padding or length."""

    def sm4_ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt in counter mode from the 16-byte initial counter."""

    def sm4_gcm_seal(self, key: bytes, nonce: bytes, clear: bytes, aad: bytes) -> bytes:
        """Return ciphertext ‖ 16-byte tag; the 12-byte nonce is used once per key."""

    def sm4_gcm_open(self, key: bytes, nonce: bytes, secret: bytes, aad: bytes) -> bytes:
        """Undo `sm4_gcm_seal`; raise Refused(OPEN) if anything was touched."""

    def sm2_generate(self) -> PrivateKey:
        """Return a fresh key from the system's randomness."""

    def sm2_load(self, scalar: bytes) -> PrivateKey:
        """Return the key of a 32-byte scalar in 1 … n−2; raise Refused otherwise."""

    def sm2_scalar(self, key: PrivateKey) -> bytes:
        """Return the scalar for writing an encrypted key file; a device provider raises Refused."""

    def sm2_verify(self, public: bytes, data: bytes, signature: bytes, signer: bytes = SM2_ID) -> bool:
        """Return whether DER `signature` is good over SM3(Z ‖ data); False for anything malformed."""

    def sm2_verify_digest(self, public: bytes, e: bytes, signature: bytes) -> bool:
        """Return whether `signature` is good over the 32-byte e itself (for other products' readings)."""

    def sm2_wrap(self, public: bytes, key: bytes) -> bytes:
        """Return DER `SM2Cipher` of the 16-byte `key`; raise Refused for an off-curve point."""


class Identity(Protocol):
    """Who this node is: its signing and encryption certificates, and the use of their keys."""

    domain: str
    node: str
    org: str

    @property
    def signing(self) -> Certificate:
        """The certificate whose key signs now."""

    @property
    def encryption(self) -> Certificate:
        """The certificate others seal to now."""

    def sign(self, data: bytes) -> bytes:
        """Sign with the present signing key: DER over SM3(Z ‖ data)."""

    def decrypts(self, fingerprint: str) -> bool:
        """Return whether we hold the key of this encryption certificate, old decrypt-only ones included."""

    def lost(self, fingerprint: str) -> bool:
        """Return whether the key of this encryption certificate was declared lost for good."""

    def unwrap(self, issuer: bytes, serial: int, wrapped: bytes) -> bytes:
        """Unwrap with the key of the encryption certificate (issuer's Name DER, serial), old decrypt-only ones too.

        Raises Hold(KEY_ROLE) when we hold no such key, Refused(OPEN) when it does not open.
        """


class Storage(Protocol):
    """The node's storage key at work: nothing about a person rests on disk in clear (DESIGN §5, §8.6)."""

    def seal(self, place: bytes, clear: bytes) -> bytes:
        """Return key id ‖ 12 random bytes ‖ SM4-GCM; `place` (store, table, primary key) is authenticated."""

    def open(self, place: bytes, sealed: bytes) -> bytes:
        """Undo `seal` at the same place; raise Refused(OPEN) if it was moved or touched.

        Raises Hold(KEY_FILE) when the storage key it names is not held: a key file was left out.
        """

    def index(self, label: bytes, *parts: bytes) -> bytes:
        """Return a 32-byte keyed digest of the parts, each prefixed with its length, for looking up without showing."""

    def indexer(self, label: bytes, *first: bytes) -> Callable[..., bytes]:
        """Return `index` as a function of the parts that follow `first`, for many values that share these."""


class Trust(Protocol):
    """Chain, validity and revocation of certificates."""

    def read(self, der: bytes) -> Certificate:
        """Return what a certificate says, which proves nothing of it; raise Refused for malformed octets."""

    def check(self, certificate: Certificate, at: Instant) -> None:
        """Return if the certificate is good at `at`; raise Hold (CERT_CHAIN, CERT_TIME, CERT_REVOKED, CRL_MISSING)."""

    def archive(self, certificate: Certificate) -> bytes:
        """Return the chain and the CRLs relied on, as DER in one self-describing blob (WIRE §6)."""


class Registry(Protocol):
    """The peer table: authority comes from here, never from a certificate alone (WIRE §1)."""

    def signer(self, fingerprint: str) -> Peer | None:
        """Return the peer that signs with the certificate of this SM3 fingerprint, and its certificate within."""

    def peer(self, node: str) -> Peer | None:
        """Return the peer of this node code."""

    def channel(self, fingerprint: str) -> Peer | None:
        """Return the peer whose TLS certificate has this SM3 fingerprint."""

    def peers(self) -> Sequence[Peer]:
        """Return all peers."""

    def resource(self, code: str) -> Resource | None:
        """Return the catalogue entry."""

    def resources(self) -> Sequence[Resource]:
        """Return all catalogue entries."""

    def grants(self) -> Sequence[Grant]:
        """Return all grants, ended ones included."""
