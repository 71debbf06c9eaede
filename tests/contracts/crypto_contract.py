"""What every implementation of the port `Crypto` must do; a test class inherits it and says which one it is."""

from __future__ import annotations

import copy
import os
import pickle

import pytest

from node.model import codes
from node.model.trouble import Refused
from node.ports import Crypto, PrivateKey

N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
KEY, IV, NONCE = bytes(range(16)), bytes(range(16, 32)), bytes(12)


def flipped(data: bytes, at: int = -1) -> bytes:
    """Return `data` with the lowest bit of one octet changed."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


class CryptoContract:
    """Inherit and override `make`; it is called once per class."""

    @classmethod
    def make(cls) -> Crypto:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def crypto(cls) -> Crypto:
        return cls.make()

    @pytest.fixture(scope="class")
    @classmethod
    def key(cls, crypto: Crypto) -> PrivateKey:
        return crypto.sm2_generate()

    def test_the_digest_has_32_bytes_and_depends_on_all_of_the_data(self, crypto: Crypto) -> None:
        data = bytes(range(256))
        assert len(crypto.sm3(data)) == 32
        assert len({crypto.sm3(flipped(data, at)) for at in range(0, 256, 37)} | {crypto.sm3(data)}) == 8

    @pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 200])
    def test_keyed_is_the_one_shot_mac_for_any_size_of_key_and_data(self, crypto: Crypto, size: int) -> None:
        keyed = crypto.keyed(bytes(size))
        for length in (0, 14, 64):
            assert keyed(bytes(length)) == crypto.hmac_sm3(bytes(size), bytes(length))

    def test_a_keyed_function_remembers_nothing_between_calls(self, crypto: Crypto) -> None:
        keyed = crypto.keyed(KEY)
        first = keyed(b"one")
        assert keyed(b"two") != first == keyed(b"one")

    @pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 32, 100])
    def test_what_is_encrypted_comes_back(self, crypto: Crypto, size: int) -> None:
        clear = bytes(range(size))
        secret = crypto.sm4_cbc_encrypt(KEY, IV, clear)
        assert len(secret) == size // 16 * 16 + 16
        assert crypto.sm4_cbc_decrypt(KEY, IV, secret) == clear
        assert crypto.sm4_ctr(KEY, IV, crypto.sm4_ctr(KEY, IV, clear)) == clear
        sealed = crypto.sm4_gcm_seal(KEY, NONCE, clear, b"place")
        assert len(sealed) == size + 16
        assert crypto.sm4_gcm_open(KEY, NONCE, sealed, b"place") == clear

    def test_the_counter_carries_over_its_whole_width(self, crypto: Crypto) -> None:
        stream = crypto.sm4_ctr(KEY, b"\xff" * 16, bytes(32))
        assert stream == crypto.sm4_ecb(KEY, b"\xff" * 16 + bytes(16))

    def test_a_touched_gcm_value_is_refused(self, crypto: Crypto) -> None:
        sealed = crypto.sm4_gcm_seal(KEY, NONCE, b"clear", b"place")
        tries = [(KEY, NONCE, flipped(sealed, at), b"place") for at in range(len(sealed))]
        tries += [(KEY, NONCE, sealed, b"other"), (flipped(KEY), NONCE, sealed, b"place")]
        tries += [(KEY, flipped(NONCE), sealed, b"place"), (KEY, NONCE, sealed[:15], b"place"), (KEY, b"", sealed, b"")]
        for key, nonce, secret, aad in tries:
            with pytest.raises(Refused) as caught:
                crypto.sm4_gcm_open(key, nonce, secret, aad)
            assert caught.value.code is codes.OPEN

    @pytest.mark.parametrize("tail", [b"\0" * 16, b"\x11" * 16, b"a" * 14 + b"\1\2", b"\x0f" + b"\x10" * 15])
    def test_bad_padding_is_refused(self, crypto: Crypto, tail: bytes) -> None:
        good = crypto.sm4_cbc_encrypt(KEY, IV, tail)  # its first block decrypts to `tail`, which is no padding
        with pytest.raises(Refused) as caught:
            crypto.sm4_cbc_decrypt(KEY, IV, good[:16])
        assert caught.value.code is codes.OPEN

    @pytest.mark.parametrize("secret", [b"", b"x", b"x" * 15, b"x" * 17])
    def test_a_length_that_cbc_cannot_have_is_refused(self, crypto: Crypto, secret: bytes) -> None:
        with pytest.raises(Refused) as caught:
            crypto.sm4_cbc_decrypt(KEY, IV, secret)
        assert caught.value.code is codes.OPEN

    @pytest.mark.parametrize("size", [0, 15, 17, 24, 32])
    def test_a_key_that_is_not_16_bytes_is_refused_not_cut(self, crypto: Crypto, size: int) -> None:
        for act in (
            lambda: crypto.sm4_ecb(bytes(size), IV),
            lambda: crypto.sm4_cbc_encrypt(bytes(size), IV, b""),
            lambda: crypto.sm4_ctr(bytes(size), IV, b"x"),
            lambda: crypto.sm4_gcm_seal(bytes(size), NONCE, b"", b""),
        ):
            with pytest.raises(Refused):
                act()

    def test_parameters_of_another_length_are_refused(self, crypto: Crypto) -> None:
        for act in (
            lambda: crypto.sm4_ecb(KEY, bytes(17)),
            lambda: crypto.sm4_cbc_encrypt(KEY, bytes(15), b""),
            lambda: crypto.sm4_cbc_decrypt(KEY, bytes(15), bytes(16)),
            lambda: crypto.sm4_ctr(KEY, bytes(12), b"x"),
            lambda: crypto.sm4_gcm_seal(KEY, bytes(16), b"", b""),
        ):
            with pytest.raises(Refused):
                act()

    def test_a_signature_verifies_under_its_key_data_and_identity_alone(self, crypto: Crypto, key: PrivateKey) -> None:
        signature = key.sign(b"data")
        assert crypto.sm2_verify(key.public, b"data", signature)
        assert crypto.sm2_verify(key.public, b"data", signature, b"1234567812345678")
        assert not crypto.sm2_verify(key.public, b"date", signature)
        assert not crypto.sm2_verify(key.public, b"data", signature, b"TLSv1.3+GM+Cipher+Suite")
        assert not crypto.sm2_verify(crypto.sm2_generate().public, b"data", signature)

    @pytest.mark.parametrize("signer", [b"", b"a", b"TLSv1.3+GM+Cipher+Suite", bytes(8191)])
    def test_any_identity_may_sign(self, crypto: Crypto, key: PrivateKey, signer: bytes) -> None:
        signature = key.sign(b"data", signer)
        assert crypto.sm2_verify(key.public, b"data", signature, signer)
        assert not crypto.sm2_verify(key.public, b"data", signature)

    def test_an_identity_longer_than_its_length_field_is_refused(self, crypto: Crypto, key: PrivateKey) -> None:
        with pytest.raises(Refused):
            key.sign(b"data", bytes(8192))
        assert crypto.sm2_verify(key.public, b"data", key.sign(b"data"), bytes(8192)) is False

    def test_two_signatures_of_the_same_data_differ(self, key: PrivateKey) -> None:
        assert key.sign(b"data") != key.sign(b"data")

    @pytest.mark.parametrize("public", [
        b"", b"\x04" + bytes(64), b"\x04" + b"\xff" * 64, bytes(65), b"\x02" + bytes(32),
    ], ids=["empty", "zeros", "large", "no prefix", "compressed"])
    def test_a_bad_point_verifies_nothing_and_takes_no_key(
        self, crypto: Crypto, key: PrivateKey, public: bytes
    ) -> None:
        assert crypto.sm2_verify(public, b"data", key.sign(b"data")) is False
        with pytest.raises(Refused):
            crypto.sm2_wrap(public, KEY)

    def test_a_digest_of_another_length_verifies_nothing(self, crypto: Crypto, key: PrivateKey) -> None:
        for e in (b"", bytes(31), bytes(33)):
            assert crypto.sm2_verify_digest(key.public, e, key.sign(b"data")) is False

    def test_a_wrapped_key_unwraps_under_its_own_private_key_alone(self, crypto: Crypto, key: PrivateKey) -> None:
        wrapped = crypto.sm2_wrap(key.public, KEY)
        assert key.unwrap(wrapped) == KEY
        with pytest.raises(Refused) as caught:
            crypto.sm2_generate().unwrap(wrapped)
        assert caught.value.code is codes.OPEN

    def test_two_wraps_of_the_same_key_differ(self, crypto: Crypto, key: PrivateKey) -> None:
        assert crypto.sm2_wrap(key.public, KEY) != crypto.sm2_wrap(key.public, KEY)

    @pytest.mark.parametrize("size", [0, 1, 15, 17, 32])
    def test_only_16_bytes_are_wrapped(self, crypto: Crypto, key: PrivateKey, size: int) -> None:
        with pytest.raises(Refused):
            crypto.sm2_wrap(key.public, bytes(size))

    @pytest.mark.parametrize("garbage", [
        b"", b"0", b"\x30\x00", b"\x30\x80\x00\x00", bytes(124), b"\x30\x7f" + bytes(127),
    ], ids=["empty", "cut", "nothing inside", "indefinite", "zeros", "zeros inside"])
    def test_garbage_is_refused_with_the_one_answer(self, crypto: Crypto, key: PrivateKey, garbage: bytes) -> None:
        with pytest.raises(Refused) as caught:
            key.unwrap(garbage)
        assert caught.value.code is codes.OPEN
        assert crypto.sm2_verify(key.public, b"data", garbage) is False

    def test_a_loaded_key_is_the_same_key(self, crypto: Crypto, key: PrivateKey) -> None:
        again = crypto.sm2_load(crypto.sm2_scalar(key))
        assert again.public == key.public
        assert crypto.sm2_verify(key.public, b"data", again.sign(b"data"))
        assert again.unwrap(crypto.sm2_wrap(key.public, KEY)) == KEY

    @pytest.mark.parametrize("scalar", [
        b"", bytes(31), bytes(32), bytes(33), (N - 1).to_bytes(32, "big"), N.to_bytes(32, "big"), b"\xff" * 32,
    ], ids=["empty", "31", "zero", "33", "n-1", "n", "max"])
    def test_a_scalar_out_of_range_is_refused(self, crypto: Crypto, scalar: bytes) -> None:
        with pytest.raises(Refused):
            crypto.sm2_load(scalar)

    @pytest.mark.parametrize("scalar", [1, 2, N - 2])
    def test_the_ends_of_the_range_are_good_keys(self, crypto: Crypto, scalar: int) -> None:
        key = crypto.sm2_load(scalar.to_bytes(32, "big"))
        assert crypto.sm2_verify(key.public, b"data", key.sign(b"data"))

    def test_generated_keys_differ_and_lie_on_the_curve(self, crypto: Crypto) -> None:
        publics = {crypto.sm2_generate().public for _ in range(3)}
        assert len(publics) == 3 and all(len(public) == 65 and public[0] == 4 for public in publics)

    def test_a_key_shows_nothing_of_itself_and_cannot_be_copied(self, crypto: Crypto, key: PrivateKey) -> None:
        scalar = crypto.sm2_scalar(key)
        for text in (repr(key), str(key)):
            assert scalar.hex() not in text and str(int.from_bytes(scalar, "big")) not in text
        for act in (lambda: pickle.dumps(key), lambda: copy.copy(key), lambda: copy.deepcopy(key)):
            with pytest.raises(TypeError):
                act()

    def test_long_data_is_signed_whole(self, crypto: Crypto, key: PrivateKey) -> None:
        data = os.urandom(3000)
        signature = key.sign(data)
        assert crypto.sm2_verify(key.public, data, signature)
        assert not crypto.sm2_verify(key.public, flipped(data), signature)
