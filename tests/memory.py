"""Where a run of all tests keeps its files: in memory if there is room, for a slow disk makes everything wait.

No test needs a disk: what a lost power leaves behind is played from what was written and synced (tests/powercut), and
a process that is killed leaves its files in memory as it leaves them on a disk.

Rule 1: files are kept in memory only where they may be executed, and where both the folder and the machine have room.
Rule 2: what a killed run left behind, the next one clears away.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SHARED = Path("/dev/shm")
PREFIX = "exn-"
"""Short, for the name of a socket may have no more than 107 octets."""
ROOM = 8 << 30
"""Octets that must be free; two folders of tests at once have filled less than half of it."""


def available() -> int:
    """Return how many octets the machine can still give."""
    with suppress(OSError, ValueError, IndexError):
        said = Path("/proc/meminfo").read_text(encoding="ascii")
        return int(said.split("MemAvailable:")[1].split()[0]) << 10
    return 0


def fits(folder: Path = SHARED, room: int = ROOM) -> bool:
    """Return whether tests may keep their files in a folder in memory."""
    try:
        mounted = [line.split()[1:3] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
        about = os.statvfs(folder)
    except OSError:
        return False
    return (
        [str(folder), "tmpfs"] in mounted and os.access(folder, os.W_OK) and not about.f_flag & os.ST_NOEXEC
        and min(about.f_bavail * about.f_frsize, available()) >= room
    )


def clear_away(folder: Path) -> None:
    """Remove what runs left that are no more."""
    for left in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            held = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(held)


@contextmanager
def kept() -> Iterator[dict[str, str]]:
    """Give the variables with which a process keeps its temporary files where they are best kept, and remove them.

    Where Python is told to write no bytecode it writes it here: hundreds of processes would compile the same again.
    """
    clear_away(SHARED)
    inside = fits()
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=SHARED if inside else None)
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    os.chmod(folder, 0o755)  # servers of databases run as an account without rights
    told = {"TMPDIR": folder} if inside else {}
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        told |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
    try:
        yield told
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)
