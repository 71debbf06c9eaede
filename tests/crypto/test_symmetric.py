"""SM3 and SM4: published answers, two implementations against each other, and the choice among them."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.crypto import symmetric
from node.crypto.openssl import OpenSslCrypto
from node.crypto.reference import ReferenceCrypto
from node.model.trouble import Refused

NATIVE, REFERENCE = OpenSslCrypto(), ReferenceCrypto()
BLOCKS = st.binary(min_size=16, max_size=16)
SHORT = st.binary(max_size=50)

# C2SP wycheproof, hmac_sm3_test.json, cases 1, 2, 9, 17 and 22: key, message, tag.
HMACS = [
    ("1e225cafb90339bba1b24076d4206c3e79c355805d851682bc818baa4f5a7779", "",
     "f9938b1b2515117f25dcd636c9a6a0e7f00bccaf5347e0e0df435cfca736cfc1"),
    ("8159fd15133cd964c9a6964c94f0ea269a806fd9f43f0da58b6cd1b33d189b2a", "77",
     "51aaf64843b6d2fc7a244ab9cda9b7b57164ce6a865f9808c01931b46195411d"),
    ("233e4fdee70bcc20235b6977ddfc05b0df66f5635d827c66e5a63cdb16a24938", "fdb2ee4b6d1a0ac2",
     "6c72360f97cb252a3e673afd51402845f04cc7e41ebbfc0821e7ce77adbb4f0d"),
    ("6fa353868c82e5deeedac7f09471a61bf749ab5498239e947e012eee3c82d7c4", "aeed3e4d4cb9bbb60d482e98c126c0f5",
     "d92d6e7f3f9d0158602c327f075e27226c8591f3a667d768a25e4a6dd491b754"),
    ("8e540cb30c94836ae2a5950f355d482a7002e255207e94fda3f7ef1a099013a0",
     "d6500f95e11262e308bf3df4df4b855f33e857563d4543f195639a0a17b442eb9fdcc1367d2eee75c8f805730b89290f",
     "ffa61dc4752eae1456bf6658b83950d6514888cf48931ddf1c93fda166b7261b"),
]

# GmSSL, tests/pbkdf2test_sm3.h, cases 1, 3 and 51: passphrase, salt, rounds, key.
PBKDF2S = [
    (b"passwd", b"salt", 1, "30530b86537c85ea33fbe26ee0adea8d8bd91d283b87936f400e83ad2364ef26"
     "32cd8662313657c0e6138ffeda2c4e6805869cbd8030188858d8a675ac762523"),
    (b"q0Wt0d4p", bytes.fromhex("798acc7c76739d75"), 4096, "67676e93c77d10cb6c3783285df0cf63"),
    (b"", bytes.fromhex("1a71e2118c9fbcc9"), 4096, "20fdb4331ef976d15d8dc1af90d139424dba907d15e890c9b1fd7be9720c9f68"),
]


@pytest.mark.parametrize("crypto", [NATIVE, REFERENCE], ids=["native", "reference"])
@pytest.mark.parametrize("key, message, tag", HMACS)
def test_hmac_gives_the_published_tags(crypto: OpenSslCrypto, key: str, message: str, tag: str) -> None:
    assert crypto.hmac_sm3(bytes.fromhex(key), bytes.fromhex(message)).hex() == tag
    assert crypto.keyed(bytes.fromhex(key))(bytes.fromhex(message)).hex() == tag


@pytest.mark.parametrize("passphrase, salt, rounds, key", PBKDF2S)
def test_pbkdf2_gives_the_published_keys(passphrase: bytes, salt: bytes, rounds: int, key: str) -> None:
    assert symmetric.pbkdf2("sm3", passphrase, salt, rounds, len(key) // 2).hex() == key


def test_pbkdf2_of_sha256_is_the_interpreter_s() -> None:
    assert symmetric.pbkdf2("sha256", b"word", b"saltsalt", 7, 16) == hashlib.pbkdf2_hmac(
        "sha256", b"word", b"saltsalt", 7, 16
    )


def test_sm3_works_where_the_interpreter_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> object:
        raise ValueError("unsupported hash type sm3")

    monkeypatch.setattr(hashlib, "new", none)
    assert symmetric._sm3_of_interpreter() is None
    assert symmetric._sm3_of_cryptography(b"a", b"bc") == symmetric.sm3(b"abc")


def test_an_interpreter_whose_sm3_is_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "new", lambda *_, **__: hashlib.sha256())
    assert symmetric._sm3_of_interpreter() is None


@given(st.lists(SHORT, max_size=4))
def test_parts_are_digested_as_one(parts: list[bytes]) -> None:
    assert symmetric.sm3(*parts) == symmetric.sm3(b"".join(parts)) == symmetric._sm3_of_cryptography(*parts)


@given(st.binary(max_size=150), SHORT)
def test_prepared_hmac_is_hmac(key: bytes, data: bytes) -> None:
    if "sm3" in hashlib.algorithms_available:
        assert symmetric.keyed(key)(data) == hmac.new(key, data, "sm3").digest()
    assert symmetric.keyed(key)(data) == REFERENCE.hmac_sm3(key, data)


@settings(max_examples=25)
@given(BLOCKS, BLOCKS, st.binary(max_size=70), SHORT)
def test_the_two_implementations_agree_in_every_mode(key: bytes, iv: bytes, data: bytes, aad: bytes) -> None:
    whole = data[: len(data) // 16 * 16]
    assert NATIVE.sm4_ecb(key, whole) == REFERENCE.sm4_ecb(key, whole)
    assert NATIVE.sm4_ctr(key, iv, data) == REFERENCE.sm4_ctr(key, iv, data)
    secret = NATIVE.sm4_cbc_encrypt(key, iv, data)
    assert secret == REFERENCE.sm4_cbc_encrypt(key, iv, data)
    assert REFERENCE.sm4_cbc_decrypt(key, iv, secret) == data
    sealed = NATIVE.sm4_gcm_seal(key, iv[:12], data, aad)
    assert sealed == REFERENCE.sm4_gcm_seal(key, iv[:12], data, aad)
    assert REFERENCE.sm4_gcm_open(key, iv[:12], sealed, aad) == data


@given(st.binary(max_size=60), SHORT, st.data())
def test_any_flipped_bit_of_a_gcm_value_is_refused(clear: bytes, aad: bytes, data: st.DataObject) -> None:
    key, nonce = bytes(range(16)), bytes(12)
    sealed = NATIVE.sm4_gcm_seal(key, nonce, clear, aad)
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    touched = (int.from_bytes(sealed, "big") ^ 1 << bit).to_bytes(len(sealed), "big")
    with pytest.raises(Refused):
        NATIVE.sm4_gcm_open(key, nonce, touched, aad)


def test_a_large_value_passes_through_every_mode() -> None:
    clear = bytes(range(256)) * 4096 + b"tail"
    key, iv = bytes(16), bytes(range(16))
    assert NATIVE.sm4_cbc_decrypt(key, iv, NATIVE.sm4_cbc_encrypt(key, iv, clear)) == clear
    assert NATIVE.sm4_gcm_open(key, iv[:12], NATIVE.sm4_gcm_seal(key, iv[:12], clear, b""), b"") == clear
    assert NATIVE.sm4_ctr(key, iv, NATIVE.sm4_ctr(key, iv, clear)) == clear


def test_an_error_another_user_of_openssl_left_behind_does_not_change_the_refusal() -> None:
    """Found when chains were verified in the same process: the stale error was taken for the cause."""
    from OpenSSL._util import lib

    sealed = symmetric.gcm_seal(bytes(16), bytes(12), b"clear", b"place")
    lib.ERR_clear_error()
    assert not lib.PEM_read_bio_X509(lib.BIO_new(lib.BIO_s_mem()), *(3 * [openssl_null()]))
    with pytest.raises(Refused):
        symmetric.gcm_open(bytes(16), bytes(12), sealed[:-1] + bytes([sealed[-1] ^ 1]), b"place")


def openssl_null() -> object:
    """Return a NULL of cffi."""
    from OpenSSL._util import ffi

    return ffi.NULL
