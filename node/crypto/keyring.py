"""The node's own keys by name and role, and the two ports they serve: `Identity` and `Storage`.

Rule 1: one key pair, one role (WIRE §1): the same point under two roles, or a certificate of two usages, is refused.
Rule 2: an encryption key that is no longer the newest only decrypts.
Rule 3: what can be listed about a key is its name, role, fingerprint and dates; a secret has no way out of here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from node.crypto import keyfile
from node.crypto.storage import StorageKey, StorageSecret
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.trouble import trouble
from node.ports import Chance, Crypto, Identity, PrivateKey

STORAGE = "storage"
"""The fourth role, which no certificate bears."""

KEY, CERTIFICATE = ".key", ".crt"
"""`NAME.key` and, unless it is a storage key, `NAME.crt` stand side by side."""


@dataclass(frozen=True, slots=True)
class KeyNames:
    """Which names of the folder serve which role; newest first where several are given."""

    sign: str
    encrypt: Sequence[str]
    tls: str
    storage: Sequence[str]


@dataclass(frozen=True, slots=True)
class Listed:
    """What may be told about one key; `fingerprint` is the certificate's, for a storage key its id."""

    name: str
    role: str
    fingerprint: str
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A key pair of ours at work: its certificate and the private half."""

    name: str
    certificate: Certificate
    key: PrivateKey = field(repr=False)


class Keyring:
    """Keys by name; `add` and `add_storage` refuse what must not be used, so what is held may be."""

    def __init__(self, crypto: Crypto, chance: Chance) -> None:
        self._crypto, self._chance = crypto, chance
        self._pairs: dict[Role, list[Held]] = {role: [] for role in Role}
        self._storage: list[tuple[str, StorageSecret]] = []
        self._lost: set[str] = set()

    def add(self, name: str, role: Role, certificate: Certificate, key: PrivateKey) -> None:
        """Hold a key pair after those of its role already held.

        Raises Hold(KEY_FILE) if the key is not the certificate's, Hold(KEY_ROLE) if the certificate's usage is
        another, if its key serves another role, or if a second one is given where only one can be (sign, TLS).
        """
        keyfile.match(key, certificate, name)
        if certificate.roles != {role} or (role is not Role.ENCRYPT and self._pairs[role]):
            raise trouble(codes.KEY_ROLE, name=name, role=role.value)
        for held in (pair for pairs in self._pairs.values() for pair in pairs):
            if held.certificate.public == certificate.public and held.certificate.roles != {role}:
                raise trouble(codes.KEY_ROLE, name=name, role=role.value)
        self._pairs[role].append(Held(name, certificate, key))

    def declare_lost(self, certificate: Certificate) -> None:
        """Take the key of an encryption certificate for lost for good: nothing sealed to it waits for it any more.

        Raises Hold(KEY_ROLE) for a certificate of another usage, or one whose key is held.
        """
        held = any(pair.certificate.public == certificate.public for pair in self._pairs[Role.ENCRYPT])
        if held or certificate.roles != {Role.ENCRYPT}:
            raise trouble(codes.KEY_ROLE, name=certificate.fingerprint, role=Role.ENCRYPT.value)
        self._lost.add(certificate.fingerprint)

    def add_storage(self, name: str, secret: StorageSecret) -> None:
        """Hold a storage key after those already held."""
        self._storage.append((name, secret))

    def held(self, role: Role) -> Sequence[Held]:
        """Return the pairs of a role, newest first; raise Hold(KEY_ROLE) if there is none."""
        if not self._pairs[role]:
            raise trouble(codes.KEY_ROLE, name="-", role=role.value)
        return tuple(self._pairs[role])

    def identity(self, domain: str, node: str, org: str) -> NodeIdentity:
        """Return who we are; raise Hold(KEY_ROLE) if a key for signing or for encryption is missing."""
        return NodeIdentity(domain, node, org, self.held(Role.SIGN)[0], self.held(Role.ENCRYPT), self._lost)

    def storage(self) -> StorageKey:
        """Return the storage key at work; raise Hold(KEY_FILE) if none is held or they disagree on the index."""
        return StorageKey(self._crypto, [secret for _, secret in self._storage], self._chance)

    def tls(self) -> tuple[Certificate, bytes]:
        """Return the TLS certificate and its key as DER PKCS#8, to be handed on in memory only."""
        pair = self.held(Role.TLS)[0]
        return pair.certificate, keyfile.plain(self._crypto, pair.key)

    def listing(self) -> Sequence[Listed]:
        """Return names, roles and fingerprints of all keys held."""
        pairs = [
            Listed(pair.name, role.value, pair.certificate.fingerprint, pair.certificate)
            for role in Role
            for pair in self._pairs[role]
        ]
        return pairs + [Listed(name, STORAGE, secret.id.hex()) for name, secret in self._storage]


def open_keyring(
    folder: Path, names: KeyNames, passphrase: bytes, crypto: Crypto, chance: Chance,
    parse: Callable[[bytes], Certificate],
) -> Keyring:
    """Return the keyring of a folder; `parse` reads a certificate (DER or PEM).

    Raises Hold (KEY_FILE, KEY_ROLE) naming the file, or what `parse` raises.
    """
    ring = Keyring(crypto, chance)
    of_roles = {Role.SIGN: [names.sign], Role.ENCRYPT: names.encrypt, Role.TLS: [names.tls]}
    for role, several in of_roles.items():
        for name in several:
            certificate = parse(_certificate(folder / (name + CERTIFICATE)))
            key = keyfile.read_key(folder / (name + KEY), crypto, passphrase, certificate)
            ring.add(name, role, certificate, key)
    for name in names.storage:
        ring.add_storage(name, keyfile.read_storage(folder / (name + KEY), passphrase))
    return ring


def _certificate(path: Path) -> bytes:
    """Return a certificate file's octets; it is public, so its mode is nobody's business."""
    try:
        with path.open("rb") as file:
            return file.read(keyfile.LIMIT)
    except OSError:
        raise trouble(codes.KEY_FILE, name=path.name, reason="missing") from None


class NodeIdentity:
    """The port `Identity`: one signing key, and encryption keys of which the first is the present one."""

    def __init__(
        self, domain: str, node: str, org: str, signing: Held, encryption: Sequence[Held], lost: Iterable[str] = ()
    ) -> None:
        self.domain, self.node, self.org = domain, node, org
        self._signing, self._encryption = signing, encryption[0]
        self._fingerprints = frozenset(held.certificate.fingerprint for held in encryption)
        self._lost = frozenset(lost)
        self._by_issue = {(held.certificate.issuer, held.certificate.serial): held.key for held in encryption}

    @property
    def signing(self) -> Certificate:
        return self._signing.certificate

    @property
    def encryption(self) -> Certificate:
        return self._encryption.certificate

    def sign(self, data: bytes) -> bytes:
        return self._signing.key.sign(data)

    def decrypts(self, fingerprint: str) -> bool:
        return fingerprint in self._fingerprints

    def lost(self, fingerprint: str) -> bool:
        return fingerprint in self._lost

    def unwrap(self, issuer: bytes, serial: int, wrapped: bytes) -> bytes:
        key = self._by_issue.get((issuer, serial))
        if key is None:
            raise trouble(codes.KEY_ROLE, name=f"{serial:x}", role=Role.ENCRYPT.value)
        return key.unwrap(wrapped)


_: type[Identity] = NodeIdentity
