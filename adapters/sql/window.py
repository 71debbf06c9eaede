"""What was given of the newest part of a table, so that a row that came late is found and hardly another given again.

A transaction may commit after others that began later: its rows then carry stamps that were passed already.  So the
newest part is looked over again each time, by stamp and key alone, and compared with what was given of it: buckets of
neighbouring rows, each known by its last row, how many it has, and the sum of their digests.

Rule 1: while the part is small, a bucket is one row, and what is found new is exactly what is new.
Rule 2: when there are too many buckets, neighbours become one, the smallest first and the newest last, so that all of
        them stay about as large; of a bucket that differs all rows are given again, which costs records and does no
        harm.
Rule 3: rows are compared in the order the source gives them, never by our own idea of which text is the greater.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adapters.sql.places import Place, digest, read_place, write_place
from adapters.sql.stamps import is_later

MOST = 400
"""Most buckets: a bookmark of them stays below 64 KiB for keys of 80 characters."""

SINGLE = MOST // 4
"""So many of the newest rows stay buckets of their own; in a stretch that differs as many are noted one by one."""

_MASK = (1 << 64) - 1


class Bucket(NamedTuple):
    """Neighbouring rows: the last one, how many, the sum of their digests."""

    last: Place
    rows: int
    sum: int

    def joined(self, later: Bucket) -> Bucket:
        """Return this bucket and the next one as one."""
        return Bucket(later.last, self.rows + later.rows, (self.sum + later.sum) & _MASK)


class Stretch(NamedTuple):
    """Rows to be given again: those after `after` (None: from the window's start) up to and with `last`."""

    after: Place | None
    last: Place


class Compared(NamedTuple):
    """What a look over the window came to: stretches that differ, and the place behind which all is new."""

    differ: list[Stretch]
    end: Place | None


@dataclass(slots=True)
class Window:
    """The buckets of what was given, oldest first; `edge` is the last place before them, None for the table's start."""

    edge: Place | None = None
    buckets: list[Bucket] = field(default_factory=list)

    def add(self, place: Place) -> None:
        """Note that a row was given, behind all others."""
        self._append(Bucket(place, 1, digest(place)))

    def _append(self, bucket: Bucket) -> None:
        self.buckets.append(bucket)
        size = 2
        while len(self.buckets) > MOST:
            self._join(size)
            size *= 2

    def _join(self, size: int) -> None:
        """Make one of neighbours that have at most so many rows together; the newest stay as they are."""
        older, newest = self.buckets[:-SINGLE], self.buckets[-SINGLE:]
        joined: list[Bucket] = []
        for bucket in older:
            if joined and joined[-1].rows + bucket.rows <= size:
                joined[-1] = joined[-1].joined(bucket)
            else:
                joined.append(bucket)
        self.buckets = joined + newest

    def forget(self, low: Any) -> None:
        """Let go of the buckets that end before the stamp `low`."""
        ends = (at for at, bucket in enumerate(self.buckets) if not is_later(low, bucket.last[0]))
        kept = next(ends, len(self.buckets))
        if kept:
            self.edge = self.buckets[kept - 1].last
            del self.buckets[:kept]

    def compare(self, found: Iterable[Place]) -> Compared:
        """Compare with the places of all rows after `edge`, in their order; what was found is what was given then.

        Rows of stretches that differ, and all behind `end`, are the caller's to give; those behind `end` to `add`, too.
        """
        left, now = self.buckets, Window(self.edge)
        ends = {bucket.last: at for at, bucket in enumerate(left)}
        differ: list[Stretch] = []
        begun, end, run = 0, self.edge, _Run()
        for place in found if left else ():
            run.add(place)
            at = ends.get(place)
            if at is None or at < begun:
                continue
            known = left[begun:at + 1]
            if run.is_that_of(known):
                now._take(known)
            else:
                last = run.before if left[at].rows == 1 else place  # a row that is a bucket is known by itself
                if last is not None:
                    differ.append(Stretch(end, last))
                now._take(run.buckets())
            begun, end, run = at + 1, place, _Run()
            if begun == len(left):
                break
        self.buckets = now.buckets
        return Compared(differ, end)

    def _take(self, buckets: Iterable[Bucket]) -> None:
        for bucket in buckets:
            self._append(bucket)

    def write(self) -> dict[str, Any]:
        """Return it as a bookmark holds it."""
        return {
            "edge": None if self.edge is None else write_place(self.edge),
            "buckets": [[write_place(last), rows, f"{total:x}"] for last, rows, total in self.buckets],
        }

    @classmethod
    def read(cls, said: dict[str, Any]) -> Window:
        """Return the window that `write` wrote."""
        return cls(
            None if said["edge"] is None else read_place(said["edge"]),
            [Bucket(read_place(last), rows, int(total, 16)) for last, rows, total in said["buckets"]],
        )


class _Run:
    """Rows since the last bucket that was found again: how many, their sum, and the first few one by one."""

    def __init__(self) -> None:
        self.rows = self.sum = 0
        self.before: Place | None = None
        """The last but one."""
        self._last: Place | None = None
        self._single: list[Bucket] = []

    def add(self, place: Place) -> None:
        """Take the next row."""
        one = digest(place)
        self.rows, self.sum = self.rows + 1, (self.sum + one) & _MASK
        self.before, self._last = self._last, place
        if len(self._single) <= SINGLE:
            self._single.append(Bucket(place, 1, one))

    def is_that_of(self, buckets: Sequence[Bucket]) -> bool:
        """Whether these are the rows of the buckets together, as far as digests tell."""
        rows, total = sum(bucket.rows for bucket in buckets), sum(bucket.sum for bucket in buckets)
        return self.rows == rows and self.sum == total & _MASK

    def buckets(self) -> Sequence[Bucket]:
        """Return them as buckets: of a row each while they are few, else as one."""
        if self.rows <= SINGLE:
            return self._single
        assert self._last is not None
        return [Bucket(self._last, self.rows, self.sum)]
