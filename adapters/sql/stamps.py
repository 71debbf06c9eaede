"""Stamps of rows, whatever a legacy table keeps them as: times, dates, numbers, or texts in one of the usual shapes."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.contract import Misconfigured

_SHAPES = (
    (re.compile(r"\d{14}"), "%Y%m%d%H%M%S"), (re.compile(r"\d{8}"), "%Y%m%d"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "%Y-%m-%d %H:%M:%S"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,6}"), "%Y-%m-%d %H:%M:%S.%f"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}"), "%Y-%m-%dT%H:%M:%S.%f"),
    (re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"), "%Y/%m/%d %H:%M:%S"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "%Y-%m-%d"), (re.compile(r"\d{4}/\d\d/\d\d"), "%Y/%m/%d"),
)
_NUMBERS = (int, float, Decimal)


def earlier(stamp: Any, lag: float) -> Any:
    """Return the stamp that lies `lag` before this one: seconds, of a number so much; of an unknown text itself.

    A date is a whole day: it goes back to the day on which its first second less `lag` lies.
    """
    if isinstance(stamp, datetime):
        return _less(stamp, lag)
    if isinstance(stamp, date):
        return _less(datetime(stamp.year, stamp.month, stamp.day), lag).date()
    if isinstance(stamp, _NUMBERS):
        less: Any = stamp
        return less - type(stamp)(lag)
    shape = _shape(stamp)
    return stamp if shape is None else _less(_parsed(stamp, shape), lag).strftime(shape)


def is_ahead(stamp: Any, now: datetime) -> bool:
    """Whether a stamp lies after the source's clock `now` (with an offset); a number or unknown text never does."""
    if isinstance(stamp, datetime):
        return stamp > (now if stamp.tzinfo else now.replace(tzinfo=None))
    if isinstance(stamp, date):
        return stamp > now.date()
    shape = _shape(stamp) if isinstance(stamp, str) else None
    return stamp == "infinity" or shape is not None and _parsed(stamp, shape) > now.replace(tzinfo=None)


def is_past(stamp: Any, now: datetime) -> bool:
    """Whether a stamp lies before a time; of a number or unknown text that is not known."""
    if isinstance(stamp, datetime):
        return stamp < (now if stamp.tzinfo else now.replace(tzinfo=None))
    if isinstance(stamp, date):
        return stamp < now.date()
    shape = _shape(stamp) if isinstance(stamp, str) else None
    return shape is not None and _parsed(stamp, shape) < now.replace(tzinfo=None).replace(microsecond=0)


def is_later(stamp: Any, at: Any) -> bool:
    """Whether a stamp is greater than another; of two that Python cannot compare the one that is no text is.

    So a zero date of MariaDB's, or a year that Python has no number for, gives way to a real one.
    """
    try:
        return bool(stamp > at)
    except TypeError:
        return isinstance(at, str) and not isinstance(stamp, str)


def like(at: datetime, stamp: Any) -> Any:
    """Return a time (with an offset) in the form of a stamp; None of a number or an unknown text."""
    if isinstance(stamp, datetime):
        return at if stamp.tzinfo else at.replace(tzinfo=None)
    if isinstance(stamp, date):
        return at.date()
    shape = _shape(stamp) if isinstance(stamp, str) else None
    return None if shape is None else at.strftime(shape)


def _less(at: datetime, lag: float) -> datetime:
    try:
        return at - timedelta(seconds=lag)
    except OverflowError:
        return datetime.min.replace(tzinfo=at.tzinfo)


def _shape(stamp: Any) -> str | None:
    if not isinstance(stamp, str):
        raise Misconfigured("游标列应为时间、日期、数字或文本", "the cursor column holds times, dates, numbers or texts")
    return next((shape for pattern, shape in _SHAPES if pattern.fullmatch(stamp) and _is_day(stamp, shape)), None)


def _is_day(stamp: str, shape: str) -> bool:
    try:
        datetime.strptime(stamp, shape)
    except ValueError:
        return False
    return True


def _parsed(stamp: str, shape: str) -> datetime:
    return datetime.strptime(stamp, shape)
