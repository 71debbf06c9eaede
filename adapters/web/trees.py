"""An answer as a tree of names, lists and scalars, whether it came as JSON or XML; and a row of it as flat columns.

Rule 1: a nested object's columns have dotted names (`address.city`); a list becomes one cell, its text in JSON.
Rule 2: numbers keep every digit.  What has no form as a cell (a number of 400 digits, NaN, a name that stands twice, a
        list of lists without end) is `Odd`, and makes its row dirty; the rows beside it go on.
Rule 3: a path is names with dots for JSON (`data.list`), with slashes for XML (`Body/queryResponse/row`, from below the
        root, without prefixes); a whole number takes a place of a list.  The empty path is the whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from adapters.contract import Dirty, Row, Unavailable

DEPTH = 16
"""Most levels of a row."""
COLUMNS = 2000
"""Most columns of a row."""
DIGITS = 400
"""Most digits of a number."""
_NAME = 300
"""Most signs of a column's name."""

_LONE = re.compile("[\ud800-\udfff]").search
_MANY = ("此行的列过多或嵌套过深", "the row has too many columns, or too deep ones")


class Missing:
    """What a path leads to where nothing is."""


MISSING = Missing()

Way = Callable[[Any, str], Any]
"""Follows a path in a tree; MISSING where it leads to nothing."""


class Odd:
    """What stands where a scalar should and has no form as a cell, and why."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh, self.en = zh, en

    def __repr__(self) -> str:
        return f"Odd({self.en})"


_LONG = Odd(f"此列的数超过{DIGITS}位", f"the number has more than {DIGITS} digits")
_NAN = Odd("此列不是有限的数", "the cell is no finite number")


def read_json(text: str) -> Any:
    """Return the tree of a JSON document; raise Unavailable for what is none."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        what = ("HTML页面", "an HTML page") if text.lstrip()[:1] == "<" else ("不完整或有误的JSON", "cut off, or not JSON")
        raise Unavailable(f"答复不是JSON（{what[0]}）", f"the answer is not JSON ({what[1]})") from None


def _object(pairs: list[tuple[str, Any]]) -> Any:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            # It keeps the members, so that what lies beside a name that stands twice can still be reached.
            made[name] = Odd("此列的名称出现了两次", "the name of the column stands twice")
        seen.add(name)
    return made


def _whole(digits: str) -> Any:
    return int(digits) if len(digits) <= DIGITS else _LONG


def _fraction(digits: str) -> Any:
    number = Decimal(digits)
    return number if _short(number) else _LONG


def _short(number: Decimal) -> bool:
    _, digits, exponent = number.as_tuple()
    return isinstance(exponent, int) and len(digits) + abs(exponent) <= DIGITS


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction,
                            parse_constant=lambda said: _NAN)


def dotted(tree: Any, path: str) -> Any:
    """Follow a path of names with dots."""
    return _follow(tree, path.split(".") if path else [])


def slashed(tree: Any, path: str) -> Any:
    """Follow a path of names with slashes; an element that stands once is a list of one where a place is asked for."""
    return _follow(tree, path.strip("/").split("/") if path.strip("/") else [])


def _follow(tree: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(tree, Mapping) and step in tree:
            tree = tree[step]
        elif isinstance(tree, list) and step.isascii() and step.isdigit() and len(step) < 9 and int(step) < len(tree):
            tree = tree[int(step)]
        else:
            return MISSING
    return tree


def scalar(value: Any) -> str | None:
    """Return a scalar as a text, None for nothing and for what is no scalar; truth is `true` or `false`."""
    if isinstance(value, Mapping) and isinstance(value.get(""), str):  # an element with attributes
        return str(value[""])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, str | int) else None


def flat(tree: Any, without: frozenset[str] = frozenset()) -> Row | Dirty:
    """Return a row of a tree, some of its columns left out; or what is wrong with it, without its name."""
    if not isinstance(tree, Mapping):
        return Dirty(None, "", "此行不是一组有名称的列", "the row is no set of named columns")
    row: dict[str, Any] = {}
    for name, cell in _cells(tree, "", 0):
        if name in without:
            continue
        if name is _DEEP or len(row) >= COLUMNS or len(name) > _NAME or _LONE(name):
            return Dirty(None, "", *_MANY)
        if isinstance(cell, Odd):
            return Dirty(None, name, cell.zh, cell.en)
        if isinstance(cell, str) and _LONE(cell):
            return Dirty(None, name, "此列的内容不合所声明的字符集", "the cell is not in the declared charset")
        if name in row:
            return Dirty(None, name, "此列的名称出现了两次", "the name of the column stands twice")
        row[name] = cell
    return row


_DEEP = "\0"


def _cells(tree: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        at = f"{before}.{name}" if before and name else before or name
        if isinstance(value, Mapping):
            if depth >= DEPTH:
                yield _DEEP, None
                return
            yield from _cells(value, at, depth + 1)
        elif isinstance(value, list):
            yield at, _listed(value)
        else:
            yield at, value


def _listed(values: list[Any]) -> Any:
    try:
        return _text(values, 0)
    except _NoForm as found:
        return found.odd


class _NoForm(Exception):
    def __init__(self, odd: Odd) -> None:
        self.odd = odd


def _text(value: Any, depth: int) -> str:
    """Return a tree in JSON, every digit kept."""
    if isinstance(value, Odd):
        raise _NoForm(value)
    if depth > DEPTH:
        raise _NoForm(Odd(*_MANY))
    if isinstance(value, list):
        return "[" + ",".join(_text(one, depth + 1) for one in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_text(name, 0)}:{_text(one, depth + 1)}" for name, one in value.items()) + "}"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False)
