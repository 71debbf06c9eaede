"""The benchmark: `make bench ARGS="[--quick] [--full] [--rounds N] [--only PART,...] [--profile MODE] [--out FILE]"`.

Two nodes as real processes with every guarantee on, against their peers on the same machine in the same run;
interleaved rounds, medians, ratios.  Figures, not tests: it fails only if a record is lost or something does not run.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from tests.bench import figures
from tests.bench.modes import MODES
from tests.bench.outage import DAY
from tests.bench.report import report
from tests.bench.rounds import FULL, QUICK, Sizes
from tests.bench.whole import PARTS, measure
from tests.bench.yardsticks import missing


def main() -> int:
    """Measure, write the list and print the table."""
    chosen = _arguments()
    sizes: Sizes = QUICK if chosen.quick or chosen.profile else FULL
    rounds = chosen.rounds or (1 if chosen.profile else 0)
    sizes = replace(sizes, rounds=rounds) if rounds else sizes
    backlog = DAY if chosen.full else chosen.backlog
    sizes = replace(sizes, outage=backlog) if backlog else sizes
    parts = [chosen.profile] if chosen.profile else chosen.only.split(",") if chosen.only else PARTS
    if unknown := set(parts) - set(PARTS):
        raise SystemExit(f"{', '.join(sorted(unknown))}: not one of {', '.join(PARTS)}")
    for name in parts:
        if need := missing(name):
            print(f"未测 not measured: {name}; 需要 it needs {need}", file=sys.stderr)
    parts = [name for name in parts if not missing(name)]
    profile = str(chosen.out.parent.absolute() / f"profile-{chosen.profile}") if chosen.profile else ""
    folder = chosen.out.parent.absolute() / f"bench-{time.time_ns():x}"
    folder.mkdir(parents=True)
    begun = time.monotonic()
    try:
        told = report(measure(folder, sizes, lambda said: print(said, file=sys.stderr, flush=True), parts, profile))
    finally:
        if not chosen.keep:
            shutil.rmtree(folder)
    if profile:
        print(f"{profile}-*.txt")
        return 0
    figures.write(told, chosen.out)
    print(figures.table(told))
    print(f"{time.monotonic() - begun:.0f} s; {chosen.out}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small bursts, few rounds")
    parser.add_argument("--rounds", type=int, help="how many interleaved rounds")
    parser.add_argument("--full", action="store_true", help="the whole backlog of a day's outage, 1.7 million records")
    parser.add_argument("--backlog", type=int, help="so many records of an outage, instead of 200 000")
    parser.add_argument("--only", help=f"some of {','.join(PARTS)}")
    parser.add_argument("--profile", choices=sorted(MODES),
                        help="run both nodes under cProfile in this mode, write profile-MODE-NODE.txt beside --out")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"))
    parser.add_argument("--keep", action="store_true", help="keep the nodes' folders, for a look")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
