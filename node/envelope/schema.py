"""Closed member schemas as data: what a member may be, one function that holds a value against it, and one gate.

Rule 1: a schema is a table; no statement kind has code of its own here.
Rule 2: a refusal names the member and what was expected of it, never the value.
Rule 3: canonical JSON has one spelling, so a schema is also a pattern of octets.  The gate may only say yes: what it
        matches is canonical and conforms; everything else is walked member by member, and that alone refuses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

import orjson

from node.envelope import canonical
from node.envelope.canonical import MAX_NUMBER
from node.model import codes
from node.model.trouble import Trouble, trouble


@dataclass(frozen=True, slots=True)
class Text:
    """A text that matches the whole pattern."""

    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number within bounds, both included."""

    low: int = 0
    high: int = MAX_NUMBER


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Many:
    """An array of one sort of member, with bounds on its length."""

    of: Rule
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Pair:
    """An array of exactly two members of different sorts."""

    first: Rule
    second: Rule


@dataclass(frozen=True, slots=True)
class Group:
    """An object whose members are closed: all of `must`, any of `may`, nothing else."""

    must: Mapping[str, Rule]
    may: Mapping[str, Rule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Open:
    """An object of any canonical members (`ext`): unknown ones are ignored and kept."""


FEW = 16
"""Entries of an array up to which the gate follows it."""

Rule = Union[Text, Number, Flag, Many, Pair, Group, Open]


def text(pattern: str) -> Text:
    """Return the rule of a text."""
    return Text(re.compile(pattern))


def conform(rule: Rule, value: Any, where: str) -> None:
    """Return if `value` (of canonical JSON) is what `rule` wants; raise Refused(STATEMENT) naming the member."""
    if isinstance(rule, Text):
        if type(value) is not str or not rule.pattern.fullmatch(value):
            raise _refusal(where, "text")
    elif isinstance(rule, Number):
        if type(value) is not int or not rule.low <= value <= rule.high:
            raise _refusal(where, "number")
    elif isinstance(rule, Group):
        _group(rule, value, where)
    elif isinstance(rule, Many):
        if not isinstance(value, list) or not rule.low <= len(value) <= rule.high:
            raise _refusal(where, "array")
        for member in value:
            conform(rule.of, member, where)
    elif isinstance(rule, Pair):
        if not isinstance(value, list) or len(value) != 2:
            raise _refusal(where, "pair")
        conform(rule.first, value[0], where)
        conform(rule.second, value[1], where)
    elif isinstance(rule, Flag):
        if type(value) is not bool:
            raise _refusal(where, "flag")
    elif type(value) is not dict:
        raise _refusal(where, "object")


class Form:
    """Whole documents of one schema as canonical JSON, there and back; `name` stands before the members it refuses."""

    def __init__(self, rule: Group, name: str) -> None:
        self.rule, self._name = rule, name
        spelled = spelling(rule)
        self._gate = re.compile(spelled.encode("ascii")) if spelled else None

    def read(self, content: bytes, limit: int) -> Any:
        """Return the value of octets; raise Refused: TOO_LARGE above `limit`, STATEMENT for what has another form."""
        if len(content) <= limit and self.passes(content):
            return orjson.loads(content)
        value = canonical.read(content, limit)
        conform(self.rule, value, self._name)
        return value

    def write(self, value: Mapping[str, Any], limit: int | None = None) -> bytes:
        """Return the octets of a value; raises as `read`."""
        content = canonical.spell(value)
        if (limit is None or len(content) <= limit) and self.passes(content):
            return content
        conform(self.rule, value, self._name)
        return canonical.write(value, limit)

    def passes(self, content: bytes) -> bool:
        """Return whether the gate says yes: `content` is canonical and of this form; a no says nothing."""
        return self._gate is not None and self._gate.fullmatch(content) is not None


def spelling(rule: Rule) -> str | None:
    """Return a pattern that only canonical spellings of conforming values match, and nearly all of them; None for none.

    It leaves out open objects, numbers as long as the bound, and long arrays: they are seldom, and walked.
    """
    if isinstance(rule, Text):
        return f'"(?:{rule.pattern.pattern})"'
    if isinstance(rule, Number):
        return _number_spelling(rule)
    if isinstance(rule, Flag):
        return "(?:true|false)"
    if isinstance(rule, Group):
        return _group_spelling(rule)
    if isinstance(rule, Many):
        one, most = spelling(rule.of), min(rule.high, FEW)
        if one is None or rule.low > 1:
            return None
        listed = f"{one}(?:,{one}){{0,{most - 1}}}"
        return rf"\[{listed}\]" if rule.low else rf"\[(?:{listed})?\]"
    return None


def _number_spelling(rule: Number) -> str | None:
    digits = len(str(rule.high + 1)) - 1  # so many nines are within the bound
    if digits == 0 or rule.low > 1:
        return None
    counted = f"[1-9][0-9]{{0,{digits - 1}}}"
    return counted if rule.low else f"(?:0|{counted})"


def _group_spelling(rule: Group) -> str | None:
    parts, found = "", False
    for name in sorted({**rule.must, **rule.may}):
        member = spelling(rule.must.get(name) or rule.may[name])
        if name in rule.must:
            if member is None:
                return None
            parts += ("," if found else "") + f'"{name}":{member}'
            found = True
        elif member is not None:
            parts += f'(?:,"{name}":{member})?' if found else f'(?:"{name}":{member},)?'
    return rf"\{{{parts}\}}" if found else None


def _group(rule: Group, value: Any, where: str) -> None:
    if type(value) is not dict:
        raise _refusal(where, "object")
    for name, part in rule.must.items():
        if name not in value:
            raise _refusal(f"{where}.{name}", "missing")
        conform(part, value[name], f"{where}.{name}")
    if len(value) == len(rule.must):
        return
    for name, member in value.items():
        if name not in rule.must:
            if name not in rule.may:
                raise _refusal(where, "unknown member")
            conform(rule.may[name], member, f"{where}.{name}")


def _refusal(where: str, what: str) -> Trouble:
    return trouble(codes.STATEMENT, reason=f"{where}: {what}")
