"""Time as the exchange writes it: whole milliseconds since 1970 in UTC, and one text form."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FORM = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{3})Z")

_DAY, _CHINA = 86_400_000, 8 * 3_600_000
_FIRST = date(1970, 1, 1).toordinal()


def day(at: Instant) -> date:
    """Return the date in China (UTC+08:00, no summer time) at the instant, whatever zone the machine is set to."""
    return date.fromordinal(_FIRST + (at + _CHINA) // _DAY)


def stamp(at: Instant) -> str:
    """Return `YYYY-MM-DDThh:mm:ss.mmmZ`, the only time form of a statement (WIRE §1)."""
    second, rest = divmod(at, 1000)
    return f"{_second(second)}.{rest:03d}Z"


@lru_cache(64)
def _second(second: int) -> str:
    return f"{_EPOCH + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S}"


def local(at: Instant) -> str:
    """Return an instant to the second as China writes it, `2026-01-02T11:04:05+08:00`."""
    return stamp(at + 28_800_000)[:19] + "+08:00"


def read_stamp(text: str) -> Instant:
    """Return the instant that `text` names; raise ValueError unless it has exactly the one form."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("not a time of the form YYYY-MM-DDThh:mm:ss.mmmZ")
    year, month, of_month, hour, minute, second, rest = map(int, match.groups())
    past = datetime(year, month, of_month, hour, minute, second, tzinfo=timezone.utc) - _EPOCH
    return (past.days * 86_400 + past.seconds) * 1000 + rest
