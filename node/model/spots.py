"""Where the keys of a TOML text stand: the line of each, for whoever tells its faults."""

from __future__ import annotations

import re
from collections.abc import Mapping

Key = tuple[str | int, ...]
"""A key with the tables around it; members of a list of tables by their place from 0."""

_NAME = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*"
_LIST, _TABLE, _KEY = re.compile(rf"\s*\[\[{_DOTTED}\]\]"), re.compile(rf"\s*\[{_DOTTED}\]"), re.compile(rf"{_DOTTED}=")

_LONG = re.compile(r"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){64}")
"""A dotted key of many parts, for which parsers of TOML take time by the square; none of ours has ten."""


def long_key(text: str) -> int | None:
    """Return the line of a key of so many parts that the text is not to be parsed, None if there is none."""
    found = _LONG.search(text)
    return None if found is None else text.count("\n", 0, found.start()) + 1


def line_of(lines: Mapping[Key, int], key: Key) -> int | None:
    """Return the line of a key, or of the nearest table around it that has one."""
    return next((lines[key[:length]] for length in range(len(key), 0, -1) if key[:length] in lines), None)


def spots(text: str) -> dict[Key, int]:
    """Return the line of every table and key that begins a line; keys inside `{...}` share their line's."""
    lines: dict[Key, int] = {}
    counted: dict[Key, int] = {}
    table: Key = ()
    for number, line in enumerate(text.splitlines(), 1):
        if match := _LIST.match(line):
            name = _within((), _parts(match[1])[:-1], counted) + (_parts(match[1])[-1],)
            counted[name] = counted.get(name, -1) + 1
            table = (*name, counted[name])
            lines.setdefault(name, number)
            lines[table] = number
        elif match := _TABLE.match(line):
            table = _within((), _parts(match[1]), counted)
            lines.setdefault(table, number)
        elif match := _KEY.match(line):
            key = (*table, *_parts(match[1]))
            for length in range(len(table) + 1, len(key) + 1):
                lines.setdefault(key[:length], number)
    return lines


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_NAME, dotted))


def _within(start: Key, names: tuple[str, ...], counted: Mapping[Key, int]) -> Key:
    """Return the key of a header's names: below a list of tables it means the last of them."""
    for name in names:
        start = (*start, name)
        if start in counted:
            start = (*start, counted[start])
    return start
