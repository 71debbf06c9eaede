"""The keyring: names, roles, and no key in two of them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from node.crypto import keyfile, storage
from node.crypto.certificates import parse
from node.crypto.keyring import KeyNames, Keyring, open_keyring
from node.crypto.openssl import OpenSslCrypto
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.trouble import Hold, Refused, Trouble
from tests.crypto.papers import Paper, make_leaf, the_authority, the_leaf

CRYPTO = OpenSslCrypto()
WORD = b"correct horse"
CEK = bytes(range(16))
SIGN, ENCRYPT, TLS = (the_leaf(role) for role in (Role.SIGN, Role.ENCRYPT, Role.TLS))
OLD = make_leaf(the_authority(), Role.ENCRYPT)


def ring(*pairs: tuple[str, Role, Paper]) -> Keyring:
    made = Keyring(CRYPTO, os.urandom)
    for name, role, paper in pairs:
        made.add(name, role, paper.certificate, paper.key)
    return made


def whole() -> Keyring:
    return ring(
        ("sign", Role.SIGN, SIGN), ("encrypt", Role.ENCRYPT, ENCRYPT), ("old", Role.ENCRYPT, OLD),
        ("tls", Role.TLS, TLS),
    )


def refused(code: object, made: Keyring, name: str, role: Role, certificate: Certificate, paper: Paper) -> None:
    with pytest.raises(Trouble) as caught:
        made.add(name, role, certificate, paper.key)
    assert caught.value.code is code and caught.value.details["name"] == name


def test_the_identity_signs_with_its_signing_key() -> None:
    identity = whole().identity("test", "dept-a", "91110000MA00A0000X")
    assert (identity.domain, identity.node, identity.org) == ("test", "dept-a", "91110000MA00A0000X")
    assert identity.signing == SIGN.certificate and identity.encryption == ENCRYPT.certificate
    assert CRYPTO.sm2_verify(SIGN.certificate.public, b"data", identity.sign(b"data"))


def test_old_encryption_keys_decrypt_and_only_that() -> None:
    identity = whole().identity("test", "dept-a", "91110000MA00A0000X")
    for paper in (ENCRYPT, OLD):
        held = paper.certificate
        assert identity.unwrap(held.issuer, held.serial, CRYPTO.sm2_wrap(held.public, CEK)) == CEK
        assert identity.decrypts(held.fingerprint)
    assert identity.encryption == ENCRYPT.certificate
    assert not identity.decrypts(SIGN.certificate.fingerprint)


def test_a_key_declared_lost_is_one_that_is_not_held_and_nothing_else_is() -> None:
    made, gone = whole(), make_leaf(the_authority(), Role.ENCRYPT, "dept-a").certificate
    assert not made.identity("test", "dept-a", "91110000MA00A0000X").lost(gone.fingerprint)
    made.declare_lost(gone)
    identity = made.identity("test", "dept-a", "91110000MA00A0000X")
    assert identity.lost(gone.fingerprint) and not identity.decrypts(gone.fingerprint)
    assert not identity.lost(ENCRYPT.certificate.fingerprint)
    for wrong in (ENCRYPT.certificate, OLD.certificate, SIGN.certificate):
        with pytest.raises(Hold) as caught:
            made.declare_lost(wrong)
        assert caught.value.code is codes.KEY_ROLE


def test_a_parcel_for_a_certificate_we_do_not_hold_waits_for_a_person() -> None:
    identity = whole().identity("test", "dept-a", "91110000MA00A0000X")
    held, sign = ENCRYPT.certificate, SIGN.certificate
    wrapped = CRYPTO.sm2_wrap(held.public, CEK)
    for issuer, serial in ((held.issuer, held.serial + 1), (b"", held.serial), (sign.issuer, sign.serial)):
        with pytest.raises(Hold) as caught:
            identity.unwrap(issuer, serial, wrapped)
        assert caught.value.code is codes.KEY_ROLE


def test_a_wrap_that_does_not_open_is_refused() -> None:
    identity = whole().identity("test", "dept-a", "91110000MA00A0000X")
    for wrapped in (b"", CRYPTO.sm2_wrap(OLD.certificate.public, CEK)):
        with pytest.raises(Refused) as caught:
            identity.unwrap(ENCRYPT.certificate.issuer, ENCRYPT.certificate.serial, wrapped)
        assert caught.value.code is codes.OPEN


@pytest.mark.parametrize("role", Role)
def test_a_certificate_of_another_usage_is_refused(role: Role) -> None:
    for paper in (SIGN, ENCRYPT, TLS):
        if paper.certificate.roles != {role}:
            refused(codes.KEY_ROLE, ring(), "name", role, paper.certificate, paper)


@pytest.mark.parametrize("roles", [{Role.SIGN, Role.ENCRYPT}, {Role.SIGN, Role.TLS}, set(Role), set()])
def test_a_certificate_of_two_usages_or_none_is_refused_for_each(roles: set[Role]) -> None:
    certificate = replace(SIGN.certificate, roles=frozenset(roles))
    for role in Role:
        refused(codes.KEY_ROLE, ring(), "name", role, certificate, SIGN)


@pytest.mark.parametrize("role, other", [(Role.SIGN, Role.ENCRYPT), (Role.TLS, Role.SIGN), (Role.ENCRYPT, Role.TLS)])
def test_one_key_in_two_roles_is_refused_though_each_certificate_is_good(role: Role, other: Role) -> None:
    key = CRYPTO.sm2_generate()
    one, two = (make_leaf(the_authority(), each, key=key) for each in (role, other))
    refused(codes.KEY_ROLE, ring(("one", role, one)), "two", other, two.certificate, two)


def test_one_encryption_key_may_have_two_certificates() -> None:
    renewed = make_leaf(the_authority(), Role.ENCRYPT, key=ENCRYPT.key)
    made = ring(("new", Role.ENCRYPT, renewed), ("before", Role.ENCRYPT, ENCRYPT))
    assert len(made.held(Role.ENCRYPT)) == 2


def test_a_second_signing_or_tls_key_is_refused() -> None:
    for role, paper in ((Role.SIGN, SIGN), (Role.TLS, TLS)):
        another = make_leaf(the_authority(), role)
        refused(codes.KEY_ROLE, ring(("one", role, paper)), "two", role, another.certificate, another)


def test_a_key_that_is_not_the_certificate_s_is_refused() -> None:
    refused(codes.KEY_FILE, ring(), "name", Role.SIGN, SIGN.certificate, ENCRYPT)


def test_a_missing_role_is_named() -> None:
    for made, role in ((ring(), Role.SIGN), (ring(("sign", Role.SIGN, SIGN)), Role.ENCRYPT)):
        with pytest.raises(Hold) as caught:
            made.identity("test", "dept-a", "91110000MA00A0000X")
        assert caught.value.code is codes.KEY_ROLE and caught.value.details["role"] == role.value
    with pytest.raises(Hold):
        ring().storage()
    with pytest.raises(Hold):
        ring().tls()


def test_the_tls_key_is_handed_on_in_memory() -> None:
    certificate, octets = whole().tls()
    assert certificate == TLS.certificate
    assert keyfile.open_plain(CRYPTO, octets).public == TLS.certificate.public


def test_the_listing_tells_names_roles_and_fingerprints_and_no_secret() -> None:
    made = whole()
    secret = storage.new_secret(os.urandom)
    made.add_storage("store", secret)
    listed = made.listing()
    assert [(entry.name, entry.role) for entry in listed] == [
        ("sign", "sign"), ("encrypt", "encrypt"), ("old", "encrypt"), ("tls", "tls"), ("store", "storage"),
    ]
    assert [entry.fingerprint for entry in listed] == [
        *(paper.certificate.fingerprint for paper in (SIGN, ENCRYPT, OLD, TLS)), secret.id.hex(),
    ]
    text = repr(listed) + repr(made.held(Role.SIGN)) + repr(made)
    for hidden in (secret.key, secret.index, *(CRYPTO.sm2_scalar(paper.key) for paper in (SIGN, ENCRYPT, OLD, TLS))):
        assert hidden.hex() not in text and repr(hidden) not in text


NAMES = KeyNames("sign-1", ("encrypt-2", "encrypt-1"), "tls-1", ("store-2", "store-1"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of keys as an operator keeps it."""
    papers = {"sign-1": SIGN, "encrypt-2": ENCRYPT, "encrypt-1": OLD, "tls-1": TLS}
    for name, paper in papers.items():
        keyfile.write_key(tmp_path / f"{name}.key", CRYPTO, paper.key, WORD, os.urandom)
        (tmp_path / f"{name}.crt").write_bytes(paper.der)
    first = keyfile.make_storage(tmp_path / "store-1.key", WORD, os.urandom)
    keyfile.make_storage(tmp_path / "store-2.key", WORD, os.urandom, first)
    return tmp_path


def opened(folder: Path, names: KeyNames = NAMES, word: bytes = WORD) -> Keyring:
    return open_keyring(folder, names, word, CRYPTO, os.urandom, lambda data: parse(data, CRYPTO.sm3))


def test_a_folder_becomes_a_keyring(folder: Path) -> None:
    made = opened(folder)
    listed = [entry.name for entry in made.listing()]
    assert listed == ["sign-1", "encrypt-2", "encrypt-1", "tls-1", "store-2", "store-1"]
    identity, store = made.identity("test", "dept-a", "91110000MA00A0000X"), made.storage()
    assert CRYPTO.sm2_verify(SIGN.certificate.public, b"data", identity.sign(b"data"))
    assert store.open(b"place", store.seal(b"place", b"clear")) == b"clear"


@pytest.mark.parametrize("missing", ["sign-1.key", "tls-1.crt", "encrypt-1.key", "store-1.key"])
def test_a_missing_file_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(Hold) as caught:
        opened(folder)
    assert caught.value.code is codes.KEY_FILE
    assert caught.value.details == {"name": missing, "reason": "missing"}


def test_a_file_that_others_may_read_is_named(folder: Path) -> None:
    (folder / "tls-1.key").chmod(0o640)
    with pytest.raises(Hold) as caught:
        opened(folder)
    assert caught.value.details == {"name": "tls-1.key", "reason": "mode"}


def test_a_certificate_beside_another_key_is_named(folder: Path) -> None:
    (folder / "encrypt-1.crt").write_bytes(ENCRYPT.der)
    with pytest.raises(Hold) as caught:
        opened(folder)
    assert caught.value.details == {"name": "encrypt-1.key", "reason": "certificate"}


def test_a_key_named_for_two_roles_is_refused(folder: Path) -> None:
    with pytest.raises(Hold) as caught:
        opened(folder, replace(NAMES, tls="sign-1"))
    assert caught.value.code is codes.KEY_ROLE and caught.value.details == {"name": "sign-1", "role": "tls"}


def test_a_wrong_passphrase_names_the_first_file(folder: Path) -> None:
    with pytest.raises(Hold) as caught:
        opened(folder, word=b"another word")
    assert caught.value.details == {"name": "sign-1.key", "reason": "passphrase"}
