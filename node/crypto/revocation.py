"""Revocation lists read: complete, direct CRLs of SM2 authorities, and what each says of a serial (RFC 5280 §5).

Rule 1: partial, delta and indirect lists are refused, for they could hide what they leave out.
Rule 2: a list without a next update is refused: nobody could tell that it is out of date.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from asn1crypto import crl as fields
from cryptography import x509

from node.crypto.certificates import MALFORMED, SM2_WITH_SM3, Digest, instant_of, split
from node.model import codes
from node.model.instant import Instant
from node.model.trouble import trouble
from node.ports import Crypto

LIMIT = 7 << 20
"""The most octets of one CRL, some 190 000 entries: two of them still fit one archive."""


@dataclass(frozen=True, slots=True)
class Crl:
    """One revocation list; `issuer` is the DER of its issuer's Name, `number` grows with each issue."""

    der: bytes = field(repr=False)
    fingerprint: str
    issuer: bytes = field(repr=False)
    number: int
    this_update: Instant
    next_update: Instant
    list: x509.CertificateRevocationList = field(repr=False)

    def revoked_at(self, serial: int) -> Instant | None:
        """Return since when the serial is revoked, None if it is not listed; a hold counts as revoked."""
        entry = self.list.get_revoked_certificate_by_serial_number(serial)
        return None if entry is None else instant_of(entry.revocation_date_utc)

    def signed_by(self, public: bytes, crypto: Crypto) -> bool:
        """Return whether the key of this point signed the list."""
        return crypto.sm2_verify(public, self.list.tbs_certlist_bytes, self.list.signature)


def parse_crls(data: bytes, sm3: Digest) -> tuple[Crl, ...]:
    """Return the CRLs in DER or in a PEM bundle; raise Refused(CRL_FORM) for anything else."""
    try:
        if len(data) > 2 * LIMIT:
            raise ValueError
        return tuple(_parse(der, sm3) for der in split(data, "X509 CRL"))
    except MALFORMED:
        raise trouble(codes.CRL_FORM) from None


def _parse(der: bytes, sm3: Digest) -> Crl:
    if len(der) > LIMIT:
        raise ValueError
    strict = x509.load_der_x509_crl(der)
    if strict.signature_algorithm_oid.dotted_string != SM2_WITH_SM3 or strict.next_update_utc is None:
        raise ValueError
    if any(extension.critical for extension in strict.extensions):  # issuing point, delta, or something unknown
        raise ValueError
    return Crl(
        der=der,
        fingerprint=sm3(der).hex(),
        issuer=fields.CertificateList.load(der)["tbs_cert_list"]["issuer"].dump(),
        number=strict.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number,
        this_update=instant_of(strict.last_update_utc),
        next_update=instant_of(strict.next_update_utc),
        list=strict,
    )
