"""What a real process did to its disk and said on its sockets, as `strace` saw it, in order.

Each thread has a file of its own (`-ff`), so no call is torn in two; the calls are joined by their times.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.powercut.platter import Change, Inode, Platter, Truncate, Write

CALLS = (
    "openat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync,syncfs,msync,"
    "unlink,unlinkat,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,rmdir,sendto,sendfile,copy_file_range"
)
OPTIONS = ["-D", "-ff", "-ttt", "-y", "-xx", "-s", "20000000", "-e", f"trace={CALLS}"]
_LINE = re.compile(r"(?P<at>\d+\.\d+) (?P<name>\w+)\((?P<args>.*)\) += (?P<result>-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FD = re.compile(r"^(?:AT_FDCWD|\d+)<(?P<path>[^>]*)>")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that went well: paths are absolute, `octets` is what was written or sent."""

    name: str
    paths: tuple[str, ...]
    octets: bytes = field(default=b"", repr=False)
    numbers: tuple[int, ...] = ()
    flags: str = ""
    result: int = 0


def read(folder: Path) -> list[Call]:
    """Return the calls of every thread, in order."""
    found = []
    for path in sorted(folder.iterdir()):
        for number, line in enumerate(path.read_text(encoding="ascii", errors="replace").splitlines()):
            match = _LINE.match(line)
            if match and int(match["result"]) >= 0:
                found.append((float(match["at"]), path.name, number, _call(match)))
    return [call for *_, call in sorted(found, key=lambda one: one[:3])]


def _call(match: re.Match[str]) -> Call:
    """Return a line as a call; with -xx every text is in hex, so no comma or bracket within one misleads."""
    args = match["args"]
    texts = [bytes.fromhex(one.replace("\\x", "")) for one in _TEXT.findall(args)]
    parts = [part.strip() for part in _TEXT.sub("@", args).split(",")]
    at = [_unhex(found["path"]) for part in parts if (found := _FD.match(part))]
    name = match["name"]
    names = name in ("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto")
    paths = at if names else [*(os.path.join(at[min(n, len(at) - 1)] if at else "", os.fsdecode(text))
                                for n, text in enumerate(texts))] or at
    numbers = tuple(int(part) for part in parts if re.fullmatch(r"-?\d+", part))
    return Call(name, tuple(paths), b"".join(texts) if names else b"", numbers, args if name == "openat" else "",
                int(match["result"]))


def _unhex(path: str) -> str:
    return os.fsdecode(bytes.fromhex(path.replace("\\x", ""))) if path.startswith("\\x") else path


@dataclass
class Disk:
    """The disk below one folder as the calls change it; `feed` yields each sync before it takes effect."""

    root: str
    platter: Platter = field(default_factory=Platter)
    _ends: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._handlers = {
            "write": self._append, "pwrite64": self._write, "ftruncate": self._truncate, "mkdir": self._make,
            "unlink": self._remove, "rename": self._rename, "link": self._link, "openat": self._open,
        }

    def inside(self, call: Call) -> bool:
        """Return whether a call changes this disk."""
        return any(path.startswith(self.root + "/") or path == self.root for path in call.paths)

    def is_sync(self, call: Call) -> bool:
        """Return whether a call is a sync of this disk."""
        return call.name in ("fsync", "fdatasync") and self.inside(call)

    def feed(self, call: Call) -> None:
        """Let a call take effect; raises AssertionError for one that this model does not know."""
        if not self.inside(call):
            return
        if self.is_sync(call):
            path = call.paths[0]
            if path in self.platter.now:
                self.platter.now[path].sync()
            self.platter.sync_folder(path)  # no file is a folder, so one of the two does nothing
            return
        handler = self._handlers.get(call.name)
        assert handler is not None, f"{call.name} is not in the model: {call}"
        handler(call)

    def _open(self, call: Call) -> None:
        path = call.paths[-1]
        if "O_CREAT" in call.flags and path not in self.platter.now and "O_TMPFILE" not in call.flags:
            self.platter.open(path)
        if path in self.platter.now:
            if "O_TRUNC" in call.flags:
                self._change(path, Truncate(0))
            self._ends[path] = 0

    def _append(self, call: Call) -> None:
        path = call.paths[0]
        octets = call.octets[: call.result]
        self._change(path, Write(self._ends.get(path, 0), octets))
        self._ends[path] = self._ends.get(path, 0) + len(octets)

    def _write(self, call: Call) -> None:
        self._change(call.paths[0], Write(call.numbers[-1], call.octets[: call.result]))

    def _truncate(self, call: Call) -> None:
        self._change(call.paths[0], Truncate(call.numbers[-1]))

    def _change(self, path: str, change: Change) -> None:
        self.platter.open(path).since.append(change)

    def _make(self, call: Call) -> None:
        self.platter.link(call.paths[0], Inode())

    def _remove(self, call: Call) -> None:
        self.platter.remove(call.paths[0])

    def _rename(self, call: Call) -> None:
        self.platter.rename(*call.paths)

    def _link(self, call: Call) -> None:
        old, new = call.paths
        self.platter.link(new, self.platter.now[old])


def reachable(files: dict[str, bytes], root: str, made: set[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files whose folders below `root` are there, too; `made` are the folders that were ever made."""
    for path, octets in files.items():
        above = {folder for folder in made if path.startswith(folder + "/")}
        if path not in made and above <= set(files):
            yield path.removeprefix(root + "/"), octets
