"""The process that parses one book: `python -m adapters.files.book_child DESCRIPTOR ASKED`.

It says each row as one line of JSON, `[number, cells]`, and at the end `{"end": true}`, or `zh` and `en` of what is
wrong.
It may use so much memory and so much time of a processor; more, and the kernel ends it.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

MEMORY = 2 << 30
SECONDS = 300
_DEATH = 1
_WIDTH = 1024
"""Most columns that are given; a sheet of data has no more."""
_HEADS = 200
"""A header lies in the first so many rows."""


class _Wrong(Exception):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def main() -> None:
    """Parse one book."""
    ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = json.loads(sys.argv[2])
    out = sys.stdout
    try:
        with os.fdopen(int(sys.argv[1]), "rb") as file:
            for row in _rows(file, asked):
                out.write(json.dumps(row, ensure_ascii=True) + "\n")
        said: dict[str, Any] = {"end": True}
    except _Wrong as why:
        said = {"zh": why.zh, "en": why.en}
    except BaseException as why:  # a panic of the parser is one that Exception does not catch
        name = type(why).__name__[:40]
        said = {"zh": f"表格文件不可读（{name}）", "en": f"the book cannot be read ({name})"}
    out.write(json.dumps(said) + "\n")
    out.flush()


def _rows(file: Any, asked: dict[str, Any]) -> Iterator[list[Any]]:
    import python_calamine  # here, so that its memory counts against the bound

    book = python_calamine.CalamineWorkbook.from_filelike(file)
    sheet = _sheet(book, asked["sheet"])
    if sheet.start is None:
        return
    merged = _merged(sheet)
    for number, cells in enumerate(sheet.iter_rows(), 1):  # columns count from the first that is used
        if number <= asked["heads"]:
            for column, origin in merged.get(number - 1, {}).items():
                if column < len(cells):
                    cells[column] = cells[origin]
        while cells and cells[-1] in ("", None):
            cells.pop()
        if len(cells) > _WIDTH:
            raise _Wrong(f"表超过{_WIDTH}列", f"the sheet has more than {_WIDTH} columns")
        yield [number, [_cell(one) for one in cells]]


def _merged(sheet: Any) -> dict[int, dict[int, int]]:
    """Return by row and column, for cells that are merged sideways, the column where their text stands."""
    found: dict[int, dict[int, int]] = {}
    left = sheet.start[1]
    for (top, first), (_, last) in sheet.merged_cell_ranges or ():
        if top < _HEADS and last - first < _WIDTH:
            found.setdefault(top, {}).update({
                column - left: first - left for column in range(first, last + 1)})
    return found


def _sheet(book: Any, wanted: Any) -> Any:
    names = book.sheet_names
    if isinstance(wanted, str):
        if wanted not in names:
            raise _Wrong("没有所指定的工作表", "the sheet that is named is not there")
        return book.get_sheet_by_name(wanted)
    index = (wanted or 1) - 1
    if index >= len(names):
        raise _Wrong("没有所指定的工作表", "the sheet that is named is not there")
    return book.get_sheet_by_index(index)


def _cell(cell: Any) -> Any:
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else cell
    if isinstance(cell, timedelta):
        seconds = int(cell.total_seconds())
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return None if cell == "" else cell


if __name__ == "__main__":
    main()
