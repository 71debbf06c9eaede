"""The node's own command with one thing changed: the port of the wall clock adds what the file named first says.

    python -m tests.regressions.clocked FILE -c node.toml run

The file holds a whole number of milliseconds, eight octets; a test writes another and the clock has jumped.  Timers,
TLS's own checks and the file system keep the machine's time.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

FORM = struct.Struct("<q")
DAY = 86_400_000


def jump(file: Path, milliseconds: int) -> None:
    """Let the clock of whoever reads this file stray by so much."""
    if not file.exists():
        file.write_bytes(FORM.pack(milliseconds))
    with file.open("r+b") as open_file:
        open_file.write(FORM.pack(milliseconds))


def main() -> None:
    """Run the node with the strayed clock."""
    from node.__main__ import main as command
    from node.service import build
    from node.service import run as running

    with open(sys.argv[1], "rb") as file:
        shown = mmap.mmap(file.fileno(), FORM.size, prot=mmap.PROT_READ)

    def now() -> int:
        return time.time_ns() // 1_000_000 + int(FORM.unpack_from(shown)[0])

    build.now = running.now = now  # type: ignore[attr-defined]  # the port that both hand on
    sys.argv = ["exchange-node", *sys.argv[2:]]
    sys.exit(command())


if __name__ == "__main__":
    main()
