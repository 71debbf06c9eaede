"""A row of a source as one line of JSON: every kind of cell has one form, and loses nothing.

| Cell | Written as |
|---|---|
| text, whole number, truth, nothing | JSON's own |
| float | JSON's number, the shortest that is read back the same |
| Decimal | a JSON number with every digit it has, without exponent |
| date, time, datetime | `2019-02-28`, `09:30:00`, `2019-02-28T09:30:00`, with fraction and offset where there is one |
| bytes | hexadecimal digits |
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from adapters.contract import Dirty, Row

MOST = 1 << 20
"""Most octets of a row: more than a record may have."""

_LONE = re.compile("[\ud800-\udfff]").search


class _Unfit(Exception):
    """A cell that has no form."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def write_row(row: Row) -> bytes | Dirty:
    """Return a row's line without its end, or what is wrong with it; the row's name the caller fills in."""
    cells = []
    for name, cell in row.items():
        try:
            cells.append(f"{json.dumps(name, ensure_ascii=False)}:{_cell(cell)}")
        except _Unfit as why:
            return Dirty(None, name, why.zh, why.en)
    line = ("{" + ",".join(cells) + "}").encode()
    if len(line) > MOST:
        return Dirty(None, "", f"此行超过{MOST}字节", f"the row has more than {MOST} octets")
    return line


def _cell(cell: Any) -> str:
    if cell is None or isinstance(cell, bool | int):
        return json.dumps(cell)
    if isinstance(cell, str):
        if _LONE(cell):
            raise _Unfit("此列的内容不合所声明的字符集", "the cell is not in the declared charset")
        return json.dumps(cell, ensure_ascii=False)
    return str(_WRITTEN[_kind(cell)](cell))


def _kind(cell: Any) -> type:
    for kind in _WRITTEN:
        if isinstance(cell, kind):
            return kind
    raise _Unfit("此列的类型无法传递", "a cell of this type cannot be handed on")


def _number(cell: float | Decimal) -> str:
    if not math.isfinite(cell):
        raise _Unfit("此列不是有限的数", "the cell is no finite number")
    return format(cell, "f") if isinstance(cell, Decimal) else repr(cell)


def _quoted(cell: date | time) -> str:
    return f'"{cell.isoformat()}"'


_WRITTEN: Mapping[type, Any] = {
    float: _number, Decimal: _number, datetime: _quoted, date: _quoted, time: _quoted,
    bytes: lambda cell: f'"{cell.hex()}"', bytearray: lambda cell: f'"{cell.hex()}"',
    memoryview: lambda cell: f'"{cell.hex()}"',
}
