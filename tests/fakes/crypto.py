"""Quick SM2 for worlds that live by the thousand: the promises of the port `Crypto` kept within one process.

A signature is a keyed hash, and whoever verifies looks the key's secret up by its point.  So nothing here is safe from
a reader of this process's memory, and everything is safe from a machine of the world: it cannot sign for a key it does
not hold, nor open what was sealed to another.  Points, certificates, SM3 and SM4 are the real ones.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache
from typing import NoReturn

from node.crypto import curve, der, symmetric
from node.crypto.openssl import OpenSslCrypto
from node.crypto.sm2_native import WRAPPED, check_signature, z_of
from node.model import codes
from node.model.trouble import trouble
from node.ports import SM2_ID, Crypto, PrivateKey

_REAL = OpenSslCrypto()
_SECRETS: dict[bytes, bytes] = {}
"""The scalar of every point made or loaded in this process."""
_Z = lru_cache(maxsize=4096)(z_of)


def _mac(secret: bytes, *parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(parts), key=secret, digest_size=32).digest()


class QuickKey:
    """A private key whose signatures are keyed hashes."""

    __slots__ = ("_public", "_scalar")

    def __init__(self, public: bytes, scalar: bytes) -> None:
        self._public, self._scalar = public, scalar
        _SECRETS[public] = scalar

    def __repr__(self) -> str:
        return "<private SM2 key>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not copied")

    @property
    def public(self) -> bytes:
        return self._public

    def sign(self, data: bytes, signer: bytes = SM2_ID) -> bytes:
        e = symmetric.sm3(_Z(self._public, signer), data)
        drawn = os.urandom(31)
        return der.write_signature(int.from_bytes(drawn, "big") + 1, _tag(self._scalar, drawn, e))

    def unwrap(self, wrapped: bytes) -> bytes:
        try:
            cipher = der.read_cipher(wrapped)
            drawn = cipher.x.to_bytes(31, "big")
        except (der.Malformed, OverflowError):
            raise trouble(codes.OPEN) from None
        tag = _mac(self._scalar, b"tag", drawn, cipher.c2)
        if cipher.y != 1 or len(cipher.c2) != WRAPPED or not hmac.compare_digest(tag, cipher.c3):
            raise trouble(codes.OPEN)
        return _masked(self._scalar, drawn, cipher.c2)


def _tag(secret: bytes, drawn: bytes, e: bytes) -> int:
    return int.from_bytes(_mac(secret, b"sign", drawn, e)[:31], "big") + 1


def _masked(secret: bytes, drawn: bytes, key: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(key, _mac(secret, b"wrap", drawn), strict=False))


class QuickCrypto(symmetric.Symmetric):
    """The port `Crypto` for worlds; SM2 costs microseconds."""

    name = "quick"
    library = "keyed hashes, for worlds alone"

    def sm2_generate(self) -> QuickKey:
        return self.sm2_load(_REAL.sm2_scalar(_REAL.sm2_generate()))

    def sm2_load(self, scalar: bytes) -> QuickKey:
        return QuickKey(_REAL.sm2_load(scalar).public, scalar)

    def sm2_scalar(self, key: PrivateKey) -> bytes:
        if not isinstance(key, QuickKey):
            raise trouble(codes.KEY_VALUE, what="SM2 d")
        return _SECRETS[key.public]

    def sm2_verify(self, public: bytes, data: bytes, signature: bytes, signer: bytes = SM2_ID) -> bool:
        if len(signer) > 8191 or public not in _SECRETS:
            return False
        return self.sm2_verify_digest(public, symmetric.sm3(_Z(public, signer), data), signature)

    def sm2_verify_digest(self, public: bytes, e: bytes, signature: bytes) -> bool:
        secret, pair = _SECRETS.get(public), check_signature(signature)
        if secret is None or pair is None or len(e) != 32 or pair[0] > 1 << 248:
            return False
        return pair[1] == _tag(secret, (pair[0] - 1).to_bytes(31, "big"), e)

    def sm2_wrap(self, public: bytes, key: bytes) -> bytes:
        secret = _SECRETS.get(public)
        if secret is None or len(key) != WRAPPED or curve.coordinates(public) is None:
            raise trouble(codes.KEY_VALUE, what="SM2 point" if secret is None else "SM4")
        drawn = os.urandom(31)
        hidden = _masked(secret, drawn, key)
        tag = _mac(secret, b"tag", drawn, hidden)
        return der.write_cipher(der.Sm2Cipher(int.from_bytes(drawn, "big"), 1, tag, hidden))


_: type[Crypto] = QuickCrypto
QUICK = QuickCrypto()
