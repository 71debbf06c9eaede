"""One test for each defect of gmssl 3.2.2: what the package does alone, and that the fence does not let it through.

The package's own calls are made here only to show why the fence is there; the node never makes them.
"""

from __future__ import annotations

import random

import pytest
from gmssl import func
from gmssl import sm2 as gmssl_sm2
from gmssl import sm3 as gmssl_sm3
from gmssl import sm4 as gmssl_sm4

from node.crypto import curve, der, selftest
from node.crypto.openssl import OpenSslCrypto
from node.crypto.reference import ReferenceCrypto, sm3
from node.model import codes
from node.model.trouble import Refused

NATIVE, FENCED = OpenSslCrypto(), ReferenceCrypto()
KEY = NATIVE.sm2_generate()
SCALAR = NATIVE.sm2_scalar(KEY)
TWIN = FENCED.sm2_load(SCALAR)
CEK = bytes(range(16))
DATA = b"message"
XY = KEY.public[1:].hex()


def raw(mode: int = 1, asn1: bool = False) -> gmssl_sm2.CryptSM2:
    """Return gmssl with a good key, assigned so that the constructor cannot mangle it."""
    engine = gmssl_sm2.CryptSM2("", "", mode=mode, asn1=asn1)
    engine.private_key, engine.public_key = SCALAR.hex(), XY
    return engine


def raw_form(cipher: der.Sm2Cipher) -> bytes:
    return cipher.x.to_bytes(32, "big") + cipher.y.to_bytes(32, "big") + cipher.c3 + cipher.c2


def test_1_predictable_nonces_give_the_private_key_away_but_the_fence_draws_from_the_system() -> None:
    state = random.getstate()
    try:
        random.seed(7)
        signature = raw().sign_with_sm3(DATA)
        random.seed(7)
        k = int(func.random_hex(64), 16)
        random.seed(7)
        fenced = {TWIN.sign(DATA) for _ in range(2)}
        random.seed(7)
        fenced.add(TWIN.sign(DATA))
    finally:
        random.setstate(state)
    r, s = int(signature[:64], 16), int(signature[64:], 16)
    assert (k - s) * pow(s + r, -1, curve.N) % curve.N == int.from_bytes(SCALAR, "big")
    assert len(fenced) == 3


@pytest.mark.parametrize("nibble", ["0", "4"])
def test_2_keys_that_begin_with_0_or_4_are_mangled_but_not_behind_the_fence(nibble: str) -> None:
    key = next(key for key in iter(NATIVE.sm2_generate, None) if key.public[1:].hex()[0] == nibble)
    assert len(gmssl_sm2.CryptSM2("", key.public.hex()).public_key) < 128
    assert FENCED.sm2_verify(key.public, DATA, key.sign(DATA))
    assert key.unwrap(FENCED.sm2_wrap(key.public, CEK)) == CEK
    assert FENCED.sm2_load(NATIVE.sm2_scalar(key)).public == key.public


def test_2_the_standard_s_own_sample_key_is_mangled_but_not_behind_the_fence() -> None:
    assert gmssl_sm2.CryptSM2("", selftest.POINT.hex()).public_key != selftest.POINT[1:].hex()
    assert FENCED.sm2_verify(selftest.POINT, selftest.MESSAGE, selftest.SIGNATURE)


def test_3_a_bad_c3_is_opened_by_gmssl_but_refused_by_the_fence() -> None:
    cipher = der.read_cipher(NATIVE.sm2_wrap(KEY.public, CEK))
    bad = cipher._replace(c3=bytes(32))
    assert raw().decrypt(raw_form(bad)) == CEK  # gmssl computes C3 and never looks at it
    changed = cipher._replace(c2=bytes(octet ^ 1 for octet in cipher.c2))
    assert raw().decrypt(raw_form(changed)) == bytes(octet ^ 1 for octet in CEK)  # altered at will
    for touched in (bad, changed):
        with pytest.raises(Refused) as caught:
            TWIN.unwrap(der.write_cipher(touched))
        assert caught.value.code is codes.OPEN


def test_4_an_off_curve_c1_is_multiplied_by_gmssl_but_refused_by_the_fence() -> None:
    cipher = der.read_cipher(NATIVE.sm2_wrap(KEY.public, CEK))._replace(x=2, y=3)
    assert not curve.on_curve(2, 3)
    assert isinstance(raw().decrypt(raw_form(cipher)), bytes)  # an answer that depends on d over a weak curve
    with pytest.raises(Refused) as caught:
        TWIN.unwrap(der.write_cipher(cipher))
    assert caught.value.code is codes.OPEN


def test_4_gmssl_encrypts_to_an_off_curve_key_but_the_fence_does_not() -> None:
    public = b"\x04" + (2).to_bytes(32, "big") + (3).to_bytes(32, "big")
    engine = raw()
    engine.public_key = public[1:].hex()
    assert isinstance(engine.encrypt(CEK), bytes)
    with pytest.raises(Refused):
        FENCED.sm2_wrap(public, CEK)
    assert FENCED.sm2_verify(public, DATA, KEY.sign(DATA)) is False


def test_5_gmssl_takes_an_s_beyond_the_order_but_the_fence_does_not() -> None:
    r, s = der.read_signature(KEY.sign(DATA))
    e = sm3(curve.z_value(sm3, KEY.public, b"1234567812345678") + DATA)
    twisted = der.write_signature(r, s + (curve.N << 256))
    assert raw(asn1=True).verify(twisted.hex(), e)
    assert FENCED.sm2_verify_digest(KEY.public, e, twisted) is False
    assert FENCED.sm2_verify_digest(KEY.public, e, der.write_signature(r, s)) is True


def test_5_gmssl_raises_or_returns_0_for_nonsense_but_the_fence_says_false() -> None:
    e = sm3(DATA)
    with pytest.raises(Exception):  # noqa: B017  # whatever its decoder happens to raise
        raw(asn1=True).verify("3080", e)
    r = 5
    assert raw().verify(f"{r:064x}{curve.N - r:064x}", e) == 0
    for nonsense in (b"", b"\x30\x80", der.write_signature(r, curve.N - r), der.write_signature(0, 1)):
        assert FENCED.sm2_verify_digest(KEY.public, e, nonsense) is False


def test_5_a_sum_that_meets_infinity_raises_in_gmssl_but_is_false_behind_the_fence() -> None:
    d, s, e = int.from_bytes(SCALAR, "big"), 7, sm3(DATA)
    r = -s * (1 + d) * pow(d, -1, curve.N) % curve.N  # so that s·G + (r + s)·P is infinity
    with pytest.raises(TypeError):
        raw().verify(f"{r:064x}{s:064x}", e)
    assert FENCED.sm2_verify_digest(KEY.public, e, der.write_signature(r, s)) is False
    assert NATIVE.sm2_verify_digest(KEY.public, e, der.write_signature(r, s)) is False


def test_6_gmssl_knows_one_identity_but_the_fence_takes_any() -> None:
    signature = KEY.sign(DATA, b"another")
    pair = "%064x%064x" % der.read_signature(signature)
    assert not raw().verify_with_sm3(pair, DATA)
    assert FENCED.sm2_verify(KEY.public, DATA, signature, b"another")
    assert NATIVE.sm2_verify(KEY.public, DATA, TWIN.sign(DATA, b"another"), b"another")


def test_6_gmssl_writes_the_old_order_without_asn1_but_the_fence_writes_the_standard_s() -> None:
    old = raw(mode=0).encrypt(CEK)
    assert old is not None and len(old) == 64 + 16 + 32 and old[0] != 0x30
    wrapped = FENCED.sm2_wrap(KEY.public, CEK)
    assert der.write_cipher(der.read_cipher(wrapped)) == wrapped
    assert KEY.unwrap(wrapped) == CEK


def test_7_gmssl_returns_none_where_another_nonce_is_due_and_the_fence_draws_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x1 = curve.GX % curve.N  # k = 1, so r = e + x1
    assert raw().sign((curve.N - x1).to_bytes(32, "big"), f"{1:064x}") is None
    answers, real = [None], gmssl_sm2.CryptSM2.sign
    monkeypatch.setattr(
        gmssl_sm2.CryptSM2, "sign", lambda *given: answers.pop() if answers else real(*given)
    )
    assert NATIVE.sm2_verify(KEY.public, DATA, TWIN.sign(DATA))
    assert answers == []


def test_7_gmssl_takes_any_padding_but_the_fence_does_not() -> None:
    engine = gmssl_sm4.CryptSM4()
    engine.set_key(CEK, gmssl_sm4.SM4_DECRYPT)
    block = FENCED.sm4_ecb(CEK, b"fifteen octets!\x63")
    assert engine.crypt_cbc(bytes(16), block) == b""  # 0x63 of 16 octets taken off
    with pytest.raises(Refused) as caught:
        FENCED.sm4_cbc_decrypt(CEK, bytes(16), block)
    assert caught.value.code is codes.OPEN


def test_7_gmssl_cuts_a_32_byte_key_in_half_but_the_fence_refuses_it() -> None:
    whole, half = gmssl_sm4.CryptSM4(), gmssl_sm4.CryptSM4()
    whole.set_key(CEK + CEK[::-1], gmssl_sm4.SM4_ENCRYPT)
    half.set_key(CEK, gmssl_sm4.SM4_ENCRYPT)
    assert whole.crypt_ecb(DATA) == half.crypt_ecb(DATA)
    with pytest.raises(Refused):
        FENCED.sm4_ecb(CEK + CEK[::-1], bytes(16))


def test_7_gmssl_changes_what_it_hashes_but_the_fence_keeps_the_caller_s_data() -> None:
    given = list(DATA)
    gmssl_sm3.sm3_hash(given)
    assert given != list(DATA)
    data = bytearray(DATA)
    assert FENCED.sm3(bytes(data)) == NATIVE.sm3(DATA) and data == DATA


def test_7_gmssl_raises_on_an_empty_plaintext_but_the_fence_answers() -> None:
    with pytest.raises(ValueError):
        raw().encrypt(b"")
    with pytest.raises(Refused):
        FENCED.sm2_wrap(KEY.public, b"")
    with pytest.raises(Refused) as caught:
        TWIN.unwrap(der.write_cipher(der.read_cipher(FENCED.sm2_wrap(KEY.public, CEK))._replace(c2=b"")))
    assert caught.value.code is codes.OPEN
