"""NDJSON: each line one JSON object.

Rule 1: a number keeps every digit it has.
Rule 2: what is nested becomes columns (`nested`); a name that comes twice in an object makes the row dirty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.contract import Row
from adapters.files.charset import find
from adapters.files.flaw import NUL, TOO_LONG, UNDECODED, Broken, Flaw, Piece
from adapters.files.lines import lines
from adapters.files.nested import Deep, cells
from adapters.files.source import Source

_NONE = Flaw("", "此行不是JSON对象", "the line is no JSON object")
_TWICE = Flaw("", "同一名称出现两次", "a name comes twice")
_DEEP = Flaw("", "嵌套过深", "it is nested too deeply")
_DIGITS = 1000


def rows(source: Source, form: Mapping[str, Any], at: int, line: int) -> Iterator[Piece]:
    """Yield the rows from a place on."""
    charset, mark = find(source, form.get("encoding", "auto"))
    given = 0
    with source.open(at := max(at, mark)) as file:
        for one in lines(file, at, line):
            octets = one.octets
            if octets is not None and not octets.strip():
                continue
            row = TOO_LONG if octets is None else parse(octets, charset)
            if row is _NONE and not given and one.number == 1 and octets and octets.lstrip()[:1] in (b"[", b""):
                raise Broken("文件不是每行一个JSON对象", "the file does not hold one JSON object a line", 1)
            given += 1
            yield Piece(one.after, one.number + 1, one.number, row)


def parse(octets: bytes, charset: str) -> Row | Flaw:
    """Return the object of one line as a row."""
    try:
        said = json.loads(
            octets.decode(charset).removeprefix("\ufeff"), parse_float=_number, parse_int=_whole,
            parse_constant=_refuse, object_pairs_hook=_object)
        if not isinstance(said, dict):
            return _NONE
        row: dict[str, Any] = {}
        for name, cell in cells(said):
            if name in row:
                return _TWICE
            if isinstance(cell, str) and "\0" in cell:
                return Flaw(name, *NUL)
            row[name] = cell
        return row
    except UnicodeDecodeError:
        return Flaw("", *UNDECODED)
    except (Deep, RecursionError):
        return _DEEP
    except KeyError:
        return _TWICE
    except (ValueError, InvalidOperation):
        return _NONE


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise KeyError
    return made


def _number(said: str) -> Decimal:
    value = Decimal(said)
    if abs(value.adjusted()) > _DIGITS:
        raise ValueError  # written out it would be as long as it says
    return value


def _whole(said: str) -> int:
    if len(said) > _DIGITS:
        raise ValueError
    return int(said)


def _refuse(said: str) -> Any:
    raise ValueError
