"""Modes of operation over any function of one 16-byte block: the reference that `cryptography` is checked against.

ECB, CBC, CTR by GB/T 17964, GCM by NIST SP 800-38D as RFC 8998 uses it.  Slow and plain on purpose.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator

from node.crypto.symmetric import BLOCK, NONCE, TAG, unpad
from node.model import codes
from node.model.trouble import trouble

Block = Callable[[bytes], bytes]
_REDUCTION = 0xE1 << 120


def _blocks(data: bytes) -> Iterator[bytes]:
    return (data[at : at + BLOCK] for at in range(0, len(data), BLOCK))


def _xor(left: bytes, right: bytes) -> bytes:
    """Return the exclusive or, as long as the shorter."""
    return bytes(a ^ b for a, b in zip(left, right))


def ecb(block: Block, data: bytes) -> bytes:
    """Return whole blocks encrypted one by one."""
    if len(data) % BLOCK:
        raise trouble(codes.KEY_VALUE, what="SM4-ECB")
    return b"".join(map(block, _blocks(data)))


def cbc_encrypt(block: Block, iv: bytes, clear: bytes) -> bytes:
    """Return CBC with PKCS#7 padding."""
    if len(iv) != BLOCK:
        raise trouble(codes.KEY_VALUE, what="SM4-CBC IV")
    pad = BLOCK - len(clear) % BLOCK
    out = [iv]
    for part in _blocks(clear + bytes([pad]) * pad):
        out.append(block(_xor(part, out[-1])))
    return b"".join(out[1:])


def cbc_decrypt(inverse: Block, iv: bytes, secret: bytes) -> bytes:
    """Undo `cbc_encrypt`; raise Refused(OPEN) for a bad length or padding."""
    if len(iv) != BLOCK or not secret or len(secret) % BLOCK:
        raise trouble(codes.OPEN)
    before = _blocks(iv + secret)
    return unpad(b"".join(_xor(inverse(part), last) for part, last in zip(_blocks(secret), before)))


def _stream(block: Block, counter: bytes, data: bytes, width: int) -> bytes:
    """Return `data` ⊕ the encrypted counters; the low `width` octets of the counter count."""
    fixed, start = counter[: BLOCK - width], int.from_bytes(counter[BLOCK - width :], "big")
    parts = enumerate(_blocks(data), start)
    wrap = 1 << 8 * width
    return b"".join(_xor(part, block(fixed + (count % wrap).to_bytes(width, "big"))) for count, part in parts)


def ctr(block: Block, counter: bytes, data: bytes) -> bytes:
    """Return `data` in counter mode; the whole block counts."""
    if len(counter) != BLOCK:
        raise trouble(codes.KEY_VALUE, what="SM4-CTR")
    return _stream(block, counter, data, BLOCK)


def _multiply(left: int, right: int) -> int:
    """Return the product in GF(2¹²⁸) with GCM's bit order (SP 800-38D §6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (_REDUCTION if right & 1 else 0)
    return product


def _tag(block: Block, nonce: bytes, secret: bytes, aad: bytes) -> bytes:
    key = int.from_bytes(block(bytes(BLOCK)), "big")
    lengths = (len(aad) * 8).to_bytes(8, "big") + (len(secret) * 8).to_bytes(8, "big")
    state = 0
    for part in (*_blocks(aad), *_blocks(secret), lengths):
        state = _multiply(state ^ int.from_bytes(part.ljust(BLOCK, b"\0"), "big"), key)
    return _xor(state.to_bytes(BLOCK, "big"), block(nonce + b"\0\0\0\1"))


def gcm_seal(block: Block, nonce: bytes, clear: bytes, aad: bytes) -> bytes:
    """Return ciphertext ‖ tag."""
    if len(nonce) != NONCE:
        raise trouble(codes.KEY_VALUE, what="SM4-GCM nonce")
    secret = _stream(block, nonce + b"\0\0\0\2", clear, 4)
    return secret + _tag(block, nonce, secret, aad)


def gcm_open(block: Block, nonce: bytes, secret: bytes, aad: bytes) -> bytes:
    """Undo `gcm_seal`; raise Refused(OPEN) if anything was touched."""
    if len(nonce) != NONCE or len(secret) < TAG:
        raise trouble(codes.OPEN)
    body, tag = secret[:-TAG], secret[-TAG:]
    if not hmac.compare_digest(_tag(block, nonce, body, aad), tag):
        raise trouble(codes.OPEN)
    return _stream(block, nonce + b"\0\0\0\2", body, 4)
