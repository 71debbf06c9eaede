"""A run guided by coverage: atheris instruments the node's code as it is imported, and libFuzzer chooses.

Our mutators are its custom mutator, so that structure is kept; one change in four is libFuzzer's own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from typing import Any

import atheris

OWN = 0.75


def run(name: str, out: Path, seconds: float, chance: Random) -> None:
    """Run a target until the time is over; libFuzzer ends the process."""
    with atheris.instrument_imports(include=["node"], enable_loader_override=False):
        from tests.fuzz.targets import find

        target = find(name)
    from tests.fuzz.engine import attempt, replay
    from tests.fuzz.worker import Run

    here = Run(name, out, "atheris")
    here.crashes.parent.mkdir(parents=True, exist_ok=True)
    replay(target, here.seeds, here.tally)
    for data in here.seeds:
        if len(data) <= target.most:
            here.keep(data)

    def try_one(data: bytes) -> None:
        here.watch(data)
        attempt(target, data, here.tally)
        here.tell()

    def mutate(data: bytes, most: int, seed: int) -> Any:
        own = Random(seed)
        if own.random() < OWN:
            return target.mutate(data, own)[:most]
        return atheris.Mutate(data, most)

    atheris.Setup(
        [sys.argv[0], f"-max_total_time={max(1, int(seconds))}", f"-max_len={target.most}", "-timeout=120",
         "-rss_limit_mb=0", f"-seed={chance.randrange(1, 1 << 31)}", "-print_final_stats=1", "-reload=0",
         f"-artifact_prefix={here.crashes}.", str(here.corpus)],
        try_one, custom_mutator=mutate,
    )
    atheris.Fuzz()
