"""Trust: chain, validity and revocation of SM2 certificates, over OpenSSL's path validation (port `Trust`).

Rule 1: `check` is for what happens now: whoever is on a list is refused, whatever date the list gives.
Rule 2: `check_archived` is for evidence: good means good when accepted, and what cannot be shown is said (WIRE §6).
Rule 3: a path found once is kept by fingerprint until the roots or CRLs change; dates are compared at every call.
Rule 4: only self-signed certificates given as roots are trusted; everything else is a way to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from OpenSSL import crypto as openssl

from node.crypto.archive import read_archive, write_archive
from node.crypto.certificates import Facts, inspect, moment_of, parse, split
from node.crypto.revocation import Crl, parse_crls
from node.model import codes
from node.model.certificate import Certificate
from node.model.instant import Instant
from node.model.trouble import Code, trouble
from node.ports import Crypto, Trust

KEPT_PATHS = 4096
"""How many verified paths are remembered; beyond that all are forgotten and found again."""

KEPT_CERTIFICATES = 256
"""How many certificates that came with routed records stay parsed: each parcel of an origin brings the same one."""

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, fixed in OpenSSL's interface, not exported by pyOpenSSL
_CRL_FLAGS = openssl.X509StoreFlags.CRL_CHECK | openssl.X509StoreFlags.CRL_CHECK_ALL
_CODES: dict[int, Code] = {
    3: codes.CRL_MISSING,  # X509_V_ERR_UNABLE_TO_GET_CRL
    5: codes.CRL_MISSING,  # …UNABLE_TO_DECRYPT_CRL_SIGNATURE
    8: codes.CRL_MISSING,  # …CRL_SIGNATURE_FAILURE
    9: codes.CERT_TIME,  # …CERT_NOT_YET_VALID
    10: codes.CERT_TIME,  # …CERT_HAS_EXPIRED
    12: codes.CRL_MISSING,  # …CRL_HAS_EXPIRED
    23: codes.CERT_REVOKED,  # …CERT_REVOKED
    33: codes.CRL_MISSING,  # …UNABLE_TO_GET_CRL_ISSUER
    44: codes.CRL_MISSING,  # …DIFFERENT_CRL_SCOPE
}


class Unshown(str, Enum):
    """What an archive leaves open; `verify` reports it, and `--strict` turns it into failure (WIRE §6)."""

    TIME = "time"  # the time of acceptance is the receiver's word
    REVOCATION = "revocation"  # no list at hand was current then
    REVOKED_LATER = "revoked-later"  # good when accepted, revoked since


@dataclass(frozen=True, slots=True)
class _Path:
    """A verified path, leaf first and root last, with the list of each issuer on it."""

    chain: tuple[Certificate, ...]
    crls: tuple[Crl, ...]

    def fault(self, at: Instant, grace: Instant) -> Code | None:
        """Return what is out of date at `at`.

        A list newer than `at` is as good: it knows more.
        """
        if not all(certificate.not_before <= at <= certificate.not_after for certificate in self.chain):
            return codes.CERT_TIME
        if not all(at <= crl.next_update + grace for crl in self.crls):
            return codes.CRL_MISSING
        return None


@dataclass(slots=True)
class _Held:
    """One state of roots, intermediates and CRLs, and the paths found under it."""

    roots: tuple[Facts, ...]
    authorities: tuple[Facts, ...]
    crls: dict[tuple[bytes, bytes], Crl]  # by the issuer's Name and point: a renewed key has its own list
    paths: dict[str, _Path] = field(default_factory=dict)

    def list_of(self, certificate: Certificate, issuer: Certificate) -> Crl | None:
        return self.crls.get((certificate.issuer, issuer.public))


class CertificateTrust:
    """The port `Trust` over roots, intermediates and CRLs given as DER or PEM octets.

    `grace` (ms) is how long past its next update a CRL still counts, for authorities that publish late.
    """

    def __init__(
        self, crypto: Crypto, roots: Iterable[bytes], intermediates: Iterable[bytes] = (), crls: Iterable[bytes] = (),
        *, grace: Instant = 0,
    ) -> None:
        self._crypto = crypto
        self._grace = grace
        self._held = self._hold(roots, intermediates, crls)
        self._parsed = lru_cache(maxsize=KEPT_CERTIFICATES)(lambda der: parse(der, crypto.sm3))
        self.generation = 1

    def renew(self, roots: Iterable[bytes], intermediates: Iterable[bytes] = (), crls: Iterable[bytes] = ()) -> None:
        """Take new roots, intermediates and CRLs in one step; if one is malformed (Refused) the old ones stay."""
        self._held = self._hold(roots, intermediates, crls)
        self.generation += 1

    def read(self, der: bytes) -> Certificate:
        """Return what a certificate says, which proves nothing of it; raise Refused for malformed octets."""
        return self._parsed(der)

    def check(self, certificate: Certificate, at: Instant) -> None:
        """Return if the certificate is good at `at`; raise Hold (CERT_CHAIN, CERT_TIME, CERT_REVOKED, CRL_MISSING)."""
        held = self._held
        path = held.paths.get(certificate.fingerprint)
        if path is not None and path.fault(at, self._grace) is None:
            return
        path = self._path(held, certificate, at)
        fault = path.fault(at, self._grace)
        if fault is not None:
            raise trouble(fault, fingerprint=certificate.fingerprint)

    def archive(self, certificate: Certificate) -> bytes:
        """Return the chain and CRLs relied on as one blob (`node.crypto.archive`); raise Hold as `check` does."""
        held = self._held
        path = held.paths.get(certificate.fingerprint) or self._path(held, certificate, None)
        return write_archive([member.der for member in path.chain], [crl.der for crl in path.crls])

    def check_archived(self, certificate: Certificate, at: Instant, archive: bytes) -> frozenset[Unshown]:
        """Return what is not shown of a certificate that was good at `at` by its archive and the roots held here.

        Lists held here count beside the archived ones.  Raises Refused(PROOF) for another certificate's archive, Hold
        (CERT_CHAIN, CERT_TIME) if no path was good then, Hold(CERT_REVOKED) if a list dates the revocation at or
        before `at`.  Works offline; needs no CRL that is current today.
        """
        kept, held = read_archive(archive), self._held
        if kept.certificates[0] != certificate.der:
            raise trouble(codes.PROOF, reason="archive")
        chain = self._walk(held.roots, certificate, at, kept.certificates[1:])
        lists = [*held.crls.values(), *(crl for der in kept.crls for crl in parse_crls(der, self._crypto.sm3))]
        unshown = {Unshown.TIME}
        for member, issuer in zip(chain, chain[1:]):
            unshown |= self._revocation(member, issuer, lists, at)
        return frozenset(unshown)

    def fill(self, store: openssl.X509Store) -> None:
        """Put roots, intermediates and CRLs into a TLS context's store and have it check the whole path.

        Not self-signed, an intermediate in the store is a way to a root and never an anchor.
        """
        held = self._held
        for facts in (*held.roots, *held.authorities):
            store.add_cert(_loaded(facts.certificate.der))
        for crl in held.crls.values():
            store.add_crl(crl.list)
        store.set_flags(_CRL_FLAGS)

    def tolerates(self, certificate: Certificate, now: Instant) -> bool:
        """Return whether the CRLs of this certificate's issuer are at most `grace` past their next update."""
        lists = [crl for (name, _), crl in self._held.crls.items() if name == certificate.issuer]
        return bool(lists) and all(now <= crl.next_update + self._grace for crl in lists)

    def way(self, certificate: Certificate) -> tuple[bytes, ...]:
        """Return the intermediates (DER) a TLS peer needs beside our certificate; raise Hold if there is no path."""
        held = self._held
        path = held.paths.get(certificate.fingerprint) or self._path(held, certificate, None)
        return tuple(member.der for member in path.chain[1:-1])

    def _hold(self, roots: Iterable[bytes], intermediates: Iterable[bytes], crls: Iterable[bytes]) -> _Held:
        anchors, ways = self._authorities(roots), self._authorities(intermediates)
        if not all(facts.self_issued for facts in anchors) or any(facts.self_issued for facts in ways):
            raise trouble(codes.CERT_FORM)
        newest: dict[tuple[bytes, bytes], Crl] = {}
        for crl in (crl for data in crls for crl in parse_crls(data, self._crypto.sm3)):
            key = (crl.issuer, self._signer_of(crl, (*anchors, *ways)))
            if key not in newest or (crl.this_update, crl.number) > (newest[key].this_update, newest[key].number):
                newest[key] = crl
        return _Held(anchors, ways, newest)

    def _authorities(self, bundles: Iterable[bytes]) -> tuple[Facts, ...]:
        found: dict[str, Facts] = {}
        for bundle in bundles:
            for der in _ders(bundle):
                facts = inspect(der, self._crypto.sm3)
                if not facts.authority:
                    raise trouble(codes.KEY_ROLE, name=facts.certificate.fingerprint, role="CA")
                found[facts.certificate.fingerprint] = facts
        return tuple(found.values())

    def _signer_of(self, crl: Crl, authorities: Sequence[Facts]) -> bytes:
        for facts in authorities:
            if facts.subject == crl.issuer and crl.signed_by(facts.certificate.public, self._crypto):
                return facts.certificate.public
        raise trouble(codes.CRL_FORM)

    def _path(self, held: _Held, certificate: Certificate, at: Instant | None) -> _Path:
        """Find the path and have its revocation checked; kept only if both succeed."""
        chain = self._walk((*held.roots, *held.authorities), certificate, at, ())
        crls: list[Crl] = []
        for member, issuer in zip(chain, chain[1:] + chain[-1:]):  # the root's own list covers the root (CRL_CHECK_ALL)
            crl = held.list_of(member, issuer)
            if crl is None:
                raise trouble(codes.CRL_MISSING, fingerprint=certificate.fingerprint)
            if crl not in crls:
                crls.append(crl)
        store = openssl.X509Store()
        for member in chain[1:] or chain:
            store.add_cert(_loaded(member.der))
        for crl in crls:
            store.add_crl(crl.list)
        # Dates are `_Path.fault`'s matter: a list newer than `at`, or within its grace, is one OpenSSL would refuse.
        store.set_flags(_CRL_FLAGS | _NO_CHECK_TIME)
        _verified(store, certificate, ())
        if len(held.paths) >= KEPT_PATHS:
            held.paths.clear()
        path = held.paths[certificate.fingerprint] = _Path(chain, tuple(crls))
        return path

    def _walk(
        self, anchors: Sequence[Facts], certificate: Certificate, at: Instant | None, ways: Sequence[bytes],
    ) -> tuple[Certificate, ...]:
        """Return the path from the certificate to a root, good at `at`, or at any time if None."""
        store = openssl.X509Store()
        for facts in anchors:
            store.add_cert(_loaded(facts.certificate.der))
        if at is None:
            store.set_flags(_NO_CHECK_TIME)
        else:
            store.set_time(moment_of(at))
        found = _verified(store, certificate, [_loaded(der) for der in ways])
        ders = [openssl.dump_certificate(openssl.FILETYPE_ASN1, member) for member in found]
        return tuple(inspect(der, self._crypto.sm3).certificate for der in ders)

    def _revocation(
        self, member: Certificate, issuer: Certificate, lists: Sequence[Crl], at: Instant,
    ) -> set[Unshown]:
        """Judge one certificate by every list of its issuer's key.

        A list issued at or after `at` shows more than one that was current then; yet authorities drop expired
        certificates from their lists, so one issued after the end of validity shows nothing.
        """
        unshown, current = set(), False
        for crl in lists:
            if crl.issuer != member.issuer or not crl.signed_by(issuer.public, self._crypto):
                continue
            since = crl.revoked_at(member.serial)
            if since is not None and since <= at:
                raise trouble(codes.CERT_REVOKED, fingerprint=member.fingerprint)
            if since is not None:
                unshown.add(Unshown.REVOKED_LATER)
            current = current or at <= crl.next_update + self._grace and crl.this_update <= member.not_after
        if not current:
            unshown.add(Unshown.REVOCATION)
        return unshown


def _ders(bundle: bytes) -> list[bytes]:
    try:
        return split(bundle, "CERTIFICATE")
    except ValueError:
        raise trouble(codes.CERT_FORM) from None


def _loaded(der: bytes) -> openssl.X509:
    try:
        return openssl.load_certificate(openssl.FILETYPE_ASN1, der)
    except openssl.Error:
        raise trouble(codes.CERT_FORM) from None


def _verified(
    store: openssl.X509Store, certificate: Certificate, ways: Sequence[openssl.X509],
) -> list[openssl.X509]:
    try:
        return openssl.X509StoreContext(store, _loaded(certificate.der), ways).get_verified_chain()
    except openssl.X509StoreContextError as error:
        raise trouble(path_fault(error.errors[0]), fingerprint=certificate.fingerprint) from None


def path_fault(error: int) -> Code:
    """Return what an error of OpenSSL's path validation (`X509_V_ERR_…`) means."""
    return _CODES.get(error, codes.CERT_CHAIN)


_: type[Trust] = CertificateTrust
