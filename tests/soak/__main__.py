"""`make soak ARGS="[--kills 300] [--outage 1728000] [--seeds 20000] [--only kills,outage,worlds,cuts] [--resume]"`.

Runs every part, keeps each piece's result in build/soak/, writes build/crash-report.md and signs it.  Status 0 only if
everything that ran held.  At full size it takes up to 90 minutes on two quiet cores.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

from tests.bench.machine import versions
from tests.soak import cuts, kills, outage, worlds
from tests.soak.pieces import Kept, Options, Piece, Result, tree
from tests.soak.report import FULL, PARTS, verdict, write
from tests.soak.sign import sign, verify

MAKERS: dict[str, Callable[[Options], Iterator[Piece]]] = {
    "kills": kills.pieces, "outage": outage.pieces, "worlds": worlds.pieces, "cuts": cuts.pieces,
}


def main() -> int:
    """Run what was asked for, write and sign the report."""
    asked = _arguments()
    options = Options(**{one.name: getattr(asked, one.name) for one in fields(Options)})
    parts = asked.only.split(",") if asked.only else PARTS
    if unknown := set(parts) - set(PARTS):
        raise SystemExit(f"{', '.join(sorted(unknown))}: not one of {', '.join(PARTS)}")
    folder = asked.out.parent.absolute() / "soak"
    kept = Kept(folder / "results.json", options, asked.resume)
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    results: list[Result] = []
    for part in [part for part in PARTS if part in parts]:
        at_once = asked.at_once if part == "kills" else 1
        results += kept.run(MAKERS[part](options), work, lambda said: print(said, file=sys.stderr, flush=True), at_once)
        if not (asked.keep or any(one.broken for one in results)):
            shutil.rmtree(work, ignore_errors=True)  # what broke is kept, for a look
    return _report(asked.out, results, options)


def _report(out: Path, results: list[Result], options: Options) -> int:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(write(results, options, {**versions(), "tree": tree()}), encoding="utf-8")
    signature, trusted = sign(out)
    held, said = verdict(results)
    good = verify(out, signature, trusted)
    print(f"{said}\n{out}, {signature}, {trusted}: {'签名有效 / signature good' if good else '签名无效 / signature bad'}")
    return 0 if held and good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=FULL.kills, help="how many SIGKILLs")
    parser.add_argument("--outage", type=int, default=FULL.outage, help="records submitted while the centre is away")
    parser.add_argument("--per-post", type=int, default=FULL.per_post, help="of them in one POST")
    parser.add_argument("--seeds", type=int, default=FULL.seeds, help="how many worlds")
    parser.add_argument("--cuts", type=int, default=FULL.cuts, choices=range(1, 5), help="fates tried at each sync")
    parser.add_argument("--seed", type=int, default=FULL.seed, help="of kills, load and torn pages")
    parser.add_argument("--at-once", type=int, default=2, help="rounds of kills that run side by side")
    parser.add_argument("--only", help=f"some of {','.join(PARTS)}")
    parser.add_argument("--resume", action="store_true", help="keep what held before, for the same tree and sizes")
    parser.add_argument("--keep", action="store_true", help="keep the nodes' folders, for a look")
    parser.add_argument("--out", type=Path, default=Path("build/crash-report.md"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
