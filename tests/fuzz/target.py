"""What a target is: one parser, the inputs to begin with, how to change them, and what holds of what it takes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from random import Random

MARKER = b"Mk7uQ2xWv9Secret"
"""Content: put into the values of seeds, it must never come back in a refusal, a log line, a metric or an answer."""

Mutator = Callable[[bytes, Random], bytes]
"""Returns a changed input; the same for the same generator."""


class Leak(AssertionError):
    """Content of the input was told to somebody."""


@dataclass(frozen=True)
class Target:
    """One parser under fuzz.

    `run` hands an input to the parser and holds the properties of its own as assertions; what it returns is any value
    that tells kinds of inputs apart, so that a new kind is kept.  A `Trouble`, or one of `refusals`, is the documented
    answer to a bad input; anything else that comes out is a finding.  `seconds` is processor time, `memory` octets of
    growth of the process, `most` octets of an input, `rounds` how many mutations `make test` tries.  `hides` is False
    where an input is a publication, of which a refusal may quote names.
    """

    name: str
    says: str
    seeds: Callable[[], Iterable[bytes]] = field(repr=False)
    run: Callable[[bytes], Hashable] = field(repr=False)
    mutate: Mutator = field(repr=False)
    refusals: tuple[type[Exception], ...] = ()
    seconds: float = 2.0
    memory: int = 96 << 20
    most: int = 64 << 10
    rounds: int = 150
    hides: bool = True


def hidden(*told: object) -> None:
    """Raise Leak if the marker is part of anything told."""
    for one in told:
        if MARKER.decode() in str(one):
            raise Leak("content was told")
