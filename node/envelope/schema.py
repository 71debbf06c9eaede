"""Closed member schemas as data: what a member may be, and one function that holds a value against it.

Rule 1: a schema is a table; no statement kind has code of its own here.
Rule 2: a refusal names the member and what was expected of it, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

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
