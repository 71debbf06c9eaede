"""The reference suite: gmssl 3.2.2 behind a fence, to check libcrypto against and to fall back on when told to.

gmssl as it ships is not safe (predictable nonces, C3 never compared, points never checked, keys with certain digits
mangled).  The fence is what this file does and does not call:
Rule 1: its constructor gets no key (it strips digits `0` and `4` from the front); keys are assigned afterwards.
Rule 2: never its `encrypt`, `decrypt`, `sign_with_sm3`, `verify_with_sm3`, `random_hex`, padding or CBC.
Rule 3: only `sign(e, k)` with k from the system, `verify(r ‖ s, e)`, `_kg`, `sm3_hash`, `sm3_kdf`, `set_key` and
        `one_round`.
Rule 4: DER, ranges, curve and C3 are checked here, and whatever it raises means no.
It is slow (about 50 signatures a second), holds the interpreter's lock and is not constant in time.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NoReturn

from gmssl import sm2 as gmssl_sm2
from gmssl import sm3 as gmssl_sm3
from gmssl import sm4 as gmssl_sm4

from node.crypto import curve, der, modes
from node.crypto.sm2_native import WRAPPED, check_cipher, check_signature
from node.crypto.symmetric import BLOCK, Symmetric
from node.model import codes
from node.model.trouble import trouble
from node.ports import SM2_ID, Crypto


def sm3(data: bytes) -> bytes:
    """Return SM3 by gmssl, which changes the list it is given: it gets its own."""
    return bytes.fromhex(gmssl_sm3.sm3_hash(list(data)))


def _hmac(key: bytes, data: bytes) -> bytes:
    padded = (sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = sm3(bytes(octet ^ 0x36 for octet in padded) + data)
    return sm3(bytes(octet ^ 0x5C for octet in padded) + inner)


def _block(key: bytes, direction: int) -> Callable[[bytes], bytes]:
    """Return SM4 of one block; a 32-byte key, which gmssl would cut in half, is refused."""
    if len(key) != BLOCK:
        raise trouble(codes.KEY_VALUE, what="SM4")
    engine = gmssl_sm4.CryptSM4()
    engine.set_key(key, direction)
    return lambda block: bytes(engine.one_round(engine.sk, list(block)))


def _encryptor(key: bytes) -> Callable[[bytes], bytes]:
    return _block(key, gmssl_sm4.SM4_ENCRYPT)


def _curve(public: bytes | None = None, scalar: int | None = None) -> Any:
    """Return gmssl's curve with the keys assigned past its constructor (rule 1)."""
    engine = gmssl_sm2.CryptSM2("", "")
    if public is not None:
        engine.public_key = public[1:].hex()
    if scalar is not None:
        engine.private_key = f"{scalar:064x}"
    return engine


def _times(scalar: int, point: str) -> tuple[int, int]:
    """Return scalar · point; raise Refused(KEY_VALUE) for the point at infinity."""
    product = _curve()._kg(scalar, point)
    if product is None:
        raise trouble(codes.KEY_VALUE, what="SM2 point")
    return int(product[:64], 16), int(product[64:], 16)


_G = f"{curve.GX:064x}{curve.GY:064x}"


def _mask(x2: int, y2: int, data: bytes) -> bytes | None:
    """Return `data` ⊕ KDF(x2 ‖ y2), None if the KDF gives zeros only (GB/T 32918.4 §6.1 step A5)."""
    stream = bytes.fromhex(gmssl_sm3.sm3_kdf(f"{x2:064x}{y2:064x}".encode(), len(data)))
    if not any(stream):
        return None
    return bytes(left ^ right for left, right in zip(data, stream, strict=True))


def _c3(x2: int, y2: int, clear: bytes) -> bytes:
    return sm3(x2.to_bytes(32, "big") + clear + y2.to_bytes(32, "big"))


class ReferenceKey:
    """A private key as a number of this process; never printed or pickled."""

    __slots__ = ("_scalar", "_public")

    def __init__(self, scalar: int) -> None:
        x, y = _times(scalar, _G)
        self._scalar, self._public = scalar, b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")

    def __repr__(self) -> str:
        return "<private SM2 key>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not copied")

    @property
    def public(self) -> bytes:
        return self._public

    @property
    def scalar(self) -> int:
        """The number d, for this room alone."""
        return self._scalar

    def sign(self, data: bytes, signer: bytes = SM2_ID) -> bytes:
        e = sm3(_z(self._public, signer) + data)
        engine = _curve(scalar=self._scalar)
        while True:  # gmssl returns None where the standard draws another k; the chance is 2⁻²⁵⁶
            pair = engine.sign(e, f"{_draw(curve.N - 1):064x}")
            if pair is not None:
                return der.write_signature(int(pair[:64], 16), int(pair[64:], 16))

    def unwrap(self, wrapped: bytes) -> bytes:
        return self.decrypt(wrapped, WRAPPED)

    def decrypt(self, secret: bytes, size: int) -> bytes:
        """Return the `size` octets inside DER `SM2Cipher`; raise Refused(OPEN) for anything else."""
        cipher = check_cipher(secret, size)
        x2, y2 = _times(self._scalar, f"{cipher.x:064x}{cipher.y:064x}")
        clear = _mask(x2, y2, cipher.c2)
        if clear is None or not hmac.compare_digest(_c3(x2, y2, clear), cipher.c3):
            raise trouble(codes.OPEN)
        return clear


def _draw(limit: int) -> int:
    """Return a number of 1 … limit from the system's randomness."""
    return secrets.randbelow(limit) + 1


def _z(public: bytes, signer: bytes) -> bytes:
    if len(signer) > 8191:
        raise trouble(codes.KEY_VALUE, what="SM2 ID")
    return curve.z_value(sm3, public, signer)


class ReferenceCrypto:
    """The port `Crypto` by gmssl alone; SM4 modes by `modes` over its block."""

    name = "reference"
    library = f"gmssl {version('gmssl')}"

    def sm3(self, data: bytes) -> bytes:
        return sm3(data)

    def hmac_sm3(self, key: bytes, data: bytes) -> bytes:
        return _hmac(key, data)

    def keyed(self, key: bytes) -> Callable[[bytes], bytes]:
        return lambda data: _hmac(key, data)

    def sm4_ecb(self, key: bytes, blocks: bytes) -> bytes:
        return modes.ecb(_encryptor(key), blocks)

    def sm4_cbc_encrypt(self, key: bytes, iv: bytes, clear: bytes) -> bytes:
        return modes.cbc_encrypt(_encryptor(key), iv, clear)

    def sm4_cbc_decrypt(self, key: bytes, iv: bytes, secret: bytes) -> bytes:
        return modes.cbc_decrypt(_block(key, gmssl_sm4.SM4_DECRYPT), iv, secret)

    def sm4_ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        return modes.ctr(_encryptor(key), counter, data)

    def sm4_gcm_seal(self, key: bytes, nonce: bytes, clear: bytes, aad: bytes) -> bytes:
        return modes.gcm_seal(_encryptor(key), nonce, clear, aad)

    def sm4_gcm_open(self, key: bytes, nonce: bytes, secret: bytes, aad: bytes) -> bytes:
        return modes.gcm_open(_encryptor(key), nonce, secret, aad)

    def sm2_generate(self) -> ReferenceKey:
        return ReferenceKey(_draw(curve.N - 2))

    def sm2_load(self, scalar: bytes) -> ReferenceKey:
        number = int.from_bytes(scalar, "big")
        if len(scalar) != 32 or not 0 < number <= curve.N - 2:
            raise trouble(codes.KEY_VALUE, what="SM2 d")
        return ReferenceKey(number)

    def sm2_scalar(self, key: object) -> bytes:
        if not isinstance(key, ReferenceKey):
            raise trouble(codes.KEY_VALUE, what="SM2 d")
        return key.scalar.to_bytes(32, "big")

    def sm2_verify(self, public: bytes, data: bytes, signature: bytes, signer: bytes = SM2_ID) -> bool:
        if len(signer) > 8191:
            return False
        return self.sm2_verify_digest(public, sm3(_z(public, signer) + data), signature)

    def sm2_verify_digest(self, public: bytes, e: bytes, signature: bytes) -> bool:
        pair = check_signature(signature)
        if pair is None or len(e) != 32 or curve.coordinates(public) is None:
            return False
        try:
            return _curve(public).verify(f"{pair[0]:064x}{pair[1]:064x}", e) is True
        except Exception:  # gmssl raises where a sum meets infinity; it returns 0 where t = 0 (rule 4)
            return False

    def sm2_wrap(self, public: bytes, key: bytes) -> bytes:
        point = curve.coordinates(public)
        if point is None or len(key) != WRAPPED:
            raise trouble(codes.KEY_VALUE, what="SM2 point" if point is None else "SM4")
        while True:
            k = _draw(curve.N - 1)
            x2, y2 = _times(k, public[1:].hex())
            c2 = _mask(x2, y2, key)
            if c2 is not None:
                return der.write_cipher(der.Sm2Cipher(*_times(k, _G), _c3(x2, y2, key), c2))


class FallbackCrypto(Symmetric, ReferenceCrypto):
    """What runs on an operator's explicit order when no libcrypto can do SM2: SM2 by gmssl, the rest at full speed.

    `cryptography` is always installed, so nothing is gained by a slow SM3 and SM4.
    """

    name = "fallback"


_: type[Crypto] = ReferenceCrypto
__: type[Crypto] = FallbackCrypto
