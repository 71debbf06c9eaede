"""The storage key: values open at their place alone, rotation loses nothing, files are protected."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.crypto import der, keyfile, pkcs8, storage, symmetric
from node.crypto.openssl import OpenSslCrypto
from node.crypto.reference import FallbackCrypto
from node.crypto.storage import StorageKey, StorageSecret
from node.model import codes
from node.model.trouble import Hold, Refused

CRYPTO = OpenSslCrypto()
FIRST = storage.new_secret(os.urandom)
SECOND = storage.new_secret(os.urandom, FIRST)
STORE = StorageKey(CRYPTO, [FIRST], os.urandom)
PLACE = b"outbox/records/17"
WORD = b"correct horse"


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_what_is_sealed_opens_at_its_place(clear: bytes, place: bytes) -> None:
    sealed = STORE.seal(place, clear)
    assert len(sealed) == 4 + 12 + len(clear) + 16 and sealed[:4] == FIRST.id
    assert STORE.open(place, sealed) == clear
    assert len(clear) < 8 or clear not in sealed


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_a_value_moved_to_another_place_is_refused(place: bytes, other: bytes) -> None:
    if place != other:
        with pytest.raises(Refused) as caught:
            STORE.open(other, STORE.seal(place, b"clear"))
        assert caught.value.code is codes.OPEN


def test_every_flipped_bit_of_a_value_is_refused() -> None:
    sealed = STORE.seal(PLACE, b"clear")
    for bit in range(32, len(sealed) * 8):
        touched = bytearray(sealed)
        touched[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Refused) as caught:
            STORE.open(PLACE, bytes(touched))
        assert caught.value.code is codes.OPEN


@pytest.mark.parametrize("size", [0, 3, 4, 15, 16, 31])
def test_a_value_cut_short_is_refused(size: int) -> None:
    with pytest.raises(Refused) as caught:
        STORE.open(PLACE, STORE.seal(PLACE, b"clear")[:size])
    assert caught.value.code is codes.OPEN


def test_a_value_of_a_key_that_is_not_held_waits_for_a_person() -> None:
    sealed = StorageKey(CRYPTO, [SECOND], os.urandom).seal(PLACE, b"clear")
    with pytest.raises(Hold) as caught:
        STORE.open(PLACE, sealed)
    assert caught.value.code is codes.KEY_FILE and caught.value.details["name"] == SECOND.id.hex()


def test_the_newest_key_seals_and_every_key_opens() -> None:
    both = StorageKey(CRYPTO, [SECOND, FIRST], os.urandom)
    assert both.open(PLACE, STORE.seal(PLACE, b"old")) == b"old"
    assert both.seal(PLACE, b"new")[:4] == SECOND.id == bytes.fromhex(both.ids[0])


def test_the_index_outlives_rotation() -> None:
    third = storage.new_secret(os.urandom, SECOND)
    later = StorageKey(CRYPTO, [third, SECOND], os.urandom)  # the first key is gone
    assert later.index(b"row", b"17") == STORE.index(b"row", b"17")


def test_keys_that_disagree_about_the_index_are_refused_together() -> None:
    stranger = storage.new_secret(os.urandom)
    for secrets in ([stranger, FIRST], [FIRST, FIRST], []):
        with pytest.raises(Hold) as caught:
            StorageKey(CRYPTO, secrets, os.urandom)
        assert caught.value.code is codes.KEY_FILE


@given(st.lists(st.binary(max_size=9), max_size=4), st.lists(st.binary(max_size=9), max_size=4))
def test_different_parts_have_different_indexes(one: list[bytes], two: list[bytes]) -> None:
    assert (STORE.index(b"row", *one) == STORE.index(b"row", *two)) == (one == two)
    assert STORE.indexer(b"row", *one)(*two) == STORE.index(b"row", *one, *two)


def test_the_index_is_keyed_labelled_and_has_32_bytes() -> None:
    other = StorageKey(CRYPTO, [storage.new_secret(os.urandom)], os.urandom)
    found = {STORE.index(b"row", b"17"), STORE.index(b"caller", b"17"), STORE.index(b"row17")}
    found.add(other.index(b"row", b"17"))
    assert len(found) == 4 and {len(digest) for digest in found} == {32}


def test_nonces_are_drawn_from_chance_and_nowhere_else() -> None:
    drawn = itertools.count(1)
    store = StorageKey(CRYPTO, [FIRST], lambda size: next(drawn).to_bytes(size, "big"))
    assert [store.seal(PLACE, b"")[4:16] for _ in range(3)] == [n.to_bytes(12, "big") for n in (1, 2, 3)]


def test_a_value_is_what_the_documents_say() -> None:
    """Key id ‖ nonce ‖ SM4-GCM with the place as its additional data, under HMAC-SM3(key, label)."""
    sealed = STORE.seal(PLACE, b"clear")
    body = symmetric.keyed(FIRST.key)(b"exn.storage.body.1")[:16]
    assert symmetric.gcm_open(body, sealed[4:16], sealed[16:], PLACE) == b"clear"
    assert FIRST.index == symmetric.keyed(FIRST.key)(b"exn.storage.index.1")
    row = b"".join(len(part).to_bytes(4, "big") + part for part in (b"row", b"17"))
    assert STORE.index(b"row", b"17") == symmetric.keyed(FIRST.index)(row)


def test_another_suite_opens_what_this_one_sealed() -> None:
    other = StorageKey(FallbackCrypto(), [FIRST], os.urandom)
    assert other.open(PLACE, STORE.seal(PLACE, b"clear")) == b"clear"
    assert other.index(b"row", b"17") == STORE.index(b"row", b"17")


@pytest.mark.parametrize("size", [16, 32])
def test_a_storage_key_file_comes_back(size: int) -> None:
    secret = StorageSecret(bytes(range(size)), bytes(32))
    data = storage.seal_secret(secret, WORD, os.urandom, 10)
    assert storage.open_secret(data, WORD) == secret
    assert data.startswith(b"-----BEGIN EXCHANGE NODE STORAGE KEY-----\n")
    assert secret.key not in pkcs8.read_pem(data)[1]


def test_a_storage_key_shows_nothing_of_itself() -> None:
    assert FIRST.key.hex() not in repr(FIRST) and repr(FIRST.key) not in repr(FIRST)
    assert repr(FIRST) == "StorageSecret()"


@pytest.mark.parametrize("size", [0, 15, 17, 31, 33])
def test_a_storage_key_of_another_size_is_refused(size: int) -> None:
    data = storage.seal_secret(StorageSecret(bytes(size), bytes(32)), WORD, os.urandom, 10)
    with pytest.raises(der.Malformed):
        storage.open_secret(data, WORD)


def test_every_wrong_passphrase_is_noticed_even_one_that_fits_the_padding() -> None:
    data = storage.seal_secret(FIRST, WORD, os.urandom, 1)
    for number in range(600):
        with pytest.raises(pkcs8.WrongPassphrase):
            storage.open_secret(data, b"%d" % number)


def test_every_touched_octet_of_a_storage_key_file_is_refused() -> None:
    label, octets = pkcs8.read_pem(storage.seal_secret(FIRST, WORD, os.urandom, 1))
    for at in range(len(octets)):
        touched = octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]
        try:
            secret = storage.open_secret(pkcs8.write_pem(label, touched), WORD)
        except der.Malformed:
            continue
        pytest.fail(f"octet {at} was touched and {secret.id.hex()} came out")


def test_a_private_key_is_not_taken_for_a_storage_key_nor_the_reverse(tmp_path: Path) -> None:
    keyfile.make_key(tmp_path / "sign.key", CRYPTO, WORD, os.urandom)
    keyfile.make_storage(tmp_path / "store.key", WORD, os.urandom)
    for act in (
        lambda: keyfile.read_storage(tmp_path / "sign.key", WORD),
        lambda: keyfile.read_key(tmp_path / "store.key", CRYPTO, WORD),
    ):
        with pytest.raises(Hold) as caught:
            act()
        assert caught.value.details["reason"] == "form"


def test_a_storage_key_after_another_carries_its_index_on(tmp_path: Path) -> None:
    first = keyfile.make_storage(tmp_path / "one.key", WORD, os.urandom)
    keyfile.make_storage(tmp_path / "two.key", WORD, os.urandom, first)
    second = keyfile.read_storage(tmp_path / "two.key", WORD)
    assert second.index == first.index and second.key != first.key and len(second.key) == 32
