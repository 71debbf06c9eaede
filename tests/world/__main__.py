"""`python -m tests.world --seeds 20000 --processes 2 --report build/soak/world.json`: worlds by the thousand.

Ends with 0 if every promise held in every seed.  `--first` goes on where another run ended; what was lived so far is
in the report at any moment.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

from tests.world.lives import Told, report
from tests.world.pool import Pool

EVERY = 30.0
"""Seconds between two reports."""
NAMES = ("exchange-node", "twisted", "cryptography", "orjson", "jsonschema-rs", "zstandard")


def _versions() -> dict[str, str]:
    return {"python": sys.version.split()[0], **{name: version(name) for name in NAMES}}


def _write(path: Path | None, told: dict[str, object]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**told, "versions": _versions()}, ensure_ascii=False, indent=1), encoding="utf-8")


def main() -> int:
    """Live the seeds that were asked for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--report", type=Path, help="a JSON file")
    asked = parser.parse_args()
    began = told_at = time.monotonic()
    told: list[Told] = []
    with Pool(asked.processes) as pool:
        for one in pool.lives(range(asked.first, asked.first + asked.seeds)):
            told.append(one)
            if one.error is not None:
                print(f"seed {one.seed} failed:\n{one.error}", flush=True)
            if time.monotonic() - told_at > EVERY:
                told_at = time.monotonic()
                print(f"{len(told)} of {asked.seeds}, {told_at - began:.0f} s", flush=True)
                _write(asked.report, report(asked.first, len(told), told, told_at - began))
    said = report(asked.first, asked.seeds, told, time.monotonic() - began)
    _write(asked.report, said)
    print(json.dumps({**said, "failed": [one["seed"] for one in said["failed"]]}, ensure_ascii=False))
    return 1 if said["failed"] or len(told) < asked.seeds else 0


if __name__ == "__main__":
    sys.exit(main())
