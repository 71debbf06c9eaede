"""A process of the measuring side that is spoken to by lines; it ends with its parent, however that went."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys

_prctl = ctypes.CDLL(None).prctl
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Let the kernel end this process when the measuring one is gone, however it went."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A process that answers lines with lines."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=end_with_parent,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def say(self, line: str) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """Return its next line; raise SystemExit if it ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args} ended with {self._process.wait()}")
        return line.strip()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
