"""The shapes CMS tests are made of: a certificate that means nothing, signatures and wrapped keys of no key."""

from __future__ import annotations

from node.envelope.cms import der
from node.model.certificate import Certificate, Role

NAME = der.sequence(der.set_of(der.sequence(der.identifier("2.5.4.3"), der.tlv(0x0C, b"Test CA"))))


def shape(serial: int = 0x1234567890, issuer: bytes = NAME, padding: int = 0) -> Certificate:
    """Return a certificate that parses and means nothing."""
    algorithm = der.sequence(der.identifier("1.2.156.10197.1.501"))
    validity = der.sequence(der.tlv(0x17, b"260101000000Z"), der.tlv(0x17, b"360101000000Z"))
    key = der.sequence(algorithm, der.tlv(3, b"\x00\x04" + bytes(64)))
    extensions = der.context(3, der.sequence(der.sequence(der.identifier("2.5.29.14"), der.octets(bytes(padding)))))
    certified = der.sequence(
        der.context(0, der.integer(2)), der.integer(serial), algorithm, issuer, validity, issuer, key, extensions
    )
    octets = der.sequence(certified, algorithm, der.tlv(3, b"\x00" + bytes(70)))
    return Certificate(octets, "00" * 32, issuer, serial, bytes(65), "Test", frozenset({Role.SIGN}), 0, 1)


def signature(r: int = 2**255 + 7, s: int = 3) -> bytes:
    """Return DER SM2Signature."""
    return der.sequence(der.integer(r), der.integer(s))


def cipher(x: int = 5, y: int = 2**255 + 9, digest: bytes = b"h" * 32, text: bytes = b"k" * 16) -> bytes:
    """Return DER SM2Cipher."""
    return der.sequence(der.integer(x), der.integer(y), der.octets(digest), der.octets(text))
