"""Numbers of entries that were passed and not seen: of transactions that were undone, or have not committed yet.

A number is given out when an entry is written, and seen when its transaction commits: a lower one may appear after a
higher one was read.  So a number that is lacking is remembered, and looked for until it is too old.

Rule 1: a gap is looked for once more when it is older than `lag`, and then forgotten: no transaction may stay open
        longer.
Rule 2: when there are too many gaps, neighbours become one, those with the fewest entries between them first; of such
        a stretch it is known how many entries were given, and all are given again when they are another number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MOST = 200
"""Most gaps in a bookmark: about 10 KiB."""

UNKNOWN = -1
"""Of a stretch that is to be given again."""


class Gap(NamedTuple):
    """Numbers from `low` to `high`, of which so many were given; `since` when it was first seen, in seconds."""

    low: int
    high: int
    given: int
    since: int

    def joined(self, later: Gap) -> Gap:
        """Return this gap and a later one as one, with what was given between them."""
        known = self.given != UNKNOWN and later.given != UNKNOWN
        between = later.low - self.high - 1
        return Gap(self.low, later.high, self.given + between + later.given if known else UNKNOWN,
                   max(self.since, later.since))


@dataclass(slots=True)
class Gaps:
    """The greatest number that was read, and the gaps below it in their order."""

    high: int
    gaps: list[Gap] = field(default_factory=list)

    def take(self, numbers: Iterable[int], now: int) -> None:
        """Note entries that were read behind all others, in order."""
        for number in numbers:
            if number > self.high + 1:
                self.gaps.append(Gap(self.high + 1, number - 1, 0, now))
            self.high = max(self.high, number)
        if len(self.gaps) > 2 * MOST:
            self.gaps = _thinned(self.gaps)

    def fill(self, gap: Gap, numbers: Sequence[int], more: bool) -> Gap | None:
        """Note that entries of a gap were given, the first there are; with `more` there are others behind them.

        Returns what of the gap is left to be read, None if there is nothing.
        """
        at, end = self.gaps.index(gap), numbers[-1] if more else gap.high
        pieces = _pieces(gap, numbers, end) if gap.given == 0 else _stretch(gap, numbers, end)
        left = Gap(end + 1, gap.high, gap.given and UNKNOWN, gap.since) if more and end < gap.high else None
        self.gaps[at:at + 1] = [*pieces, *([left] if left else ())]
        return left

    def forget(self, now: int, lag: float) -> None:
        """Let go of the gaps that are too old; they were looked for just now."""
        self.gaps = [gap for gap in self.gaps if now - gap.since <= lag]

    def write(self) -> dict[str, Any]:
        """Return them as a bookmark holds them; a gap that is just being read stays as it is."""
        return {"seq": self.high, "gaps": [list(gap) for gap in _thinned(self.gaps)]}

    @classmethod
    def read(cls, said: Any) -> Gaps:
        """Return what `write` wrote; raise TypeError, ValueError or KeyError for anything else."""
        found = cls(_whole(said["seq"]), [Gap(*map(_whole, gap)) for gap in said["gaps"]])
        ends = [end for gap in found.gaps for end in gap[:2]]
        if sorted(ends) != ends or len(found.gaps) > MOST or any(end > found.high for end in ends):
            raise ValueError
        return found


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _pieces(gap: Gap, numbers: Sequence[int], end: int) -> list[Gap]:
    """Return what is still lacking of a gap up to `end`."""
    made, low = [], gap.low
    for number in (*numbers, end + 1):
        if low < number:
            made.append(Gap(low, number - 1, 0, gap.since))
        low = number + 1
    return made


def _stretch(gap: Gap, numbers: Sequence[int], end: int) -> list[Gap]:
    """Return a stretch of which these were given, None if none is lacking."""
    if len(numbers) == end - gap.low + 1:
        return []
    return [Gap(gap.low, end, len(numbers), gap.since)]


def _thinned(gaps: Sequence[Gap]) -> list[Gap]:
    """Return the gaps, neighbours made one until there are at most `MOST`."""
    size, made = 2, list(gaps)
    while len(made) > MOST:
        made = _joined(made, size)
        size *= 2
    return made


def _joined(gaps: Sequence[Gap], size: int) -> list[Gap]:
    """Return the gaps with neighbours made one that have at most so many entries between and in them."""
    made: list[Gap] = []
    for gap in gaps:
        last = made[-1] if made else None
        if last is not None:
            both = last.joined(gap)
            if max(both.given, max(last.given, 0) + gap.low - last.high - 1 + max(gap.given, 0)) <= size:
                made[-1] = both
                continue
        made.append(gap)
    return made
