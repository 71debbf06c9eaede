"""Key files: what is written comes back, and nothing else is taken."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.crypto import der, keyfile, pkcs8, storage
from node.crypto.openssl import OpenSslCrypto
from node.crypto.reference import ReferenceCrypto
from node.model import codes
from node.model.certificate import Role
from node.model.trouble import Hold, Refused
from node.ports import PrivateKey
from tests.crypto.papers import the_leaf

CRYPTO = OpenSslCrypto()
KEY = CRYPTO.sm2_generate()
SCALAR = CRYPTO.sm2_scalar(KEY)
WORD = b"correct horse"
FAST = 10  # rounds; how many there are is not what is tested here
SEALED = keyfile.seal_key(CRYPTO, KEY, WORD, os.urandom, FAST)


def reason(act: Callable[[], object]) -> str:
    """Return the reason of the Hold(KEY_FILE) that `act` must raise; it shows neither passphrase nor scalar."""
    with pytest.raises(Hold) as caught:
        act()
    assert caught.value.code is codes.KEY_FILE
    for text in (str(caught.value), repr(caught.value), caught.value.sentence.zh):
        assert WORD.decode() not in text and SCALAR.hex() not in text
    return str(caught.value.details["reason"])


def same(key: PrivateKey) -> bool:
    return key.public == KEY.public and CRYPTO.sm2_verify(KEY.public, b"data", key.sign(b"data"))


def put(path: Path, data: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "sign.key"
    made = keyfile.make_key(path, CRYPTO, WORD, os.urandom)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keyfile.read_key(path, CRYPTO, WORD).public == made.public
    assert list(tmp_path.iterdir()) == [path]
    assert CRYPTO.sm2_scalar(made) not in path.read_bytes()


def test_both_suites_read_the_same_file() -> None:
    assert keyfile.open_key(ReferenceCrypto(), SEALED, WORD).public == KEY.public


def test_a_file_is_never_written_over(tmp_path: Path) -> None:
    path = put(tmp_path / "sign.key", b"something of value")
    assert reason(lambda: keyfile.make_key(path, CRYPTO, WORD, os.urandom)) == "exists"
    assert path.read_bytes() == b"something of value"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert reason(lambda: keyfile.make_key(tmp_path / "no" / "sign.key", CRYPTO, WORD, os.urandom)) == "write"


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    old = put(tmp_path / "old.key", SEALED)
    monkeypatch.setattr(os, "fsync", full)
    assert reason(lambda: keyfile.write(tmp_path / "sign.key", b"x")) == "write"
    assert reason(lambda: keyfile.write(old, b"x", replace=True)) == "write"
    assert list(tmp_path.iterdir()) == [old] and old.read_bytes() == SEALED


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o602])
def test_a_file_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    assert reason(lambda: keyfile.read(put(tmp_path / "sign.key", SEALED, mode))) == "mode"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_our_own_is_read(tmp_path: Path, mode: int) -> None:
    assert same(keyfile.read_key(put(tmp_path / "sign.key", SEALED, mode), CRYPTO, WORD))


def test_what_is_not_a_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert reason(lambda: keyfile.read(tmp_path / "pipe")) == "mode"
    assert reason(lambda: keyfile.read(tmp_path)) == "mode"
    assert reason(lambda: keyfile.read(tmp_path / "none.key")) == "missing"
    assert reason(lambda: keyfile.read(put(tmp_path / "big.key", bytes(keyfile.LIMIT + 1)))) == "size"


@pytest.mark.parametrize("word", [b"", b"correct horsE", b"correct horse ", b"x" * 300])
def test_a_wrong_passphrase_is_said(word: bytes) -> None:
    assert reason(lambda: keyfile.open_key(CRYPTO, SEALED, word)) == "passphrase"


def test_a_wrong_passphrase_that_happens_to_fit_the_padding_is_said_too() -> None:
    """One in 256 does; what comes out is then no PrivateKeyInfo."""
    _, octets = pkcs8.read_pem(SEALED)
    for number in range(20_000):
        word = b"%d" % number
        try:
            pkcs8.unseal(octets, word)
        except pkcs8.WrongPassphrase:
            continue
        assert reason(lambda: keyfile.open_key(CRYPTO, SEALED, word)) == "passphrase"
        return
    pytest.fail("no passphrase fitted the padding")


def test_every_touched_octet_of_a_key_file_is_refused() -> None:
    _, octets = pkcs8.read_pem(SEALED)
    for at in range(len(octets)):
        touched = octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]
        found = reason(lambda: keyfile.open_key(CRYPTO, pkcs8.write_pem(pkcs8.ENCRYPTED, touched), WORD))
        assert found in {"form", "passphrase", "point"}


@settings(max_examples=60)
@given(st.binary(max_size=120))
def test_no_octets_raise_anything_but_hold(octets: bytes) -> None:
    for data in (octets, pkcs8.write_pem(pkcs8.ENCRYPTED, octets), pkcs8.write_pem(pkcs8.PLAIN, octets)):
        assert reason(lambda: keyfile.open_key(CRYPTO, data, WORD)) == "form"
        assert reason(lambda: keyfile.open_plain(CRYPTO, data)) == "form"


def test_the_rounds_of_a_file_are_bounded() -> None:
    inner = pkcs8.write_info(SCALAR, KEY.public)
    sealed = pkcs8.seal(inner, WORD, os.urandom, FAST)
    assert sealed.count(der.integer(FAST)) == 1
    for rounds, found in ((pkcs8.MOST_ROUNDS + 1, "rounds"), (1 << 62, "rounds"), (0, "form")):
        body = _with_rounds(sealed, rounds)
        assert reason(lambda: keyfile.open_key(CRYPTO, pkcs8.write_pem(pkcs8.ENCRYPTED, body), WORD)) == found
    assert pkcs8.ROUNDS == 65_536 and pkcs8.MOST_ROUNDS == 10_000_000


def _with_rounds(sealed: bytes, rounds: int) -> bytes:
    """Return the file with another count, every length put right."""
    body = der.Reader(sealed).inner()
    algorithm, secret = body.inner(), body.take(der.OCTET_STRING)
    scheme = algorithm.take(der.OID)
    parameters = algorithm.inner()
    derivation, cipher = parameters.inner(), parameters.take(der.SEQUENCE)
    function = derivation.take(der.OID)
    salt = derivation.inner().take(der.OCTET_STRING)
    prf = der.encode(der.SEQUENCE, der.object_id("1.2.156.10197.1.401.2"))
    counted = der.encode(der.SEQUENCE, der.encode(der.OCTET_STRING, salt), der.integer(rounds), prf)
    inner = der.encode(der.SEQUENCE, der.encode(der.OID, function), counted)
    pbes2 = der.encode(der.SEQUENCE, inner, der.encode(der.SEQUENCE, cipher))
    return der.encode(
        der.SEQUENCE, der.encode(der.SEQUENCE, der.encode(der.OID, scheme), pbes2),
        der.encode(der.OCTET_STRING, secret),
    )


def test_a_count_put_in_by_hand_still_opens() -> None:
    sealed = pkcs8.seal(pkcs8.write_info(SCALAR, KEY.public), WORD, os.urandom, FAST)
    assert same(keyfile.open_key(CRYPTO, pkcs8.write_pem(pkcs8.ENCRYPTED, _with_rounds(sealed, FAST)), WORD))


def test_a_file_whose_point_is_another_key_s_is_refused() -> None:
    other = CRYPTO.sm2_generate()
    sealed = pkcs8.seal(pkcs8.write_info(SCALAR, other.public), WORD, os.urandom, FAST)
    assert reason(lambda: keyfile.open_key(CRYPTO, pkcs8.write_pem(pkcs8.ENCRYPTED, sealed), WORD)) == "point"


def test_a_key_must_be_the_certificate_s(tmp_path: Path) -> None:
    paper = the_leaf(Role.SIGN)
    path = tmp_path / "sign.key"
    keyfile.write_key(path, CRYPTO, paper.key, WORD, os.urandom)
    assert keyfile.read_key(path, CRYPTO, WORD, paper.certificate).public == paper.key.public
    other = the_leaf(Role.ENCRYPT).certificate
    assert reason(lambda: keyfile.read_key(path, CRYPTO, WORD, other)) == "certificate"


@pytest.mark.parametrize("scalar", [bytes(32), b"\xff" * 32])
def test_a_scalar_out_of_range_is_refused(scalar: bytes) -> None:
    sealed = pkcs8.seal(pkcs8.write_info(scalar, KEY.public), WORD, os.urandom, FAST)
    assert reason(lambda: keyfile.open_key(CRYPTO, pkcs8.write_pem(pkcs8.ENCRYPTED, sealed), WORD)) == "passphrase"


def test_a_plain_key_is_not_taken_for_an_encrypted_one_nor_the_reverse() -> None:
    plain = pkcs8.write_pem(pkcs8.PLAIN, keyfile.plain(CRYPTO, KEY))
    assert reason(lambda: keyfile.open_key(CRYPTO, plain, WORD)) == "form"
    assert reason(lambda: keyfile.open_plain(CRYPTO, SEALED)) == "form"
    assert same(keyfile.open_plain(CRYPTO, plain)) and same(keyfile.open_plain(CRYPTO, keyfile.plain(CRYPTO, KEY)))


@pytest.mark.parametrize("spoil", [
    lambda pem: b"notes\n" + pem,
    lambda pem: pem + pem,
    lambda pem: pem.replace(b"-----END", b"----END"),
    lambda pem: pem.replace(b"ENCRYPTED PRIVATE", b"ENCRYPTED PUBLIC"),
    lambda pem: pem.replace(b"\n", b"\n=", 2),
    lambda pem: b"",
], ids=["text before", "two blocks", "broken foot", "another label", "bad base64", "empty"])
def test_a_file_is_one_pem_block_and_nothing_else(spoil: Callable[[bytes], bytes]) -> None:
    assert reason(lambda: keyfile.open_key(CRYPTO, spoil(SEALED), WORD)) == "form"


def test_attributes_and_a_repeated_point_are_read_where_their_version_allows() -> None:
    body = der.Reader(pkcs8.write_info(SCALAR, KEY.public)).take(der.SEQUENCE)[3:]
    attributes, point = der.encode(0xA0), der.encode(0x81, b"\0", KEY.public)
    for version, tail, good in (
        (0, b"", True), (0, attributes, True), (1, point, True), (1, attributes + point, True),
        (0, point, False), (1, b"", False), (2, point, False), (2, b"", False), (1, point + attributes, False),
    ):
        info = der.encode(der.SEQUENCE, der.integer(version), body, tail)
        if good:
            assert same(keyfile.open_plain(CRYPTO, info))
        else:
            assert reason(lambda: keyfile.open_plain(CRYPTO, info)) == "form"


def test_line_ends_of_windows_are_read() -> None:
    assert same(keyfile.open_key(CRYPTO, SEALED.replace(b"\n", b"\r\n"), WORD))


def test_a_short_passphrase_is_not_set(tmp_path: Path) -> None:
    assert reason(lambda: keyfile.make_key(tmp_path / "sign.key", CRYPTO, b"1234567", os.urandom)) == "short"
    assert reason(lambda: keyfile.make_storage(tmp_path / "store.key", b"1234567", os.urandom)) == "short"
    assert list(tmp_path.iterdir()) == []


def test_the_passphrase_of_either_kind_of_file_is_changed_in_one_step(tmp_path: Path) -> None:
    key, store = tmp_path / "sign.key", tmp_path / "store.key"
    made = keyfile.make_key(key, CRYPTO, WORD, os.urandom)
    secret = keyfile.make_storage(store, WORD, os.urandom)
    for path in (key, store):
        before = path.read_bytes()
        assert reason(lambda: keyfile.change_passphrase(path, CRYPTO, b"wrong word", b"another word", os.urandom)) \
            == "passphrase"
        assert path.read_bytes() == before
        keyfile.change_passphrase(path, CRYPTO, WORD, b"another word", os.urandom)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keyfile.read_key(key, CRYPTO, b"another word").public == made.public
    assert keyfile.read_storage(store, b"another word") == secret
    assert reason(lambda: keyfile.read_key(key, CRYPTO, WORD)) == "passphrase"
    assert sorted(tmp_path.iterdir()) == [key, store]


def test_the_kind_of_a_file_is_its_label() -> None:
    sealed = storage.seal_secret(storage.new_secret(os.urandom), WORD, os.urandom, FAST)
    assert [keyfile.kind(data) for data in (SEALED, sealed, b"?")] == [pkcs8.ENCRYPTED, storage.LABEL, ""]


def test_a_device_s_key_has_no_file() -> None:
    with pytest.raises(Refused):
        keyfile.seal_key(CRYPTO, ReferenceCrypto().sm2_generate(), WORD, os.urandom)


@pytest.fixture
def openssl(server: Callable[[str, str], str]) -> Callable[..., bytes]:
    """Return a way to call the openssl command with data on its input."""
    binary = server("openssl", "openssl")

    def call(*arguments: str, data: bytes = b"", good: bool = True) -> bytes:
        ended = subprocess.run([binary, *arguments], input=data, capture_output=True, timeout=60)
        assert (ended.returncode == 0) is good, ended.stderr.decode()
        return ended.stdout

    return call


def test_a_key_that_openssl_protected_with_sha256_is_read(openssl: Callable[..., bytes]) -> None:
    plain = pkcs8.write_pem(pkcs8.PLAIN, keyfile.plain(CRYPTO, KEY))
    sealed = openssl("pkcs8", "-topk8", "-v2", "sm4-cbc", "-v2prf", "hmacWithSHA256", "-passout",
                     f"pass:{WORD.decode()}", data=plain)
    assert same(keyfile.open_key(CRYPTO, sealed, WORD))
    assert reason(lambda: keyfile.open_key(CRYPTO, sealed, b"another word")) == "passphrase"


def test_a_key_that_openssl_protected_with_aes_is_refused(openssl: Callable[..., bytes]) -> None:
    plain = pkcs8.write_pem(pkcs8.PLAIN, keyfile.plain(CRYPTO, KEY))
    sealed = openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", f"pass:{WORD.decode()}", data=plain)
    assert reason(lambda: keyfile.open_key(CRYPTO, sealed, WORD)) == "form"


def test_trap_openssl_3_cannot_read_hmac_with_sm3_and_our_own_code_does(openssl: Callable[..., bytes]) -> None:
    openssl("pkey", "-passin", f"pass:{WORD.decode()}", "-noout", data=SEALED, good=b"3.0." not in openssl("version"))
    assert same(keyfile.open_key(CRYPTO, SEALED, WORD))


def test_openssl_reads_the_key_we_hand_on_and_we_read_the_one_it_makes(openssl: Callable[..., bytes]) -> None:
    text = openssl("pkey", "-inform", "DER", "-noout", "-text", data=keyfile.plain(CRYPTO, KEY)).decode()
    assert "SM2" in text
    made = openssl("genpkey", "-algorithm", "SM2")
    key = keyfile.open_plain(CRYPTO, made)
    point = openssl("pkey", "-pubout", "-outform", "DER", data=made)
    assert point.endswith(key.public)
    sec1 = openssl("ec", data=made)
    assert pkcs8.read_pem(sec1)[0] in pkcs8.SEC1
    assert keyfile.open_plain(CRYPTO, sec1).public == key.public


def test_a_null_beside_the_prf_is_read_as_its_absence_is() -> None:
    """Some write NULL there, GmSSL refuses it: we write nothing and read both."""
    sealed = pkcs8.seal(pkcs8.write_info(SCALAR, KEY.public), WORD, os.urandom, FAST)
    bare = der.encode(der.SEQUENCE, der.object_id("1.2.156.10197.1.401.2"))
    assert sealed.count(bare) == 1
    grown = sealed.replace(bare, der.encode(der.SEQUENCE, der.object_id("1.2.156.10197.1.401.2"), b"\x05\x00"))
    body = bytearray(grown)
    # Each enclosing length grows by two: file, algorithm, parameters, derivation, its parameters.
    for depth in _starts(sealed, sealed.index(bare)):
        body[depth] += 2
    assert same(keyfile.open_key(CRYPTO, pkcs8.write_pem(pkcs8.ENCRYPTED, bytes(body)), WORD))


def _starts(data: bytes, target: int) -> list[int]:
    """Return where the last length octet of every element enclosing `target` stands."""
    found, at, end = [], 0, len(data)
    while at < target:
        head = at + 2 if data[at + 1] < 0x80 else at + 2 + (data[at + 1] & 0x7F)
        size = data[at + 1] if data[at + 1] < 0x80 else int.from_bytes(data[at + 2 : head], "big")
        if head + size > target and data[at] & 0x20:
            found.append(head - 1)
            at, end = head, head + size
        else:
            at = head + size
        assert at < end
    return found


def test_base64_is_what_stands_in_the_file() -> None:
    lines = SEALED.decode().splitlines()
    assert lines[0] == "-----BEGIN ENCRYPTED PRIVATE KEY-----" and lines[-1] == "-----END ENCRYPTED PRIVATE KEY-----"
    assert base64.b64decode("".join(lines[1:-1])) == pkcs8.read_pem(SEALED)[1]
    assert max(map(len, lines[1:-1])) == 64
