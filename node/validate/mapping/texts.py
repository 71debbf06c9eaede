"""Steps that a column's text goes through: each takes a text and returns one, or raises Unfit.

All of them are pure, take time proportional to the text, and were built once when the mapping was read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from typing import Any

from node.validate.mapping.wording import LONGEST, Unfit
from node.validate.pattern import BLANK

Row = Mapping[str, Any]
Step = Callable[[str], str]
Take = Callable[[Row], str | None]

DIGITS = 40
"""Most characters of a number."""
UNREADABLE = object()
"""Stands in a row where octets could not be decoded."""

_LETTERS = [*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)]
HALF = {code: code - 0xFEE0 for code in _LETTERS}
"""Full-width digits and letters to their ASCII forms."""
HALF_ALL = {**{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}, 0x3000: 0x20}
"""All full-width forms, signs and the blank U+3000 too."""
WIDTHS: dict[str, Mapping[int, int]] = {"half": HALF, "half-all": HALF_ALL, "keep": {}}
CASES: dict[str, Step] = {"upper": str.upper, "lower": str.lower}

_EXACT = Context(prec=2 * DIGITS)
_NUMBER = re.compile(r"([+-]?)(?:0*)([0-9]*)(?:\.([0-9]*))?").fullmatch


def column(name: str, width: Mapping[int, int], empty: frozenset[str]) -> Take:
    """Return what takes a column's text, without blanks at its ends; None if it is absent or one of `empty`."""
    longest = LONGEST

    def take(row: Row) -> str | None:
        raw = row.get(name)
        if raw is None:
            return None
        if raw.__class__ is not str:
            raw = written(raw)
        if len(raw) > longest:
            raise Unfit("mapping-text", longest)
        text: str = raw.strip(BLANK)
        return None if text in empty else text

    if not width:
        return take

    def half(row: Row) -> str | None:
        text = take(row)
        if text is None or text.isascii():
            return text
        text = text.translate(width).strip(BLANK)
        return None if text in empty else text

    return half


def written(raw: Any) -> str:
    """Return the text of what a row holds and is no text; raise Unfit for what is neither a number nor a truth."""
    if raw is True or raw is False:
        return "true" if raw else "false"
    if isinstance(raw, int) and raw.bit_length() <= 3 * DIGITS:
        return str(raw)
    if isinstance(raw, Decimal) and raw.is_finite() and abs(raw.adjusted()) <= DIGITS >= len(raw.as_tuple()[1]):
        return format(raw, "f")
    if isinstance(raw, str):
        return str(raw)
    if raw is UNREADABLE:
        raise Unfit("mapping-charset", "UTF-8 / GB18030")
    raise Unfit("mapping-text", LONGEST)


def first(takes: list[Take]) -> Take:
    """Return what takes the first text there is."""
    def take(row: Row) -> str | None:
        for one in takes:
            text = one(row)
            if text is not None:
                return text
        return None

    return take


def join(takes: list[Take], by: str, whole: bool) -> Take:
    """Return what joins the texts there are; with `whole` there is none unless all are there."""
    def take(row: Row) -> str | None:
        texts = [text for one in takes if (text := one(row)) is not None]
        if not texts or whole and len(texts) < len(takes):
            return None
        joined = by.join(texts)
        if len(joined) > LONGEST:
            raise Unfit("mapping-text", LONGEST)
        return joined

    return take


def constant(text: str) -> Take:
    """Return what takes the same text from every row."""
    return lambda row: text


def through(take: Take, steps: list[Step], default: str | None, instead: Mapping[str, str]) -> Take:
    """Return what takes a text through steps; one that a step leaves empty is absent, and `default` stands for it.

    A text that `instead` knows becomes what stands there and goes through no step.
    """
    if not steps and default is None and not instead:
        return take
    if len(steps) == 1 and default is None and not instead:
        only = steps[0]
        return lambda row: None if (text := take(row)) is None else only(text) or None

    def taken(row: Row) -> str | None:
        text = take(row)
        if text is None:
            return default
        if text in instead:
            return instead[text]
        for step in steps:
            text = step(text)
            if not text:
                return default
        return text

    return taken


def part(by: str, number: int) -> Step:
    """Return the step that takes one part of a text, counted from 1; a part that is not there is empty."""
    def step(text: str) -> str:
        parts = text.split(by, number)
        return parts[number - 1].strip(BLANK) if len(parts) >= number else ""

    return step


def characters(low: int, high: int) -> Step:
    """Return the step that takes characters `low` to `high`, counted from 1."""
    def step(text: str) -> str:
        if len(text) < high:
            raise Unfit("mapping-split", f"{low}–{high}")
        return text[low - 1:high].strip(BLANK)

    return step


def without(signs: str) -> Step:
    """Return the step that takes signs out of a text."""
    gone = {ord(sign): None for sign in signs}
    return lambda text: text.translate(gone).strip(BLANK)


def codes(known: Mapping[str, str], otherwise: str | None, keep: bool) -> Step:
    """Return the step that translates a code; an unknown one becomes `otherwise`, or is kept, or is a problem."""
    def step(text: str) -> str:
        code = known.get(text, otherwise)
        if code is None:
            if keep:
                return text
            raise Unfit("mapping-code")
        return code

    return step


def digest(sm3: Callable[[bytes], bytes]) -> Step:
    """Return the step that names a text of any signs in ASCII: the first 40 hex digits of its SM3 in UTF-8."""
    def step(text: str) -> str:
        try:
            return sm3(text.encode()).hex()[:40]
        except UnicodeEncodeError:
            raise Unfit("mapping-text", LONGEST) from None

    return step


def number(thousands: str, factor: Decimal | None, places: int | None) -> Step:
    """Return the step that writes a number plainly, times `factor`, with exactly `places` digits after the point.

    Nothing is rounded: what does not come out exactly raises Unfit(mapping-number).  Without `places` the digits after
    the point stay as they are, or, times a factor, as many as are needed.
    """
    grouped = re.compile(rf"[+-]?[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+(?:\.[0-9]*)?").fullmatch
    said = "1234567.89" if not thousands else f"1{thousands}234{thousands}567.89"

    def step(text: str) -> str:
        if thousands and thousands in text and len(text) <= DIGITS:
            if grouped(text) is None:
                raise Unfit("mapping-number", said)
            text = text.replace(thousands, "")
        found = _NUMBER(text) if len(text) <= DIGITS else None
        if found is None or not text.strip("+-."):
            raise Unfit("mapping-number", said)
        sign, whole, fraction = found.groups()
        whole, fraction = whole or "0", fraction or ""
        if factor is not None:
            plain = format(_EXACT.multiply(Decimal(f"{whole}.{fraction}0"), factor), "f")
            whole, _, fraction = plain.partition(".")
            fraction = fraction.rstrip("0")
        if places is not None:
            if fraction[places:].strip("0"):
                raise Unfit("mapping-number", said)
            fraction = fraction[:places].ljust(places, "0")
        plain = f"{whole}.{fraction}" if fraction else whole
        return f"-{plain}" if sign == "-" and plain.strip("0.") else plain

    return step
