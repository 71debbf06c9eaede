"""The storage key at work: the port `Storage`, and what a storage key file holds.

A storage key never encrypts itself: it yields a body key and an index key by HMAC-SM3 with a label (DESIGN §5).
A value is key id (4) ‖ nonce (12) ‖ SM4-GCM ‖ tag (16).  Nonces are random, so one body key is good for 2³² values
(SP 800-38D §8.3); rotate before.  The newest key seals, every key still held opens.

The index must stay the same over all keys, or what was stored under an older one is no longer found: a new key's
file therefore carries the first one's index secret on, and keys that disagree about it are refused together.

Why not PKCS#8: it holds asymmetric keys; a symmetric one in it would be taken for an SM2 scalar by every tool.  The
file is one PEM block `EXCHANGE NODE STORAGE KEY` of

    SEQUENCE { version INTEGER (1), id OCTET STRING (4), protection AlgorithmIdentifier (PBES2), secret OCTET STRING }

whose secret opens to SEQUENCE { key OCTET STRING (16 or 32), index OCTET STRING (32), check OCTET STRING (32) }.  The
id is derived from the key, so a wrong passphrase is noticed.  CBC alone would let a touched octet through into the
index, and every lookup would miss in silence: check = HMAC-SM3(key, label ‖ index) forbids it.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from struct import Struct

from node.crypto import pkcs8, symmetric
from node.crypto.der import OCTET_STRING, SEQUENCE, Malformed, Reader, encode, integer
from node.model import codes
from node.model.trouble import trouble
from node.ports import Chance, Crypto, Storage

LABEL = "EXCHANGE NODE STORAGE KEY"
SIZES = (16, 32)
ID, NONCE = 4, 12
_LENGTH = Struct(">I").pack


@dataclass(frozen=True, slots=True)
class StorageSecret:
    """One storage key and the index secret it carries; neither is ever printed."""

    key: bytes = field(repr=False)
    index: bytes = field(repr=False)

    @property
    def id(self) -> bytes:
        """The 4 bytes that name this key in every value, derived from it one way."""
        return symmetric.keyed(self.key)(b"exn.storage.id.1")[:ID]

    @property
    def body(self) -> bytes:
        """The SM4 key of the values."""
        return symmetric.keyed(self.key)(b"exn.storage.body.1")[: symmetric.BLOCK]

    @property
    def check(self) -> bytes:
        """What binds the index to the key in a file."""
        return symmetric.keyed(self.key)(b"exn.storage.file.1" + self.index)


def new_secret(chance: Chance, before: StorageSecret | None = None) -> StorageSecret:
    """Return a fresh key of 32 bytes; after `before`, with the same index."""
    key = chance(32)
    return StorageSecret(key, before.index if before else symmetric.keyed(key)(b"exn.storage.index.1"))


def seal_secret(secret: StorageSecret, passphrase: bytes, chance: Chance, rounds: int = pkcs8.ROUNDS) -> bytes:
    """Return the octets of a storage key file."""
    inner = encode(SEQUENCE, *(encode(OCTET_STRING, part) for part in (secret.key, secret.index, secret.check)))
    algorithm, protected = pkcs8.protect(inner, passphrase, chance, rounds)
    return pkcs8.write_pem(LABEL, encode(
        SEQUENCE, integer(1), encode(OCTET_STRING, secret.id), algorithm, encode(OCTET_STRING, protected)
    ))


def open_secret(data: bytes, passphrase: bytes) -> StorageSecret:
    """Undo `seal_secret`; raise Malformed, TooManyRounds or WrongPassphrase."""
    label, octets = pkcs8.read_pem(data)
    outer = Reader(octets)
    body = outer.inner()
    outer.end()
    if label != LABEL or body.number() != 1:
        raise Malformed("not a storage key file")
    name, algorithm, protected = body.take(OCTET_STRING), body.inner(), body.take(OCTET_STRING)
    body.end()
    inner = pkcs8.unprotect(algorithm, protected, passphrase)
    try:
        secret, check = _read_inner(inner)
    except Malformed:
        raise pkcs8.WrongPassphrase from None
    if not hmac.compare_digest(secret.id, name) or not hmac.compare_digest(secret.check, check):
        raise pkcs8.WrongPassphrase
    return secret


def _read_inner(data: bytes) -> tuple[StorageSecret, bytes]:
    outer = Reader(data)
    body = outer.inner()
    outer.end()
    secret, check = StorageSecret(body.take(OCTET_STRING), body.take(OCTET_STRING)), body.take(OCTET_STRING)
    body.end()
    if len(secret.key) not in SIZES or len(secret.index) != 32:
        raise Malformed("size")
    return secret, check


class StorageKey:
    """The port `Storage` over one or more storage keys, newest first; any thread may call it."""

    def __init__(self, crypto: Crypto, secrets: Sequence[StorageSecret], chance: Chance) -> None:
        """Take at least one key; raise Hold(KEY_FILE) if their ids collide or their indexes differ."""
        if not secrets:
            raise trouble(codes.KEY_FILE, name="storage", reason="missing")
        self._crypto, self._chance = crypto, chance
        self._bodies = {secret.id: secret.body for secret in secrets}
        if len(self._bodies) != len(secrets) or len({secret.index for secret in secrets}) != 1:
            raise trouble(codes.KEY_FILE, name="storage", reason="index")
        self._newest = secrets[0].id
        self._digest = crypto.keyed(secrets[0].index)

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the keys held, newest first, as hex."""
        return [name.hex() for name in self._bodies]

    def seal(self, place: bytes, clear: bytes) -> bytes:
        nonce = self._chance(NONCE)
        name = self._newest
        return name + nonce + self._crypto.sm4_gcm_seal(self._bodies[name], nonce, clear, place)

    def open(self, place: bytes, sealed: bytes) -> bytes:
        name, nonce, secret = sealed[:ID], sealed[ID : ID + NONCE], sealed[ID + NONCE :]
        if len(secret) < symmetric.TAG:
            raise trouble(codes.OPEN)
        body = self._bodies.get(name)
        if body is None:  # far likelier a key file left out than four octets gone bad: a person can bring it back
            raise trouble(codes.KEY_FILE, name=name.hex(), reason="missing")
        return self._crypto.sm4_gcm_open(body, nonce, secret, place)

    def index(self, label: bytes, *parts: bytes) -> bytes:
        return self._digest(_framed(label, *parts))

    def indexer(self, label: bytes, *first: bytes) -> Callable[..., bytes]:
        front, digest = _framed(label, *first), self._digest
        return lambda *parts: digest(front + _framed(*parts))


def _framed(*parts: bytes) -> bytes:
    return b"".join([piece for part in parts for piece in (_LENGTH(len(part)), part)])


_: type[Storage] = StorageKey
