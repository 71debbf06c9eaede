"""SM3, HMAC-SM3 and SM4 by the package `cryptography`, with the interpreter's own SM3 where it has one.

Measured on short data: HMAC by copying a prepared `cryptography` context 0.9 µs, by two `hashlib` copies 1.0 µs; SM3
by copying an empty `hashlib` context 0.5 µs, `cryptography` 0.7 µs.  So HMAC comes from the one and SM3 from the
other, and SM3 falls back to `cryptography` where the interpreter was built without it or disagrees.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from node.model import codes
from node.model.trouble import trouble

BLOCK = 16
TAG = 16
NONCE = 12


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


def _sm3_of_cryptography(*parts: bytes) -> bytes:
    state = hashes.Hash(hashes.SM3())
    for part in parts:
        state.update(part)
    return state.finalize()


def _sm3_of_interpreter() -> Callable[..., bytes] | None:
    """Return SM3 over `hashlib` if it is there and agrees with `cryptography`, else None."""
    try:
        fresh: Callable[[], _Hash] = hashlib.new("sm3", usedforsecurity=True).copy
    except ValueError:
        return None

    def sm3(first: bytes = b"", *more: bytes) -> bytes:
        state = fresh()
        state.update(first)
        for part in more:
            state.update(part)
        return state.digest()

    samples = (b"", b"abc", bytes(range(256)) * 17)
    return sm3 if all(sm3(sample) == _sm3_of_cryptography(sample) for sample in samples) else None


sm3: Callable[..., bytes] = _sm3_of_interpreter() or _sm3_of_cryptography
"""Return the 32-byte digest of the parts, joined (GB/T 32905)."""


def keyed(key: bytes) -> Callable[[bytes], bytes]:
    """Return HMAC-SM3 under `key` as a function; its prepared state is only copied, so threads may share it."""
    fresh = HMAC(key, hashes.SM3()).copy

    def digest(data: bytes) -> bytes:
        state = fresh()
        state.update(data)
        return state.finalize()

    return digest


def pbkdf2(name: str, passphrase: bytes, salt: bytes, rounds: int, size: int) -> bytes:
    """Return PBKDF2 (RFC 8018 §5.2) with HMAC over `sm3` or `sha256`."""
    algorithm = hashes.SM3() if name == "sm3" else hashes.SHA256()
    return PBKDF2HMAC(algorithm, size, salt, rounds).derive(passphrase)


def _sm4(key: bytes) -> algorithms.SM4:
    if len(key) != BLOCK:
        raise trouble(codes.KEY_VALUE, what="SM4")
    return algorithms.SM4(key)


def _whole(context: CipherContext, *parts: bytes) -> bytes:
    return b"".join([context.update(part) for part in parts] + [context.finalize()])


def ecb(key: bytes, blocks: bytes) -> bytes:
    """Return whole blocks encrypted one by one (key derivation only)."""
    if len(blocks) % BLOCK:
        raise trouble(codes.KEY_VALUE, what="SM4-ECB")
    return _whole(Cipher(_sm4(key), modes.ECB()).encryptor(), blocks)


def cbc_encrypt(key: bytes, iv: bytes, clear: bytes) -> bytes:
    """Return SM4-CBC with PKCS#7 padding."""
    if len(iv) != BLOCK:
        raise trouble(codes.KEY_VALUE, what="SM4-CBC IV")
    pad = BLOCK - len(clear) % BLOCK
    return _whole(Cipher(_sm4(key), modes.CBC(iv)).encryptor(), clear, bytes([pad]) * pad)


def cbc_decrypt(key: bytes, iv: bytes, secret: bytes) -> bytes:
    """Undo `cbc_encrypt`; raise Refused(OPEN) for a bad length or padding."""
    if len(iv) != BLOCK or not secret or len(secret) % BLOCK:
        raise trouble(codes.OPEN)
    return unpad(_whole(Cipher(_sm4(key), modes.CBC(iv)).decryptor(), secret))


def unpad(padded: bytes) -> bytes:
    """Return `padded` without its PKCS#7 padding; raise Refused(OPEN) unless all of it is right."""
    pad = padded[-1]
    if not 1 <= pad <= BLOCK or not hmac.compare_digest(padded[-pad:], bytes([pad]) * pad):
        raise trouble(codes.OPEN)
    return padded[:-pad]


def ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """Return `data` in counter mode from the initial counter block."""
    if len(counter) != BLOCK:
        raise trouble(codes.KEY_VALUE, what="SM4-CTR")
    return _whole(Cipher(_sm4(key), modes.CTR(counter)).encryptor(), data)


def gcm_seal(key: bytes, nonce: bytes, clear: bytes, aad: bytes) -> bytes:
    """Return ciphertext ‖ tag."""
    if len(nonce) != NONCE:
        raise trouble(codes.KEY_VALUE, what="SM4-GCM nonce")
    context = Cipher(_sm4(key), modes.GCM(nonce)).encryptor()
    context.authenticate_additional_data(aad)
    return b"".join((context.update(clear), context.finalize(), context.tag))


def gcm_open(key: bytes, nonce: bytes, secret: bytes, aad: bytes) -> bytes:
    """Undo `gcm_seal`; raise Refused(OPEN) if anything was touched, and then nothing is released."""
    if len(nonce) != NONCE or len(secret) < TAG:
        raise trouble(codes.OPEN)
    context = Cipher(_sm4(key), modes.GCM(nonce, secret[-TAG:])).decryptor()
    context.authenticate_additional_data(aad)
    clear = context.update(memoryview(secret)[:-TAG])
    try:
        return clear + context.finalize()
    except (InvalidTag, ValueError):
        # ValueError when another user of this OpenSSL (a chain, a handshake) left an error in the thread's queue:
        # `cryptography` then takes that one for the cause.
        raise trouble(codes.OPEN) from None


class Symmetric:
    """The symmetric half of the port `Crypto`, for the suites that take it from `cryptography`."""

    # The function itself: a method around it would cost a tenth of what a Merkle node does.
    sm3 = staticmethod(sm3)

    def hmac_sm3(self, key: bytes, data: bytes) -> bytes:
        return keyed(key)(data)

    def keyed(self, key: bytes) -> Callable[[bytes], bytes]:
        return keyed(key)

    def sm4_ecb(self, key: bytes, blocks: bytes) -> bytes:
        return ecb(key, blocks)

    def sm4_cbc_encrypt(self, key: bytes, iv: bytes, clear: bytes) -> bytes:
        return cbc_encrypt(key, iv, clear)

    def sm4_cbc_decrypt(self, key: bytes, iv: bytes, secret: bytes) -> bytes:
        return cbc_decrypt(key, iv, secret)

    def sm4_ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        return ctr(key, counter, data)

    def sm4_gcm_seal(self, key: bytes, nonce: bytes, clear: bytes, aad: bytes) -> bytes:
        return gcm_seal(key, nonce, clear, aad)

    def sm4_gcm_open(self, key: bytes, nonce: bytes, secret: bytes, aad: bytes) -> bytes:
        return gcm_open(key, nonce, secret, aad)
