"""The field of an own specification for a column, by the word that its database has for the type.

| Column | Field |
|---|---|
| whole number | `Integer` with as many digits as the type has, 18 at most |
| decimal number, float | `Decimal` with the column's digits |
| truth | one of `true`, `false`, `1`, `0` |
| day; day and time | `Date`; `Moment` |
| text, and whatever we do not know | `Text` of the column's length, else of `LONGEST` characters |
| octets | none: no field carries them |

Rule 1: a column of the business key is a text, as the profile wants it: a number becomes a text of its digits.
Rule 2: what the type does not say is doubtful, and a person is told so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LONGEST = 4000
"""Most characters of a text whose column has no bound."""
DIGITS = 18
"""Most digits of a number."""


@dataclass(frozen=True, slots=True)
class Form:
    """A type and the facets that restrict it; `doubtful` if the column does not tell enough."""

    base: str
    facets: Mapping[str, str]
    doubtful: bool = False


_WORD = re.compile(r"[A-Z]+(?: [A-Z]+)*")
_NUMBERS = re.compile(r"\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\)")
_WHOLE = {
    "TINYINT": 3, "SMALLINT": 5, "INT2": 5, "MEDIUMINT": 8, "YEAR": 4, "INT": 10, "INTEGER": 10, "INT4": 10,
    "SERIAL": 10, "BIGINT": DIGITS, "INT8": DIGITS, "BIGSERIAL": DIGITS,
}
_OCTETS = ("BLOB", "BINARY", "BYTEA", "RAW", "IMAGE")


def form_of(kind: str, key: bool) -> Form | None:
    """Return the form of a column's field, None if no field carries it."""
    said = kind.upper()
    word = (found[0] if (found := _WORD.match(said.strip())) else "")
    if any(one in word for one in _OCTETS):
        return None
    sizes = (int(found[1]), int(found[2] or 0)) if (found := _NUMBERS.search(said)) else None
    first = word.partition(" ")[0]
    if first in _WHOLE:
        return _whole(_WHOLE[first], key)
    if first in ("NUMERIC", "DECIMAL", "NUMBER", "DEC", "MONEY"):
        return _decimal(sizes, key)
    if first in ("FLOAT", "DOUBLE", "REAL") and not key:
        return Form("p:Decimal", {"totalDigits": f"{DIGITS}"}, True)
    made = _PLAIN.get(first)
    return made() if made is not None else _text(first, sizes)


def _whole(digits: int, key: bool) -> Form:
    if key:
        return Form("xs:string", {"pattern": f"-?[0-9]{{1,{digits + 1}}}"})
    return Form("p:Integer", {"totalDigits": f"{digits}"})


def _decimal(sizes: tuple[int, int] | None, key: bool) -> Form:
    digits, scale = sizes or (DIGITS, DIGITS // 2)
    doubtful = sizes is None or digits > DIGITS or scale < 0
    digits, scale = min(digits, DIGITS), max(0, min(scale, DIGITS))
    if scale == 0 and sizes is not None:
        form = _whole(digits, key)
        return Form(form.base, form.facets, doubtful)
    if key:
        return Form("xs:string", {"pattern": f"-?[0-9]{{1,{digits}}}(\\.[0-9]{{1,{scale}}})?"}, doubtful)
    return Form("p:Decimal", {"totalDigits": f"{digits}", "fractionDigits": f"{scale}"}, doubtful)


def _text(word: str, sizes: tuple[int, int] | None) -> Form:
    bounded = sizes is not None and "CHAR" in word
    known = bounded or word in ("TEXT", "CLOB", "NCLOB", "LONGTEXT", "MEDIUMTEXT", "TINYTEXT", "UUID")
    return Form("p:Text", {"maxLength": f"{max(1, sizes[0]) if bounded and sizes else LONGEST}"}, not known)


_PLAIN: Mapping[str, Callable[[], Form]] = {
    "BOOLEAN": lambda: Form("xs:string", {"pattern": "true|false|[01]"}),
    "BOOL": lambda: Form("xs:string", {"pattern": "true|false|[01]"}),
    "BIT": lambda: Form("xs:string", {"pattern": "true|false|[01]"}, True),
    "DATE": lambda: Form("p:Date", {}),
    "DATETIME": lambda: Form("p:Moment", {}),
    "DATETIME2": lambda: Form("p:Moment", {}),
    "SMALLDATETIME": lambda: Form("p:Moment", {}),
    "TIMESTAMP": lambda: Form("p:Moment", {}),
    "TIMESTAMPTZ": lambda: Form("p:Moment", {}),
    "TIME": lambda: Form("p:Text", {"maxLength": "30"}),
}
