"""SM2 as a whole: published answers, every flipped bit, both suites both ways, and many threads."""

from __future__ import annotations

import itertools
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.crypto import curve, der, sm2_native
from node.crypto.keyfile import open_plain
from node.crypto.openssl import OpenSslCrypto
from node.crypto.reference import ReferenceCrypto
from node.model.trouble import Refused
from node.ports import Crypto

NATIVE, REFERENCE = OpenSslCrypto(), ReferenceCrypto()
KEY = NATIVE.sm2_generate()
TWIN = REFERENCE.sm2_load(NATIVE.sm2_scalar(KEY))
CEK = bytes(range(16))

# OpenSSL, test/recipes/30-test_evp_data/evppkey_sm2.txt: a published test key, signatures of e without Z, a cipher.
PUBLISHED = bytes.fromhex(
    "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420d09156733017bdad809fd9bbd8c693f6"
    "0230593169b6f94aaf1c8ee138cc99b5a14403420004393a2ad9e27e43acaaab85a19d3b85591e14406157175addd37bf77ff0ca"
    "f9ed37fcf3a8b4f55c038523261fca6636afe6a7afa2a1482a606f5cb3a18b2e2a1e"
)
DIGESTS = [
    ("d7ad397f6ffa5d4f7f11e7217f241607dc30618c236d2c09c1b9ea8fdadee2e8",
     "3046022100ab1db64de7c40edbde6651c9b8ebdb804673db836e5d5c7fe15dcf9ed2725037"
     "022100eba714451ff69b0bb930b379e192e7cd5fa6e3c41c7fbd8303b799ab54a54621"),
    ("b1139602c6ecc9e15e2f3f9c635a1afe737058bc15387479c1ea0d0b3d90e9e5",
     "3045022100e6e0414ebd3a656c35602af14ab20287dbf30d57af75c49a188ed4b42391f224"
     "02202f54f277c606f4605e1ce9514947ffddf94c67a539804a4ed17f852288bdbe2e"),
]
CIPHER = bytes.fromhex(
    "30818a0220466be2ef5c11782ec77864a0055417f407a5afc11d653c6bce69e417bb1d05b6"
    "022062b572e21ff0ddf5c726bd3f9ff2eae56e6294713a607e9b9525628965f62cc8"
    "04203c1b5713b5db2728eb7bf775e44f4689fc32668bdc564f52ea45b09e8df2a5f4"
    "0422084a9d0cc2997092b7d3c404fce95956eb604d732b2307a8e5b8900ed6608ca5b197"
)
BUNNIES = b"The floofy bunnies hop at midnight"


@pytest.mark.parametrize("crypto", [NATIVE, REFERENCE], ids=["native", "reference"])
def test_the_published_key_verifies_and_opens_what_was_published_with_it(crypto: Crypto) -> None:
    key = open_plain(crypto, PUBLISHED)
    for e, signature in DIGESTS:
        assert crypto.sm2_verify_digest(key.public, bytes.fromhex(e), bytes.fromhex(signature))
        assert not crypto.sm2_verify_digest(key.public, bytes(32), bytes.fromhex(signature))
    assert isinstance(key, sm2_native.NativeKey) or crypto is REFERENCE
    assert key.decrypt(CIPHER, len(BUNNIES)) == BUNNIES  # type: ignore[attr-defined]  # beside the port


@given(st.binary(max_size=300), st.binary(max_size=40))
@settings(max_examples=30)
def test_each_suite_verifies_what_the_other_signs(data: bytes, signer: bytes) -> None:
    assert REFERENCE.sm2_verify(KEY.public, data, KEY.sign(data, signer), signer)
    assert NATIVE.sm2_verify(KEY.public, data, TWIN.sign(data, signer), signer)


@given(st.binary(min_size=16, max_size=16))
@settings(max_examples=30)
def test_each_suite_unwraps_what_the_other_wraps(key: bytes) -> None:
    assert TWIN.unwrap(NATIVE.sm2_wrap(KEY.public, key)) == key
    assert KEY.unwrap(REFERENCE.sm2_wrap(KEY.public, key)) == key


def every_flip(octets: bytes) -> list[bytes]:
    whole = int.from_bytes(octets, "big")
    return [(whole ^ 1 << bit).to_bytes(len(octets), "big") for bit in range(len(octets) * 8)]


def test_every_flipped_bit_of_a_signature_is_refused() -> None:
    signature = KEY.sign(b"data")
    assert not [bad for bad in every_flip(signature) if NATIVE.sm2_verify(KEY.public, b"data", bad)]


def test_every_flipped_bit_of_a_wrap_is_refused() -> None:
    wrapped = NATIVE.sm2_wrap(KEY.public, CEK)
    for bad in every_flip(wrapped):
        with pytest.raises(Refused):
            KEY.unwrap(bad)


def test_every_flipped_bit_of_a_point_is_refused() -> None:
    signature = KEY.sign(b"data")
    assert not [bad for bad in every_flip(KEY.public) if NATIVE.sm2_verify(bad, b"data", signature)]


@given(st.binary(min_size=1, max_size=200), st.data())
@settings(max_examples=40)
def test_any_flipped_bit_of_the_data_is_refused(data: bytes, draw: st.DataObject) -> None:
    bad = draw.draw(st.sampled_from(every_flip(data)))
    assert not NATIVE.sm2_verify(KEY.public, bad, KEY.sign(data))


SIGNED, WRAPPED = TWIN.sign(b"data"), REFERENCE.sm2_wrap(KEY.public, CEK)


@given(st.integers(0, 1 << 16))
@settings(max_examples=15)
def test_the_reference_refuses_flipped_bits_too(at: int) -> None:
    bad_signatures, bad_wraps = every_flip(SIGNED), every_flip(WRAPPED)
    assert not REFERENCE.sm2_verify(KEY.public, b"data", bad_signatures[at % len(bad_signatures)])
    with pytest.raises(Refused):
        TWIN.unwrap(bad_wraps[at % len(bad_wraps)])


def test_a_coordinate_that_begins_with_zeros_is_read_and_written() -> None:
    def short(wrapped: bytes) -> bool:
        cipher = der.read_cipher(wrapped)
        return min(cipher.x, cipher.y) < 1 << 248

    for wrap, open_it in ((NATIVE.sm2_wrap, TWIN.unwrap), (REFERENCE.sm2_wrap, KEY.unwrap)):
        wrapped = next(filter(short, (wrap(KEY.public, CEK) for _ in itertools.count())))
        assert open_it(wrapped) == CEK


def test_the_generator_is_the_point_of_the_scalar_one() -> None:
    one = (1).to_bytes(32, "big")
    point = b"\x04" + curve.GX.to_bytes(32, "big") + curve.GY.to_bytes(32, "big")
    assert NATIVE.sm2_load(one).public == point == REFERENCE.sm2_load(one).public


def test_many_threads_use_the_same_keys_at_once() -> None:
    start = threading.Barrier(8)

    def work(number: int) -> list[bool]:
        start.wait(timeout=30)
        own, results, keyed = NATIVE.sm2_generate(), [], NATIVE.keyed(CEK)
        for turn in range(25):
            data = b"%d-%d" % (number, turn)
            results += [
                NATIVE.sm2_verify(KEY.public, data, KEY.sign(data)),
                not NATIVE.sm2_verify(KEY.public, data + b"!", KEY.sign(data)),
                NATIVE.sm2_verify(own.public, data, own.sign(data)),
                KEY.unwrap(NATIVE.sm2_wrap(KEY.public, CEK)) == CEK,
                keyed(data) == NATIVE.hmac_sm3(CEK, data),
                NATIVE.sm4_gcm_open(CEK, bytes(12), NATIVE.sm4_gcm_seal(CEK, bytes(12), data, data), data) == data,
            ]
        return results

    with ThreadPoolExecutor(8) as pool:
        results = [good for found in pool.map(work, range(8)) for good in found]
    assert len(results) == 8 * 25 * 6 and all(results)


def test_points_pushed_out_of_the_cache_in_use_by_others_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm2_native, "CACHED_PUBLIC_KEYS", 1)
    crypto = OpenSslCrypto()
    pairs = [(key.public, key.sign(b"data")) for key in (crypto.sm2_generate() for _ in range(4))]

    def work(number: int) -> bool:
        return all(crypto.sm2_verify(*pairs[(number + turn) % 4][:1], b"data", pairs[(number + turn) % 4][1])
                   for turn in range(40))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))


def test_a_good_signature_is_computed_once_and_anything_else_of_it_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    crypto, other = OpenSslCrypto(), NATIVE.sm2_generate()
    data, signature = b"stored octets", KEY.sign(b"stored octets")
    computed: list[tuple[bytes, bytes, bytes]] = []
    verify = crypto.sm2_verify_digest

    def counted(*given: bytes) -> bool:
        computed.append(given)  # type: ignore[arg-type]  # there are three
        return verify(*given)

    monkeypatch.setattr(crypto, "sm2_verify_digest", counted)
    for _ in range(3):
        assert crypto.sm2_verify(KEY.public, data, signature)
    assert len(computed) == 1
    changed = signature[:-1] + bytes([signature[-1] ^ 1])
    others = [(KEY.public, b"stored octet", signature), (KEY.public, data, changed), (other.public, data, signature)]
    for _ in range(2):
        assert not any(crypto.sm2_verify(*given) for given in others)
        assert not crypto.sm2_verify(KEY.public, data, signature, b"another identity")
    assert len(computed) == 1 + 2 * 4, "what was found bad is never remembered"
    assert crypto.sm2_verify(KEY.public, data, signature) and len(computed) == 9


def test_a_key_of_another_suite_gives_no_scalar() -> None:
    for crypto, key in ((NATIVE, TWIN), (REFERENCE, KEY)):
        with pytest.raises(Refused):
            crypto.sm2_scalar(key)


def test_fresh_keys_come_from_the_system_even_after_a_fork() -> None:
    """A child that repeats its parent's stream would sign with the same nonce."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writes, NATIVE.sm2_generate().public)
        finally:
            os._exit(0)
    os.close(writes)
    with open(reads, "rb") as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)
    assert len(theirs) == 65 and theirs != NATIVE.sm2_generate().public
