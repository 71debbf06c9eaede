"""SM2 certificates read: from octets to the facts the rooms above need (GM/T 0015, RFC 5280).

Rule 1: octets from outside are bounded and strict DER before anything is believed.
Rule 2: only the SM2 curve, named, and only SM2 over SM3 as the signature's algorithm.
Rule 3: reading proves nothing: the chain is `node.crypto.chain`'s, the authority the registry's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from asn1crypto import core, pem
from asn1crypto import x509 as fields
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from node.crypto.curve import coordinates
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.instant import Instant
from node.model.trouble import trouble

Digest = Callable[[bytes], bytes]
"""SM3, as a provider gives it."""

LIMIT = 16 << 10
"""The most octets of one certificate; real ones have one or two thousand."""

BUNDLE_LIMIT = 64
"""The most certificates or CRLs of one PEM bundle."""

SM2_WITH_SM3 = "1.2.156.10197.1.501"
USCC_EXTENSION = "1.2.156.10260.4.4"
"""Unified social credit code of the holder (GM/T 0015, 2023 edition)."""

SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
"""DER of a SubjectPublicKeyInfo {id-ecPublicKey, curve 1.2.156.10197.1.301} up to its 65-byte point."""

MALFORMED = (
    ValueError, TypeError, LookupError, OverflowError, UserWarning, UnsupportedAlgorithm, x509.InvalidVersion,
    x509.DuplicateExtension, x509.ExtensionNotFound, x509.UnsupportedGeneralNameType,
)
"""What the libraries raise for octets that are not what they should be; found by flipping bits."""

_ORGANIZATION_IDENTIFIER = x509.ObjectIdentifier("2.5.4.97")
USCC_FORM = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TLS_PURPOSES = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is read from one certificate: what the model shows, and what building a chain needs.

    `subject` is the DER of the subject's Name, `authority` whether it may sign certificates, `hosts` the DNS names and
    IP addresses of its subjectAltName.
    """

    certificate: Certificate
    subject: bytes = field(repr=False)
    authority: bool
    hosts: tuple[str, ...]

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are one name, as a root's are."""
        return self.subject == self.certificate.issuer


def parse(data: bytes, sm3: Digest) -> Certificate:
    """Return the certificate in DER or in one PEM block; raise Refused(CERT_FORM) for anything else."""
    return inspect(data, sm3).certificate


def inspect(data: bytes, sm3: Digest) -> Facts:
    """Return all facts of the certificate in DER or in one PEM block; raise Refused(CERT_FORM) for anything else."""
    try:
        ders = split(data, "CERTIFICATE")
        if len(ders) != 1 or len(ders[0]) > LIMIT:
            raise ValueError
        return _facts(ders[0], sm3)
    except MALFORMED:
        raise trouble(codes.CERT_FORM) from None


def split(data: bytes, label: str) -> list[bytes]:
    """Return the DER objects in `data`: itself, or the PEM blocks of that label; raise ValueError for other labels."""
    if not pem.detect(data):
        return [data]
    if len(data) > BUNDLE_LIMIT * LIMIT * 64:
        raise ValueError("too large")
    found: list[bytes] = []
    for kind, _headers, der in pem.unarmor(data, multiple=True):
        if kind != label or len(found) == BUNDLE_LIMIT:
            raise ValueError("another kind of PEM block, or too many")
        found.append(der)
    return found


def instant_of(moment: datetime) -> Instant:
    """Return the instant of an aware datetime."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment_of(at: Instant) -> datetime:
    """Return the UTC datetime of an instant, whole seconds as X.509 writes them."""
    return _EPOCH + timedelta(seconds=at // 1000)


def _facts(der: bytes, sm3: Digest) -> Facts:
    # cryptography refuses everything that is not DER; asn1crypto then gives the Names' own octets.
    strict = x509.load_der_x509_certificate(der)
    tbs = fields.Certificate.load(der)["tbs_certificate"]
    extensions = strict.extensions
    authority = _authority(extensions)
    _check_algorithm(strict, tbs)
    if strict.version is not x509.Version.v3 or strict.serial_number <= 0:
        raise ValueError
    certificate = Certificate(
        der=der,
        fingerprint=sm3(der).hex(),
        issuer=tbs["issuer"].dump(),
        serial=strict.serial_number,
        public=_point(tbs["subject_public_key_info"].dump()),
        subject=strict.subject.rfc4514_string(),
        roles=frozenset() if authority else _roles(extensions),
        not_before=instant_of(strict.not_valid_before_utc),
        not_after=instant_of(strict.not_valid_after_utc),
        org=_org(strict),
    )
    return Facts(certificate, tbs["subject"].dump(), authority, _hosts(extensions))


def _check_algorithm(strict: x509.Certificate, tbs: fields.TbsCertificate) -> None:
    """Some authorities write NULL parameters and some none; both are met, and both name the same algorithm."""
    if strict.signature_algorithm_oid.dotted_string != SM2_WITH_SM3:
        raise ValueError
    inner = tbs["signature"]
    if inner["algorithm"].dotted != SM2_WITH_SM3 or inner["parameters"].dump() not in (b"", b"\x05\x00"):
        raise ValueError


def _point(spki: bytes) -> bytes:
    point = spki[len(SPKI_HEAD):]
    if not spki.startswith(SPKI_HEAD) or coordinates(point) is None:
        raise ValueError
    return point


def _authority(extensions: x509.Extensions) -> bool:
    try:
        return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _roles(extensions: x509.Extensions) -> frozenset[Role]:
    """A TLS purpose makes it a TLS certificate and nothing else; without key usage it has no role at all.

    One that claims both a signing and an enciphering usage keeps both roles here, so that `check` can refuse it.
    """
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    try:
        purposes = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        purposes = set()
    if purposes & _TLS_PURPOSES:
        return frozenset({Role.TLS} if usage.digital_signature else ())
    roles = set()
    if usage.digital_signature or usage.content_commitment:
        roles.add(Role.SIGN)
    if usage.key_encipherment or usage.data_encipherment or usage.key_agreement:
        roles.add(Role.ENCRYPT)
    return frozenset(roles)


def _org(strict: x509.Certificate) -> str | None:
    """The extension states the holder's code; failing that, an organizationIdentifier that is exactly such a code.

    The subject's serialNumber is not read: issuers also put device and personal numbers there.
    """
    for extension in strict.extensions:
        if extension.oid.dotted_string == USCC_EXTENSION:
            text = core.load(extension.value.public_bytes(), strict=True).native
            if not isinstance(text, str) or not USCC_FORM.fullmatch(text):
                raise ValueError
            return text
    for attribute in strict.subject.get_attributes_for_oid(_ORGANIZATION_IDENTIFIER):
        if isinstance(attribute.value, str) and USCC_FORM.fullmatch(attribute.value):
            return attribute.value
    return None


def _hosts(extensions: x509.Extensions) -> tuple[str, ...]:
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    found = [str(name.value) for name in names if isinstance(name, (x509.DNSName, x509.IPAddress))]
    return tuple(found)
