"""Prepared multiples: they say what the library says, of anything; they are few, shared by threads, and freed."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.crypto import curve, der, multiples, sm2_native
from node.crypto.libcrypto import LibCrypto, find
from node.crypto.multiples import Multiples
from node.crypto.openssl import OpenSslCrypto
from node.crypto.sm2_native import OFTEN, NativeKey
from node.crypto.symmetric import sm3

LIBRARY = find()
E = sm3(b"statement")
NUMBERS = st.integers(0, (1 << 256) - 1)


def often(crypto: OpenSslCrypto, key: NativeKey, times: int = OFTEN) -> bytes:
    """Verify a signature of the key over E so many times, and return it."""
    signature = signed(key)
    for _ in range(times):
        assert crypto.sm2_verify_digest(key.public, E, signature)
    return signature


def signed(key: NativeKey) -> bytes:
    """Return a signature over E itself."""
    signature = key.handle.produce("sign_init", LIBRARY.sign, E)
    assert signature is not None
    return signature


def prepared(crypto: OpenSslCrypto, key: NativeKey) -> Multiples | None:
    handle = crypto._point(key.public)
    return handle.multiples if handle else None


CRYPTO, PLAIN = OpenSslCrypto(LIBRARY), OpenSslCrypto(LIBRARY)
PLAIN._arithmetic = None
KEY = CRYPTO.sm2_generate()
GOOD = often(CRYPTO, KEY)


def both(e: bytes, signature: bytes) -> bool:
    """Return what both ways say, which must be one thing."""
    fast, slow = (crypto.sm2_verify_digest(KEY.public, e, signature) for crypto in (CRYPTO, PLAIN))
    assert prepared(CRYPTO, KEY) and not prepared(PLAIN, KEY)
    assert fast == slow
    return fast


def test_multiples_come_with_the_eighth_good_signature_and_not_with_bad_ones() -> None:
    crypto = OpenSslCrypto(LIBRARY)
    key = crypto.sm2_generate()
    signature = often(crypto, key, OFTEN - 1)
    for _ in range(OFTEN):
        assert not crypto.sm2_verify_digest(key.public, sm3(E), signature)
    assert prepared(crypto, key) is None
    assert crypto.sm2_verify_digest(key.public, E, signature) and prepared(crypto, key)
    assert crypto.sm2_verify_digest(key.public, E, signature)


def test_each_good_signature_is_good_both_ways() -> None:
    assert all(both(E, signed(KEY)) for _ in range(20))


@given(st.integers(0, 255), st.sampled_from(["r", "s", "e"]))
def test_one_bit_changed_is_refused_both_ways(bit: int, where: str) -> None:
    r, s = der.read_signature(GOOD)
    flip = 1 << bit
    e = (int.from_bytes(E, "big") ^ flip).to_bytes(32, "big") if where == "e" else E
    assert not both(e, der.write_signature(r ^ flip if where == "r" else r, s ^ flip if where == "s" else s))


@given(NUMBERS, NUMBERS, st.binary(min_size=32, max_size=32))
def test_any_pair_of_numbers_is_judged_alike(r: int, s: int, e: bytes) -> None:
    assert not both(e, der.write_signature(r, s))


@pytest.mark.parametrize("e", [bytes(32), b"\xff" * 32], ids=["zero", "above n"])
def test_a_digest_at_the_ends_of_its_range_is_judged_alike(e: bytes) -> None:
    signature = KEY.handle.produce("sign_init", LIBRARY.sign, e)
    assert signature is not None and both(e, signature)


def test_sums_that_do_not_exist_are_refused_both_ways() -> None:
    """r + s = n; and s·G + t·P at infinity, which only the key's holder can make: s = −t·d."""
    d = int.from_bytes(CRYPTO.sm2_scalar(KEY), "big")
    for r in (1, 2, curve.N - 1):
        assert not both(E, der.write_signature(r, curve.N - r))
    for t in (1, 7, curve.N - 5):
        s = -t * d % curve.N
        assert not both(E, der.write_signature((t - s) % curve.N, s))
    assert both(E, GOOD)  # and nothing of it stays behind


def test_numbers_whose_sums_meet_special_cases_give_the_right_point() -> None:
    """The key 1 has P = G: both tables are one, and sums double where they would add."""
    key = CRYPTO.sm2_load((1).to_bytes(32, "big"))
    often(CRYPTO, key)
    table = prepared(CRYPTO, key)
    assert table
    for s, t in ((1, 1), (1, 2), (5, 5), (curve.N - 1, 2), (curve.N - 3, 4), (1 << 255, 1 << 255)):
        scalar = (s + t) % curve.N
        x = int.from_bytes(CRYPTO._multiply(scalar.to_bytes(32, "big"))[1:33], "big")
        assert table._x_of_sum(s, t) == x
    assert table._x_of_sum(1, curve.N - 1) is None


def test_only_so_many_keys_have_multiples_and_the_others_verify_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sm2_native, "PREPARED", 3)
    crypto = OpenSslCrypto(LIBRARY)
    keys = [crypto.sm2_generate() for _ in range(5)]
    signatures = [often(crypto, key) for key in keys]
    assert [prepared(crypto, key) is not None for key in keys] == [False, False, True, True, True]
    for key, signature in zip(keys, signatures):
        assert crypto.sm2_verify_digest(key.public, E, signature)
    often(crypto, keys[0])
    assert prepared(crypto, keys[0]) and not prepared(crypto, keys[2])


def test_a_library_without_the_functions_verifies_as_it_always_did() -> None:
    class Without(LibCrypto):
        def bind(self, name: str, *rest: object, **more: object) -> object:  # type: ignore[override]  # it lacks one
            if name == "EC_GROUP_precompute_mult":
                raise AttributeError(name)
            return super().bind(name, *rest, **more)  # type: ignore[arg-type]  # passed on as it came

    crypto = OpenSslCrypto(Without(LIBRARY.path))
    key = crypto.sm2_generate()
    assert multiples.arithmetic(Without(LIBRARY.path)) is None
    assert not crypto.sm2_verify_digest(key.public, sm3(E), often(crypto, key, 3 * OFTEN))
    assert prepared(crypto, key) is None


@pytest.mark.parametrize("lie", [True, False])
def test_multiples_that_disagree_with_the_library_are_not_used(lie: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Multiples, "verifies", lambda *_: lie)
    crypto = OpenSslCrypto(LIBRARY)
    key = crypto.sm2_generate()
    assert not crypto.sm2_verify_digest(key.public, sm3(E), often(crypto, key, 2 * OFTEN))
    assert prepared(crypto, key) is None


def test_threads_share_keys_and_their_multiples() -> None:
    crypto = OpenSslCrypto(LIBRARY)
    keys = [crypto.sm2_generate() for _ in range(3)]
    pairs = [(key.public, signed(key)) for key in keys]

    def work(_: int) -> bool:
        good = all(crypto.sm2_verify_digest(public, E, signature) for public, signature in pairs * 15)
        bad = any(crypto.sm2_verify_digest(a[0], E, b[1]) for a, b in pairwise(pairs * 5))
        return good and not bad

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
    assert all(prepared(crypto, key) for key in keys)


class Counting(LibCrypto):
    """Counts what is made and not yet freed."""

    def _bind_all(self) -> None:
        super()._bind_all()
        self.made = 0
        for make in ("group_new", "point_new", "number_from"):
            self._watch(make, 1)
        for free in ("group_free", "point_free", "number_clear_free"):
            self._watch(free, -1)

    def _watch(self, name: str, step: int) -> None:
        real = getattr(self, name)

        def watched(*arguments: object) -> object:
            result = real(*arguments)
            self.made += step if (result if step > 0 else arguments[0]) else 0
            return result

        setattr(self, name, watched)


def test_every_group_point_and_number_is_freed() -> None:
    library = Counting(LIBRARY.path)
    crypto = OpenSslCrypto(library)
    key = crypto.sm2_generate()
    before = library.made
    signature = often(crypto, key)
    assert prepared(crypto, key) and library.made == before + 1
    assert crypto.sm2_verify_digest(key.public, E, signature)
    assert not crypto.sm2_verify_digest(key.public, E, der.write_signature(1, curve.N - 1))
    assert crypto._arithmetic and crypto._arithmetic.group(b"\x04" + bytes(64)) == 0
    assert library.made == before + 1
    del crypto
    gc.collect()
    assert library.made == 0
