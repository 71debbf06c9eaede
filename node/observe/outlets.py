"""Where log lines go: standard error, a file that turns over by size, the journal with its fields."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.model import codes
from node.model.trouble import trouble
from node.observe.log import Lines

PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
JOURNAL = "/run/systemd/journal/socket"


def standard_error(descriptor: int | None = None) -> Lines:
    """Return the outlet of standard error; a reader that has gone is no reason to stop."""
    number = sys.stderr.fileno() if descriptor is None else descriptor

    def write(line: Mapping[str, Any], octets: bytes) -> None:
        try:
            os.write(number, octets)
        except OSError:
            pass

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

    def __call__(self, line: Mapping[str, Any], octets: bytes) -> None:
        """Append a line; a full disk loses lines, not work."""
        try:
            if self._size + len(octets) > self._largest and self._size:
                self._turn()
            self._size += os.write(self._descriptor, octets)
        except OSError:
            pass

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

    def __call__(self, line: Mapping[str, Any], octets: bytes) -> None:
        """Send a line; a journal that is away or full loses it."""
        try:
            self._socket.sendto(fields(line), self._address)
        except OSError:
            pass

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
