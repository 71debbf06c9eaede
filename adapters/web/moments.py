"""Stamps of rows as services write them: times with or without zone, numbers, seconds since 1970, or plain texts.

Rule: a stamp is compared by what it means, and written back in the very shape it came in.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

Moment = datetime | Decimal | str
"""What a stamp means; stamps of one kind compare."""

KINDS = ("time", "number", "seconds", "milliseconds", "text")
LONGEST = 200
"""Most signs of a stamp."""

_TIME = re.compile(
    r"(?P<y>\d{4})(?P<d>[-/]?)(?P<m>\d\d)(?P=d)(?P<day>\d\d)"
    r"(?:(?P<t>[T ]?)(?P<h>\d\d)(?P<c>:?)(?P<min>\d\d)(?P=c)(?P<s>\d\d)(?:(?P<p>[.,])(?P<f>\d{1,9}))?"
    r"(?P<z>Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,40}(?:\.\d{1,40})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PARTS = {"seconds": Decimal(1), "milliseconds": Decimal(1000)}


def offset(zone: str) -> timezone:
    """Return the zone that a text as `+08:00` means."""
    return timezone((-1 if zone[0] == "-" else 1) * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:])))


class Stamps:
    """How one source writes its stamps; the kind is found by the first one, if it is not said."""

    def __init__(self, kind: str | None, zone: str) -> None:
        self.kind, self._zone = kind, offset(zone)

    def learn(self, stamps: list[Any]) -> None:
        """Find the kind, if it is not known: of the first stamp that is a time or number, else text."""
        if self.kind is None:
            found = [kind for kind in map(self._kind, stamps) if kind]
            self.kind = next((kind for kind in found if kind != "text"), found[0] if found else None)

    def _kind(self, stamp: Any) -> str | None:
        if isinstance(stamp, bool) or not isinstance(stamp, str | int | Decimal) or stamp == "":
            return None
        if not isinstance(stamp, str):
            return "number"
        if self._time(stamp) is not None:
            return "time"
        return "number" if _NUMBER.fullmatch(stamp) else "text"

    def moment(self, stamp: Any) -> Moment | None:
        """Return what a stamp means; None for what is none of this source's kind."""
        if isinstance(stamp, bool) or not isinstance(stamp, str | int | Decimal) or len(str(stamp)) > LONGEST:
            return None
        if self.kind == "time":
            return self._time(stamp) if isinstance(stamp, str) else None
        if self.kind == "text":
            return stamp or None if isinstance(stamp, str) else None
        return Decimal(stamp) if not isinstance(stamp, str) or _NUMBER.fullmatch(stamp) else None

    def _time(self, stamp: str) -> datetime | None:
        found = _TIME.fullmatch(stamp)
        if found is None:
            return None
        try:
            return datetime(int(found["y"]), int(found["m"]), int(found["day"]), int(found["h"] or 0),
                            int(found["min"] or 0), int(found["s"] or 0), int((found["f"] or "")[:6].ljust(6, "0")),
                            self._zone_of(found["z"])).astimezone(timezone.utc)
        except (ValueError, OverflowError):
            return None

    def _zone_of(self, said: str | None) -> timezone:
        return self._zone if not said else timezone.utc if said == "Z" else offset(said)

    def is_ahead(self, stamp: Any, now: datetime) -> bool:
        """Whether a stamp lies after the source's clock; of a plain number or text that is not known."""
        at = self.moment(stamp)
        if isinstance(at, datetime):
            return at > now
        return isinstance(at, Decimal) and self.kind in _PARTS and at > self._since(now)

    def _since(self, at: datetime) -> Decimal:
        passed = at - _EPOCH
        whole = Decimal(passed.days * 86400 + passed.seconds) + Decimal(passed.microseconds) / 1_000_000
        return whole * _PARTS[self.kind or "seconds"]

    def earlier(self, stamp: Any, lag: float) -> Any:
        """Return the stamp so many seconds earlier, of a plain number so much; a text itself."""
        at = self.moment(stamp)
        if not lag or at is None or isinstance(at, str):
            return stamp
        if isinstance(at, datetime):
            try:
                return self._written(at - timedelta(seconds=lag), stamp)
            except OverflowError:
                return stamp
        less = at - Decimal(str(lag)) * _PARTS.get(self.kind or "", Decimal(1))
        number = int(less.to_integral_value(rounding="ROUND_FLOOR")) if at == at.to_integral_value() else less
        return format(number, "f") if isinstance(stamp, str) and isinstance(number, Decimal) else (
            str(number) if isinstance(stamp, str) else number)

    def at(self, now: datetime, like: Any) -> Any:
        """Return a time as a stamp in the shape of another; None if its kind tells no time."""
        if self.kind == "time" and isinstance(like, str):
            return self._written(now.astimezone(timezone.utc), like)
        if self.kind not in _PARTS:
            return None
        number = int(self._since(now))
        return str(number) if isinstance(like, str) else number

    def _written(self, at: datetime, like: str) -> str:
        found = _TIME.fullmatch(like)
        assert found is not None
        there = at.astimezone(self._zone_of(found["z"]))
        said = there.strftime(f"%Y{found['d']}%m{found['d']}%d").rjust(8 + 2 * len(found["d"]), "0")
        if found["h"] is None:
            return said
        said += found["t"] + there.strftime(f"%H{found['c']}%M{found['c']}%S")
        if found["f"]:
            said += found["p"] + f"{there.microsecond:06}000"[:len(found["f"])]
        return said + (found["z"] or "")


def text(stamp: Any) -> str:
    """Return a stamp as a template takes it."""
    return format(stamp, "f") if isinstance(stamp, Decimal) else str(stamp)
