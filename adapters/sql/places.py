"""Where a row stands in the order of its table: its stamp, then its key, as the driver gives and takes them.

A place goes into a bookmark and comes back as the very values it was made of, for a database compares what it is given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

from adapters.contract import Misconfigured

Place = tuple[Any, ...]
"""The stamp, then the values of the key."""

_PLAIN = (str, int, float, bool)


def write_place(place: Place) -> list[Any]:
    """Return a place as JSON can hold it; raise Misconfigured for a kind of value that cannot be kept."""
    return [_write(value) for value in place]


def read_place(said: Sequence[Any]) -> Place:
    """Return the place that `write_place` wrote."""
    return tuple(_READ[value[0]](value[1]) if isinstance(value, list) else value for value in said)


def digest(place: Place) -> int:
    """Return 64 bits of a digest of a place."""
    return int.from_bytes(blake2b(json.dumps(write_place(place)).encode(), digest_size=8).digest(), "big")


def _write(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    for kind, (mark, written) in _WRITTEN.items():
        if isinstance(value, kind):
            return [mark, written(value)]
    raise Misconfigured("键或时间列的类型不能用作断点", "a key or stamp of this type cannot be kept in a bookmark")


_WRITTEN: Mapping[type, tuple[str, Callable[[Any], str]]] = {
    datetime: ("t", datetime.isoformat), date: ("d", date.isoformat), time: ("h", time.isoformat),
    Decimal: ("n", str), bytes: ("x", bytes.hex), memoryview: ("x", memoryview.hex), UUID: ("u", str),
    timedelta: ("i", lambda value: str(value // timedelta(microseconds=1))),
}
_READ: Mapping[str, Callable[[str], Any]] = {
    "t": datetime.fromisoformat, "d": date.fromisoformat, "h": time.fromisoformat, "n": Decimal, "x": bytes.fromhex,
    "u": UUID, "i": lambda said: timedelta(microseconds=int(said)),
}
