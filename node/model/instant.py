"""Time as the exchange writes it: whole milliseconds since 1970 in UTC, and one text form."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


def stamp(at: Instant) -> str:
    """Return `YYYY-MM-DDThh:mm:ss.mmmZ`, the only time form of a statement (WIRE §1)."""
    moment = _EPOCH + timedelta(milliseconds=at)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def read_stamp(text: str) -> Instant:
    """Return the instant that `text` names; raise ValueError unless it has exactly the one form."""
    if not _FORM.fullmatch(text):
        raise ValueError("not a time of the form YYYY-MM-DDThh:mm:ss.mmmZ")
    moment = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // timedelta(milliseconds=1) + int(text[20:23])
