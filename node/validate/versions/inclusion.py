"""Whether every text that one pattern lets through another lets through too, for the small patterns of the profile.

The texts are followed one character at a time through both patterns: what is left of each after a character is a set of
rests (the partial derivatives of Antimirov, 1996).  Every reachable pair of the first's rest and the second's set is
looked at once; a pair whose first is at its end and whose second is not is a text that only the first lets through.

Rule: the search is bounded.  What is not found out within the bound counts as not included.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from node.validate.pattern import Chars, Choice, Count, Node, Ranges, Row, parse, walk

MOST = 200_000
"""Most steps of the search: one character through one rest."""

_Rest = tuple["_Part", ...]
_Part = tuple[object, ...]
"""A pattern as plain tuples, which can stand in sets.

They are ("chars", ranges), ("choice", rests) and ("count", rest, least, most).
"""


def included(first: str, second: str) -> bool:
    """Return whether the second pattern surely lets through whatever the first does."""
    if first == second:
        return True
    trees = parse(first), parse(second)
    signs = _signs(*trees)
    start, against = _rest(trees[0]), frozenset((_rest(trees[1]),))
    seen = {(start, against)}
    left = [(start, against)]
    steps = 0
    while left:
        one, others = left.pop()
        steps += len(signs) * (1 + len(others))
        if steps > MOST or _void(one) and not any(map(_void, others)):
            return False
        for sign in signs:
            nexts = frozenset(after for other in others for after in _after(other, sign))
            for rest in _after(one, sign):
                pair = rest, nexts
                if pair not in seen:
                    seen.add(pair)
                    left.append(pair)
    return True


def _signs(*trees: Node) -> tuple[int, ...]:
    """Return one character of every set of characters that neither pattern tells apart."""
    edges = {
        edge for tree in trees for part in walk(tree) if isinstance(part, Chars)
        for low, high in part.ranges for edge in (low, high + 1)
    }
    return tuple(sorted(edges))


def _rest(node: Node) -> _Rest:
    if isinstance(node, Row):
        return tuple(part for inner in node.parts for part in _rest(inner))
    if isinstance(node, Choice):
        return (("choice", tuple(_rest(part) for part in node.parts)),)
    if isinstance(node, Count):
        return (("count", _rest(node.part), node.least, node.most),)
    return (("chars", tuple(node.ranges)),)


@lru_cache(20_000)
def _void(rest: _Rest) -> bool:
    """Whether nothing more need come."""
    return all(_may_be_empty(part) for part in rest)


def _may_be_empty(part: _Part) -> bool:
    match part:
        case ("choice", tuple(rests)):
            return any(map(_void, rests))
        case ("count", tuple(rest), int(least), _):
            return least == 0 or _void(rest)
    return False


@lru_cache(20_000)
def _after(rest: _Rest, sign: int) -> frozenset[_Rest]:
    """Return what may be left of a rest once a character has passed."""
    return frozenset(_passed(rest, sign))


def _passed(rest: _Rest, sign: int) -> Iterator[_Rest]:
    for at, part in enumerate(rest):
        behind = rest[at + 1:]
        for inner in _through(part, sign):
            yield inner + behind
        if not _may_be_empty(part):
            return


def _through(part: _Part, sign: int) -> Iterator[_Rest]:
    match part:
        case ("chars", tuple(ranges)):
            if _holds(ranges, sign):
                yield ()
        case ("choice", tuple(rests)):
            for rest in rests:
                yield from _after(rest, sign)
        case ("count", tuple(rest), int(least), most):
            if most != 0:
                fewer = most - 1 if isinstance(most, int) else None
                again: _Rest = () if fewer == 0 else (("count", rest, max(0, least - 1), fewer),)
                for inner in _after(rest, sign):
                    yield inner + again


def _holds(ranges: Ranges, sign: int) -> bool:
    return any(low <= sign <= high for low, high in ranges)
