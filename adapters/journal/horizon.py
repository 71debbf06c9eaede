"""How far a journal has been read, where entries commit in another order than they are numbered.

| Database | How |
|---|---|
| PostgreSQL and its kin | an entry holds the number of its transaction, and is read once no older one is still open |
| SQLite | it has one writer: entries commit in the order of their numbers |
| others | numbers that are lacking are looked for until they are older than `lag` (`gaps`) |

Rule 1: what `changes` has yielded, `write` tells as read; what it has not, is read again.
Rule 2: a journal that ends before what was read of it is another one, or an older copy: Misconfigured.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import text

from adapters.contract import Misconfigured
from adapters.journal.entries import Entries, Given
from adapters.journal.gaps import Gap, Gaps
from adapters.sql.places import Place, read_place, write_place

_SNAPSHOT = text("SELECT txid_snapshot_xmin(txid_current_snapshot()), txid_snapshot_xmax(txid_current_snapshot())")


class Horizon(Protocol):
    """The progress of one read."""

    def begin(self) -> None:
        """Go to the journal's present end."""

    def load(self, said: Any) -> None:
        """Take up what `write` wrote; raises KeyError, TypeError or ValueError for anything else."""

    def write(self) -> dict[str, Any]:
        """Return it as a bookmark holds it."""

    def changes(self) -> Iterator[list[Given]]:
        """Yield what is new, slice by slice."""

    def waiting(self) -> tuple[int, Any]:
        """Return how many entries are held back for a transaction that is open, and the time of the oldest."""

    @property
    def read(self) -> int:
        """The number below which everything has been read."""


class Numbered:
    """Entries by a number that is given out before they commit; `lag` None: in the order of commits."""

    def __init__(self, entries: Entries, now: datetime, lag: float | None) -> None:
        self.entries, self.now, self.lag = entries, now, lag
        self._second = int(now.timestamp())
        self.gaps = Gaps(0)

    def begin(self) -> None:
        """Go to the end, and look which numbers are lacking before it."""
        top = self.entries.top()
        if self.lag is None:
            self.gaps = Gaps(top)
            return
        numbers: list[int] = []
        below: int | None = None
        while found := self.entries.newest(below):
            numbers += (int(number) for number, _ in found)
            below = numbers[-1]
            if age(found[-1][1], self.now) > self.lag:
                break
        numbers.reverse()
        self.gaps = Gaps(numbers[0])
        self.gaps.take(numbers, self._second)

    def load(self, said: Any) -> None:
        """Take up a bookmark."""
        self.gaps = Gaps.read(said)
        if self.gaps.high > self.entries.top():
            raise shortened()
        # A clock that was set back would keep a gap too long, and a list of them in no order.
        self.gaps.gaps = [gap._replace(since=min(gap.since, self._second)) for gap in self.gaps.gaps]

    def write(self) -> dict[str, Any]:
        """Return the greatest number and the gaps."""
        return self.gaps.write()

    def changes(self) -> Iterator[list[Given]]:
        """Yield what came late, then what is new."""
        gaps = list(self.gaps.gaps)
        for gap, count in zip(gaps, self.entries.counts([gap[:2] for gap in gaps])):
            if count != gap.given:
                yield from self._late(gap)
        if self.lag is not None:
            self.gaps.forget(self._second, self.lag)
        for part in self.entries.slices((self.gaps.high,)):
            numbers = [int(place[0]) for place in part.places]
            if self.lag is None:
                self.gaps.high = numbers[-1]
            else:
                self.gaps.take(numbers, self._second)
            yield part.given

    def _late(self, gap: Gap) -> Iterator[list[Given]]:
        left: Gap | None = gap
        for part in self.entries.slices((gap.low - 1,), (gap.high,)):
            assert left is not None
            left = self.gaps.fill(left, [int(place[0]) for place in part.places], part.more)
            yield part.given
            if left is None:
                return
        if left is not None:
            self.gaps.fill(left, [], False)

    def waiting(self) -> tuple[int, Any]:
        """Return that none are: it is not known of a gap whether it will be filled."""
        return 0, None

    @property
    def read(self) -> int:
        """The first gap, else the greatest number."""
        return min([self.gaps.high, *(gap.low for gap in self.gaps.gaps)])


class Transacted:
    """Entries by the number of their transaction, read up to the oldest that is open."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        self._after: Place = (0,)
        self._open, self._next = self._snapshot()

    def _snapshot(self) -> tuple[int, int]:
        low, high = self.entries.connection.execute(_SNAPSHOT).one()
        return int(low), int(high)

    def begin(self) -> None:
        """Go to the oldest open transaction."""
        self._after = (self._open - 1,)

    def load(self, said: Any) -> None:
        """Take up a bookmark."""
        self._after = read_place(said["tx"])
        if type(self._after[0]) is not int or len(self._after) not in (1, len(self.entries.places)):
            raise ValueError
        if self._after[0] >= self._next:
            raise shortened()

    def write(self) -> dict[str, Any]:
        """Return the place that was read up to."""
        return {"tx": write_place(self._after)}

    def changes(self) -> Iterator[list[Given]]:
        """Yield what was committed by transactions that are older than every open one."""
        read = False
        for part in self.entries.slices(self._after, below=self._open):
            self._after, read = part.places[-1], True
            yield part.given
        if read:
            self._after = (self._open - 1,)

    def waiting(self) -> tuple[int, Any]:
        """Return how many entries have committed and wait for an older transaction."""
        found = self.entries.oldest(self._open - 1, self._next)
        return len(found), min((at for _, at in found), default=None)

    @property
    def read(self) -> int:
        """The transaction that is being read, or the one after it."""
        return int(self._after[0]) + (len(self._after) == 1)


def age(at: Any, now: datetime) -> float:
    """Return how many seconds a time of the journal lies before the source's clock."""
    said = datetime.fromisoformat(at) if isinstance(at, str) else at
    return float(((now if said.tzinfo else now.replace(tzinfo=None)) - said).total_seconds())


def shortened() -> Misconfigured:
    """Return that a journal ends before what was read of it."""
    return Misconfigured("变更日志比断点更旧：被清空、重建或从备份恢复过；须整表重读",
                         "the journal is older than the bookmark: emptied, made anew, restored; a whole read is needed")
