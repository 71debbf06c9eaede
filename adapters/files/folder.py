"""What the life of files asks of a folder, local or remote.

A path is relative to the root that the settings name, its parts joined by `/`; octets of a name that are no UTF-8 stand
in it as the file system of Python's own writes them (surrogateescape).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BufferedReader
from typing import NamedTuple, Protocol

MANY = 200_000
"""Most entries of a folder that are looked at; a folder that holds more must be cleared by a person."""


class Entry(NamedTuple):
    """One entry of a folder: `mtime` in nanoseconds; `plain` is an ordinary file, not a link, a pipe or a folder."""

    name: str
    size: int
    mtime: int
    plain: bool
    folder: bool = False


class Gone(Exception):
    """The file is no longer there, or no longer an ordinary file."""


class Taken(Exception):
    """The name is in use already."""


class Folder(Protocol):
    """A tree of folders.  Every method raises Misconfigured or Unavailable for what is wrong with it as a whole."""

    near: bool
    """Whether looking into a file costs nothing to speak of."""

    def entries(self, path: str) -> Iterator[Entry]:
        """Yield what the folder holds, at most MANY."""
        ...

    def entry(self, path: str) -> Entry | None:
        """Return one entry, None if there is none."""
        ...

    def open(self, path: str) -> BufferedReader:
        """Open an ordinary file for reading, seekable; raise Gone if there is none."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Rename a file; raise Taken if the new name is in use, Gone if there is no file of the old one."""
        ...

    def replace(self, old: str, new: str) -> None:
        """Rename a file, in place of what has the new name."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file, or an empty folder, if it is there."""
        ...

    def make(self, path: str) -> None:
        """Make a folder and those above it."""
        ...

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a file anew and have it on the disk; what is half written is removed."""
        ...

    def append(self, path: str, octets: bytes) -> None:
        """Add to a file, making it if need be, and have it on the disk."""
        ...

    def sync(self, path: str) -> None:
        """Have what was renamed in the folder on the disk."""
        ...

    def lock(self, path: str) -> None:
        """Hold a lock of this name until `close` or `unlock`; raise Unavailable if another process holds it."""
        ...

    def unlock(self) -> None:
        """Let the lock go."""
        ...

    def free(self, path: str) -> int | None:
        """Return how many octets are free there, None if nobody tells."""
        ...

    def may(self, path: str, write: bool) -> bool | None:
        """Return whether the folder may be listed, or written to; None if that is learnt only by trying."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
