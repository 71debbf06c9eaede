"""Excel (xls, xlsx, xlsb) and OpenDocument (ods) books: the rows of one sheet.

Rule 1: a book is parsed in a process of its own with bounded memory and time (`book_child`): a book made to fill a
        machine fills nothing, and is broken.
Rule 2: a date is a date, a number that is whole is a whole number; one of more than fifteen digits has lost its last
        ones in Excel, so its row is dirty: identity numbers must be kept as text there.
Rule 3: a header over several rows, or of merged cells, gives names joined by `/`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.contract import Row
from adapters.files.csv_rows import names_of
from adapters.files.flaw import NUL, WIDTH, Broken, Flaw, Piece
from adapters.files.source import Source, too_large

_LOST = ("数字超过15位，在Excel中已失真，请在表中存为文本", "a number of more than 15 digits lost some in Excel; keep it as text there")
_DIGITS = 10**15
MOST = 64 << 20
"""Octets a book may have unless the configuration says otherwise; in memory it takes many times as much."""


def rows(source: Source, form: Mapping[str, Any], at: int, line: int) -> Iterator[Piece]:
    """Yield the rows behind the sheet's first `at`."""
    wanted: Sequence[str] = form.get("columns", ())
    skip, deep = form.get("skip", 0), form.get("header_rows", 1) if form.get("header", True) else 0
    names: Sequence[str] = [] if deep else wanted
    heads: list[list[str]] = []
    for number, cells in _cells(source, form):
        if number <= skip:
            continue
        if len(heads) < deep:
            heads.append([_text(cell) for cell in cells])
            if len(heads) == deep:
                names = names_of(_joined(heads), wanted, number)
            continue
        if number > at and any(cell not in (None, "") for cell in cells):
            yield Piece(number, number + 1, number, _row(cells, names, wanted))
    if deep and not names:
        raise Broken("表是空的，没有列名", "the sheet is empty and has no names of columns")


def _joined(heads: list[list[str]]) -> list[str]:
    """Return one name for each column: the different words above it."""
    wide = max(map(len, heads))
    columns = zip(*(one + [""] * (wide - len(one)) for one in heads))
    return ["/".join(dict.fromkeys(part for part in column if part)) for column in columns]


def _text(cell: Any) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _row(cells: Sequence[Any], names: Sequence[str], wanted: Sequence[str]) -> Row | Flaw:
    if any(cell not in (None, "") for cell in cells[len(names):]):
        return WIDTH
    row = dict.fromkeys(names) | dict(zip(names, cells))
    for name, cell in row.items():
        if isinstance(cell, int) and abs(cell) >= _DIGITS:
            return Flaw(name, *_LOST)
        if isinstance(cell, str) and "\0" in cell:
            return Flaw(name, *NUL)
    return {name: row[name] for name in wanted} if wanted else row


def _cells(source: Source, form: Mapping[str, Any]) -> Iterator[tuple[int, list[Any]]]:
    """Yield the number and the cells of each row, as the process that parses says them."""
    asked = {"sheet": form.get("sheet"), "heads": form.get("skip", 0) + form.get("header_rows", 1)}
    with source.seekable() as file:
        file.seek(0, 2)
        if file.tell() > source.most:
            raise too_large(source.most)
        file.seek(0)
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "adapters.files.book_child", str(file.fileno()), json.dumps(asked)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=(file.fileno(),))
        assert child.stdout is not None
        try:
            ended = False
            for said in child.stdout:
                told = json.loads(said)
                if isinstance(told, dict):
                    if not told.get("end"):
                        raise Broken(told["zh"], told["en"])
                    ended = True
                else:
                    yield told[0], told[1]
            if not ended:
                raise Broken("表格文件过大或损坏，解析已中止", "the book is too large or damaged; parsing was ended")
        finally:
            child.kill()
            child.stdout.close()
            child.wait()
