"""SM4 by libgcrypt: equal to `cryptography` in everything, from any thread, and nothing unauthentic leaves."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.crypto import gcrypt, libgcrypt, selftest
from node.crypto.gcrypt import LONG, GcryptCrypto
from node.crypto.libgcrypt import LibGcrypt
from node.crypto.openssl import OpenSslCrypto
from node.model import codes
from node.model.sentence import Sentence
from node.model.trouble import Hold, Refused, Trouble
from tests.crypto.accelerator import system_libgcrypt

ROOT = Path(__file__).parents[2]
PLAIN = OpenSslCrypto()
KEY, IV, NONCE = bytes(range(16)), bytes(range(16, 32)), bytes(range(12))
SIZES = (0, 1, 15, 16, 17, 100, 1024, LONG - 1, LONG, LONG + 1, 65536, (1 << 20) + 5)


@pytest.fixture(scope="module")
def crypto() -> GcryptCrypto:
    return GcryptCrypto(PLAIN, system_libgcrypt())


class Spoiled(LibGcrypt):
    """The real library with some functions failing; it counts the handles that are open."""

    def __init__(self, path: str, **failing: int) -> None:
        super().__init__(path)
        self.handles = 0
        opened, closed = self.open, self.close

        def count(*arguments: object) -> int:
            error = int(opened(*arguments))
            self.handles += not error
            return error

        def uncount(handle: object) -> None:
            self.handles -= 1
            closed(handle)

        self.open, self.close = count, uncount
        for name, error in failing.items():
            setattr(self, name, lambda *_, error=error: error)


def spoiled(**failing: int) -> tuple[Spoiled, GcryptCrypto]:
    library = Spoiled(system_libgcrypt().path, **failing)
    return library, GcryptCrypto(PLAIN, library)


@pytest.mark.parametrize("size", SIZES)
def test_every_mode_gives_what_cryptography_gives_at_any_size(crypto: GcryptCrypto, size: int) -> None:
    clear, aad = os.urandom(size), os.urandom(size % 61)
    sealed = crypto.sm4_gcm_seal(KEY, NONCE, clear, aad)
    assert sealed == PLAIN.sm4_gcm_seal(KEY, NONCE, clear, aad)
    assert crypto.sm4_gcm_open(KEY, NONCE, sealed, aad) == clear
    assert crypto.sm4_ctr(KEY, IV, clear) == PLAIN.sm4_ctr(KEY, IV, clear)
    assert crypto.sm4_cbc_decrypt(KEY, IV, PLAIN.sm4_cbc_encrypt(KEY, IV, clear)) == clear


@settings(max_examples=60)
@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), st.binary(max_size=700),
       st.binary(max_size=200))
def test_every_mode_agrees_for_any_key_counter_data_and_place(key: bytes, iv: bytes, data: bytes, aad: bytes) -> None:
    crypto = GcryptCrypto(PLAIN, system_libgcrypt())
    sealed = crypto.sm4_gcm_seal(key, iv[:12], data, aad)
    assert sealed == PLAIN.sm4_gcm_seal(key, iv[:12], data, aad)
    assert crypto.sm4_gcm_open(key, iv[:12], sealed, aad) == data
    assert crypto.sm4_ctr(key, iv, data) == PLAIN.sm4_ctr(key, iv, data)
    assert crypto.sm4_cbc_decrypt(key, iv, PLAIN.sm4_cbc_encrypt(key, iv, data)) == data


@pytest.mark.parametrize("width", [1, 4, 8, 12, 15, 16])
def test_a_counter_carries_as_far_as_it_must_among_many_blocks(crypto: GcryptCrypto, width: int) -> None:
    counter = b"\x5a" * (16 - width) + b"\xff" * (width - 1) + b"\xf0"
    assert crypto.sm4_ctr(KEY, counter, bytes(1024)) == PLAIN.sm4_ctr(KEY, counter, bytes(1024))


@pytest.mark.parametrize("aad", [b"", b"a", b"a" * 16, b"a" * 17, os.urandom(70000)], ids=len)
def test_a_place_of_any_length_is_authenticated(crypto: GcryptCrypto, aad: bytes) -> None:
    sealed = crypto.sm4_gcm_seal(KEY, NONCE, b"clear", aad)
    assert crypto.sm4_gcm_open(KEY, NONCE, sealed, aad) == b"clear"
    with pytest.raises(Refused):
        crypto.sm4_gcm_open(KEY, NONCE, sealed, aad + b"\0")


@pytest.mark.parametrize("size", [1, 100, LONG + 16])
def test_nothing_of_a_touched_value_stays_readable(
    crypto: GcryptCrypto, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room the library decrypted into is kept here, and looked at after the refusal."""
    sealed = crypto.sm4_gcm_seal(KEY, NONCE, b"p" * size, b"place")
    rooms: list[bytes] = []
    fresh = gcrypt._fresh
    monkeypatch.setattr(gcrypt, "_fresh", lambda *given: rooms.append(fresh(*given)) or rooms[-1])
    assert crypto.sm4_gcm_open(KEY, NONCE, sealed, b"place") == b"p" * size == rooms.pop()
    for touched in (sealed[:-1] + bytes([sealed[-1] ^ 128]), bytes([sealed[0] ^ 1]) + sealed[1:]):
        with pytest.raises(Refused) as caught:
            crypto.sm4_gcm_open(KEY, NONCE, touched, b"place")
        assert caught.value.code is codes.OPEN
        assert rooms.pop() == bytes(size)


def test_a_value_of_one_byte_leaves_the_interpreter_s_own_bytes_alone(crypto: GcryptCrypto) -> None:
    """Results are written into fresh `bytes`; those of one octet are shared by the whole interpreter."""
    for octet in range(256):
        sealed = crypto.sm4_gcm_seal(KEY, NONCE, bytes([octet]), b"")
        assert crypto.sm4_gcm_open(KEY, NONCE, sealed, b"") == bytes([octet])
        assert crypto.sm4_ctr(KEY, IV, crypto.sm4_ctr(KEY, IV, bytes([octet]))) == bytes([octet])
    assert [bytes([octet])[0] for octet in range(256)] == list(range(256)) and len(b"") == 0


def test_four_threads_at_once_seal_what_another_library_opens(crypto: GcryptCrypto) -> None:
    seed = random.randrange(1 << 32)

    def work(number: int) -> None:
        chance = random.Random(seed + number)
        for turn in range(60):
            key, iv = chance.randbytes(16), chance.randbytes(16)
            clear, aad = chance.randbytes(chance.choice((0, 7, 300, 5000, LONG + 3, 70000))), chance.randbytes(20)
            sealed = crypto.sm4_gcm_seal(key, iv[:12], clear, aad)
            secret = crypto.sm4_ctr(key, iv, clear)
            if turn % 3 == 0:
                assert PLAIN.sm4_gcm_open(key, iv[:12], sealed, aad) == clear == PLAIN.sm4_ctr(key, iv, secret)
            assert crypto.sm4_gcm_open(key, iv[:12], sealed, aad) == clear
            assert crypto.sm4_cbc_decrypt(key, iv, PLAIN.sm4_cbc_encrypt(key, iv, clear)) == clear

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, number) for number in range(4)]:
            try:
                done.result()
            except BaseException:
                print(f"seed {seed}")
                raise


def test_every_handle_is_closed_whether_the_call_succeeds_or_not() -> None:
    library, crypto = spoiled()
    sealed = crypto.sm4_gcm_seal(KEY, NONCE, b"clear", b"")
    assert crypto.sm4_gcm_open(KEY, NONCE, sealed, b"") == b"clear"
    for act in (
        lambda: crypto.sm4_gcm_open(KEY, NONCE, bytes(16), b""),
        lambda: crypto.sm4_cbc_decrypt(KEY, IV, bytes(32)),
        lambda: crypto.sm4_cbc_decrypt(KEY, IV, b"x"),
        lambda: crypto.sm4_ctr(b"short", IV, b"x"),
    ):
        with pytest.raises(Refused):
            act()
    assert library.handles == 0


CALLS: dict[str, Callable[[GcryptCrypto], object]] = {
    "seal": lambda crypto: crypto.sm4_gcm_seal(KEY, NONCE, b"clear", b""),
    "open": lambda crypto: crypto.sm4_gcm_open(KEY, NONCE, PLAIN.sm4_gcm_seal(KEY, NONCE, b"clear", b""), b""),
    "ctr": lambda crypto: crypto.sm4_ctr(KEY, IV, b"data"),
    "cbc": lambda crypto: crypto.sm4_cbc_decrypt(KEY, IV, PLAIN.sm4_cbc_encrypt(KEY, IV, b"clear")),
}


@pytest.mark.parametrize("call, function", [
    *((call, function) for call in CALLS for function in ("open", "set_key")),
    ("seal", "set_iv"), ("seal", "authenticate"), ("seal", "encrypt"), ("seal", "get_tag"),
    ("open", "set_iv"), ("open", "authenticate"), ("open", "decrypt"), ("open", "check_tag"),
    ("ctr", "set_counter"), ("ctr", "encrypt"), ("cbc", "set_iv"), ("cbc", "decrypt"),
])
def test_a_library_that_fails_is_our_trouble_and_not_the_sender_s(call: str, function: str) -> None:
    """Were it EXN-OPEN, an hour without memory would refuse good parcels for ever."""
    out_of_memory = 1 << 24 | 1 << 15 | 86
    library, crypto = spoiled(**{function: out_of_memory})
    with pytest.raises(Hold) as caught:
        CALLS[call](crypto)
    assert caught.value.code is codes.SELFTEST
    assert library.handles == 0


def found(path: Path | None) -> str:
    try:
        return libgcrypt.find(path).text
    except Trouble as met:
        return met.code.name


def test_a_library_that_is_another_or_absent_or_named_by_half_is_not_taken() -> None:
    libc = next(Path("/").glob("lib*/*/libc.so.6"), Path("/nowhere/libc.so.6"))
    for path in (libc, Path("/nowhere/libgcrypt.so.20"), Path(libgcrypt.NAME)):
        assert found(path) == codes.NO_LIBGCRYPT.name


def test_a_library_that_is_too_old_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(None) == system_libgcrypt().text
    monkeypatch.setattr(libgcrypt, "OLDEST", b"99.0.0")
    assert found(None) == codes.NO_LIBGCRYPT.name


def in_a_process(program: str, **environ: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, **environ},
    )
    assert not ended.stderr
    return ended.stdout.strip()


OPENED = "from node.crypto.selftest import open_crypto\nprint(open_crypto(None, False, print).name)"


def test_in_fips_mode_which_knows_no_sm4_the_other_library_is_used_without_a_word() -> None:
    system_libgcrypt()
    assert in_a_process(OPENED, LIBGCRYPT_FORCE_FIPS_MODE="1") == "openssl"


def test_a_library_another_user_has_initialised_is_taken_as_it_is() -> None:
    system_libgcrypt()
    before = (
        "import ctypes\nlibrary = ctypes.CDLL('libgcrypt.so.20')\nlibrary.gcry_check_version(None)\n"
        "library.gcry_control(37, 0)\nlibrary.gcry_control(38, 0)\n"
    )
    assert in_a_process(before + OPENED) == GcryptCrypto.name


def silent(sentence: Sentence) -> None:
    pytest.fail(f"warned: {sentence.en}")


def test_the_accelerator_is_used_unless_it_is_unwanted() -> None:
    path = system_libgcrypt().path
    assert selftest.open_crypto(None, False, silent).name == GcryptCrypto.name
    assert selftest.open_crypto(None, False, silent, "none").name == "openssl"
    real = next(Path("/").glob(f"usr/lib*/*/{path}"), None)
    if real is not None:
        opened = selftest.open_crypto(None, False, silent, real)
        assert opened.name == GcryptCrypto.name and "libgcrypt 1." in opened.library and "OpenSSL" in opened.library


def test_without_the_library_the_other_does_the_work_unless_it_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libgcrypt, "NAME", "libnowhere.so.20")
    assert selftest.open_crypto(None, False, silent).name == "openssl"
    with pytest.raises(Hold) as caught:
        selftest.open_crypto(None, False, silent, Path("/nowhere/libgcrypt.so.20"))
    assert caught.value.code is codes.NO_LIBGCRYPT


def wrong_above(limit: int) -> Callable[..., bytes]:
    """GCM that is wrong from a length on, as vector code alone may be."""
    def seal(self: GcryptCrypto, key: bytes, nonce: bytes, clear: bytes, aad: bytes) -> bytes:
        right = PLAIN.sm4_gcm_seal(key, nonce, clear, aad)
        return right if len(clear) < limit else bytes(len(right))

    return seal


@pytest.mark.parametrize("limit", [1, 64, 300, LONG])
def test_a_library_that_answers_wrongly_is_not_used_and_that_is_said(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path(system_libgcrypt().path)
    monkeypatch.setattr(GcryptCrypto, "sm4_gcm_seal", wrong_above(limit))
    said: list[Sentence] = []
    assert selftest.open_crypto(None, False, said.append).name == "openssl"
    assert len(said) == 1 and "SM4-GCM" in said[0].en and "SM4-GCM" in said[0].zh
    monkeypatch.setattr(libgcrypt, "find", lambda configured: LibGcrypt(str(real)))
    with pytest.raises(Hold) as caught:
        selftest.open_crypto(None, False, silent, real)
    assert caught.value.code is codes.SELFTEST
