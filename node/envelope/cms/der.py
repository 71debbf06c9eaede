"""A writer of DER (GB/T 16263.1, X.690): one function per type, each returning whole octets with tag and length.

The reader of the profile is other code (`cryptography.hazmat.asn1`), so that parse∘encode tests one by the other.
"""

from __future__ import annotations

INTEGER, BIT_STRING, OCTET_STRING, NULL_TAG, OID, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x05, 0x06, 0x30, 0x31
NULL = b"\x05\x00"


def header(tag: int, length: int) -> bytes:
    """Return the tag and the shortest definite length."""
    if length < 0x80:
        return bytes((tag, length))
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big")


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return one element of `tag` over the concatenated `parts`, copied once."""
    return b"".join((header(tag, sum(map(len, parts))), *parts))


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE."""
    return tlv(SEQUENCE, *parts)


def set_of(*parts: bytes) -> bytes:
    """Return a SET OF, its elements in the ascending order DER demands (X.690 §11.6)."""
    return tlv(SET, *sorted(parts))


def octets(*parts: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(OCTET_STRING, *parts)


def integer(value: int) -> bytes:
    """Return an INTEGER, minimal two's complement."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def context(number: int, *parts: bytes) -> bytes:
    """Return `[number]` constructed, which is EXPLICIT over one element and IMPLICIT over several."""
    return tlv(0xA0 | number, *parts)


def identifier(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return tlv(OID, *map(_arc, (40 * first + second, *rest)))


def _arc(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | value & 0x7F)
    return bytes(reversed(groups))
