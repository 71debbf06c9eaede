"""A row of a source as one line of JSON: every kind of cell has one form, and loses nothing.

| Cell | Written as |
|---|---|
| text, whole number, truth, nothing | JSON's own |
| float | JSON's number, the shortest that is read back the same |
| Decimal | a JSON number with every digit it has, without exponent |
| date, time, datetime | `2019-02-28`, `09:30:00`, `2019-02-28T09:30:00`, with fraction and offset where there is one |
| timedelta | `-26:03:04.5`: hours, minutes, seconds |
| UUID | its text |
| list, dict | their JSON, as a text |
| bytes | hexadecimal digits |

Rule 1: how a row is written is found by the types of its cells, once for each combination of types.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

import orjson

from adapters.contract import Dirty, Row

MOST = 1 << 20
"""Most octets of a row: more than a record may have."""

PLANS = 4096
"""Most combinations of types that are remembered."""

_SIMPLE = frozenset({str, int, bool, type(None), date})
"""What orjson writes in our form, or refuses."""

_LEFT = frozenset({Decimal, timedelta, bytes, bytearray, memoryview})
"""What it asks us for."""


class _Unfit(Exception):
    """A cell that has no form."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def write_row(row: Row) -> bytes | Dirty:
    """Return a row's line without its end, or what is wrong with it; the row's name the caller fills in."""
    kinds = tuple(map(type, row.values()))
    plan = _PLANS.get(kinds)
    if plan is None:
        plan = _planned(kinds)
    try:
        line = orjson.dumps(_formed(row, plan) if plan else row, _left)
    except (TypeError, _Unfit):  # a lone surrogate, a number of more than 64 bits, or a cell without a form
        return _slowly(row)
    return line if len(line) <= MOST else _too_long()


Plan = Sequence[tuple[int, Callable[[Any], Any]]]
"""Which cells are to be formed before orjson writes them, and how."""

_PLANS: dict[tuple[type, ...], Plan] = {}


def _planned(kinds: tuple[type, ...]) -> Plan:
    if len(_PLANS) >= PLANS:
        _PLANS.clear()
    plan = tuple((at, _form(kind)) for at, kind in enumerate(kinds) if kind not in _SIMPLE and kind not in _LEFT)
    return _PLANS.setdefault(kinds, plan)


def _formed(row: Row, plan: Plan) -> Row:
    cells, changed = list(row.values()), False
    for at, form in plan:
        was = cells[at]
        now = cells[at] = form(was)
        changed = changed or now is not was
    return dict(zip(row, cells)) if changed else row


def _left(cell: Any) -> Any:
    """Return the form of a cell that orjson has none for."""
    return _form(type(cell))(cell)


def _form(kind: type) -> Callable[[Any], Any]:
    """Return how a type is formed: as it is itself, or as what it is a kind of."""
    return next((form for known, form in _FORMS.items() if issubclass(kind, known)), _formless)


def _slowly(row: Row) -> bytes | Dirty:
    """Write a row cell by cell, and say which cell has no form."""
    cells = []
    for name, cell in row.items():
        try:
            cells.append(f"{json.dumps(name, ensure_ascii=False)}:{_cell(cell)}".encode())
        except _Unfit as why:
            return Dirty(None, name, why.zh, why.en)
        except UnicodeEncodeError:
            return Dirty(
                None, name.encode("utf-8", "replace").decode(),
                "此列的内容不合所声明的字符集", "the cell is not in the declared charset")
    line = b"{" + b",".join(cells) + b"}"
    return line if len(line) <= MOST else _too_long()


def _cell(cell: Any) -> str:
    formed = cell if type(cell) in _SIMPLE else _form(type(cell))(cell)
    if isinstance(formed, orjson.Fragment):
        return orjson.dumps(formed).decode()
    return json.dumps(formed.isoformat() if isinstance(formed, date) else formed, ensure_ascii=False)


def _too_long() -> Dirty:
    return Dirty(None, "", f"此行超过{MOST}字节", f"the row has more than {MOST} octets")


def _formless(cell: Any) -> Any:
    raise _Unfit("此列的类型无法传递", "a cell of this type cannot be handed on")


def _float(cell: float) -> float:
    if not isfinite(cell):
        raise _Unfit("此列不是有限的数", "the cell is no finite number")
    return cell


def _decimal(cell: Decimal) -> orjson.Fragment:
    said = str(cell)
    if "E" in said or not said[-1].isdigit():  # with an exponent, or no number
        _float_like(cell)
        said = format(cell, "f")
    return orjson.Fragment(said.encode())


def _float_like(cell: Decimal) -> None:
    if not cell.is_finite():
        raise _Unfit("此列不是有限的数", "the cell is no finite number")
    exponent = cell.as_tuple().exponent
    if isinstance(exponent, int) and abs(exponent) > MOST:
        raise _Unfit(f"此列超过{MOST}位", f"the cell has more than {MOST} digits")


def _instant(cell: datetime) -> Any:
    return cell if cell.tzinfo is None else cell.isoformat()  # orjson rounds an offset that has seconds


def _interval(cell: timedelta) -> str:
    whole, part = divmod(abs(cell) // timedelta(microseconds=1), 1_000_000)
    said = f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}" + (f".{part:06}" if part else "")
    return "-" + said if cell < timedelta(0) else said


def _json(cell: Any) -> str:
    try:
        return json.dumps(cell, ensure_ascii=False, default=_plain)
    except (RecursionError, ValueError):
        raise _Unfit("此列的内容嵌套过深", "the cell is nested too deep") from None


def _plain(cell: Any) -> str:
    formed = cell if type(cell) in _SIMPLE else _form(type(cell))(cell)
    return orjson.dumps(formed).decode() if isinstance(formed, orjson.Fragment) else str(formed)


_FORMS: Mapping[type, Callable[[Any], Any]] = {
    bool: bool, int: int, str: str, float: _float, Decimal: _decimal, datetime: _instant, date: date.isoformat,
    time: time.isoformat, timedelta: _interval, UUID: str, list: _json, tuple: _json, dict: _json,
    bytes: bytes.hex, bytearray: bytearray.hex, memoryview: memoryview.hex,
}
