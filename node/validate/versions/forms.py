"""What a change of a field's form means: lengths, bounds, digits, codes, patterns."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from node.validate import pattern
from node.validate.shape import Facets, Leaf
from node.validate.versions.inclusion import included
from node.validate.versions.verdict import Difference, breaking, widening

SHOWN = 10
"""Most codes that a difference names."""

_KINDS = {None: ("文本", "text"), "integer": ("整数", "whole number"), "decimal": ("十进制数", "decimal number")}


def compare_forms(path: str, old: Leaf, new: Leaf) -> Iterator[Difference]:
    """Yield what a leaf's change of form means."""
    if old.numeric != new.numeric:
        (zh, en), (zh_new, en_new) = _KINDS[old.numeric], _KINDS[new.numeric]
        # Every text of a whole number is one of a decimal; every other change is one of kind.
        tell = widening if (old.numeric, new.numeric) == ("integer", "decimal") else breaking
        yield tell(path, "kind", f"由{zh}改为{zh_new}", f"was a {en} and is a {en_new}")
        if tell is breaking:
            return
    if new.numeric:
        yield from _numbers(path, old, new)
    else:
        yield from _lengths(path, old.facets, new.facets)
        yield from _texts(path, old.facets, new.facets)


def codes(path: str, what: str, old: frozenset[str], new: frozenset[str]) -> Iterator[Difference]:
    """Yield what codes taken away and added mean."""
    for tell, gone, zh, en in (
        (breaking, old - new, "去除代码", "codes removed"), (widening, new - old, "增加代码", "codes added"),
    ):
        if gone:
            yield tell(path, what, f"{zh}：{listed(gone)}", f"{en}: {listed(gone)}")


def listed(some: frozenset[str]) -> str:
    """Return some codes, the first of many and how many there are."""
    first = " ".join(sorted(some)[:SHOWN])
    return first if len(some) <= SHOWN else f"{first} … ({len(some)})"


# --- numbers ----------------------------------------------------------------------------------------------------


def _numbers(path: str, old: Leaf, new: Leaf) -> Iterator[Difference]:
    first, second = old.facets, new.facets
    for what, was, now, zh, en in (
        ("least", _low(first), _low(second), "下限", "lower bound"),
        ("most", _high(first), _high(second), "上限", "upper bound"),
        ("total-digits", _count(first.total_digits), _count(second.total_digits), "有效位数", "digits"),
        ("fraction-digits", _places(old), _places(new), "小数位数", "digits after the point"),
    ):
        if was != now:
            # Each is written so that the greater lets more through.
            tell, way = (widening, ("放宽", "loosened")) if now > was else (breaking, ("收紧", "tightened"))
            yield tell(path, what, f"{zh}{way[0]}", f"{en} {way[1]}")


_Bound = tuple[bool, Decimal, bool]
"""Whether there is none; its value so signed that the greater lets more through; whether the bound itself passes."""


def _low(facets: Facets) -> _Bound:
    bounds = [(-bound, passes) for bound, passes in ((facets.least, True), (facets.above, False)) if bound is not None]
    return _bound(bounds)


def _high(facets: Facets) -> _Bound:
    return _bound([(one, passes) for one, passes in ((facets.most, True), (facets.below, False)) if one is not None])


def _bound(bounds: list[tuple[Decimal, bool]]) -> _Bound:
    return (False, *min(bounds)) if bounds else (True, Decimal(0), False)


def _places(leaf: Leaf) -> _Bound:
    return _count(0 if leaf.numeric == "integer" else leaf.facets.fraction_digits)


def _count(number: int | None) -> _Bound:
    return (True, Decimal(0), False) if number is None else (False, Decimal(number), True)


# --- texts ------------------------------------------------------------------------------------------------------


def _lengths(path: str, old: Facets, new: Facets) -> Iterator[Difference]:
    shortest, longest = bounds(old)
    low, high = bounds(new)
    if low != shortest:
        tell = breaking if low > shortest else widening
        yield tell(path, "min-length", f"最少字符数由{shortest}改为{low}", f"at least {shortest} characters, now {low}")
    if high != longest:
        tell = widening if longest is not None and (high is None or high > longest) else breaking
        zh, en = (("不限" if one is None else str(one)) for one in (longest, high)), (
            ("any number" if one is None else str(one)) for one in (longest, high))
        yield tell(path, "max-length", "最多字符数由{}改为{}".format(*zh), "at most {} characters, now {}".format(*en))


def bounds(facets: Facets) -> tuple[int, int | None]:
    """Return the fewest and the most characters of a text, by its lengths, pattern and codes together."""
    if facets.enumeration is not None:
        sizes = [len(code) for code in facets.enumeration]
        return min(sizes), max(sizes)
    tree = pattern.parse(facets.pattern) if facets.pattern else None
    low = max(facets.min_length or 0, shortest(tree) if tree else 1)
    highs = [size for size in (facets.max_length, pattern.longest(tree) if tree else None) if size is not None]
    return low, min(highs) if highs else None


def shortest(node: pattern.Node) -> int:
    """Return the least number of characters that can pass."""
    if isinstance(node, pattern.Chars):
        return 1
    if isinstance(node, pattern.Count):
        return node.least * shortest(node.part)
    sizes = [shortest(part) for part in node.parts]
    return min(sizes) if isinstance(node, pattern.Choice) else sum(sizes)


def _texts(path: str, old: Facets, new: Facets) -> Iterator[Difference]:
    was, now = old.enumeration, new.enumeration
    if was is not None and now is not None:
        yield from codes(path, "enumeration", frozenset(was), frozenset(now))
    elif now is not None:
        yield breaking(path, "enumeration", f"改为只允许：{' '.join(now)}", f"only these are left: {' '.join(now)}")
    elif was is not None:
        tell = widening if new.pattern is None or all(_passes(code, new) for code in was) else breaking
        yield tell(path, "enumeration", "不再限于列出的代码", "no longer bound to a list of codes")
    if was is None and now is None and old.pattern != new.pattern:
        first, second = old.pattern or "", new.pattern or ""
        if included(first, second):
            tell, way = widening, ("放宽", "loosened")
        else:
            tell, way = breaking, ("收紧或改变", "tightened or changed")
        yield tell(path, "pattern", f"模式{way[0]}：{_cut(first)} → {_cut(second)}",
                   f"pattern {way[1]}: {_cut(first)} → {_cut(second)}")


def _passes(code: str, facets: Facets) -> bool:
    literal = "".join(f"\\{sign}" if sign in pattern.SPECIAL else sign for sign in code)
    return included(literal, facets.pattern or "")


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
