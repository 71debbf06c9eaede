"""The profile of WIRE §1 as an ASN.1 schema in which every choice is already made.

Where the standard has a SET OF and the profile allows one element, the schema is an explicit tag or a SET of one field:
a second certificate, signer or attribute, or a CRL, does not parse.  The library refuses every length, integer, order
or trailing octet that is not DER.  Algorithm identifiers and names stay whole elements and are compared as octets.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from cryptography.hazmat import asn1

from node.model import codes
from node.model.trouble import trouble

T = TypeVar("T")


@asn1.sequence
class IssuerAndSerial:
    """IssuerAndSerialNumber."""

    issuer: asn1.TLV
    serial: int


@asn1.sequence
class SignerInfo:
    """SignerInfo without attributes."""

    version: int
    sid: IssuerAndSerial
    digest: asn1.TLV
    algorithm: asn1.TLV
    signature: bytes


@asn1.set
class SignerInfos:
    """A SET OF with its one element."""

    only: SignerInfo


@asn1.set
class Digests:
    """A SET OF with its one algorithm."""

    only: asn1.TLV


@asn1.sequence
class SignedContent:
    """The inner ContentInfo: data, attached."""

    type: asn1.TLV
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class SignedData:
    """SignedData with one certificate, no CRL and one signer."""

    version: int
    digests: Digests
    content: SignedContent
    certificate: Annotated[asn1.TLV, asn1.Explicit(0)]
    signers: SignerInfos


@asn1.sequence
class SignedMessage:
    """ContentInfo of a SignedData."""

    type: asn1.TLV
    signed: Annotated[SignedData, asn1.Explicit(0)]


@asn1.sequence
class RecipientInfo:
    """RecipientInfo by issuer and serial."""

    version: int
    rid: IssuerAndSerial
    algorithm: asn1.TLV
    wrapped: bytes


@asn1.sequence
class RecipientInfos:
    """The SET OF RecipientInfo in a SEQUENCE of its own, parsed only after its length was looked at."""

    infos: asn1.SetOf[RecipientInfo]


@asn1.sequence
class SymmetricAlgorithm:
    """SM4-CBC with its IV."""

    type: asn1.TLV
    iv: bytes


@asn1.sequence
class EncryptedContent:
    """EncryptedContentInfo."""

    type: asn1.TLV
    algorithm: SymmetricAlgorithm
    secret: Annotated[bytes, asn1.Implicit(0)]


@asn1.sequence
class EnvelopedData:
    """EnvelopedData."""

    version: int
    recipients: asn1.TLV
    content: EncryptedContent


@asn1.sequence
class EnvelopedMessage:
    """ContentInfo of an EnvelopedData."""

    type: asn1.TLV
    enveloped: Annotated[EnvelopedData, asn1.Explicit(0)]


@asn1.sequence
class SM2Signature:
    """GB/T 35276 (GM/T 0009) SM2Signature."""

    r: int
    s: int


@asn1.sequence
class SM2Cipher:
    """GB/T 35276 (GM/T 0009) SM2Cipher."""

    x: int
    y: int
    hash: bytes
    text: bytes


@asn1.sequence
class Certified:
    """TBSCertificate of a version 3 certificate, as far as a SignerInfo speaks of it."""

    version: Annotated[int, asn1.Explicit(0)]
    serial: int
    algorithm: asn1.TLV
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: asn1.TLV
    key: asn1.TLV
    extensions: Annotated[list[asn1.TLV] | None, asn1.Explicit(3)]


@asn1.sequence
class X509:
    """Certificate."""

    certified: Certified
    algorithm: asn1.TLV
    signature: asn1.BitString


def parse(form: type[T], octets: bytes) -> T:
    """Return `octets` as `form`; raise Refused(CMS_FORM) unless they are exactly its DER."""
    try:
        return asn1.decode_der(form, octets)
    except ValueError:
        raise trouble(codes.CMS_FORM, reason="structure") from None


def whole(element: asn1.TLV) -> bytes:
    """Return the octets of an element, tag and length included."""
    return asn1.encode_der(element)


def demand(holds: bool, reason: str) -> None:
    """Raise Refused(CMS_FORM) with one safe word unless `holds`."""
    if not holds:
        raise trouble(codes.CMS_FORM, reason=reason)
