"""How much memory processes hold while something runs: a thread that looks twice a second."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

EVERY = 0.5


def resident(pid: int) -> int:
    """Return the octets of memory a process holds."""
    fields = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(fields.partition("VmRSS:")[2].split()[0]) << 10


class Watched:
    """Watches processes from now until `end`: what each held at first, and the most it ever held."""

    def __init__(self, pids: Sequence[int]) -> None:
        self.first = [resident(pid) for pid in pids]
        self.most = list(self.first)
        self._pids, self._ended = pids, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> list[tuple[int, int]]:
        """Stop watching; return (at first, most) of each."""
        if not self._ended.is_set():
            self._look()
        self._ended.set()
        self._thread.join()
        return list(zip(self.first, self.most, strict=True))

    def _run(self) -> None:
        while not self._ended.wait(EVERY):
            self._look()

    def _look(self) -> None:
        for at, pid in enumerate(self._pids):
            with suppress(OSError, IndexError):  # it has ended
                self.most[at] = max(self.most[at], resident(pid))
