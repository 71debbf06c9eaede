"""The node's side of reading: rows are kept with the bookmark behind them, or not at all; in this process, or in one.

Both ways a row is what the node would see: a line of JSON (`adapters.rows`), parsed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from adapters.contract import Adapter, Bookmark, Dirty, Misconfigured, Mode, Order, Row, Unavailable
from adapters.kit.judged import broken, must
from adapters.rows import write_row
from adapters.schema import fit
from node.hosts import Child, Limits
from node.hosts.child import PYTHON
from node.model.frames import STATE, FrameKind

Word = Row | Bookmark | Dirty
"""What an adapter says while it reads."""

LIMITS = Limits(silence=60.0, farewell=5.0)
ENDLESS = 1 << 62


@dataclass
class Kept:
    """What the node keeps of reads: a bookmark for each mode, the rows that came before one, what was dirty."""

    bookmarks: dict[Mode, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    dirty: list[Dirty] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)
    """Every bookmark, in order."""
    words: int = 0
    """How much was said in the last read."""

    def bookmark(self, mode: Mode) -> Any:
        """Return how far a mode has been read."""
        return self.bookmarks.get(_own(mode))

    def take(self, words: Iterable[Word], mode: Mode, stop_after: int | None = None) -> tuple[list[Row], int]:
        """Keep what is said; return the rows kept, and how many were said behind the last bookmark.

        Stopped after so many words, as by a kill: what no bookmark covers is lost, and that is right.
        """
        kept: list[Row] = []
        open_: list[Row] = []
        self.words = 0
        for one in words if stop_after != 0 else ():
            self.words += 1
            if isinstance(one, Bookmark):
                self.bookmarks[_own(mode)] = one.at
                self.seen.append(one.at)
                kept += open_
                self.rows += open_  # at once: a process may die at the next word
                open_.clear()
            elif isinstance(one, Dirty):
                self.dirty.append(one)
            else:
                open_.append(one)
            if self.words == stop_after:
                break
        return kept, len(open_)


def _own(mode: Mode) -> Mode:
    return Mode.WHOLE if mode is Mode.WHOLE else Mode.NEW


def words(adapter: Adapter, order: Order) -> Generator[Word, None, None]:
    """Yield what an adapter says in this process; an error that the contract does not know breaks it."""
    __tracebackhide__ = True
    count = 0
    try:
        fit(adapter.reads, order.what, "设置what", "what")
        with closing(_iterator(adapter.read(order))) as said:
            for one in said:
                count += not isinstance(one, Bookmark)
                yield _as_the_node_sees_it(one)
                if isinstance(one, Bookmark) and count >= order.limit:
                    return
    except (Misconfigured, Unavailable):
        raise
    except Exception as error:
        crashed(error)


def crashed(error: Exception) -> None:
    """Say that an adapter let an error escape; raise on what was said already."""
    __tracebackhide__ = True
    if isinstance(error, AssertionError) and hasattr(error, "zh"):
        raise error
    name = type(error).__name__
    broken(f"适配器内部错误：{name}；应为Misconfigured或Unavailable",
           f"an error escaped from the adapter: {name}; it should be Misconfigured or Unavailable", error)


def _iterator(said: Any) -> Any:
    """Return what can be closed; an adapter may return a list as well."""
    return said if hasattr(said, "close") else (one for one in said)


def _as_the_node_sees_it(one: Word) -> Word:
    if isinstance(one, Bookmark):
        try:
            written = json.dumps(one.at, ensure_ascii=False, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            broken("断点不是JSON", "the bookmark is no JSON", error)
        must(len(written) <= STATE, "断点超过64 KiB", "the bookmark has more than 64 KiB")
        return Bookmark(json.loads(written))
    if isinstance(one, Dirty):
        return one
    line = write_row(one)
    return line if isinstance(line, Dirty) else json.loads(line)


class Process:
    """An adapter in a process of its own, as the node runs it; killed after `die_after` words, never if below zero."""

    def __init__(self, name: str, settings: Mapping[str, Any], die_after: int = -1, zone: str | None = None) -> None:
        self._errors = tempfile.TemporaryFile()
        command = (sys.executable, "-P", "-m", "adapters.kit.mortal", str(die_after))
        plain = die_after < 0 and ":" not in name
        with _environment(zone):
            self.child = Child(
                name, settings, LIMITS, command=PYTHON if plain else command, errors=self._errors.fileno())

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *why: object) -> None:
        self.child.close()
        self._errors.close()

    def words(self, order: Order) -> Generator[Word, None, None]:
        """Yield what it says; raise a Trouble of the node's as the child's end or failure."""
        asked = {"what": dict(order.what), "bookmark": order.bookmark, "mode": order.mode.value, "limit": order.limit}
        for frame in self.child.act("read", **asked):
            if frame.kind is FrameKind.RECORDS:
                yield from map(json.loads, frame.lines)
            elif frame.kind is FrameKind.BOOKMARK:
                yield Bookmark(json.loads(frame.body))
            elif frame.kind is FrameKind.DIRTY:
                yield Dirty(**json.loads(frame.body))

    def printed(self) -> str:
        """Return what it printed."""
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")


@contextmanager
def _environment(zone: str | None) -> Iterator[None]:
    """Let a process find what this one finds, an adapter that is not installed too, and live in a time zone."""
    told = {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part)} | ({"TZ": zone} if zone else {})
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
