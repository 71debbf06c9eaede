"""Strict DER for the few structures of this room: SM2Signature, SM2Cipher and key files.

Rule 1: what is read has exactly one encoding; another one of the same value is malformed (ITU-T X.690 §10, §11).
Rule 2: `Malformed` does not leave the room: callers turn it into False or a `Trouble`.
"""

from __future__ import annotations

from typing import NamedTuple

INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, SEQUENCE = 0x02, 0x03, 0x04, 0x05, 0x06, 0x30
LIMIT = 1 << 24
"""Octets: no structure of this room comes near."""


class Malformed(ValueError):
    """The bytes are not the canonical encoding of what was expected."""


class Sm2Cipher(NamedTuple):
    """`SM2Cipher` of GM/T 0009 §7.2: C1 as numbers, C3 (32 bytes) and C2."""

    x: int
    y: int
    c3: bytes
    c2: bytes


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def encode(tag: int, *parts: bytes) -> bytes:
    """Return one element of `tag` whose content is the parts in order."""
    body = b"".join(parts)
    return bytes([tag]) + _length(len(body)) + body


def integer(value: int) -> bytes:
    """Return INTEGER of a number that is not negative."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def object_id(dotted: str) -> bytes:
    """Return OBJECT IDENTIFIER of a dotted text."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    body = bytearray()
    for arc in (first * 40 + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        body += bytes(reversed(septets))
    return encode(OID, bytes(body))


class Reader:
    """Takes elements one by one from octets; `end` says that nothing may be left."""

    __slots__ = ("_data", "_at", "_end")

    def __init__(self, data: bytes) -> None:
        if len(data) > LIMIT:
            raise Malformed("too long")
        self._data, self._at, self._end = data, 0, len(data)

    def peek(self) -> int:
        """Return the next tag, 0 at the end."""
        return self._data[self._at] if self._at < self._end else 0

    def take(self, tag: int) -> bytes:
        """Return the content of the next element, which must bear `tag`."""
        if self._end - self._at < 2 or self._data[self._at] != tag:
            raise Malformed("another element was expected")
        start, size = self._size(self._at + 1)
        if size > self._end - start:
            raise Malformed("cut off")
        self._at = start + size
        return self._data[start : self._at]

    def _size(self, at: int) -> tuple[int, int]:
        first = self._data[at]
        if first < 0x80:
            return at + 1, first
        octets = self._data[at + 1 : at + 1 + (first & 0x7F)]
        size = int.from_bytes(octets, "big")
        # One length has one form: long only when needed, no leading zero, never indefinite (X.690 §10.1).
        if not 0x81 <= first <= 0x84 or len(octets) != first & 0x7F or octets[0] == 0 or size < 0x80:
            raise Malformed("length is not canonical")
        return at + 1 + len(octets), size

    def inner(self, tag: int = SEQUENCE) -> Reader:
        """Return a reader over the content of the next element."""
        return Reader(self.take(tag))

    def number(self) -> int:
        """Return the next INTEGER, which must not be negative."""
        body = self.take(INTEGER)
        if not body or body[0] & 0x80 or (len(body) > 1 and body[0] == 0 and not body[1] & 0x80):
            raise Malformed("integer is not canonical")
        return int.from_bytes(body, "big")

    def end(self) -> None:
        """Refuse trailing bytes."""
        if self._at != self._end:
            raise Malformed("trailing bytes")


def read_signature(data: bytes) -> tuple[int, int]:
    """Return r and s of a canonical `SM2Signature` (GM/T 0009 §7.3); their range is the verifier's matter."""
    outer = Reader(data)
    pair = outer.inner()
    outer.end()
    r, s = pair.number(), pair.number()
    pair.end()
    return r, s


def write_signature(r: int, s: int) -> bytes:
    """Return `SM2Signature`."""
    return encode(SEQUENCE, integer(r), integer(s))


def read_cipher(data: bytes) -> Sm2Cipher:
    """Return the members of a canonical `SM2Cipher`; whether C1 lies on the curve is the caller's matter."""
    outer = Reader(data)
    body = outer.inner()
    outer.end()
    cipher = Sm2Cipher(body.number(), body.number(), body.take(OCTET_STRING), body.take(OCTET_STRING))
    body.end()
    if len(cipher.c3) != 32:
        raise Malformed("C3 is not an SM3 digest")
    return cipher


def write_cipher(cipher: Sm2Cipher) -> bytes:
    """Return `SM2Cipher`."""
    return encode(
        SEQUENCE, integer(cipher.x), integer(cipher.y), encode(OCTET_STRING, cipher.c3), encode(OCTET_STRING, cipher.c2)
    )
