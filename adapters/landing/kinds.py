"""The kind of a column, by its type as the database describes it: how a text of a record becomes its value.

Rule 1: a type that we do not know is given the text, and the database judges it.
Rule 2: SQLite keeps what it is given, whatever the column is declared as; there dates are text, and numbers are held
        to what it keeps without loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timezone
from typing import Any

from sqlalchemy import types

from adapters.landing import cells
from adapters.landing.cells import Fit

_LONG, _INT, _SMALL = 64, 32, 16
_BITS = {"TINYINT": 8, "MEDIUMINT": 24, "BIGINT": _LONG, "SMALLINT": _SMALL, "INT128": 128}


def _name(kind: Any) -> str:
    """Return what a type is called; the dialect of Firebird puts letters of its own before it."""
    return type(kind).__name__.upper().removeprefix("FB")


def fit_for(kind: Any, dialect: str, zone: timezone, charset: str | None = None) -> Fit:
    """Return what makes values of a column of this type; `charset` is that of its text."""
    if dialect == "sqlite":
        return _sqlite(kind, zone)
    if isinstance(kind, types.Boolean) or type(kind).__name__ == "BIT" and dialect == "mssql":
        return cells.truth
    if isinstance(kind, types.Integer):
        return _whole(kind, dialect)
    if isinstance(kind, types.Numeric):
        return _number(kind, dialect)
    if isinstance(kind, types.JSON):
        return cells.as_json
    return _temporal(kind, dialect, zone) or _textual(kind, dialect, charset)


def _whole(kind: Any, dialect: str) -> Fit:
    name = _name(kind)
    if dialect == "mysql" and name == "TINYINT" and kind.display_width == 1:
        return _truth_or_whole
    bits = _LONG if isinstance(kind, types.BigInteger) else _SMALL if isinstance(kind, types.SmallInteger) else _INT
    bits = _BITS.get(name, bits)
    if dialect == "oracle":
        return cells.exact(38, 0)
    if getattr(kind, "unsigned", False) or name == "TINYINT" and dialect == "mssql":
        return cells.whole(0, (1 << bits) - 1)
    return cells.whole(-(1 << bits - 1), (1 << bits - 1) - 1)


def _truth_or_whole(value: Any) -> int:
    """Return what MySQL's BOOLEAN keeps: it is a small number."""
    return int(cells.truth(value)) if value in ("true", "false") else _tiny(value)


_tiny = cells.whole(-128, 127)


def _number(kind: Any, dialect: str) -> Fit:
    if isinstance(kind, types.Float):
        name, precision = _name(kind), getattr(kind, "precision", None)
        single = name == "REAL" and dialect != "mysql" or name == "FLOAT" and (
            dialect in ("mysql", "firebird") and (precision or 0) <= _SINGLE
            or precision is not None and precision <= _SINGLE)
        return cells.floating(single)
    precision, scale = kind.precision, kind.scale
    return cells.exact(precision, scale if scale is not None or precision is None else 0)


_SINGLE = 24


def _temporal(kind: Any, dialect: str, zone: timezone) -> Fit | None:
    if isinstance(kind, types.DateTime) or dialect == "oracle" and type(kind).__name__ == "DATE":
        return cells.stamp(zone, _precision(kind, dialect), bool(getattr(kind, "timezone", False)))
    if isinstance(kind, types.Date):
        return cells.day(zone)
    if isinstance(kind, types.Time):
        return cells.clock(_precision(kind, dialect), zone)
    return None


_PRECISION: Mapping[str, int] = {"firebird": 4, "oracle": 6, "mysql": 0}
_NAMED: Mapping[str, int] = {"SMALLDATETIME": 0, "DATE": 0, "DATETIME": 2}


def _precision(kind: Any, dialect: str) -> int:
    """Return how many digits of a second are kept."""
    told = getattr(kind, "fsp", None) if dialect == "mysql" else getattr(kind, "precision", None)
    name = type(kind).__name__
    if told is None and dialect in ("mssql", "oracle"):
        told = _NAMED.get(name)
    return min(6, told if told is not None else _PRECISION.get(dialect, 6))


def _textual(kind: Any, dialect: str, charset: str | None) -> Fit:
    if isinstance(kind, types.LargeBinary | types.BINARY | types.VARBINARY):
        return cells.octets(kind.length)
    name = _name(kind)
    if name == "UUID":
        return cells.as_text
    length = kind.length if isinstance(kind, types.String) else None
    if dialect == "mysql" and "TEXT" in name:
        length = None  # in octets; the database judges
    return cells.Text(length, charset)


def _sqlite(kind: Any, zone: timezone) -> Fit:
    if isinstance(kind, types.Boolean):
        return lambda value: int(cells.truth(value))
    if isinstance(kind, types.Integer):
        return cells.whole(-(1 << 63), (1 << 63) - 1)
    if isinstance(kind, types.Float):
        return cells.floating(False)
    if isinstance(kind, types.Numeric):
        held = cells.exact(kind.precision, kind.scale)
        return lambda value: (held(value), cells.as_number(value))[1]
    if isinstance(kind, types.JSON):
        return cells.as_json
    if isinstance(kind, types.LargeBinary):
        return cells.octets(kind.length)
    temporal = _temporal(kind, "sqlite", zone)
    if temporal is not None:
        return cells.written(temporal)
    return cells.Text(kind.length if isinstance(kind, types.String) else None, None)
