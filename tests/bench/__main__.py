"""The benchmark: `make bench`, or `python -m tests.bench [--quick] [--rounds N] [--out FILE]`.

Two nodes as real processes with every guarantee on, against pyas2lib on the same machine in the same run; interleaved
rounds, medians, ratios.  Figures, not tests: it fails only if a record is lost or something does not run.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from tests.bench import figures
from tests.bench.report import report
from tests.bench.rounds import FULL, QUICK, Sizes
from tests.bench.whole import measure


def main() -> int:
    """Measure, write the list and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about a minute instead of five")
    parser.add_argument("--rounds", type=int, help="how many interleaved rounds")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--keep", action="store_true", help="keep the nodes' folders, for a look")
    chosen = parser.parse_args()
    sizes: Sizes = QUICK if chosen.quick else FULL
    if chosen.rounds:
        sizes = replace(sizes, rounds=chosen.rounds)
    folder = chosen.out.parent.absolute() / f"bench-{time.time_ns():x}"
    folder.mkdir(parents=True)
    begun = time.monotonic()
    try:
        told = report(measure(folder, sizes, lambda said: print(said, file=sys.stderr, flush=True)))
    finally:
        if not chosen.keep:
            shutil.rmtree(folder)
    figures.write(told, chosen.out)
    print(figures.table(told))
    print(f"{time.monotonic() - begun:.0f} s; {chosen.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
