"""One test for each trap of OpenSSL that was met: what the library does alone, and that our adapter does not."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.crypto import der
from node.crypto.libcrypto import LibCrypto, find
from node.crypto.openssl import OpenSslCrypto
from node.crypto.sm2_native import NativeKey
from node.model import codes
from node.model.trouble import Hold, Refused
from node.ports import SM2_ID

ROOT = Path(__file__).parents[2]
LIBRARY = find()
CRYPTO = OpenSslCrypto(LIBRARY)
KEY = CRYPTO.sm2_generate()
CEK = bytes(range(16))
DATA = b"message"


class Raw:
    """The library's own sign-and-verify of data, which computes Z inside; the adapter never calls it."""

    def __init__(self) -> None:
        library, pointer, size = ctypes.CDLL(LIBRARY.path), ctypes.c_void_p, ctypes.c_size_t
        text = ctypes.c_char_p

        def bind(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            return function  # type: ignore[no-any-return]  # ctypes types its functions as Any

        self.set_id = bind("EVP_PKEY_CTX_set1_id", ctypes.c_int, pointer, text, ctypes.c_int)
        self.new = bind("EVP_MD_CTX_new", pointer)
        self.free = bind("EVP_MD_CTX_free", None, pointer)
        self.join = bind("EVP_MD_CTX_set_pkey_ctx", None, pointer, pointer)
        self.fetch = bind("EVP_MD_fetch", pointer, pointer, text, text)
        self.digest_free = bind("EVP_MD_free", None, pointer)
        self.sign_init = bind("EVP_DigestSignInit", ctypes.c_int, *[pointer] * 5)
        self.sign = bind("EVP_DigestSign", ctypes.c_int, pointer, text, ctypes.POINTER(size), text, size)
        self.verify_init = bind("EVP_DigestVerifyInit", ctypes.c_int, *[pointer] * 5)
        self.verify = bind("EVP_DigestVerify", ctypes.c_int, pointer, text, size, text, size)
        self.peek = bind("ERR_peek_error", ctypes.c_ulong)

    def run(
        self, key: NativeKey, signer: bytes | None, begin: Callable[..., Any], act: Callable[[Any], Any]
    ) -> Any:
        state, context = self.new(), LIBRARY.context_from_key(None, key.handle.pointer, None)
        digest = self.fetch(None, b"SM3", None)
        try:
            if signer is not None:
                assert self.set_id(context, signer, len(signer)) == 1
            self.join(state, context)
            assert begin(state, None, digest, None, key.handle.pointer) == 1
            return act(state)
        finally:
            self.free(state)
            self.digest_free(digest)
            LIBRARY.context_free(context)
            LIBRARY.drain()

    def signed(self, key: NativeKey, signer: bytes | None) -> bytes:
        out, size = ctypes.create_string_buffer(80), ctypes.c_size_t(80)

        def act(state: object) -> bytes:
            assert self.sign(state, out, ctypes.byref(size), DATA, len(DATA)) == 1
            return out.raw[: size.value]

        return bytes(self.run(key, signer, self.sign_init, act))

    def verifies(self, key: NativeKey, signer: bytes, signature: bytes) -> bool:
        def act(state: object) -> bool:
            return self.verify(state, signature, len(signature), DATA, len(DATA)) == 1

        return bool(self.run(key, signer, self.verify_init, act))


RAW = Raw()


def encrypted(clear: bytes) -> bytes:
    """Return the library's own `SM2Cipher` of any length."""
    secret = KEY.handle.produce("encrypt_init", LIBRARY.encrypt, clear, len(clear) + 256)
    assert secret is not None
    return secret


def decrypted(secret: bytes) -> bytes | None:
    """Return what the library alone makes of a ciphertext."""
    return KEY.handle.produce("decrypt_init", LIBRARY.decrypt, secret, len(secret) + 256)


def test_the_default_identity_is_ours_whatever_the_library_thinks_it_is() -> None:
    unset = RAW.signed(KEY, None)
    believed = {signer for signer in (b"", SM2_ID) if CRYPTO.sm2_verify(KEY.public, DATA, unset, signer)}
    assert len(believed) == 1  # the empty one in 3.x, the standard's in 4.0: hence the rule
    assert RAW.verifies(KEY, SM2_ID, KEY.sign(DATA))
    assert CRYPTO.sm2_verify(KEY.public, DATA, RAW.signed(KEY, SM2_ID))


@pytest.mark.parametrize("signer", [b"A", b"TLSv1.3+GM+Cipher+Suite", bytes(range(200))])
def test_our_z_is_the_library_s_z_for_any_identity(signer: bytes) -> None:
    assert RAW.verifies(KEY, signer, KEY.sign(DATA, signer))
    assert CRYPTO.sm2_verify(KEY.public, DATA, RAW.signed(KEY, signer), signer)


def test_trailing_bytes_after_a_ciphertext_are_refused() -> None:
    wrapped = CRYPTO.sm2_wrap(KEY.public, CEK)
    if LIBRARY.version < 0x30100000:
        assert decrypted(wrapped + b"\0") == CEK  # the library alone takes them
    for tail in (b"\0", b"\x05\x00", wrapped):
        with pytest.raises(Refused) as caught:
            KEY.unwrap(wrapped + tail)
        assert caught.value.code is codes.OPEN


def test_trailing_bytes_inside_a_ciphertext_are_refused() -> None:
    inner = der.Reader(CRYPTO.sm2_wrap(KEY.public, CEK)).take(der.SEQUENCE)
    with pytest.raises(Refused):
        KEY.unwrap(der.encode(der.SEQUENCE, inner, b"\x05\x00"))


@pytest.mark.parametrize("size", [1, 15, 17, 32, 1024])
def test_a_wrapped_key_of_another_length_is_refused_though_the_library_opens_it(size: int) -> None:
    secret = encrypted(os.urandom(size))
    assert len(decrypted(secret) or b"") == size
    with pytest.raises(Refused) as caught:
        KEY.unwrap(secret)
    assert caught.value.code is codes.OPEN


def raw_integer(body: bytes) -> bytes:
    return der.encode(der.INTEGER, body)


def test_a_signature_has_one_encoding() -> None:
    good = KEY.sign(DATA)
    r, s = der.read_signature(good)
    body = good[2:]
    long_r = raw_integer(b"\0" + der.integer(r)[2:])
    variants = {
        "long length": b"\x30\x81" + good[1:],
        "indefinite length": b"\x30\x80" + body + b"\0\0",
        "trailing byte": good + b"\0",
        "trailing element": der.encode(der.SEQUENCE, body, b"\x05\x00"),
        "leading zero": der.encode(der.SEQUENCE, long_r, der.integer(s)),
        "negative": der.encode(der.SEQUENCE, raw_integer((r | 1 << 255).to_bytes(32, "big")), der.integer(s)),
        "only r": der.encode(der.SEQUENCE, der.integer(r)),
        "raw": r.to_bytes(32, "big") + s.to_bytes(32, "big"),
        "set": b"\x31" + good[1:],
        "empty integer": der.encode(der.SEQUENCE, raw_integer(b""), der.integer(s)),
    }
    assert CRYPTO.sm2_verify(KEY.public, DATA, good)
    assert [name for name, bad in variants.items() if CRYPTO.sm2_verify(KEY.public, DATA, bad)] == []


def test_r_and_s_out_of_range_are_refused() -> None:
    n = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
    r, s = der.read_signature(KEY.sign(DATA))
    for pair in ((0, s), (r, 0), (n, s), (r, n), (r + n, s), (r, s + n), (r, n - r), (0, 0), (r, s + (n << 256))):
        assert CRYPTO.sm2_verify(KEY.public, DATA, der.write_signature(*pair)) is False


def test_an_off_curve_point_is_refused_here_and_by_the_library() -> None:
    bad = KEY.public[:-1] + bytes([KEY.public[-1] ^ 1])
    assert LIBRARY.build(bad) == 0
    assert CRYPTO.sm2_verify(bad, DATA, KEY.sign(DATA)) is False
    with pytest.raises(Refused):
        CRYPTO.sm2_wrap(bad, CEK)


def test_an_off_curve_c1_is_refused() -> None:
    cipher = der.read_cipher(CRYPTO.sm2_wrap(KEY.public, CEK))
    for moved in (cipher._replace(y=cipher.y ^ 1), cipher._replace(x=0, y=0), cipher._replace(x=cipher.x + (1 << 256))):
        with pytest.raises(Refused) as caught:
            KEY.unwrap(der.write_cipher(moved))
        assert caught.value.code is codes.OPEN


def test_a_bad_c3_is_refused() -> None:
    cipher = der.read_cipher(CRYPTO.sm2_wrap(KEY.public, CEK))
    for c3 in (bytes(32), cipher.c3[:-1] + bytes([cipher.c3[-1] ^ 1]), cipher.c3[:31], cipher.c3 + b"\0", b""):
        with pytest.raises(Refused) as caught:
            KEY.unwrap(der.write_cipher(cipher._replace(c3=c3)))
        assert caught.value.code is codes.OPEN


def test_failures_leave_no_error_behind_for_another_user_of_the_library() -> None:
    wrapped = CRYPTO.sm2_wrap(KEY.public, CEK)
    cipher = der.read_cipher(wrapped)
    assert not CRYPTO.sm2_verify(KEY.public, b"other", KEY.sign(DATA))
    with pytest.raises(Refused):
        KEY.unwrap(der.write_cipher(cipher._replace(c3=bytes(32))))
    assert LIBRARY.build(b"\x04" + bytes(64)) == 0
    assert RAW.peek() == 0


def test_a_build_without_sm2_is_not_taken(tmp_path: Path) -> None:
    """The provider that knows no algorithms stands for a distribution that left SM2 out."""
    (tmp_path / "openssl.cnf").write_text(
        "openssl_conf = all\n[all]\nproviders = some\n[some]\nbase = on\n[on]\nactivate = 1\n", encoding="ascii"
    )
    program = (
        "from node.crypto.libcrypto import find\n"
        "from node.model.trouble import Hold\n"
        "try:\n    find()\n"
        "except Hold as hold:\n    print(hold.code.name)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**os.environ, "OPENSSL_CONF": str(tmp_path / "openssl.cnf")}, check=True,
    )
    assert ended.stdout.strip() == codes.NO_LIBCRYPTO.name


def test_a_library_that_is_not_libcrypto_is_not_taken() -> None:
    with pytest.raises(Hold) as caught:
        LibCrypto("libc.so.6")
    assert caught.value.code is codes.NO_LIBCRYPTO


class Counting(LibCrypto):
    """Counts contexts and keys made and freed, by the library's own functions."""

    def _bind_all(self) -> None:
        super()._bind_all()
        self.open = 0
        made, freed = self.context_from_key, self.context_free

        def make(*arguments: object) -> object:
            context = made(*arguments)
            self.open += context is not None
            return context

        def free(context: object) -> None:
            self.open -= context is not None
            freed(context)

        named = self.context_from_name

        def name(*arguments: object) -> object:
            context = named(*arguments)
            self.open += context is not None
            return context

        self.context_from_key, self.context_free, self.context_from_name = make, free, name


def test_every_context_is_freed_whether_the_call_succeeds_or_not() -> None:
    library = Counting(LIBRARY.path)
    crypto = OpenSslCrypto(library)
    key = crypto.sm2_load(crypto.sm2_scalar(crypto.sm2_generate()))
    wrapped = crypto.sm2_wrap(key.public, CEK)
    assert key.unwrap(wrapped) == CEK
    assert crypto.sm2_verify(key.public, DATA, key.sign(DATA))
    assert not crypto.sm2_verify(key.public, DATA, KEY.sign(DATA))
    cipher = der.read_cipher(wrapped)
    for broken in (wrapped[:-1], der.write_cipher(cipher._replace(c3=bytes(32)))):
        with pytest.raises(Refused):
            key.unwrap(broken)
    assert library.build(b"\x04" + bytes(64)) == 0
    assert library.open == 0
