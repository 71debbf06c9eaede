"""SignedData in the profile of WIRE §1: attached, one certificate, one signer, no attributes, one writing only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from node.envelope.cms import der, names
from node.envelope.cms.schema import X509, SignedMessage, SM2Signature, demand, parse, whole
from node.model import codes
from node.model.certificate import Certificate
from node.model.trouble import trouble

ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
"""n of the curve of GB/T 32918.5."""
LIMIT = 16 << 20
"""Octets of a SignedData that are looked at; callers have narrower limits of their own (WIRE §2)."""
_CERTIFICATE_LIMIT = 16 << 10
_SERIAL_BITS = 160  # RFC 5280 §4.1.2.2: at most 20 octets
_VERSION = der.integer(1)
_DIGESTS = der.set_of(names.SM3_ALGORITHM)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a SignedData says, nothing of it verified yet; `signature` is DER SM2Signature over SM3(Z ‖ content)."""

    content: bytes = field(repr=False)
    certificate_der: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    serial: int
    signature: bytes = field(repr=False)


def sign_data(content: bytes, certificate: Certificate, sign: Callable[[bytes], bytes]) -> bytes:
    """Return DER ContentInfo(signedData) with `content` attached, signed by `sign` (e = SM3(Z ‖ content octets))."""
    return assemble(content, certificate, sign(content), attached=True)


def assemble(content: bytes, certificate: Certificate, signature: bytes, attached: bool) -> bytes:
    """Return DER ContentInfo(signedData) around a signature already made; detached it names the content type alone."""
    inner = (der.context(0, der.octets(content)),) if attached else ()
    signer = der.sequence(
        _VERSION, issuer_and_serial(certificate.issuer, certificate.serial),
        names.SM3_ALGORITHM, names.SIGN_ALGORITHM, der.octets(signature),
    )
    signed = der.sequence(
        _VERSION, _DIGESTS, der.sequence(names.DATA_TYPE, *inner), der.context(0, certificate.der), der.set_of(signer),
    )
    return der.sequence(names.SIGNED_TYPE, der.context(0, signed))


def issuer_and_serial(issuer: bytes, serial: int) -> bytes:
    """Return DER IssuerAndSerialNumber from the issuer's Name DER."""
    return der.sequence(issuer, der.integer(serial))


def read_signed(octets: bytes) -> Signed:
    """Return the parts of a SignedData that is exactly in the profile; raise Refused(CMS_FORM) for any other writing.

    The signer named is the one whose certificate is enclosed; whether the signature is good is not looked at.
    """
    if len(octets) > LIMIT:
        raise trouble(codes.TOO_LARGE, what="SignedData", limit=LIMIT)
    message = parse(SignedMessage, octets)
    signed = message.signed
    signer = signed.signers.only
    demand(whole(message.type) == names.SIGNED_TYPE, "content-type")
    demand(signed.version == 1 and signer.version == 1, "version")
    demand(whole(signed.digests.only) == whole(signer.digest) == names.SM3_ALGORITHM, "digest-algorithm")
    demand(whole(signed.content.type) == names.DATA_TYPE, "inner-content-type")
    demand(whole(signer.algorithm) == names.SIGN_ALGORITHM, "signature-algorithm")
    certificate = whole(signed.certificate)
    issuer, serial = whole(signer.sid.issuer), signer.sid.serial
    demand(_named(certificate) == (issuer, serial), "signer")
    check_signature(signer.signature)
    return Signed(signed.content.content, certificate, issuer, serial, signer.signature)


@lru_cache(64)
def _named(certificate: bytes) -> tuple[bytes, int]:
    """Return issuer and serial of a certificate's DER; the few that speak here are parsed once."""
    demand(len(certificate) <= _CERTIFICATE_LIMIT, "certificate")
    certified = parse(X509, certificate).certified
    demand(0 < certified.serial.bit_length() <= _SERIAL_BITS and certified.serial > 0, "serial")
    return whole(certified.issuer), certified.serial


def check_signature(signature: bytes) -> None:
    """Raise Refused(CMS_FORM) unless `signature` is DER SM2Signature with r and s in 1 … n−1 (GB/T 32918.2 §7.1)."""
    pair = parse(SM2Signature, signature)
    demand(0 < pair.r < ORDER and 0 < pair.s < ORDER, "signature")
