"""What was given of the newest part of a table, so that a row that came late is found and hardly another given again.

A transaction may commit after others that began later: its rows then carry stamps that were passed already.  So the
newest part is looked over again each time, by stamp and key alone, and compared with what was given of it: buckets of
neighbouring rows, each known by its last row, how many it has, and the sum of their digests.

Rule 1: while the part is small, a bucket is one row, and what is found new is exactly what is new.
Rule 2: when there are too many buckets, neighbours become one, the oldest first; of a bucket that differs all rows are
        given again, which costs records and does no harm.
Rule 3: rows are compared in the order the source gives them, never by our own idea of which text is the greater.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adapters.places import Place, digest, read_place, write_place

MOST = 400
"""Most buckets: a bookmark of them stays below 64 KiB for keys of 80 characters."""

LOOSE = 20_000
"""So many rows behind the last bucket that is found again are looked at before all of them are taken for new."""

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
        buckets = self.buckets
        buckets.append(bucket)
        if len(buckets) > MOST:
            older = MOST // 4 * 2
            self.buckets = [*(one.joined(two) for one, two in zip(buckets[:older:2], buckets[1:older:2], strict=True)),
                            *buckets[older:]]

    def forget(self, low: Any) -> None:
        """Let go of the buckets that end before the stamp `low`."""
        kept = next((at for at, bucket in enumerate(self.buckets) if not bucket.last[0] < low), len(self.buckets))
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
        begun, end, held = 0, self.edge, list[Place]()
        if left:
            for place in found:
                held.append(place)
                at = ends.get(place)
                if at is not None and at >= begun:
                    if _same(left[begun:at + 1], held):
                        for bucket in left[begun:at + 1]:
                            now._append(bucket)
                    else:
                        new = held[:-1] if left[at].rows == 1 else held  # the last one is known by itself
                        if new:
                            differ.append(Stretch(end, new[-1]))
                        for one in held:
                            now.add(one)
                    begun, end = at + 1, place
                    held.clear()
                if begun == len(left) or len(held) > LOOSE:
                    break
        self.buckets = now.buckets
        return Compared(differ, end)

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


def _same(buckets: list[Bucket], places: list[Place]) -> bool:
    """Whether the places are those of the buckets together, as far as digests tell."""
    if sum(bucket.rows for bucket in buckets) != len(places):
        return False
    return (sum(bucket.sum for bucket in buckets) - sum(map(digest, places))) & _MASK == 0
