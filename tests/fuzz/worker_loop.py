"""A run by our own loop, where atheris is not."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.fuzz.engine import loop, replay
from tests.fuzz.worker import Run


def run(name: str, out: Path, seconds: float, chance: Random) -> None:
    """Run a target for so many seconds."""
    here = Run(name, out, "own")
    pool = replay(here.target, here.seeds, here.tally)
    loop(here.target, pool, seconds, chance, here.tally, here.watch, here.tell)
    here.tell(now=True)
