"""How short the disk below the state folder is, looked at no more than once a second."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from node.config.sections import DiskSection
from node.ports import Counter
from node.spool.shortage import Shortage, Thresholds, shortage


class Disk:
    """Answers with the present grade of shortage."""

    def __init__(self, folder: Path, section: DiskSection, seconds: Callable[[], float], counter: Counter) -> None:
        self._folder, self._section, self._seconds, self._counter = folder, section, seconds, counter
        self._until = 0.0
        self._grade = Shortage.NONE

    def __call__(self) -> Shortage:
        """Return the grade."""
        now = self._seconds()
        if now >= self._until:
            self._until = now + 1.0
            self._grade = self._look()
        return self._grade

    def renew(self, section: DiskSection) -> None:
        """Take other thresholds, from now on."""
        self._section, self._until = section, 0.0

    def _look(self) -> Shortage:
        try:
            found = os.statvfs(self._folder)
        except OSError:  # unmounted, or moved away: there is no room at all
            return Shortage.RESERVE
        free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
        section = self._section
        self._counter.gauge("spool_avail", free)
        self._counter.gauge("spool_size", total)
        wanted = (section.intake, section.foreign, section.reserve)
        return shortage(free, Thresholds(*(room.of(total) for room in wanted)))
