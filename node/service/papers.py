"""A node's papers, read from the files its settings name: keys, certificates, trust, peers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import xsd
from node.config import PeerSection, Settings
from node.config.sections import Pair
from node.crypto import certificates, keyfile
from node.crypto.chain import CertificateTrust
from node.crypto.keyring import Keyring
from node.crypto.selftest import open_crypto
from node.crypto.tls import TlsKey
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.registry import Peer, Quota
from node.model.sentence import Sentence
from node.model.trouble import trouble
from node.ports import Chance, Crypto
from node.service.registry import StaticRegistry
from node.validate import Specifications
from node.validate.between import Betweens, load_between

FILE_LIMIT = 8 << 20

Authorities = tuple[list[bytes], list[bytes], list[bytes]]
"""Roots, intermediates and revocation lists as `CertificateTrust` takes them: who issued itself is a root."""


@dataclass(frozen=True, slots=True)
class Papers:
    """Everything that proves who we are and whom we trust."""

    crypto: Crypto
    keyring: Keyring
    trust: CertificateTrust
    registry: StaticRegistry


def read_papers(settings: Settings, warn: Callable[[Sentence], None], chance: Chance = os.urandom) -> Papers:
    """Return the papers; raise Hold: SELFTEST, NO_LIBCRYPTO, KEY_FILE, KEY_ROLE, or Refused(CERT_FORM)."""
    said = settings.crypto
    crypto = open_crypto(said.libcrypto, said.fallback, warn, said.libgcrypt)
    keyring = _keyring(settings, crypto, chance)
    keys = settings.keys
    trust = CertificateTrust(crypto, *authorities(settings, crypto), grace=keys.crl_grace)
    return Papers(crypto, keyring, trust, read_registry(settings, crypto))


def read_registry(settings: Settings, crypto: Crypto) -> StaticRegistry:
    """Return peers with their certificates, resources and grants; raise Hold(KEY_FILE), or Refused(CERT_FORM)."""
    peers = [_peer(section, crypto) for section in settings.peer]
    return StaticRegistry(peers, settings.resources(), settings.grants())


def read_specifications(settings: Settings, crypto: Crypto) -> Specifications:
    """Return the published specifications and the node's own; raise Hold(SPECIFICATION_FORM)."""
    return Specifications.load(xsd.FOLDER, crypto.sm3, settings.specifications.folders)


def read_between(settings: Settings, held: Specifications) -> Betweens:
    """Return the rules between records, published and the node's own; raise Hold(BETWEEN_FORM) with every fault.

    They are in force where `[findings]` is, and only as far as the records they want come here.
    """
    among = {resource.specification.partition("/")[0] for resource in settings.resource}
    wait = settings.findings.wait if settings.findings else None
    found = load_between(xsd.FOLDER, held, settings.specifications.folders, wait, among)
    return found if settings.findings else Betweens()


def authorities(settings: Settings, crypto: Crypto) -> Authorities:
    """Return whom the exchange trusts; raise Hold(KEY_FILE), or Refused(CERT_FORM)."""
    return _authorities(settings.keys.ca, settings.keys.crl, crypto)


def callers_authorities(settings: Settings, crypto: Crypto) -> Authorities | None:
    """Return who may call the local API by certificate, None where it asks for a token; raise as `authorities`."""
    tls = settings.api.tls
    return None if tls is None else _authorities([tls.ca], tls.crl, crypto)


def read_callers(settings: Settings, crypto: Crypto) -> tuple[TlsKey, CertificateTrust] | None:
    """Return the key and the trust of the local API's mutual TLS, which are its own; None where it asks for a token.

    Raises Hold (KEY_FILE, KEY_ROLE), or Refused (CERT_FORM, CRL_FORM).
    """
    tls, known = settings.api.tls, callers_authorities(settings, crypto)
    if tls is None or known is None:
        return None
    certificate = read_certificate(tls.cert, crypto)
    passphrase = keyfile.read(settings.keys.passphrase).strip()
    key = keyfile.read_key(tls.key, crypto, passphrase, certificate)
    trust = CertificateTrust(crypto, *known, grace=settings.keys.crl_grace)
    return TlsKey(certificate, keyfile.plain(crypto, key)), trust


def _authorities(ca: Iterable[Path], crl: Iterable[Path], crypto: Crypto) -> Authorities:
    roots: list[bytes] = []
    between: list[bytes] = []
    for path in ca:
        for der in _blocks(path):
            (roots if certificates.inspect(der, crypto.sm3).self_issued else between).append(der)
    return roots, between, [read_public(path) for path in crl]


def _blocks(path: Path) -> list[bytes]:
    try:
        return certificates.split(read_public(path), "CERTIFICATE")
    except ValueError:
        raise trouble(codes.CERT_FORM) from None


def _keyring(settings: Settings, crypto: Crypto, chance: Chance) -> Keyring:
    keys, ring = settings.keys, Keyring(crypto, chance)
    passphrase = keyfile.read(keys.passphrase).strip()

    def add(role: Role, pair: Pair) -> None:
        certificate = read_certificate(pair.cert, crypto)
        ring.add(pair.key.stem, role, certificate, keyfile.read_key(pair.key, crypto, passphrase, certificate))

    add(Role.SIGN, keys.sign)
    add(Role.ENCRYPT, keys.encrypt)
    add(Role.TLS, keys.tls)
    for old in keys.old:
        add(Role.ENCRYPT, old)
    for path in keys.lost:
        ring.declare_lost(read_certificate(path, crypto))
    for path in keys.storage:
        ring.add_storage(path.stem, keyfile.read_storage(path, passphrase))
    return ring


def _peer(section: PeerSection, crypto: Crypto) -> Peer:
    papers = section.certificates
    return Peer(
        node=section.node,
        org=section.org,
        signing=[read_certificate(path, crypto) for path in papers.sign],
        encryption=read_certificate(papers.encrypt, crypto),
        tls=[read_certificate(path, crypto) for path in papers.tls],
        address=str(section.address) if section.address else None,
        kinds=frozenset(section.kinds),
        resources=frozenset(section.resources),
        origins=frozenset(section.origins),
        suspended=section.suspended,
        quota=Quota(section.quota.parcels, section.quota.octets),
        backup_interval=section.backup_interval,
    )


def read_certificate(path: Path, crypto: Crypto) -> Certificate:
    """Return the certificate in a file; raise Hold(KEY_FILE), or Refused(CERT_FORM)."""
    return certificates.parse(read_public(path), crypto.sm3)


def read_public(path: Path) -> bytes:
    """Return a public file's octets; raise Hold(KEY_FILE) naming it if it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError:
        raise trouble(codes.KEY_FILE, name=path.name, reason="missing") from None
    if len(data) > FILE_LIMIT:
        raise trouble(codes.KEY_FILE, name=path.name, reason="size")
    return data
