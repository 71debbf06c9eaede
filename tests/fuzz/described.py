"""The local API of a running node, asked by schemathesis everything its own `openapi.json` allows and forbids.

Two passes: as published, where most resources are unheard of; then with the resource of the published examples, so that
the code behind the first refusals is reached.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.report import TargetRun
from tests.house.plan import ROOT
from tests.processes.exchange import SOURCE, Exchange, running

# 422 is the documented answer to a body whose records are all refused: JSON Schema cannot say the rules.  431 refuses a
# query so long that nothing of it was looked at; schemathesis does not count it among refusals by itself.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "5xx"]

[checks.negative_data_rejection]
expected-statuses = [
  "400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "431", "5xx",
]
"""
KNOWN = """
[parameters]
resource = "region-code"
"""
PER_SECOND = 3
"""Examples of each operation that a quiet machine answers in a second."""
_CASES = re.compile(r"(\d+) generated")


@dataclass(frozen=True)
class Pass:
    """One pass: how many requests, and what was wrong, empty if nothing was."""

    name: str
    cases: int
    wrong: str


def asked(exchange: Exchange, folder: Path, examples: int, seed: int) -> list[Pass]:
    """Ask a running node, so many examples of each operation and pass beside the fixed ones."""
    return [_pass(exchange, folder, name, config, examples, seed) for name, config in (
        ("as published", CONFIG), ("a resource it has", CONFIG + KNOWN),
    )]


def described_run(out: Path, seconds: float, seed: int) -> TargetRun:
    """Ask a node of its own for about so many seconds; return it as a row of the report."""
    start, examples = time.monotonic(), max(10, int(seconds / 2 * PER_SECOND))
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="exnode-fuzz-") as name, running(Path(name) / "exchange", SOURCE) as exchange:
        passes = asked(exchange, Path(name), examples, seed)
    run = TargetRun("openapi", "schemathesis", sum(one.cases for one in passes), round(time.monotonic() - start, 1))
    for one in passes:
        if one.wrong:
            path = out / f"openapi-{one.name.replace(' ', '-')}.txt"
            path.write_text(one.wrong, encoding="utf-8")
            run.findings.append({"name": one.name, "input": str(path), "trace": one.wrong[-4000:], "seed": seed})
    return run


def _pass(exchange: Exchange, folder: Path, name: str, config: str, examples: int, seed: int) -> Pass:
    seat = exchange.seat(SOURCE)
    settings = folder / "schemathesis.toml"
    settings.write_text(config, encoding="utf-8")
    hooks = {"SCHEMATHESIS_HOOKS": "tests.fuzz.described_hooks", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(settings), "run",
         f"http://{seat.host}:{seat.api}/openapi.json", "-H", f"Authorization: Bearer {seat.token.read_text().strip()}",
         "--checks", "all", "--phases", "examples,coverage,fuzzing", "-n", str(examples), "--seed", str(seed),
         "--generation-database", "none", "--suppress-health-check", "all", "--continue-on-failure", "--no-color",
         "--request-timeout", "60"],
        cwd=folder, env=os.environ | hooks, capture_output=True, text=True, timeout=600 + examples,
    )
    told = _CASES.findall(done.stdout)
    faults = [event for event in exchange.events(SOURCE) if event == "EXN-FAULT"]
    wrong = "" if done.returncode == 0 and not faults else f"{faults}\n{done.stdout[-12_000:]}{done.stderr[-2000:]}"
    return Pass(name, int(told[-1]) if told else 0, wrong)
