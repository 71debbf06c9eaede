"""The bookmark of a folder: the file that is being read and how far, those that are done, those that must rest.

Rule 1: a file that was read to its end is in `done` until it is moved, which is at the beginning of the next read; a
        folder whose files are not moved keeps them there.
Rule 2: the whole is bounded, to stay below 64 KiB: DONE files, of which BAD unreadable ones, SEEN that must rest, and
        CONTENTS by which a repeated content is known.
Rule 3: `base` and a file's place in `done` make its number in the archive: it is moved to one place, however often that
        is begun.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any

from adapters.contract import Bookmark, Misconfigured
from adapters.files.marks import ENDS, KEY, MARK

DONE = 2000
BAD = 20
SEEN = 500
CONTENTS = 300
_SENTENCE = 80
_VERSION = 1
_LARGEST = 10**13


@dataclass(frozen=True, slots=True)
class Place:
    """How far into a file: `key` its mark and ends, `name` a digest of its name, `rows` how many were given."""

    key: bytes
    name: bytes
    at: int = 0
    following: int = 1
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a file is unreadable, from which line, and how many rows were given before."""

    zh: str
    en: str
    line: int
    rows: int


@dataclass(slots=True)
class Progress:
    """What a bookmark says."""

    base: int = 0
    now: Place | None = None
    done: dict[bytes, None] = field(default_factory=dict)
    bad: dict[bytes, Fault] = field(default_factory=dict)
    seen: dict[bytes, int] = field(default_factory=dict)
    contents: dict[bytes, None] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether no further file may be finished before those that are done are moved."""
        return len(self.done) >= DONE or len(self.bad) >= BAD

    def finish(self, key: bytes, fault: Fault | None = None) -> None:
        """Count a file as read."""
        self.done[key] = None
        if fault:
            self.bad[key] = fault
        self.now = None

    def remember(self, content: bytes) -> None:
        """Keep a digest of a content, and let the oldest go."""
        self.contents[content] = None
        while len(self.contents) > CONTENTS:
            self.contents.pop(next(iter(self.contents)))

    def write(self) -> Bookmark:
        """Return it as a bookmark."""
        said: dict[str, Any] = {"v": _VERSION, "base": self.base, "done": _join(self.done)}
        if self.now:
            now = self.now
            said["now"] = [_join([now.key]), _join([now.name]), now.at, now.following, now.rows]
        if self.bad:
            said["bad"] = [[_join([key]), one.zh[:_SENTENCE], one.en[:2 * _SENTENCE], one.line, one.rows]
                           for key, one in self.bad.items()]
        if self.seen:
            said["seen"] = [[at, _join(one for one, then in self.seen.items() if then == at)]
                            for at in sorted(set(self.seen.values()))]
        if self.contents:
            said["contents"] = _join(self.contents)
        return Bookmark(said)

    @classmethod
    def read(cls, said: Any) -> Progress:
        """Return what `write` wrote; raise Misconfigured for anything else."""
        if said is None:
            return cls()
        try:
            if said["v"] != _VERSION:
                raise ValueError
            now = said.get("now")
            return cls(
                count(said["base"]),
                _place(now) if now else None,
                dict.fromkeys(_split(said["done"], KEY)),
                {_split(one[0], KEY)[0]: Fault(str(one[1]), str(one[2]), count(one[3]), count(one[4]))
                 for one in said.get("bad", ())},
                {one: count(at) for at, marks in said.get("seen", ()) for one in _split(marks, MARK)},
                dict.fromkeys(_split(said.get("contents", ""), KEY)),
            )
        except (AttributeError, KeyError, TypeError, ValueError, IndexError):
            raise strange() from None


def _place(said: Any) -> Place:
    (known,), (name,), (at, following, rows) = _split(said[0], KEY), _split(said[1], MARK), map(count, said[2:])
    return Place(known, name, at, following, rows)


def strange() -> Misconfigured:
    """Return the error of a bookmark that nothing here wrote."""
    return Misconfigured("断点不是此适配器的，请从头读取", "the bookmark is not this adapter's; read anew")


def count(said: Any) -> int:
    """Return a number of a bookmark; raise ValueError for what is none."""
    if type(said) is not int or not 0 <= said < _LARGEST:
        raise ValueError
    return said


def key(mark: bytes, ends: bytes) -> bytes:
    """Return what a file that is done is kept by."""
    assert len(mark) == MARK and len(ends) == ENDS
    return mark + ends


def _join(marks: Any) -> str:
    return b64encode(b"".join(marks)).decode()


def _split(said: str, size: int) -> list[bytes]:
    octets = b64decode(said, validate=True)
    if len(octets) % size:
        raise ValueError
    return [octets[at:at + size] for at in range(0, len(octets), size)]
