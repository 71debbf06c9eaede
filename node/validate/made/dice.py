"""Repeatable choices for samples: a small generator (SplitMix64) whose every throw follows from its seed.

It is for made-up records only, and never a source of secrets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_ALL = (1 << 64) - 1


class Dice:
    """Throws that depend on the seeds alone."""

    def __init__(self, *seeds: int | str) -> None:
        self.state = 0
        for seed in seeds:
            number = int.from_bytes(seed.encode(), "big") if isinstance(seed, str) else seed
            self.state = (self.state ^ number % ((1 << 61) - 1)) * 0xD1342543DE82EF95 & _ALL
            self.state = self.throw()

    def throw(self) -> int:
        """Return 64 bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & _ALL
        mixed = (self.state ^ self.state >> 30) * 0xBF58476D1CE4E5B9 & _ALL
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _ALL
        return mixed ^ mixed >> 31

    def below(self, limit: int) -> int:
        """Return a number from 0 to limit - 1."""
        return self.throw() % limit

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[self.throw() % len(choices)]

    def chance(self, percent: int) -> bool:
        """Return true `percent` times out of a hundred."""
        return self.throw() % 100 < percent
