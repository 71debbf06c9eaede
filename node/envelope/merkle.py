"""The Merkle tree over a parcel's records: RFC 9162 §2.1 with SM3 and salted leaves (WIRE §2).

    salt_i = HMAC-SM3(S, `exn.salt.1` ‖ u32 i)
    leaf_i = SM3(00 ‖ parcel id[16] ‖ u32 i ‖ u32 n ‖ salt_i ‖ line)
    node   = SM3(01 ‖ left ‖ right)

Rule 1: a tree has n ≥ 1 leaves; no leaf is ever doubled: an odd one is carried up as it is.
Rule 2: a path has exactly the length that (i, n) demands; so has a list of rest roots.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from struct import Struct

from node.ports import Crypto

Hash = Callable[[bytes], bytes]

SALT = b"exn.salt.1"
_U32 = Struct(">I").pack
_PAIR = Struct(">II").pack


def salts(secret: bytes, count: int, crypto: Crypto) -> list[bytes]:
    """Return the salts of leaves 0 … count−1 under S."""
    keyed = crypto.keyed(secret)
    return [keyed(SALT + _U32(index)) for index in range(count)]


def leaf(parcel: bytes, index: int, count: int, salt: bytes, line: bytes, sm3: Hash) -> bytes:
    """Return the leaf of one line; `parcel` is the parcel id's 16 octets."""
    return sm3(b"\x00" + parcel + _PAIR(index, count) + salt + line)


def leaves(parcel: bytes, salted: Sequence[bytes], lines: Sequence[bytes], sm3: Hash) -> list[bytes]:
    """Return the leaves of all lines of a parcel."""
    count, first = len(lines), b"\x00" + parcel
    return [
        sm3(first + _PAIR(index, count) + salt + line)
        for index, (salt, line) in enumerate(zip(salted, lines, strict=True))
    ]


def root(bottom: Sequence[bytes], sm3: Hash) -> bytes:
    """Return the root over the leaves; raise ValueError without a leaf."""
    if not bottom:
        raise ValueError("a tree has at least one leaf")
    level = bottom
    while len(level) > 1:
        above = [sm3(b"\x01" + left + right) for left, right in zip(level[::2], level[1::2])]
        if len(level) & 1:
            above.append(level[-1])
        level = above
    return level[0]


def path(count: int, carried: Mapping[int, bytes], others: Sequence[bytes], index: int, sm3: Hash) -> list[bytes]:
    """Return the siblings from leaf `index` up to the root (RFC 9162 §2.1.3.1), from carried leaves and rest roots.

    Raises ValueError if the leaf is not carried or the rest does not fit.
    """
    left = iter(others)
    try:
        siblings = _climbed(0, count, sorted(carried), carried, left, index, sm3)[1]
    except StopIteration:
        raise ValueError("the rest does not fit") from None
    if siblings is None or next(left, None) is not None:
        raise ValueError("the leaf is not carried, or the rest does not fit")
    return siblings


def _climbed(
    start: int, count: int, indexes: Sequence[int], carried: Mapping[int, bytes], others: Iterator[bytes], index: int,
    sm3: Hash,
) -> tuple[bytes, list[bytes] | None]:
    """Return a subtree's root, and the siblings of leaf `index` within it, None if it stands elsewhere."""
    if not indexes:
        return next(others), None
    if count == 1:
        return carried[start], [] if start == index else None
    half = split(count)
    middle = bisect_left(indexes, start + half)
    left, below = _climbed(start, half, indexes[:middle], carried, others, index, sm3)
    right, above = _climbed(start + half, count - half, indexes[middle:], carried, others, index, sm3)
    siblings = below + [right] if below is not None else above + [left] if above is not None else None
    return sm3(b"\x01" + left + right), siblings


def climb(bottom: bytes, index: int, count: int, siblings: Sequence[bytes], sm3: Hash) -> bytes | None:
    """Return the root that a path leads to, None if its length is not what (index, count) demands (§2.1.3.2)."""
    if not 0 <= index < count:
        return None
    left, here, last = iter(siblings), bottom, count - 1
    while last:
        if index & 1 or index < last:
            sibling = next(left, None)
            if sibling is None:
                return None
            here = sm3(b"\x01" + sibling + here) if index & 1 else sm3(b"\x01" + here + sibling)
        index >>= 1
        last >>= 1
    return here if next(left, None) is None else None


def rest(bottom: Sequence[bytes], carried: Sequence[int], sm3: Hash) -> list[bytes]:
    """Return the roots of the maximal subtrees without a carried leaf, left to right; empty if all are carried."""
    return narrow(len(bottom), dict(enumerate(bottom)), (), carried, sm3)


def narrow(
    count: int, carried: Mapping[int, bytes], others: Sequence[bytes], keep: Sequence[int], sm3: Hash
) -> list[bytes]:
    """Return the rest roots when only `keep` of the carried leaves travel on, from carried leaves and rest roots.

    Raises ValueError if `others` is not the rest of `carried`, or `keep` is not within it.
    """
    if not set(keep) <= set(carried):
        raise ValueError("a leaf to keep is not carried")
    left = iter(others)
    try:
        roots = _narrow(0, count, sorted(carried), sorted(keep), carried, left, sm3)
    except StopIteration:
        raise ValueError("the rest does not fit") from None
    if next(left, None) is not None:
        raise ValueError("the rest does not fit")
    return roots


def _narrow(
    start: int, count: int, indexes: Sequence[int], keep: Sequence[int], carried: Mapping[int, bytes],
    others: Iterator[bytes], sm3: Hash,
) -> list[bytes]:
    if not keep:
        return [_join(start, count, indexes, carried, others, sm3)]
    if len(keep) == count:
        return []
    half = split(count)
    middle, kept = bisect_left(indexes, start + half), bisect_left(keep, start + half)
    first = _narrow(start, half, indexes[:middle], keep[:kept], carried, others, sm3)
    return first + _narrow(start + half, count - half, indexes[middle:], keep[kept:], carried, others, sm3)


def join(count: int, carried: Mapping[int, bytes], others: Sequence[bytes], sm3: Hash) -> bytes | None:
    """Return the root of `count` leaves from the carried ones and the rest roots; None if the rest does not fit."""
    indexes = sorted(carried)
    if not indexes or indexes[0] < 0 or indexes[-1] >= count:
        return None
    left = iter(others)
    try:
        whole = _join(0, count, indexes, carried, left, sm3)
    except StopIteration:
        return None
    return whole if next(left, None) is None else None


def _join(
    start: int, count: int, indexes: Sequence[int], carried: Mapping[int, bytes], others: Iterator[bytes], sm3: Hash
) -> bytes:
    if not indexes:
        return next(others)
    if len(indexes) == count:
        return root([carried[index] for index in indexes], sm3)
    half = split(count)
    middle = bisect_left(indexes, start + half)
    first = _join(start, half, indexes[:middle], carried, others, sm3)
    return sm3(b"\x01" + first + _join(start + half, count - half, indexes[middle:], carried, others, sm3))


def split(count: int) -> int:
    """Return the size of the left subtree of `count` ≥ 2 leaves: the greatest power of two below it."""
    return 1 << (count - 1).bit_length() - 1
