"""`make fuzz`: ten minutes over all targets, two processes; or one target, or one input again.

    make fuzz                                             ten minutes, all targets
    make fuzz ARGS="--minutes 2 --target api"             two minutes, one target (may be given again)
    make fuzz ARGS="--target openapi --seed N"            schemathesis on a running node's openapi.json
    make fuzz ARGS="--target api --input FILE"            judge one input and say what is wrong with it
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import time
from pathlib import Path

from tests.fuzz.campaign import SLOTS, Campaign
from tests.fuzz.described import described_run
from tests.fuzz.report import summary, write
from tests.fuzz.targets import find, targets
from tests.house.plan import ROOT

OPENAPI = "openapi"
"""The local API asked by schemathesis; not a target, for it makes its own inputs."""
OUT = ROOT / "build" / "fuzz"
NO_ATHERIS = (
    "没有 atheris（仅 x86_64 有安装包），改用自带的变异引擎，不以覆盖率引导 / "
    "atheris is not here (it has wheels for x86_64 only): our own mutation engine is used, not guided by coverage"
)


def main() -> int:
    """Run what was asked for; 0 if nothing was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__,
                                     formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--target", action="append", choices=[*sorted(targets()), OPENAPI])
    parser.add_argument("--engine", choices=("atheris", "own"), default="atheris")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--input", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    if asked.input is not None:
        return again(asked.target or [], asked.input)
    engine, end = asked.engine, time.monotonic() + asked.minutes * 60
    if engine == "atheris" and importlib.util.find_spec("atheris") is None:
        print(NO_ATHERIS)
        engine = "own"
    print(f"seed {asked.seed}, {SLOTS} processes, engine {engine}", flush=True)
    names, seconds = asked.target or [*sorted(targets()), OPENAPI], asked.minutes * 60
    runs = [described_run(asked.out, seconds / len(names), asked.seed)] if OPENAPI in names else []
    rest = [name for name in names if name != OPENAPI]
    runs += Campaign(asked.out, engine, asked.seed).run(rest, max(0.0, end - time.monotonic()))
    print(summary(runs))
    write(asked.out / "report.json", runs, asked.seed, engine)
    return 1 if any(run.findings for run in runs) else 0


def again(names: list[str], path: Path) -> int:
    """Judge one input; print what is wrong with it."""
    from tests.fuzz.judge import judge

    if len(names) != 1:
        print("--input wants one --target", file=sys.stderr)
        return 2
    outcome = judge(find(names[0]), path.read_bytes())
    print(f"{outcome.seconds:.3f} s, {outcome.memory >> 20} MiB, {outcome.feature}")
    if outcome.finding is None:
        print("nothing is wrong with it")
        return 0
    print(outcome.finding.name + "\n" + outcome.finding.trace)
    return 1


if __name__ == "__main__":
    sys.exit(main())
