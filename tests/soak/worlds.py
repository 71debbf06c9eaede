"""Worlds by the thousand, each from its seed, two at a time (`python -m tests.world`)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.soak.pieces import Options, Piece

AT_ONCE = 2000


def pieces(options: Options) -> Iterator[Piece]:
    """Yield the seeds by the two thousand."""
    for first in range(0, options.seeds, AT_ONCE):
        count = min(AT_ONCE, options.seeds - first)
        yield Piece("worlds", f"{first}-{first + count - 1}", partial(play, first, count))


def play(first: int, count: int, folder: Path) -> tuple[Mapping[str, Any], list[str]]:
    """Live so many seeds; return the figures and each seed that broke a promise."""
    folder.mkdir(parents=True)
    report = folder / "worlds.json"
    command = [
        sys.executable, "-m", "tests.world", "--first", f"{first}", "--seeds", f"{count}", "--processes", "2",
        "--report", f"{report}",
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if not report.exists():
        return {}, [f"no worlds were lived: {(ran.stderr or ran.stdout)[-400:]}"]
    told = json.loads(report.read_text(encoding="utf-8"))
    broken = [f"seed {one['seed']}: {one['error']}" for one in told["failed"]]
    if ran.returncode and not broken:
        broken.append(f"ended with {ran.returncode}: {ran.stderr[-400:]}")
    return {name: told[name] for name in ("seeds", "first", "passed", "nemeses", "records")}, broken
