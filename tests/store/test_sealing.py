"""What was sealed to be read soon stands for the octets on disk only where these are the same, and is bounded."""

from __future__ import annotations

import os

import pytest

from node.model import codes
from node.model.trouble import Hold
from node.store.sealing import KEPT, Sealing
from tests.store.places import STORAGE

PARTS = [b"", b"a line", b"another"]


def sealing() -> Sealing:
    return Sealing(STORAGE, "outbox")


def test_what_is_read_soon_is_read_once_from_memory_and_then_from_disk() -> None:
    ours = sealing()
    sealed = ours.seal_parts("bodies", 7, PARTS, soon=True)
    spoilt = sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]
    assert ours.open_parts("bodies", 7, spoilt) == PARTS, "name and place are the same: nothing was opened"
    with pytest.raises(Hold) as caught:
        ours.open_parts("bodies", 7, spoilt)
    assert caught.value.code is codes.STORE_DAMAGED
    assert ours.open_parts("bodies", 7, sealed) == sealing().open_parts("bodies", 7, sealed) == PARTS


@pytest.mark.parametrize("place", [0, 4, -1])
def test_another_name_or_place_is_opened(place: int) -> None:
    ours = sealing()
    sealed = ours.seal_parts("bodies", 7, PARTS, soon=True)
    other = bytearray(sealed)
    other[place] ^= 1
    for key, octets in ((8, sealed), (7, bytes(other))):
        with pytest.raises(Hold):
            ours.open_parts("bodies", key, octets)
    assert ours.open_parts("bodies", 7, sealed) == PARTS


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    ours, part = sealing(), os.urandom(1 << 20)
    values = [ours.seal_parts("bodies", n, [part], soon=True) for n in range(KEPT // len(part) + 3)]
    spoilt = [one[:20] + bytes([one[20] ^ 1]) + one[21:] for one in values]
    kept = []
    for n, one in enumerate(spoilt):
        try:
            ours.open_parts("bodies", n, one)
            kept.append(n)
        except Hold:
            pass
    assert kept == list(range(3, len(values)))
    assert ours.seal_parts("bodies", 99, [part, bytes(KEPT)], soon=True), "one beyond the bound is not kept at all"
    assert not ours._kept and not ours._octets
