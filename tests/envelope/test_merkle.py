"""The tree against the definition of RFC 9162 §2.1, written here as the RFC writes it."""

from __future__ import annotations

import os
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.envelope import merkle
from tests.crypto.papers import CRYPTO

sm3 = CRYPTO.sm3


def bottom_of(count: int) -> list[bytes]:
    return [sm3(b"leaf %d" % index) for index in range(count)]


def head(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 §2.1.1 over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sm3(b"\x01" + head(leaves[:k]) + head(leaves[k:]))


def siblings(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 9162 §2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if index < k:
        return siblings(index, leaves[:k]) + [head(leaves[k:])]
    return siblings(index - k, leaves[k:]) + [head(leaves[:k])]


@pytest.mark.parametrize("count", [*range(1, 35), 100, 1000])
def test_root_and_paths_are_those_of_the_rfc(count: int) -> None:
    leaves = bottom_of(count)
    assert merkle.root(leaves, sm3) == head(leaves)
    for index in {0, 1, count // 2, count - 2, count - 1} & set(range(count)) if count > 34 else range(count):
        path = merkle.path(count, dict(enumerate(leaves)), (), index, sm3)
        assert path == siblings(index, leaves)
        assert merkle.climb(leaves[index], index, count, path, sm3) == head(leaves)


def test_a_tree_without_leaves_does_not_exist() -> None:
    with pytest.raises(ValueError):
        merkle.root([], sm3)


@pytest.mark.parametrize("count", range(1, 18))
def test_a_path_of_another_length_or_place_leads_nowhere(count: int) -> None:
    leaves = bottom_of(count)
    whole = head(leaves)
    for index in range(count):
        path = siblings(index, leaves)
        assert merkle.climb(leaves[index], index, count, [*path, leaves[0]], sm3) is None
        assert merkle.climb(leaves[index], index, count, [leaves[0], *path], sm3) is None
        if path:
            assert merkle.climb(leaves[index], index, count, path[:-1], sm3) is None
        assert merkle.climb(leaves[index], count, count, path, sm3) is None
        for other in set(range(count)) - {index}:
            assert merkle.climb(leaves[index], other, count, path, sm3) != whole


def test_a_doubled_last_leaf_makes_another_root() -> None:
    leaves = bottom_of(3)
    assert merkle.root([*leaves, leaves[-1]], sm3) != merkle.root(leaves, sm3)


def test_a_node_is_never_a_leaf() -> None:
    left, right = bottom_of(2)
    assert merkle.leaf(b"", 0, 1, b"", left + right, sm3) != merkle.root([left, right], sm3)


@given(st.integers(1, 40), st.data())
def test_carried_leaves_and_the_rest_make_the_root(count: int, data: st.DataObject) -> None:
    leaves = bottom_of(count)
    carried = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1)))
    rest = merkle.rest(leaves, carried, sm3)
    given_on = {index: leaves[index] for index in carried}
    assert merkle.join(count, given_on, rest, sm3) == head(leaves)
    assert (rest == []) == (len(carried) == count)
    assert merkle.join(count, given_on, [*rest, leaves[0]], sm3) is None
    assert not rest or merkle.join(count, given_on, rest[:-1], sm3) is None
    for index in carried:
        assert merkle.path(count, given_on, rest, index, sm3) == siblings(index, leaves)
    keep = sorted(data.draw(st.sets(st.sampled_from(carried), min_size=1)))
    thinned = merkle.narrow(count, given_on, rest, keep, sm3)
    assert thinned == merkle.rest(leaves, keep, sm3)


@given(st.integers(1, 64), st.data())
def test_the_rest_is_of_maximal_subtrees(count: int, data: st.DataObject) -> None:
    carried = data.draw(st.sets(st.integers(0, count - 1), min_size=1))

    def maximal(low: int, high: int) -> int:
        if not carried & set(range(low, high)):
            return 1
        if high - low == 1:
            return 0
        k = merkle.split(high - low)
        return maximal(low, low + k) + maximal(low + k, high)

    assert len(merkle.rest(bottom_of(count), sorted(carried), sm3)) == maximal(0, count)


def test_a_leaf_that_is_not_carried_has_no_path() -> None:
    leaves = bottom_of(5)
    rest = merkle.rest(leaves, [1, 3], sm3)
    given_on = {1: leaves[1], 3: leaves[3]}
    for index in (0, 2, 4, 5, -1):
        with pytest.raises(ValueError):
            merkle.path(5, given_on, rest, index, sm3)
    with pytest.raises(ValueError):
        merkle.narrow(5, given_on, rest, [0, 1], sm3)
    with pytest.raises(ValueError):
        merkle.narrow(5, given_on, rest[1:], [1], sm3)
    assert merkle.join(5, {7: leaves[0]}, rest, sm3) is None
    assert merkle.join(5, {}, [head(leaves)], sm3) is None


def test_the_batch_makes_the_same_leaves_as_one_at_a_time(seed: int) -> None:
    dice = random.Random(seed)
    parcel, secret = dice.randbytes(16), dice.randbytes(32)
    lines = [dice.randbytes(dice.randrange(1, 300)) for _ in range(17)]
    salts = merkle.salts(secret, 17, CRYPTO)
    for index, salt in enumerate(salts):
        assert salt == CRYPTO.hmac_sm3(secret, b"exn.salt.1" + index.to_bytes(4, "big"))
    assert merkle.leaves(parcel, salts, lines, sm3) == [
        merkle.leaf(parcel, index, 17, salt, line, sm3) for index, (salt, line) in enumerate(zip(salts, lines))
    ]


def test_a_thousand_leaves_are_not_a_matter_of_seconds() -> None:
    lines = [os.urandom(1024)] * 1024
    began = time.process_time()
    merkle.root(merkle.leaves(bytes(16), merkle.salts(bytes(32), 1024, CRYPTO), lines, sm3), sm3)
    assert time.process_time() - began < 1.0  # measured 6 ms; this only catches a fall back to pure Python
