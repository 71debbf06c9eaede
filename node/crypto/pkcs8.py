"""The octets of key files: PKCS#8, PBES2 with SM3 and SM4, PEM; nothing here touches a disk.

Written: PBES2 (RFC 8018 §6.2) of PBKDF2 with HMAC-SM3, no parameters on it (the one form GmSSL reads), and SM4-CBC.
Read: the same, with HMAC-SHA256 too (what OpenSSL writes), parameters absent or NULL.  OpenSSL cannot read the
first, which is why this is our own code.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from node.crypto import symmetric
from node.crypto.curve import CURVE_OID
from node.crypto.der import (
    BIT_STRING,
    INTEGER,
    NULL,
    OCTET_STRING,
    OID,
    SEQUENCE,
    Malformed,
    Reader,
    encode,
    integer,
    object_id,
)
from node.model.trouble import Refused
from node.ports import Chance

ROUNDS = 65_536
MOST_ROUNDS = 10_000_000
"""A key file is not ours alone to write: reading one may cost seconds, not hours."""

ENCRYPTED, PLAIN = "ENCRYPTED PRIVATE KEY", "PRIVATE KEY"
SEC1 = ("EC PRIVATE KEY", "SM2 PRIVATE KEY")
"""RFC 5915, and what OpenSSL writes for SM2."""

_EC_PUBLIC_KEY = object_id("1.2.840.10045.2.1")
_CURVE = object_id(CURVE_OID)
_PBES2 = object_id("1.2.840.113549.1.5.13")
_PBKDF2 = object_id("1.2.840.113549.1.5.12")
_SM4_CBC = object_id("1.2.156.10197.1.104.2")
_PRF = {object_id("1.2.156.10197.1.401.2"): "sm3", object_id("1.2.840.113549.2.9"): "sha256"}
_PRF_SM3 = object_id("1.2.156.10197.1.401.2")
_CONTEXT_0, _CONTEXT_1, _REPEATED_POINT = 0xA0, 0xA1, 0x81

_PEM = re.compile(rb"\s*-----BEGIN ([A-Z0-9 ]{1,64})-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*")


class WrongPassphrase(Malformed):
    """The protection does not open; a wrong passphrase and altered octets cannot be told apart."""


class TooManyRounds(Malformed):
    """The file asks for more than `MOST_ROUNDS`."""


class Protection(NamedTuple):
    """What PBES2 needs beside the passphrase."""

    prf: str
    salt: bytes
    rounds: int
    iv: bytes

    def key(self, passphrase: bytes) -> bytes:
        """Return the SM4 key."""
        return symmetric.pbkdf2(self.prf, passphrase, self.salt, self.rounds, symmetric.BLOCK)


def protect(clear: bytes, passphrase: bytes, chance: Chance, rounds: int = ROUNDS) -> tuple[bytes, bytes]:
    """Return the AlgorithmIdentifier of PBES2 and the protected octets."""
    protection = Protection("sm3", chance(16), rounds, chance(symmetric.BLOCK))
    derivation = encode(
        SEQUENCE, encode(OCTET_STRING, protection.salt), integer(rounds), encode(SEQUENCE, _PRF_SM3)
    )
    algorithm = encode(SEQUENCE, _PBES2, encode(
        SEQUENCE,
        encode(SEQUENCE, _PBKDF2, derivation),
        encode(SEQUENCE, _SM4_CBC, encode(OCTET_STRING, protection.iv)),
    ))
    return algorithm, symmetric.cbc_encrypt(protection.key(passphrase), protection.iv, clear)


def unprotect(algorithm: Reader, secret: bytes, passphrase: bytes) -> bytes:
    """Undo `protect`; raise Malformed, TooManyRounds or WrongPassphrase."""
    protection = _read_protection(algorithm)
    try:
        return symmetric.cbc_decrypt(protection.key(passphrase), protection.iv, secret)
    except Refused:
        raise WrongPassphrase from None


def _read_protection(algorithm: Reader) -> Protection:
    _expect(algorithm, _PBES2)
    parameters = algorithm.inner()
    algorithm.end()
    derivation, scheme = parameters.inner(), parameters.inner()
    parameters.end()
    _expect(scheme, _SM4_CBC)
    iv = scheme.take(OCTET_STRING)
    scheme.end()
    _expect(derivation, _PBKDF2)
    prf, salt, rounds = _read_derivation(derivation.inner())
    derivation.end()
    if len(iv) != symmetric.BLOCK:
        raise Malformed("IV is not a block")
    return Protection(prf, salt, rounds, iv)


def _read_derivation(inner: Reader) -> tuple[str, bytes, int]:
    salt, rounds = inner.take(OCTET_STRING), inner.number()
    if not 8 <= len(salt) <= 64 or rounds == 0:
        raise Malformed("salt or rounds")
    if rounds > MOST_ROUNDS:
        raise TooManyRounds
    if inner.peek() == INTEGER and inner.number() != symmetric.BLOCK:
        raise Malformed("key length is not SM4's")
    function = inner.inner()  # absent would mean HMAC-SHA1, which is not read
    inner.end()
    prf = _PRF.get(encode(OID, function.take(OID)))
    _null_or_nothing(function)
    if prf is None:
        raise Malformed("unknown PRF")
    return prf, salt, rounds


def _expect(reader: Reader, oid: bytes) -> None:
    if encode(OID, reader.take(OID)) != oid:
        raise Malformed("another algorithm")


def _null_or_nothing(reader: Reader) -> None:
    if reader.peek() == NULL and reader.take(NULL):
        raise Malformed("NULL has no content")
    reader.end()


def seal(private_key_info: bytes, passphrase: bytes, chance: Chance, rounds: int = ROUNDS) -> bytes:
    """Return PKCS#8 `EncryptedPrivateKeyInfo` (RFC 5958 §3)."""
    algorithm, secret = protect(private_key_info, passphrase, chance, rounds)
    return encode(SEQUENCE, algorithm, encode(OCTET_STRING, secret))


def unseal(data: bytes, passphrase: bytes) -> bytes:
    """Return the `PrivateKeyInfo` inside; raise Malformed, TooManyRounds or WrongPassphrase."""
    outer = Reader(data)
    body = outer.inner()
    outer.end()
    algorithm, secret = body.inner(), body.take(OCTET_STRING)
    body.end()
    return unprotect(algorithm, secret, passphrase)


def write_info(scalar: bytes, public: bytes) -> bytes:
    """Return PKCS#8 `PrivateKeyInfo` of an SM2 key, with its point inside as OpenSSL and GmSSL write it."""
    point = encode(_CONTEXT_1, encode(BIT_STRING, b"\0", public))
    inner = encode(SEQUENCE, integer(1), encode(OCTET_STRING, scalar), encode(_CONTEXT_0, _CURVE), point)
    return encode(SEQUENCE, integer(0), encode(SEQUENCE, _EC_PUBLIC_KEY, _CURVE), encode(OCTET_STRING, inner))


def read_info(data: bytes) -> tuple[bytes, bytes | None]:
    """Return the scalar (32 bytes) and the point if there is one of a `PrivateKeyInfo`; raise Malformed."""
    outer = Reader(data)
    body = outer.inner()
    outer.end()
    version = body.number()
    algorithm = body.inner()
    _expect(algorithm, _EC_PUBLIC_KEY)
    _expect(algorithm, _CURVE)
    algorithm.end()
    pair = read_sec1(body.take(OCTET_STRING))
    if body.peek() == _CONTEXT_0:
        body.take(_CONTEXT_0)  # attributes say nothing we use
    if version == 1:
        body.take(_REPEATED_POINT)  # version 1 says that it is there, version 0 that it is not (RFC 5958 §2)
    body.end()
    if version > 1:
        raise Malformed("version")
    return pair


def read_sec1(data: bytes) -> tuple[bytes, bytes | None]:
    """Return the scalar and the point if there is one of `ECPrivateKey` (RFC 5915); raise Malformed."""
    outer = Reader(data)
    body = outer.inner()
    outer.end()
    if body.number() != 1:
        raise Malformed("version")
    scalar, point = body.take(OCTET_STRING), None
    if body.peek() == _CONTEXT_0:
        curve = body.inner(_CONTEXT_0)
        _expect(curve, _CURVE)
        curve.end()
    if body.peek() == _CONTEXT_1:
        wrapper = body.inner(_CONTEXT_1)
        bits = wrapper.take(BIT_STRING)
        wrapper.end()
        if len(bits) != 66 or bits[0]:
            raise Malformed("point")
        point = bits[1:]
    body.end()
    if len(scalar) != 32:
        raise Malformed("scalar")
    return scalar, point


def write_pem(label: str, data: bytes) -> bytes:
    """Return one PEM block (RFC 7468)."""
    text = base64.b64encode(data)
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    head, foot = f"-----BEGIN {label}-----".encode(), f"-----END {label}-----".encode()
    return b"\n".join((head, *lines, foot, b""))


def read_pem(data: bytes) -> tuple[str, bytes]:
    """Return label and octets of a file that is one PEM block and nothing else; raise Malformed."""
    match = _PEM.fullmatch(data)
    if match is None:
        raise Malformed("not one PEM block")
    try:
        octets = base64.b64decode(b"".join(match[2].split()), validate=True)
    except binascii.Error:
        raise Malformed("not base64") from None
    return match[1].decode(), octets
