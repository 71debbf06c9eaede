"""The self-test: every broken algorithm is named, nothing runs after it, and the fallback is never silent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from node.crypto import curve, selftest
from node.crypto.libcrypto import BUNDLED, NAMES, find, search
from node.crypto.openssl import OpenSslCrypto
from node.crypto.reference import FallbackCrypto, ReferenceCrypto
from node.crypto.symmetric import sm3
from node.model import codes
from node.model.sentence import Sentence
from node.model.trouble import Hold, Trouble
from node.ports import Crypto, PrivateKey


@pytest.mark.parametrize("suite", [OpenSslCrypto, ReferenceCrypto, FallbackCrypto])
def test_every_suite_gives_every_known_answer(suite: Callable[[], Crypto]) -> None:
    answers = dict(selftest.known_answers(suite()))
    assert len(answers) == 20 and all(answers.values())


def test_the_suites_agree_both_ways() -> None:
    answers = dict(selftest.cross_answers(OpenSslCrypto(), ReferenceCrypto()))
    assert len(answers) == 11 and all(answers.values())


def test_the_sample_s_own_z_and_e_are_what_we_compute() -> None:
    z = curve.z_value(sm3, selftest.POINT, b"1234567812345678")
    assert z.hex() == "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
    assert sm3(z + selftest.MESSAGE) == selftest.E


class Key:
    """A key that answers wrongly in one way."""

    def __init__(self, real: PrivateKey, wrong: dict[str, object]) -> None:
        self.real, self.wrong = real, wrong

    def __getattr__(self, name: str) -> object:
        return self.wrong.get(name) or getattr(self.real, name)


class Broken(OpenSslCrypto):
    """The real suite with one method answering wrongly."""

    def __init__(self, wrong: dict[str, object], of_key: bool = False) -> None:
        super().__init__()
        self.wrong = wrong if of_key else {}
        for name, method in ({} if of_key else wrong).items():
            setattr(self, name, method)

    def sm2_load(self, scalar: bytes) -> PrivateKey:  # type: ignore[override]  # a key that lies is the point
        return Key(super().sm2_load(scalar), self.wrong)  # type: ignore[return-value]


def zeros(*_: object) -> bytes:
    return bytes(32)


def raises(*_: object) -> bytes:
    raise RuntimeError("library text that must not show")


@pytest.mark.parametrize("method, answer, item", [
    ("sm3", zeros, "openssl SM3"),
    ("hmac_sm3", zeros, "openssl HMAC-SM3"),
    ("keyed", lambda key: zeros, "openssl HMAC-SM3"),
    ("sm4_ecb", zeros, "openssl SM4-ECB"),
    ("sm4_cbc_encrypt", zeros, "openssl SM4-CBC"),
    ("sm4_cbc_decrypt", zeros, "openssl SM4-CBC decrypt"),
    ("sm4_ctr", zeros, "openssl SM4-CTR"),
    ("sm4_gcm_seal", zeros, "openssl SM4-GCM"),
    ("sm4_gcm_open", zeros, "openssl SM4-GCM open"),
    ("sm4_gcm_open", lambda *_: selftest.GCM_CLEAR, "openssl SM4-GCM tag"),
    ("sm2_verify_digest", lambda *_: False, "openssl SM2 verify e"),
    ("sm2_verify", lambda *_: False, "openssl SM2 verify Z"),
    ("sm2_verify", lambda *_: True, "openssl SM2 verify ID"),
    ("sm2_wrap", zeros, "openssl after SM2 sign: EXN-OPEN"),
    ("sm4_ctr", raises, "openssl after SM4-CBC decrypt: RuntimeError"),
])
def test_an_algorithm_that_answers_wrongly_is_named(method: str, answer: object, item: str) -> None:
    with pytest.raises(Hold) as caught:
        selftest.check(Broken({method: answer}))
    assert caught.value.code is codes.SELFTEST
    assert caught.value.details["item"] == item
    assert "library text" not in str(caught.value)


@pytest.mark.parametrize("method, answer, item", [
    ("public", bytes(65), "openssl SM2 d·G"),
    ("decrypt", lambda *_: b"", "openssl SM2 decrypt"),
    ("decrypt", lambda *_: selftest.CLEAR, "openssl SM2 C3"),
    ("sign", lambda *_: selftest.SIGNATURE[:-1] + b"\0", "openssl SM2 sign"),
    ("unwrap", zeros, "openssl SM2 wrap"),
])
def test_a_key_that_answers_wrongly_is_named(method: str, answer: object, item: str) -> None:
    with pytest.raises(Hold) as caught:
        selftest.check(Broken({method: answer}, of_key=True))
    assert caught.value.details["item"] == item


def test_two_suites_that_disagree_do_not_run() -> None:
    with pytest.raises(Hold) as caught:
        selftest.cross_check(Broken({"sm3": zeros}), ReferenceCrypto())
    assert caught.value.details["item"] == "cross SM3"


def quiet(sentence: Sentence) -> None:
    pytest.fail(f"warned: {sentence.en}")


@pytest.mark.parametrize("fallback", [False, True])
def test_a_good_library_is_used_without_a_word_whatever_the_switch(fallback: bool) -> None:
    assert selftest.open_crypto(None, fallback, quiet, "none").name == "openssl"


def test_without_a_library_nothing_runs() -> None:
    with pytest.raises(Hold) as caught:
        selftest.open_crypto(Path("/nowhere/libcrypto.so.3"), False, quiet)
    assert caught.value.code is codes.NO_LIBCRYPTO


def test_the_switch_falls_back_and_says_so_each_time() -> None:
    said: list[Sentence] = []
    for _ in range(2):
        crypto = selftest.open_crypto(Path("/nowhere/libcrypto.so.3"), True, said.append)
        assert crypto.name == "fallback"
    assert len(said) == 2 and "EXN-CRYPTO-LIBRARY" in said[0].en and "EXN-CRYPTO-LIBRARY" in said[0].zh


def test_a_library_that_fails_its_test_falls_back_only_by_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "OpenSslCrypto", lambda path: Broken({"sm3": zeros}))
    with pytest.raises(Hold):
        selftest.open_crypto(None, False, quiet)
    said: list[Sentence] = []
    assert selftest.open_crypto(None, True, said.append).name == "fallback"
    assert "EXN-CRYPTO-SELFTEST" in said[0].en


def test_a_fallback_that_fails_does_not_run_either(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(FallbackCrypto):
        def sm2_verify(self, *_: object) -> bool:  # type: ignore[override]  # it lies to everyone
            return True

    monkeypatch.setattr(selftest, "FallbackCrypto", Wrong)
    with pytest.raises(Trouble) as caught:
        selftest.open_crypto(Path("/nowhere/libcrypto.so.3"), True, lambda _: None)
    assert caught.value.details["item"] == "fallback SM2 verify ID"


def test_a_configured_path_is_the_only_one_tried() -> None:
    assert list(search(Path("/opt/libcrypto.so.4"))) == ["/opt/libcrypto.so.4"]


def test_the_system_s_names_are_tried_newest_first_after_what_is_bundled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(search(None))[-2:] == list(NAMES) == ["libcrypto.so.4", "libcrypto.so.3"]
    assert not BUNDLED.exists()
    (tmp_path / "libcrypto.so.3").touch()
    monkeypatch.setattr("node.crypto.libcrypto.BUNDLED", tmp_path)
    assert list(search(None)) == [str(tmp_path / "libcrypto.so.3"), *NAMES]
    assert find(None).path in NAMES  # the bundled one, being empty, cannot be loaded


def test_a_relative_path_is_refused() -> None:
    with pytest.raises(Hold) as caught:
        find(Path("libcrypto.so.3"))
    assert caught.value.code is codes.NO_LIBCRYPTO
