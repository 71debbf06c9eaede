"""What a disk surely holds: each write counts from the sync of its file on, each name from the sync of its folder on.

The model is harsher than a journalling file system and as harsh as POSIX: of what was written since the last sync each
sector holds, after the cut, what any one of the writes to it left, whatever became of the others and of the length; a
file that was made, removed or renamed is there or not, each by itself.  A sector that was not written is never hurt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

SECTOR, PAGE = 512, 4096


class Fate(StrEnum):
    """What becomes of the writes that were not synced when the power failed."""

    NONE = "none"
    ALL = "all"
    SECTORS = "sectors"
    """Each 512 octets by themselves, each name by itself, by seed: torn pages."""
    PAGES = "pages"
    """The same in 4 KiB."""


@dataclass(frozen=True, slots=True)
class Write:
    """Octets at a place of a file."""

    at: int
    octets: bytes = field(repr=False)

    @property
    def end(self) -> int:
        """The place after the last octet."""
        return self.at + len(self.octets)


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file's new length."""

    size: int


Change = Write | Truncate


@dataclass(eq=False)
class Inode:
    """One file, whatever it is called: what is safe of it and what was done since, in order."""

    safe: bytes = b""
    since: list[Change] = field(default_factory=list)

    def sync(self) -> None:
        """Everything done so far is safe."""
        if self.since:
            self.safe = play(self.safe, self.since)
            self.since = []

    def after(self, fate: Fate, dice: Random) -> bytes:
        """Return what is read after the cut."""
        if fate is Fate.NONE:
            return self.safe
        if fate is Fate.ALL:
            return play(self.safe, self.since)
        return _torn(self.safe, self.since, SECTOR if fate is Fate.SECTORS else PAGE, dice)


def play(octets: bytes, changes: Iterable[Change]) -> bytes:
    """Return a file's octets after changes."""
    held = bytearray(octets)
    for change in changes:
        if isinstance(change, Truncate):
            del held[change.size :]
            held.extend(bytes(max(0, change.size - len(held))))
        else:
            held.extend(bytes(max(0, change.at - len(held))))
            held[change.at : change.end] = change.octets
    return bytes(held)


def _torn(octets: bytes, changes: list[Change], block: int, dice: Random) -> bytes:
    """Return a file in which each block saw the changes up to one of its own, and the length up to another."""
    sizes, touched = _touched(octets, changes, block)
    seen = {index: dice.choice([0, *numbers]) for index, numbers in sorted(touched.items())}
    held = bytearray(octets.ljust(max(sizes), b"\0"))
    for number, change in enumerate(changes, 1):
        start, end = _span(change, len(held))
        left = change.octets if isinstance(change, Write) else bytes(end - start)
        for index in _blocks(start, end, block):
            if number <= seen[index]:
                first, last = max(start, index * block), min(end, (index + 1) * block)
                held[first:last] = left[first - start : last - start]
    return bytes(held[: dice.choice(sizes)])


def _touched(octets: bytes, changes: list[Change], block: int) -> tuple[list[int], dict[int, list[int]]]:
    """Return the file's length after each change, and by block the numbers of the changes that touch it."""
    sizes, touched = [len(octets)], dict[int, list[int]]()
    for change in changes:
        sizes.append(change.size if isinstance(change, Truncate) else max(sizes[-1], change.end))
    for number, change in enumerate(changes, 1):
        start, end = _span(change, max(sizes))
        for index in _blocks(start, end, block):
            touched.setdefault(index, []).append(number)
    return sizes, touched


def _span(change: Change, size: int) -> tuple[int, int]:
    return (change.at, change.end) if isinstance(change, Write) else (change.size, max(size, change.size))


def _blocks(start: int, end: int, block: int) -> range:
    return range(start // block, -(-end // block)) if start < end else range(0)


@dataclass(frozen=True, slots=True)
class Name:
    """A folder's entry from now on: a file, or none."""

    path: str
    inode: Inode | None


class Platter:
    """The files of one machine by their paths; folders are those of the paths."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self._safe = {path: Inode(octets) for path, octets in (files or {}).items()}
        self._since: list[Name] = []
        self.now = dict(self._safe)
        """What a running program sees."""

    def open(self, path: str) -> Inode:
        """Return a file, which is made if it is not there."""
        if path not in self.now:
            self.link(path, Inode())
        return self.now[path]

    def link(self, path: str, inode: Inode) -> None:
        """Let a path name a file."""
        self.now[path] = inode
        self._since.append(Name(path, inode))

    def remove(self, path: str) -> None:
        """Let a path name nothing."""
        if self.now.pop(path, None) is not None:
            self._since.append(Name(path, None))

    def rename(self, old: str, new: str) -> None:
        """Let a file be called otherwise."""
        inode = self.now[old]
        self.link(new, inode)
        self.remove(old)

    def sync_folder(self, folder: str) -> None:
        """Every name of a folder is safe."""
        mine = [name for name in self._since if name.path.rpartition("/")[0] == folder]
        self._since = [name for name in self._since if name not in mine]
        _apply(self._safe, mine)

    def after(self, fate: Fate, dice: Random) -> dict[str, bytes]:
        """Return what is found after the cut, by path."""
        names = dict(self._safe)
        if fate is not Fate.NONE:
            _apply(names, [name for name in self._since if fate is Fate.ALL or dice.random() < 0.5])
        return {path: inode.after(fate, dice) for path, inode in sorted(names.items())}


def _apply(names: dict[str, Inode], changes: Iterable[Name]) -> None:
    for change in changes:
        if change.inode is None:
            names.pop(change.path, None)
        else:
            names[change.path] = change.inode
