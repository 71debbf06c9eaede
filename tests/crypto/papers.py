"""Certificates made while the tests run: a root, an authority under it, and nodes with their three pairs."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from node.crypto.certificates import inspect, parse
from node.crypto.chain import CertificateTrust
from node.crypto.issuance import Holder, Issuer, Revocation, Term, authority, leaf, revocation_list, root
from node.crypto.keyfile import plain
from node.crypto.openssl import OpenSslCrypto
from node.crypto.tls import Channels, TlsKey
from node.model.certificate import Certificate, Role
from node.model.instant import Instant
from node.ports import PrivateKey

DAY: Instant = 86_400_000
NOW: Instant = int(time.time()) * 1000
ORG = "91110000MA00A0000X"
YEAR = Term(NOW - DAY, NOW + 365 * DAY)
CRYPTO = OpenSslCrypto()


@dataclass(frozen=True)
class Paper:
    """A certificate with its key."""

    der: bytes
    key: PrivateKey

    @property
    def certificate(self) -> Certificate:
        return parse(self.der, CRYPTO.sm3)

    @property
    def issuer(self) -> Issuer:
        return Issuer(self.der, self.key, CRYPTO.sm3, os.urandom)

    @property
    def pkcs8(self) -> bytes:
        """The clear PKCS#8 that the keyring hands to TLS."""
        return plain(CRYPTO, self.key)

    def revoking(
        self, *entries: Revocation, number: int = 1, this: Instant = NOW - DAY, due: Instant = NOW + DAY,
    ) -> bytes:
        """Return a CRL of this authority."""
        return revocation_list(self.issuer, number, entries, this, due)


def names(common: str, organisation: str = "测试单位") -> list[tuple[str, str]]:
    return [("country_name", "CN"), ("organization_name", organisation), ("common_name", common)]


def make_root(common: str = "测试根CA", term: Term = YEAR) -> Paper:
    key = CRYPTO.sm2_generate()
    return Paper(root(Holder(names(common), key.public), term, key, CRYPTO.sm3, os.urandom), key)


def make_authority(above: Paper, common: str = "测试子CA", term: Term = YEAR) -> Paper:
    key = CRYPTO.sm2_generate()
    return Paper(authority(Holder(names(common), key.public), term, above.issuer), key)


def make_leaf(
    above: Paper, role: Role, node: str = "dept-a", term: Term = YEAR, key: PrivateKey | None = None,
    hosts: Sequence[str] = ("127.0.0.1",),
) -> Paper:
    key = key or CRYPTO.sm2_generate()
    holder = Holder(names(node), key.public, ORG, (node, *hosts))
    return Paper(leaf(holder, role, term, above.issuer), key)


@cache
def the_root() -> Paper:
    return make_root()


@cache
def the_authority() -> Paper:
    return make_authority(the_root())


@cache
def the_leaf(role: Role, node: str = "dept-a") -> Paper:
    return make_leaf(the_authority(), role, node)


def lists(*entries: Revocation) -> list[bytes]:
    """Return the CRLs of both authorities, the lower one with the entries."""
    return [the_root().revoking(), the_authority().revoking(*entries)]


def trust(*entries: Revocation, grace: Instant = 0) -> CertificateTrust:
    return CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], lists(*entries), grace=grace)


def channels(
    paper: Paper, held: CertificateTrust | None = None, profile: str = "rfc8998", now: Instant = NOW,
) -> Channels:
    key = TlsKey(paper.certificate, paper.pkcs8)
    return Channels(key, held or trust(), CRYPTO.sm3, lambda: now, profile)


def revoke(paper: Paper, at: Instant = NOW - DAY // 2) -> Revocation:
    return Revocation(inspect(paper.der, CRYPTO.sm3).certificate.serial, at, "key_compromise")
