"""The lines of a file, each bounded, with the place behind it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

from adapters.files.flaw import LONGEST

_CHUNK = 1 << 16


class Line(NamedTuple):
    """A line with its end; `octets` is None if it is longer than a row may be.  `after` is the place behind it."""

    number: int
    after: int
    octets: bytes | None


def lines(file: BufferedReader, at: int, number: int) -> Iterator[Line]:
    """Yield the lines from a place on, of which the first has this number."""
    while octets := file.readline(LONGEST + 1):
        at += len(octets)
        whole: bytes | None = octets
        if len(octets) > LONGEST and not octets.endswith(b"\n"):
            whole = None
            while (more := file.readline(_CHUNK)) and not more.endswith(b"\n"):
                at += len(more)
            at += len(more)
        yield Line(number, at, whole)
        number += 1
