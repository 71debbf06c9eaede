"""One process of a campaign: one target for some seconds, by atheris or by our own loop.

It writes what it is about to try into a shared file, so that an input that hangs or kills the process is known, and
tells what it found in a file of JSON.  Findings do not end it: one fault must not hide the next.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib.util
import mmap
import os
import resource
import sys
import time
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import orjson

SPACE = 8 << 30
"""Octets of address space: an input that asks for more meets MemoryError, which is a finding."""
CURRENT = 4 << 20


class Watch:
    """The input under trial, where the campaign can read it: u64 count ‖ u32 length ‖ octets."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(CURRENT))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), CURRENT)
        self._count = 0

    def __call__(self, data: bytes) -> None:
        """Note what is tried next."""
        self._count += 1
        kept = data[: CURRENT - 12]
        self._map[12 : 12 + len(kept)] = kept
        self._map[:12] = self._count.to_bytes(8, "big") + len(kept).to_bytes(4, "big")


class Run:
    """One run over one target: its tally, where its inputs and findings are kept."""

    def __init__(self, name: str, out: Path, engine: str) -> None:
        from tests.fuzz.engine import Tally, kept_inputs
        from tests.fuzz.targets import find

        self.target, self.tally, self.engine = find(name), Tally(name), engine
        self.corpus, self.crashes = out / "corpus" / name, out / "crashes" / name
        self.corpus.mkdir(parents=True, exist_ok=True)
        self._told = out / "runs" / f"{name}.json"
        self._told.parent.mkdir(parents=True, exist_ok=True)
        self.watch = Watch(out / "runs" / f"{name}.current")
        self.seeds = [*kept_inputs(name, out / "corpus"), *self.target.seeds()]
        self._start, self._saved, self._seen = time.monotonic(), 0.0, 0

    def keep(self, data: bytes) -> None:
        """Keep an input that did something new."""
        (self.corpus / sha256(data).hexdigest()[:16]).write_bytes(data)

    def tell(self, now: bool = False) -> None:
        """Write the tally, at most twice a second but for a new finding."""
        tally, findings = self.tally, []
        if not now and time.monotonic() - self._saved < 0.5 and len(tally.findings) == self._seen:
            return
        self._saved, self._seen = time.monotonic(), len(tally.findings)
        for name, (finding, data) in tally.findings.items():
            path = self.crashes / f"{sha256(name.encode()).hexdigest()[:8]}"
            if not path.exists():
                self.crashes.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            findings.append({"name": name, "input": str(path), "trace": finding.trace[-4000:]})
        for data in tally.kept[:]:
            self.keep(data)
            tally.kept.remove(data)
        self._write({
            "target": tally.target, "engine": self.engine, "executions": tally.executions,
            "seconds": round(time.monotonic() - self._start, 1), "features": len(tally.features),
            "corpus": sum(1 for _ in self.corpus.iterdir()), "worst_seconds": round(tally.worst_seconds, 4),
            "worst_memory": tally.worst_memory, "findings": findings,
        })

    def _write(self, told: dict[str, Any]) -> None:
        spare = self._told.with_suffix(".tmp")
        spare.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
        os.replace(spare, self._told)


def main(given: list[str]) -> None:
    """Run one target; the process may be killed at any time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", required=True)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", choices=("atheris", "own"), default="own")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(given)
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (SPACE, SPACE))
    if asked.engine == "atheris" and importlib.util.find_spec("atheris"):
        from tests.fuzz.coverage_guided import run
    else:
        from tests.fuzz.worker_loop import run
    run(asked.target, asked.out, asked.seconds, Random(asked.seed))


if __name__ == "__main__":
    main(sys.argv[1:])
