"""Certificates, revocation lists, archives and key files."""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Hashable, Iterator
from functools import cache

from node.crypto import keyfile, pkcs8, storage
from node.crypto.archive import read_archive, write_archive
from node.crypto.certificates import inspect
from node.crypto.chain import CertificateTrust
from node.crypto.der import integer
from node.crypto.revocation import parse_crls
from node.model.certificate import Role
from node.model.trouble import Hold, Trouble
from tests.crypto.papers import NOW, Revocation, lists, the_authority, the_leaf, the_root, trust
from tests.fuzz.mutate import any_of, asn1, in_pem, octets
from tests.fuzz.mutate.asn1 import read
from tests.fuzz.people import ALICE, BOB, CRYPTO, signing_key
from tests.fuzz.target import MARKER, Target, hidden

PASSPHRASE = b"passphrase of the fuzz"
ROUNDS = 1000
BOUND = 30.0
"""Seconds of the most rounds a key file may ask for (`pkcs8.MOST_ROUNDS`), on a slow machine."""


def pem(label: str, der: bytes) -> bytes:
    """Return one PEM block."""
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label.encode(), encodebytes(der), label.encode())


def certificates() -> Iterator[bytes]:
    """Yield certificates of every kind, in DER and PEM."""
    for der in (ALICE.signing.der, BOB.encryption.der, the_root().der, the_authority().der, the_leaf(Role.TLS).der):
        yield der
    yield pem("CERTIFICATE", ALICE.signing.der)
    yield pem("CERTIFICATE", ALICE.signing.der) * 2


def run_certificate(data: bytes) -> Hashable:
    """Read all facts; two readings agree."""
    facts = inspect(data, CRYPTO.sm3)
    assert facts == inspect(data, CRYPTO.sm3)
    if MARKER in data:
        hidden(facts.certificate)
    return tuple(sorted(role.value for role in facts.certificate.roles)), facts.authority, len(facts.hosts)


def revocations() -> Iterator[bytes]:
    """Yield lists, empty and full, in DER and PEM."""
    entries = [Revocation(serial, NOW, "key_compromise") for serial in range(1, 30)]
    for der in (*lists(), *lists(*entries)):
        yield der
        yield pem("X509 CRL", der)


def run_revocation(data: bytes) -> Hashable:
    """Read; then ask for a serial and for the signature."""
    found = parse_crls(data, CRYPTO.sm3)
    for one in found:
        one.revoked_at(5)
        one.signed_by(ALICE.signing.public, CRYPTO)
        assert one.der
    return len(found)


def archives() -> Iterator[bytes]:
    """Yield archives."""
    leaf = the_leaf(Role.SIGN).certificate
    yield trust().archive(leaf)
    yield write_archive([leaf.der], [])
    yield write_archive([leaf.der, the_root().der], lists())


@cache
def held() -> CertificateTrust:
    """Return the trust, made once."""
    return trust()


def run_archive(data: bytes) -> Hashable:
    """Read; what is read is written back alike; then judge a certificate by it."""
    archive = read_archive(data)
    assert write_archive(archive.certificates, archive.crls) == data
    try:
        unshown = held().check_archived(the_leaf(Role.SIGN).certificate, NOW, data)
    except Hold as hold:
        return hold.code.name
    return tuple(sorted(gap.value for gap in unshown))


def keys() -> Iterator[bytes]:
    """Yield key files of every kind."""
    key = signing_key(ALICE)
    yield keyfile.seal_key(CRYPTO, key, PASSPHRASE, bytes, ROUNDS)
    yield storage.seal_secret(storage.new_secret(bytes), PASSPHRASE, bytes, ROUNDS)
    plain = keyfile.plain(CRYPTO, key)
    yield plain
    yield pkcs8.write_pem(pkcs8.PLAIN, plain)
    for rounds in (1, pkcs8.MOST_ROUNDS + 1, (1 << 63) - 1):
        yield pkcs8.write_pem(pkcs8.ENCRYPTED, _rounds(keyfile.seal_key(CRYPTO, key, PASSPHRASE, bytes, ROUNDS),
                                                       rounds))


def _rounds(data: bytes, rounds: int) -> bytes:
    """Return the structure of a key file that asks for another number of rounds."""
    elements = read(pkcs8.read_pem(data)[1])
    assert elements is not None
    derivation = elements[0].inner[0].inner[1].inner[0].inner[1]
    derivation.inner[1].content = integer(rounds)[2:]
    return elements[0].write()


def run_key(data: bytes) -> Hashable:
    """Open as each kind of key file; whatever comes out is a key of 32 octets or a refusal by name."""
    told: list[str] = []
    for opening in (
        lambda: keyfile.open_key(CRYPTO, data, PASSPHRASE).public, lambda: keyfile.open_plain(CRYPTO, data).public,
        lambda: storage.open_secret(data, PASSPHRASE).key,
    ):
        try:
            assert opening()
            told.append("opened")
        except Trouble as refusal:
            hidden(refusal, refusal.details)
            told.append(f"{refusal.code.name} {refusal.details.get('reason')}")
        except pkcs8.Malformed as malformed:  # the room's own kind, which `read_storage` turns into a Trouble
            told.append(type(malformed).__name__)
    return tuple(told)


TARGETS = (
    Target("certificate", "certificates", certificates, run_certificate, any_of(asn1, asn1, octets, in_pem(asn1)),
           rounds=150),
    Target("revocation", "revocation lists", revocations, run_revocation, any_of(asn1, asn1, octets, in_pem(asn1)),
           rounds=100),
    Target("archive", "archives of a receipt", archives, run_archive, any_of(asn1, asn1, octets), rounds=60),
    Target("key-file", "key files", keys, run_key, any_of(octets, in_pem(asn1), in_pem(octets), asn1), seconds=BOUND,
           rounds=60),
)
