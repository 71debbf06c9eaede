"""The words of a mapping file, and of what kind their values are; anything else is a fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from node.model.sentence import Sentence
from node.validate.mapping.moments import ZONE
from node.validate.mapping.texts import CASES, DIGITS, WIDTHS
from node.validate.pattern import BLANK, CONTROLS

COLUMN = 128
"""Most characters of a column's name."""
SEVERAL = 64
"""Most members of a list."""
TEXT = 4000
"""Most characters of any other text."""

Kind = tuple[Callable[[Any], bool], Sentence]


def _text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= TEXT


def _texts(value: Any) -> bool:
    fits = isinstance(value, list) and 0 < len(value) <= 1000
    return fits and all(isinstance(one, str) and len(one) <= TEXT for one in value)


def _codes(value: Any) -> bool:
    return _text(value) or isinstance(value, dict) and 0 < len(value) and all(map(_text, value.values()))


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_whole(1, TEXT), value)) and value[0] <= value[1]


def _factor(value: Any) -> bool:
    form = rf"(?:0|[1-9][0-9]{{0,{DIGITS // 4}}})(?:\.[0-9]{{1,{DIGITS // 4}}})?"
    return isinstance(value, str) and re.fullmatch(form, value) is not None and Decimal(value) > 0


def _one_of(choices: Mapping[str, Any]) -> Kind:
    said = " ".join(f'"{one}"' for one in choices)
    return lambda value: isinstance(value, str) and value in choices, Sentence(f"{said} 之一", f"one of {said}")


def is_column(value: Any) -> bool:
    """Whether a value can be a column's name."""
    if not isinstance(value, str) or not 0 < len(value) <= COLUMN or value.strip(BLANK) != value:
        return False
    return not any(low <= ord(sign) <= high for sign in value for low, high in CONTROLS)


_LIST: Kind = _texts, Sentence("文本列表", "a list of texts")
_A_TEXT: Kind = _text, Sentence("非空文本", "a text that is not empty")
_FLAG: Kind = lambda value: isinstance(value, bool), Sentence("true 或 false", "true or false")
_COUNT: Kind = _whole(1, 1000), Sentence("1至1000的整数", "a whole number from 1 to 1000")
_INSTEAD: Kind = lambda value: isinstance(value, dict) and _codes(value), Sentence(
    "如 { \"长期\" = \"2099-12-31\" } 的对照", "a table such as { \"长期\" = \"2099-12-31\" }")
_ZONE: Kind = lambda value: isinstance(value, str) and ZONE.fullmatch(value) is not None, Sentence(
    "如 \"+08:00\" 的时区", "an offset such as \"+08:00\"")

FIELD: dict[str, Kind] = {
    "from": _A_TEXT, "first": _LIST, "join": _LIST, "value": _A_TEXT,
    "by": (lambda value: isinstance(value, str) and len(value) <= SEVERAL, Sentence("文本", "a text")),
    "width": _one_of(WIDTHS), "empty": _LIST, "split": _A_TEXT, "part": _COUNT,
    "characters": (_range, Sentence("两个从1起的位置，如 [7, 14]", "two places counted from 1, such as [7, 14]")),
    "without": _A_TEXT, "case": _one_of(CASES), "number": _FLAG,
    "thousands": _one_of({",": 0, "，": 0, " ": 0, "'": 0, "_": 0}),
    "factor": (_factor, Sentence("引号内的正十进制数，如 \"10000\"", "a positive decimal in quotes, such as \"10000\"")),
    "places": (_whole(0, 10), Sentence("0至10的整数", "a whole number from 0 to 10")),
    "date": (lambda value: _text(value) or _texts(value), Sentence("日期写法或其列表", "a form of a date, or a list of them")),
    "as": _A_TEXT, "zone": _ZONE,
    "codes": (_codes, Sentence("代码对照表或其名称", "a table of codes or its name")),
    "file": _A_TEXT, "names": _A_TEXT, "otherwise": _A_TEXT, "keep": _FLAG, "default": _A_TEXT, "items": _A_TEXT,
    "instead": _INSTEAD, "given": _A_TEXT, "digest": _FLAG, "repeat": _COUNT,
}
"""The words of a field."""

HEAD: dict[str, Kind] = {
    "specification": _A_TEXT,
    "charset": _one_of({"utf-8": 0, "gb18030": 0}),
    "separator": _one_of({",": 0, "\t": 0, ";": 0, "|": 0}),
    "strict": _FLAG, "drop": _LIST, "empty": _LIST, "width": _one_of(WIDTHS), "zone": _ZONE, "title": _A_TEXT,
}
"""The words of `[mapping]`."""

FLAGS = ("number", "keep", "digest")
"""Words that say something when they are true, and nothing when they are false."""
SOURCES = ("from", "first", "join", "value")
TRANSLATIONS = ("codes", "file", "names")
_STEPS = frozenset(FIELD) - set(SOURCES) - {"repeat"}

WITH: dict[str, tuple[str, ...]] = {
    "by": ("join",), "part": ("split",), "split": ("part",), "thousands": ("number",), "factor": ("number",),
    "places": ("number",), "as": ("date",), "zone": ("date",), "otherwise": TRANSLATIONS, "keep": TRANSLATIONS,
}
"""A word, and those of which one must stand beside it."""
APART: dict[str, tuple[str, ...]] = {
    "value": tuple(sorted(_STEPS)), "split": ("characters",), "number": ("date",), "otherwise": ("keep",),
    "codes": ("file", "names"), "file": ("names",), "items": ("repeat", "default", "instead"),
    "given": ("digest", "number", "date", "split", "characters", "without", "case", *TRANSLATIONS),
    "digest": ("number", "date", *TRANSLATIONS),
}
"""A word, and those that may not stand beside it."""
