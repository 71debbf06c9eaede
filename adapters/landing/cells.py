"""A text of a record as a value of a column: what would lose something does not fit.

| Column | Takes |
|---|---|
| text | any text that is short enough and in its charset; a group or a list as JSON |
| whole number | `-7`, `7.00`; within its range |
| decimal number | as many digits before and behind the point as it has |
| float | what is read back as the same number |
| truth | `true`, `false`, `1`, `0` |
| date | `2019-02-28`, `20190228`; a time only if it is midnight |
| time stamp | a date; `2019-02-28T09:30:00`, `20190228093000` and the like, with fraction and offset |
| time | `09:30:00`, `093000`, with fraction |
| octets | hexadecimal digits |

An offset is reckoned to the zone of the target, unless the column keeps offsets.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any

Fit = Callable[[Any], Any]
"""Returns a value as its column takes it; raises Unfit."""


class Unfit(Exception):
    """A value that does not fit: why, never what it is."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def as_text(value: Any) -> str:
    """Return a leaf as it is, a group or a list as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_LONE = re.compile("[\ud800-\udfff]").search
_RARE = re.compile("[\U00010000-\U0010ffff]").search


class Text:
    """Fits texts of at most `length` characters in a charset: Python's name for it, `bmp`, or None for any."""

    def __init__(self, length: int | None, charset: str | None) -> None:
        self._length, self._charset = length, charset

    def __call__(self, value: Any) -> str:
        """Return a value as the column takes it; raise Unfit."""
        said = as_text(value)
        if self._length is not None and len(said) > self._length:
            raise Unfit(f"超过目标列长度{self._length}", f"longer than the column's {self._length} characters")
        if not said.isascii() and not _holds(said, self._charset):
            raise Unfit("有目标字符集不能表示的字符", "has a character that the target's charset cannot hold")
        if "\0" in said:
            raise Unfit("有空字符", "has a NUL character")
        return said

    def takes(self, values: Sequence[Any]) -> bool:
        """Return whether all of these are texts that fit as they are; looks at them at once, which costs little."""
        try:
            joined = "".join(values)
        except TypeError:
            return False
        if self._length is not None and max(map(len, values), default=0) > self._length:
            return False
        return "\0" not in joined and (joined.isascii() or _holds(joined, self._charset))


def _holds(said: str, charset: str | None) -> bool:
    if charset in (None, "bmp"):
        return not _LONE(said) and not (charset and _RARE(said))
    try:
        said.encode(charset or "")
    except UnicodeEncodeError:
        return False
    return True


def as_json(value: Any) -> str:
    """Return a value as a JSON column takes it."""
    return json.dumps(value, ensure_ascii=False)


_NUMBER = re.compile(r"[+-]?0*([0-9]{1,1000}?)(?:\.([0-9]{1,1000}?)0*)?").fullmatch
_NO_NUMBER = ("不是数", "is no number")


def _parts(value: Any) -> tuple[str, str]:
    """Return the digits before and behind the point, without zeros that say nothing."""
    found = _NUMBER(value) if isinstance(value, str) and value.isascii() else None
    if found is None:
        raise Unfit(*_NO_NUMBER)
    before, behind = found.groups("")
    return "" if before == "0" else before, "" if behind == "0" else behind


def _decimal(value: Any) -> Decimal:
    _parts(value)
    return Decimal(value)


def whole(least: int, most: int) -> Fit:
    """Fit whole numbers within a range."""

    def fit(value: Any) -> int:
        before, behind = _parts(value)
        if behind:
            raise Unfit("目标列只存整数", "the column keeps whole numbers")
        number = -int(before or 0) if value[0] == "-" else int(before or 0)
        if not least <= number <= most:
            raise Unfit("超出目标列的范围", "outside the column's range")
        return number

    return fit


def exact(precision: int | None, scale: int | None) -> Fit:
    """Fit decimal numbers of so many digits, `scale` of them behind the point; None for any."""
    before_most = None if precision is None else precision - (scale or 0)

    def fit(value: Any) -> Decimal:
        before, behind = _parts(value)
        if scale is not None and len(behind) > scale:
            raise Unfit(f"小数位超过目标列的{scale}位", f"more than the column's {scale} digits behind the point")
        if before_most is not None and len(before) > before_most:
            raise Unfit("超出目标列的范围", "outside the column's range")
        return Decimal(value)

    return fit


def floating(single: bool) -> Fit:
    """Fit numbers that a float gives back as they were."""

    def fit(value: Any) -> float:
        number = _decimal(value)
        made = float(number)
        if single:
            try:
                (made,) = struct.unpack("f", struct.pack("f", made))
            except OverflowError:
                raise Unfit("超出目标列的范围", "outside the column's range") from None
        digits = 6 if single else 15
        back = Decimal(f"{made:.{digits}g}") if math.isfinite(made) else None
        if back != number and not (not single and math.isfinite(made) and Decimal(repr(made)) == number):
            raise Unfit("目标列的浮点数存不下全部数字", "the column's float does not hold every digit")
        return made

    return fit


def as_number(value: Any) -> int | str:
    """Return a number as SQLite keeps it without loss: a whole number of 64 bits, or text of at most 15 digits."""
    number = _decimal(value)
    if number == number.to_integral_value() and -(1 << 63) <= number < 1 << 63:
        return int(number)
    if len(number.normalize().as_tuple().digits) > _FLOAT_DIGITS:
        raise Unfit("SQLite的数存不下全部数字", "SQLite's number does not hold every digit")
    return str(value)


_FLOAT_DIGITS = 15
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def truth(value: Any) -> bool:
    """Return a truth."""
    found = _TRUTH.get(value) if isinstance(value, str) else None
    if found is None:
        raise Unfit("不是true、false、1或0", "is none of true, false, 1, 0")
    return found


def octets(length: int | None) -> Fit:
    """Fit hexadecimal digits of at most so many octets."""

    def fit(value: Any) -> bytes:
        if not isinstance(value, str) or not value.isascii() or not (value.isalnum() or not value):
            raise Unfit("不是十六进制数字", "is no hexadecimal digits")
        try:
            made = bytes.fromhex(value)
        except ValueError:
            raise Unfit("不是十六进制数字", "is no hexadecimal digits") from None
        if length is not None and len(made) > length:
            raise Unfit(f"超过目标列长度{length}字节", f"longer than the column's {length} octets")
        return made

    return fit


_MOMENT = re.compile(
    r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})"
    r"(?:[T ]?([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:\.([0-9]{1,12}))?)?(Z|[+-][0-9]{2}:?[0-9]{2})?").fullmatch
_CLOCK = re.compile(r"([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:\.([0-9]{1,12}))?(Z|[+-][0-9]{2}:?[0-9]{2})?").fullmatch
_NO_DAY, _NO_TIME = ("不是日期", "is no date"), ("不是时间", "is no time")
_FINER = ("比目标列的时间精度更细", "finer than the column's time")


def moment(value: Any, zone: timezone, precision: int = 6) -> datetime:
    """Return a date or a time stamp in a zone, without loss at so many digits of a second."""
    found = _MOMENT(value) if isinstance(value, str) else None
    if found is None:
        raise Unfit(*_NO_DAY)
    year, _, month, day, hour, minute, second, fraction, offset = found.groups()
    try:
        made = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
            _micro(fraction, precision), zone if offset is None else _offset(offset))
        return made.astimezone(zone)
    except (ValueError, OverflowError):
        raise Unfit(*_NO_DAY) from None


def _micro(fraction: str | None, precision: int) -> int:
    if not fraction:
        return 0
    if fraction[precision:].strip("0"):
        raise Unfit(*_FINER)
    return int(fraction[:6].ljust(6, "0"))


def _offset(said: str) -> Any:
    return datetime.fromisoformat("2000-01-01T00:00:00" + ("+00:00" if said == "Z" else said)).tzinfo


def _remembered(fit: Fit) -> Fit:
    """Return what fits days and times, which come again and again."""
    known = lru_cache(4096)(fit)

    def fit_again(value: Any) -> Any:
        if not isinstance(value, str):
            raise Unfit(*_NO_DAY)
        return known(value)

    return fit_again


def day(zone: timezone) -> Fit:
    """Fit days; a time only if it is midnight there."""

    def fit(value: Any) -> date:
        made = moment(value, zone)
        if made.time() != time():
            raise Unfit("目标列只存日期，时间会丢失", "the column keeps days; the time would be lost")
        return made.date()

    return _remembered(fit)


def stamp(zone: timezone, precision: int, aware: bool) -> Fit:
    """Fit time stamps; `aware` if the column keeps offsets."""

    def fit(value: Any) -> datetime:
        made = moment(value, zone, precision)
        return made if aware else made.replace(tzinfo=None)

    return _remembered(fit)


def clock(precision: int, zone: timezone) -> Fit:
    """Fit times of day; an offset is that of the target's zone."""

    def fit(value: Any) -> time:
        found = _CLOCK(value) if isinstance(value, str) else None
        if found is None:
            raise Unfit(*_NO_TIME)
        hour, minute, second, fraction, offset = found.groups()
        try:
            if offset is not None and _offset(offset).utcoffset(None) != zone.utcoffset(None):
                raise Unfit("时间的时区不是目标的时区", "the time's offset is not the target's")
            return time(int(hour), int(minute), int(second), _micro(fraction, precision))
        except (ValueError, OverflowError):
            raise Unfit(*_NO_TIME) from None

    return fit


def written(fit: Fit) -> Fit:
    """Return dates and times as SQLite keeps them: text, `2019-02-28 09:30:00`."""

    def as_written(value: Any) -> str:
        made = fit(value)
        return str(made.isoformat(" ")) if isinstance(made, datetime) else str(made.isoformat())

    return as_written
