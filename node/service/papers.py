"""A node's papers, read from the files its settings name: keys, certificates, trust, peers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node.config import PeerSection, Settings
from node.config.sections import Pair
from node.crypto import certificates, keyfile
from node.crypto.chain import CertificateTrust
from node.crypto.keyring import Keyring
from node.crypto.selftest import open_crypto
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.registry import Peer, Quota
from node.model.sentence import Sentence
from node.model.trouble import trouble
from node.ports import Chance, Crypto
from node.service.registry import StaticRegistry

FILE_LIMIT = 8 << 20


@dataclass(frozen=True, slots=True)
class Papers:
    """Everything that proves who we are and whom we trust."""

    crypto: Crypto
    keyring: Keyring
    trust: CertificateTrust
    registry: StaticRegistry


def read_papers(settings: Settings, warn: Callable[[Sentence], None], chance: Chance = os.urandom) -> Papers:
    """Return the papers; raise Hold: SELFTEST, NO_LIBCRYPTO, KEY_FILE, KEY_ROLE, or Refused(CERT_FORM)."""
    crypto = open_crypto(settings.crypto.libcrypto, settings.crypto.fallback, warn)
    keyring = _keyring(settings, crypto, chance)
    keys = settings.keys
    trust = CertificateTrust(crypto, *authorities(settings, crypto), grace=keys.crl_grace)
    peers = [_peer(section, crypto) for section in settings.peer]
    return Papers(crypto, keyring, trust, StaticRegistry(peers, settings.resources(), settings.grants()))


def authorities(settings: Settings, crypto: Crypto) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return roots, intermediates and lists as `CertificateTrust` takes them: who issued itself is a root."""
    roots: list[bytes] = []
    between: list[bytes] = []
    for path in settings.keys.ca:
        data = _read(path)
        blocks = certificates.split(data, "CERTIFICATE") if data[:1] != b"\x30" else [data]
        for der in blocks:
            (roots if certificates.inspect(der, crypto.sm3).self_issued else between).append(der)
    return roots, between, [_read(path) for path in settings.keys.crl]


def _keyring(settings: Settings, crypto: Crypto, chance: Chance) -> Keyring:
    keys, ring = settings.keys, Keyring(crypto, chance)
    passphrase = keyfile.read(keys.passphrase).strip()

    def add(role: Role, pair: Pair) -> None:
        certificate = _certificate(pair.cert, crypto)
        ring.add(pair.key.stem, role, certificate, keyfile.read_key(pair.key, crypto, passphrase, certificate))

    add(Role.SIGN, keys.sign)
    add(Role.ENCRYPT, keys.encrypt)
    add(Role.TLS, keys.tls)
    for old in keys.old:
        add(Role.ENCRYPT, old)
    for path in keys.storage:
        ring.add_storage(path.stem, keyfile.read_storage(path, passphrase))
    return ring


def _peer(section: PeerSection, crypto: Crypto) -> Peer:
    papers = section.certificates
    return Peer(
        node=section.node,
        org=section.org,
        signing=[_certificate(path, crypto) for path in papers.sign],
        encryption=_certificate(papers.encrypt, crypto),
        tls=[_certificate(path, crypto) for path in papers.tls],
        address=str(section.address) if section.address else None,
        kinds=frozenset(section.kinds),
        resources=frozenset(section.resources),
        origins=frozenset(section.origins),
        suspended=section.suspended,
        quota=Quota(section.quota.parcels, section.quota.octets),
        backup_interval=section.backup_interval,
    )


def _certificate(path: Path, crypto: Crypto) -> Certificate:
    return certificates.parse(_read(path), crypto.sm3)


def _read(path: Path) -> bytes:
    """Return a public file's octets; raise Hold(KEY_FILE) naming it if it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError:
        raise trouble(codes.KEY_FILE, name=path.name, reason="missing") from None
    if len(data) > FILE_LIMIT:
        raise trouble(codes.KEY_FILE, name=path.name, reason="size")
    return data
