"""Keys packed into few octets: they come out as they went in, what is no packed key is refused, and how many fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest

from adapters.contract import Misconfigured
from adapters.sql import snapshot
from adapters.sql.keys import Malformed, pack, unpack
from adapters.sql.places import Place
from adapters.sql.snapshot import Bucket, Known
from node.model.frames import STATE
from tests.adapters.tried import further, seeds

MAKERS: Sequence[Callable[[Random], Any]] = (
    lambda dice: dice.randrange(100), lambda dice: dice.randrange(-(1 << 70), 1 << 70),
    lambda dice: f"{dice.randrange(10**6):06}", lambda dice: f"{dice.randrange(10**6)}",
    lambda dice: str(UUID(int=dice.getrandbits(128))), lambda dice: str(UUID(int=dice.getrandbits(128))).upper(),
    lambda dice: "".join(dice.choice("张三㐂𠮷 aA\x00\udc81\n\"\\") for _ in range(dice.randrange(6))),
    lambda dice: dice.choice([1, True, 1.5, "1", "٣", Decimal("1.10"), date(2019, 2, 28), datetime(2019, 2, 28, 9),
                              b"\x00", "", UUID(int=7)]),
    lambda dice: Decimal(dice.randrange(1000)), lambda dice: "7" * dice.choice([1, 200]),
)


@pytest.mark.parametrize("seed", seeds(20, 60))
def test_keys_come_out_as_they_went_in(seed: int) -> None:
    dice = Random(seed)
    parts = [dice.choice(MAKERS) for _ in range(dice.randrange(1, 4))]
    keys = [tuple(make(dice) for make in parts) for _ in range(dice.choice([0, 1, 2, 50]))]
    if dice.random() < 0.5:
        keys.sort(key=repr)
    found = unpack(pack(keys), len(keys))
    assert found == keys and [list(map(type, key)) for key in found] == [list(map(type, key)) for key in keys]
    with pytest.raises(Malformed):
        unpack(pack(keys), len(keys) - 1)


@pytest.mark.parametrize("seed", seeds(15, 40))
def test_spoilt_octets_are_refused_or_are_keys(seed: int) -> None:
    dice = Random(seed)
    keys = [(number, f"{number * 7919 % 10007:05}") for number in range(dice.choice([1, 30, 400]))]
    packed = bytearray(pack(keys))
    for _ in range(dice.randrange(1, 4)):
        packed[dice.randrange(len(packed))] = dice.randrange(256)
    try:
        assert len(unpack(bytes(packed), 500)) <= 500
    except Malformed:
        pass


@pytest.mark.parametrize("octets", [
    b"", b"\x01", b"\xff" * 30, b"\x00\x01", b"\x01\x00", b"\x02\x01q\x02r\x02", pack([(1,)]) + b"x",
])
def test_what_is_no_packed_key_is_refused(octets: bytes) -> None:
    with pytest.raises(Malformed):
        unpack(octets, 10)


def thinned(dice: Random, rows: int, one_of: int) -> list[Any]:
    """Return numbers as a sequence gave them, most of which were deleted."""
    return sorted(dice.sample(range(rows * one_of), rows))


def identities(dice: Random, rows: int) -> list[Any]:
    """Return identity numbers of one city's people."""
    weights, found = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), set[str]()
    while len(found) < rows:
        born = date(1940, 1, 1) + timedelta(dice.randrange(29_000))
        said = f"3301{dice.randrange(2, 13):02}{born:%Y%m%d}{dice.randrange(1, 300):03}"
        found.add(said + "10X98765432"[sum(int(one) * weight for one, weight in zip(said, weights)) % 11])
    return sorted(found)


def uuids(dice: Random, rows: int) -> list[Any]:
    """Return random UUIDs."""
    return sorted(str(UUID(int=dice.getrandbits(128), version=4)) for _ in range(rows))


CAPACITY: dict[str, tuple[Callable[[Random, int], list[Any]], int, int]] = {
    "every number": (lambda dice, rows: list(range(1, rows + 1)), 200_000, 1 << 20),
    "one number of two": (lambda dice, rows: thinned(dice, rows, 2), 150_000, 200_000),
    "one number of ten": (lambda dice, rows: thinned(dice, rows, 10), 75_000, 100_000),
    "one number of thirty": (lambda dice, rows: thinned(dice, rows, 30), 55_000, 75_000),
    "identity numbers": (identities, 14_000, 17_000),
    "uuids": (uuids, 3_000, 3_400),
}


@pytest.mark.parametrize("less", [8, *further(1)])
@pytest.mark.parametrize("kind", CAPACITY)
def test_so_many_keys_fit_and_what_does_not_is_refused(kind: str, less: int, monkeypatch: pytest.MonkeyPatch) -> None:
    make, fit, over = CAPACITY[kind]
    if less > 1:  # an eighth of the room holds nearly an eighth of the keys: fewer have less in common
        fit, over = fit * 3 // 4 // less, over // less
        monkeypatch.setattr(snapshot, "ROOM", snapshot.ROOM // less)
        monkeypatch.setattr(snapshot, "MOST", snapshot.MOST // less)
    dice = Random(7)
    known = filled(dice, make(dice, fit))
    said = json.dumps(known.write(), ensure_ascii=False).encode()
    assert len(said) <= STATE // less
    again = Known.read(json.loads(said), ["ID"])
    assert again.keys == known.keys and sum(one.rows for one in again.buckets) == fit
    assert total(again) == total(known)
    with pytest.raises(Misconfigured):
        filled(dice, make(dice, over + 1)).write()


def total(known: Known) -> int:
    """Return the sum of all digests."""
    return sum(one.sum or 0 for one in known.buckets) % (1 << 48)


def filled(dice: Random, keys: Sequence[Any]) -> Known:
    """Return what is known of rows with these keys."""
    places: list[Place] = [(key,) for key in keys]
    return Known(["ID"], places, [Bucket(1, dice.getrandbits(48)) for _ in places])
