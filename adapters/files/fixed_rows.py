"""Lines of fixed width: each field is so many octets of the file's charset, padded with blanks.

Rule 1: a line may end early, for programs cut blanks off: what is missing is empty.  One that is longer is dirty.
Rule 2: a character that the edge of a field cuts in two makes the row dirty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.contract import Row
from adapters.files.charset import find
from adapters.files.flaw import NUL, TOO_LONG, UNDECODED, Flaw, Piece
from adapters.files.lines import lines
from adapters.files.source import Source

_LONGER = Flaw("", "此行比声明的宽度长", "the line is longer than the declared widths")


def rows(source: Source, form: Mapping[str, Any], at: int, line: int) -> Iterator[Piece]:
    """Yield the rows from a place on."""
    charset, mark = find(source, form.get("encoding", "auto"))
    cuts = _cuts(form["fields"])
    with source.open(at := max(at, mark)) as file:
        for one in lines(file, at, line):
            if one.number <= form.get("skip", 0):
                continue
            if one.octets is None:
                yield Piece(one.after, one.number + 1, one.number, TOO_LONG)
            elif octets := one.octets.rstrip(b"\r\n\x1a"):
                yield Piece(one.after, one.number + 1, one.number, cut(octets, cuts, charset))


def _cuts(fields: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, int]]:
    found, at = [], 0
    for one in fields:
        found.append((one["name"], at, at + one["width"]))
        at += one["width"]
    return found


def cut(octets: bytes, cuts: list[tuple[str, int, int]], charset: str) -> Row | Flaw:
    """Return the fields of a line."""
    if octets[cuts[-1][2]:].strip():
        return _LONGER
    row = {}
    for name, begin, end in cuts:
        try:
            row[name] = octets[begin:end].decode(charset).strip(" ")
        except UnicodeDecodeError:
            return Flaw(name, *UNDECODED)
        if "\0" in row[name]:
            return Flaw(name, *NUL)
    return row
