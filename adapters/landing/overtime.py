"""Rows that a statement cannot finish in its time, found among others that it can.

A slow target is waited for: its batch comes again.  One row for which a trigger never ends is no slowness of the
target's: it would come again for ever, with everything behind it.

Rule 1: a batch is taken apart only when it ran out of time `TRIES` times before.
Rule 2: while it is, a statement with several rows has a share of the time, and one with a single row all of it, or a
        minute; for a lock less is waited than that: a row that somebody has locked is not taken for one that is slow.
Rule 3: a row that ran out of time alone is refused if another row of its batch was written; if none was, the target is
        at fault or the row, and a person must look.
Rule 4: after `MOST` seconds the batch is given back to come again; what was found guilty by then stays so.
Rule 5: only where both times can be set are rows found so: PostgreSQL and MariaDB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, exc

from adapters.contract import Misconfigured
from adapters.landing.errors import code_of
from adapters.landing.family import family_of

TRIES = 2
MOST = 180.0
_ALONE, _SHARE = 60.0, 10.0
_REMEMBERED = 100
"""Most parcels that are remembered."""
_CODES = frozenset({"57014", "1969"})


def is_overtime(why: exc.DBAPIError) -> bool:
    """Return whether a statement ran out of its time, which tells nothing of whose fault that is."""
    return not why.connection_invalidated and code_of(why) in _CODES


def stuck(seconds: float) -> Misconfigured:
    """Return what is told of rows that run out of time where no other row shows that the target is well."""
    return Misconfigured(
        f"逐条写入仍超过{seconds:g}秒，且同批没有写入成功的记录：目标表的触发器可能不结束，或目标过慢；请检查，或增大seconds",
        f"rows take longer than {seconds:g} s even one by one, and none of the batch was written: a trigger of the "
        "table may not end, or the target is too slow; look at it, or raise `seconds`")


@dataclass(slots=True)
class Late:
    """What is known of parcels that ran out of time: how often, and which of their records were found guilty."""

    tries: dict[str, int] = field(default_factory=dict)
    guilty: dict[str, dict[int, tuple[str, str, str]]] = field(default_factory=dict)

    def note(self, parcel: str) -> None:
        """Remember that a parcel ran out of time."""
        while len(self.tries) >= _REMEMBERED and parcel not in self.tries:
            self.forget(next(iter(self.tries)))
        self.tries[parcel] = self.tries.get(parcel, 0) + 1

    def forget(self, parcel: str) -> None:
        """Forget a parcel, which was landed."""
        self.tries.pop(parcel, None)
        self.guilty.pop(parcel, None)


class Isolation:
    """The times of one batch that is taken apart, over one connection."""

    def __init__(self, connection: Connection, seconds: int, now: Callable[[], float]) -> None:
        self._connection, self._now, self._until = connection, now, now() + MOST
        self._family, self._seconds = family_of(connection.dialect), seconds
        self.alone = min(float(seconds), _ALONE)
        self._share = max(min(seconds / 5, _SHARE), 2.0 if self._family == "mysql" else 0.2)
        self._set = 0.0

    @staticmethod
    def can(connection: Connection) -> bool:
        """Return whether this database lets both times be set."""
        dialect = connection.dialect
        return family_of(dialect) == "postgresql" or bool(getattr(dialect, "is_mariadb", False))

    def bound(self, rows: int) -> None:
        """Give the next statement, with so many rows, its time."""
        wanted = max(self.alone, self._share) if rows == 1 else self._share
        if wanted != self._set:
            self._say(_TIMES[self._family], wanted, self._share / 2)
            self._set = wanted

    @property
    def over(self) -> bool:
        """Whether it has taken long enough."""
        return self._now() >= self._until

    def end(self, failed: bool = False) -> None:
        """Give the session its own times back; those of PostgreSQL end with a transaction that failed."""
        if self._set and not self._connection.invalidated and not (failed and self._family == "postgresql"):
            self._say(_TIMES[self._family], float(self._seconds), min(self._seconds / 2, 30.0))
        self._set = 0.0

    def _say(self, form: Callable[[float, float], tuple[str, ...]], seconds: float, lock: float) -> None:
        for one in form(seconds, lock):
            self._connection.exec_driver_sql(one)


_TIMES: Mapping[str, Callable[[float, float], tuple[str, ...]]] = {
    "postgresql": lambda seconds, lock: (
        f"SET LOCAL statement_timeout = {int(seconds * 1000)}", f"SET LOCAL lock_timeout = {max(1, int(lock * 1000))}"),
    "mysql": lambda seconds, lock: (
        f"SET SESSION max_statement_time = {max(seconds, int(lock) + 1)}",
        f"SET SESSION innodb_lock_wait_timeout = {max(1, int(lock))}"),
}
