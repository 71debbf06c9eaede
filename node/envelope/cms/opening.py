"""Unwrapping and decrypting any GB/T 35275 envelope, in every SM4 mode that the provider's few calls can give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from node.envelope.cms import der, names
from node.envelope.cms.ber import Walk
from node.envelope.cms.enveloped import PRIME
from node.envelope.cms.message import Algorithm
from node.model import codes
from node.model.trouble import Trouble, trouble
from node.ports import Crypto, PrivateKey

BLOCK = 16
KEY = 16


@dataclass(frozen=True, slots=True)
class Cipher:
    """A mode of SM4 and its IV, nonce or first counter."""

    mode: str
    iv: bytes = b""
    caveat: str | None = None


def cipher_of(algorithm: Algorithm) -> Cipher | None:
    """Return how `algorithm` is meant, by its identifier and by whether parameters stand there; None if unknown."""
    parameters = None if algorithm.parameters in (None, der.NULL) else algorithm.parameters
    if algorithm.oid == names.SM4_GCM:
        return _gcm(parameters)
    iv = b"" if parameters is None else parameters[2:]
    if parameters is not None and parameters != der.octets(iv):
        return None
    if algorithm.oid == names.SM4:
        return Cipher("CBC", iv, "bare-cbc") if len(iv) == BLOCK else None if iv else Cipher("ECB", b"", "bare-ecb")
    modes = {names.SM4_CBC: "CBC", names.SM4_OFB: "OFB", names.SM4_CFB: "CFB", names.SM4_CTR: "CTR"}
    if algorithm.oid == names.SM4_ECB:
        return Cipher("ECB")
    if algorithm.oid in modes and len(iv) == BLOCK:
        return Cipher(modes[algorithm.oid], iv)
    return None


def _gcm(parameters: bytes | None) -> Cipher | None:
    """Return GCM where its nonce has 12 octets and its tag 16 (GCMParameters of RFC 5084, icvLen 12 by default)."""
    walk = Walk()
    try:
        nonce, size = walk.children(walk.root(parameters or b""))
        if nonce.tag == der.OCTET_STRING and len(nonce.contents) == 12 and walk.integer(size) == 16:
            return Cipher("GCM", nonce.contents)
    except (Trouble, ValueError):
        return None
    return None


def decrypt(crypto: Crypto, cipher: Cipher, key: bytes, secret: bytes) -> list[tuple[bytes, str | None]]:
    """Return the contents `secret` may stand for, the likeliest first, each with its caveat.

    Raises Refused(OPEN) on bad padding, length or tag; OFB, CFB and CTR cannot tell.  ECB alone is ambiguous: products
    write it with padding and without.
    """
    if cipher.mode == "ECB":
        clear = _ecb(crypto, key, secret)
        pad = clear[-1]
        padded = 1 <= pad <= BLOCK and clear.endswith(bytes((pad,)) * pad)
        return [(clear[:-pad], None), (clear, "unpadded")] if padded else [(clear, "unpadded")]
    return [(_decrypted(crypto, cipher, key, secret), None)]


def _decrypted(crypto: Crypto, cipher: Cipher, key: bytes, secret: bytes) -> bytes:
    if cipher.mode == "CBC":
        return crypto.sm4_cbc_decrypt(key, cipher.iv, secret)
    if cipher.mode == "GCM":
        return crypto.sm4_gcm_open(key, cipher.iv, secret, b"")
    if cipher.mode == "CTR":
        return crypto.sm4_ctr(key, cipher.iv, secret)
    padded = secret + bytes(-len(secret) % BLOCK)
    if cipher.mode == "OFB":  # its keystream is what CBC makes of nothing but zeros
        stream = crypto.sm4_cbc_encrypt(key, cipher.iv, bytes(len(padded)))
    else:  # CFB: each block is masked with the encryption of the ciphertext block before it
        stream = crypto.sm4_ecb(key, (cipher.iv + padded)[:len(padded)])
    return _xor(secret, stream)


def _ecb(crypto: Crypto, key: bytes, secret: bytes) -> bytes:
    """Decrypt ECB with the calls there are: CBC over the same blocks, less the chaining that CBC put in.

    CBC insists on padding, so one more block is added that decrypts to nothing but padding.
    """
    if not secret or len(secret) % BLOCK:
        raise trouble(codes.OPEN)
    last = crypto.sm4_ecb(key, _xor(secret[-BLOCK:], bytes((BLOCK,)) * BLOCK))
    return _xor(crypto.sm4_cbc_decrypt(key, bytes(BLOCK), secret + last), bytes(BLOCK) + secret)


def _xor(left: bytes, right: bytes) -> bytes:
    """Return `left` masked with as much of `right`."""
    size = len(left)
    return (int.from_bytes(left, "big") ^ int.from_bytes(right[:size], "big")).to_bytes(size, "big")


def unwrap(key: PrivateKey, wrapped: bytes) -> tuple[bytes, str | None] | None:
    """Return the content key and the caveat of the form it was wrapped in; None if `key` does not open it."""
    for form, caveat in _forms(wrapped):
        try:
            found = key.unwrap(form)
        except Trouble:
            continue
        if len(found) == KEY:
            return found, caveat
    return None


def _forms(wrapped: bytes) -> Iterator[tuple[bytes, str | None]]:
    """Yield strict DER SM2Cipher for each reading of `wrapped`; C3 decides between them."""
    if loose := _cipher(wrapped):
        yield loose, None if loose == wrapped else "wrapped-not-der"
    raw = wrapped.removeprefix(b"\x04") if len(wrapped) == 65 + 32 + KEY else wrapped
    if len(raw) == 64 + 32 + KEY:
        x, y, rest = raw[:32], raw[32:64], raw[64:]
        for digest, text in ((rest[:32], rest[32:]), (rest[KEY:], rest[:KEY])):
            yield _written(x, y, digest, text), "wrapped-raw"


def _cipher(wrapped: bytes) -> bytes | None:
    walk = Walk()
    try:
        parts = walk.children(walk.root(wrapped))
    except Trouble:
        return None
    if [part.tag for part in parts] != [der.INTEGER, der.INTEGER, der.OCTET_STRING, der.OCTET_STRING]:
        return None
    x, y, digest, text = (part.contents for part in parts)
    if not (int.from_bytes(x, "big") < PRIME and int.from_bytes(y, "big") < PRIME):
        return None
    return _written(x, y, digest, text)


def _written(x: bytes, y: bytes, digest: bytes, text: bytes) -> bytes:
    numbers = (der.integer(int.from_bytes(number, "big")) for number in (x, y))
    return der.sequence(*numbers, der.octets(digest), der.octets(text))
