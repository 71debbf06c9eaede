"""The fields of a message's head as the parser yields them, bounded; shared by both directions."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """Bounds of a head, in octets and fields (trailers count as fields of the head)."""

    url: int = 4096
    octets: int = 16 * 1024
    fields: int = 64


class Head(ABC):
    """Collects fields into `headers`: lower-case names, repeated ones joined with `, ` (RFC 9110 §5.3).

    Whoever inherits calls `begin` with each message, notes every step forward in `progress`, and gives every feed
    that brought none to `strays`: the parser keeps an unfinished name or value by itself, in a head and in trailers
    alike, and this is what bounds it.
    """

    def __init__(self, limits: HeadLimits) -> None:
        self.limits = limits
        self.headers: dict[bytes, bytes] = {}
        self.progress = 0
        self.trailing = False
        self._fields = 0
        self._octets = 0
        self._stray = 0

    def begin(self) -> None:
        """A new message has begun."""
        self.progress += 1
        self.headers = {}
        self.trailing = False
        self._fields = self._octets = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one field; one after the head is a trailer, counted and dropped: nothing here asks for one."""
        self._fields += 1
        self._octets += len(name) + len(value)
        if self._fields > self.limits.fields or self._octets > self.limits.octets:
            self.too_much()
        if self.trailing:
            return
        name = name.lower()
        value = value.rstrip(b" \t")
        headers = self.headers
        headers[name] = value if name not in headers else headers[name] + b", " + value

    def strays(self, size: int, before: int) -> bool:
        """Return whether too many octets came without a step forward since `progress` was `before`."""
        self._stray = self._stray + size if self.progress == before else 0
        return self._stray > self.limits.octets

    @abstractmethod
    def too_much(self) -> NoReturn:
        """The head is over its bounds: end the parsing."""


@lru_cache(256)
def _is_token(name: bytes) -> bool:
    return _TOKEN.fullmatch(name) is not None


def lines(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """Return header lines to write; raise ValueError for one that would break the framing.

    A line break in a value would let whoever chose the value write the next message.
    """
    out: list[bytes] = []
    for name, value in headers:
        if b"\n" in value or b"\r" in value or b"\0" in value or not _is_token(name):
            raise ValueError("a header breaks the framing")
        out += (name, b": ", value, b"\r\n")
    return out
