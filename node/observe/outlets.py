"""Where log lines go: standard error, a file that turns over by size, the journal with its fields.

Rule: an outlet never waits for its reader and keeps nothing for it; it returns whether the line was taken whole.
"""

from __future__ import annotations

import os
import select
import socket
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from node.model import codes
from node.model.trouble import trouble

PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
JOURNAL = "/run/systemd/journal/socket"
AGAIN = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
PIECE = 4096
"""PIPE_BUF of Linux: a pipe that has room at all takes so much at once."""


def standard_error(descriptor: int | None = None) -> Stream:
    """Return the outlet of standard error; a reader that sleeps or has gone is no reason to wait or to stop."""
    return Stream(sys.stderr.fileno() if descriptor is None else descriptor)


class Stream:
    """Writes to a descriptor that others share, and never waits: what its reader does not take now is dropped.

    Whether a descriptor waits is a property it shares with whoever gave it to us (a terminal's shell), so ours is left
    as it is: a socket is told per call, anything else is opened a second time, or asked before each piece.
    """

    def __init__(self, number: int) -> None:
        self._torn = False
        self._own: socket.socket | int | None = None
        try:
            kind = os.fstat(number).st_mode
        except OSError:  # closed: every write will tell
            kind = 0
        if stat.S_ISSOCK(kind):
            line = self._own = socket.socket(fileno=os.dup(number))
            self._some: Callable[[bytes], int] = lambda piece: line.send(piece, socket.MSG_DONTWAIT)
        elif stat.S_ISREG(kind):
            self._some = lambda piece: os.write(number, piece)
        else:
            self._some = self._unwaiting(number)

    def __call__(self, line: Mapping[str, Any], octets: bytes) -> bool:
        """Write a line; a line that was broken off before is ended first, so that the next one is whole."""
        whole, sent = (b"\n" + octets if self._torn else octets), 0
        try:
            while sent < len(whole) and (some := self._some(whole[sent : sent + PIECE])):
                sent += some
        except OSError:
            pass
        if sent:
            self._torn = sent < len(whole)
        return sent == len(whole)

    def close(self) -> None:
        """Close what was opened here; the descriptor itself belongs to whoever gave it."""
        own, self._own = self._own, None
        if isinstance(own, socket.socket):
            own.close()
        elif own is not None:
            os.close(own)

    def _unwaiting(self, number: int) -> Callable[[bytes], int]:
        """Return what writes a piece to a pipe or a terminal; where that would wait it writes nothing, or fails."""
        try:
            own = self._own = os.open(f"/proc/self/fd/{number}", AGAIN)
            return lambda piece: os.write(own, piece)
        except OSError:  # another account's, or nobody reads it
            asked = select.poll()
            asked.register(number, select.POLLOUT)

        def write(piece: bytes) -> int:
            return os.write(number, piece) if asked.poll(0) else 0

        return write


class LogFile:
    """A file for the owner alone, turned over at `largest` octets; the last `keep` are kept as `.1`, `.2`, …

    Raises Hold(LOG_FILE) if it cannot be opened at the start.
    """

    def __init__(self, path: Path, largest: int = 64 << 20, keep: int = 5) -> None:
        self._path = path
        self._largest = largest
        self._keep = keep
        try:
            self._open()
        except OSError:
            raise trouble(codes.LOG_FILE, name=path.name) from None

    def __call__(self, line: Mapping[str, Any], octets: bytes) -> bool:
        """Append a line; a full disk loses lines, not work."""
        try:
            if self._size + len(octets) > self._largest and self._size:
                self._turn()
            written = os.write(self._descriptor, octets)
        except OSError:
            return False
        self._size += written
        return written == len(octets)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _turn(self) -> None:
        for number in range(self._keep - 1, 0, -1):
            older = self._named(number)
            if older.exists():
                os.replace(older, self._named(number + 1))
        if self._path.exists():
            os.replace(self._path, self._named(1))
        stale = self._descriptor
        self._open()
        os.close(stale)

    def _named(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


class Journal:
    """The journal's own protocol: `EXN_*` fields beside MESSAGE, so that `journalctl EXN_PEER=centre` finds lines."""

    def __init__(self, address: str = JOURNAL) -> None:
        self._address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)

    def __call__(self, line: Mapping[str, Any], octets: bytes) -> bool:
        """Send a line; a journal that is away or full loses it."""
        try:
            self._socket.sendto(fields(line), self._address)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def fields(line: Mapping[str, Any]) -> bytes:
    """Return a line as the journal's native fields: `NAME=value`, or with a length where the value has a newline."""
    named = {"MESSAGE": f"{line['event']} {line['msg']}", "PRIORITY": PRIORITY.get(line["level"], 3),
             "SYSLOG_IDENTIFIER": "exchange-node"}
    named |= {f"EXN_{name.upper()}": value for name, value in line.items() if name not in ("ts", "msg", "level")}
    parts = []
    for name, value in named.items():
        text = str(value).encode("utf-8", "replace")
        if b"\n" in text:
            parts.append(name.encode() + b"\n" + len(text).to_bytes(8, "little") + text + b"\n")
        else:
            parts.append(name.encode() + b"=" + text + b"\n")
    return b"".join(parts)
