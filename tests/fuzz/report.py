"""What a campaign tells: a table for people, JSON for machines,
and for each finding the command that shows it again."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

PACKAGES = ("atheris", "cryptography", "httptools", "jiter", "jsonschema-rs", "lxml", "orjson", "twisted", "zstandard")


@dataclass
class TargetRun:
    """What a run over one target came to; `coverage` is libFuzzer's count of edges, 0 without atheris."""

    target: str
    engine: str = ""
    executions: int = 0
    seconds: float = 0.0
    features: int = 0
    corpus: int = 0
    coverage: int = 0
    worst_seconds: float = 0.0
    worst_memory: int = 0
    findings: list[dict[str, Any]] = field(default_factory=list)


def reproduces(target: str, path: str) -> str:
    """Return the command that judges an input again."""
    return f'make fuzz ARGS="--target {target} --input {os.path.relpath(path)}"'


def _again(run: TargetRun, found: dict[str, Any]) -> str:
    if "seed" in found:
        return f'make fuzz ARGS="--target {run.target} --seed {found["seed"]}"'
    return reproduces(run.target, found["input"])


def summary(runs: Sequence[TargetRun]) -> str:
    """Return the table."""
    head = ("target", "executions", "exec/s", "corpus", "outcomes", "coverage", "worst s", "worst MiB", "findings")
    rows = [head]
    for run in runs:
        speed = f"{run.executions / run.seconds:.0f}" if run.seconds else "-"
        rows.append((
            run.target, str(run.executions), speed, str(run.corpus), str(run.features), str(run.coverage or "-"),
            f"{run.worst_seconds:.3f}", f"{run.worst_memory / (1 << 20):.1f}", str(len(run.findings)),
        ))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
             for row in rows]
    lines.append(f"{sum(run.executions for run in runs)} executions, {sum(len(run.findings) for run in runs)} findings")
    for run in runs:
        for found in run.findings:
            lines += ["", f"{run.target}: {found['name']}", found["trace"][-1500:], _again(run, found)]
    return "\n".join(lines)


def write(path: Path, runs: Sequence[TargetRun], seed: int, engine: str) -> None:
    """Write the report."""
    told = {
        "seed": seed, "engine": engine, "machine": platform.machine(), "python": sys.version.split()[0],
        "packages": {name: _version(name) for name in PACKAGES}, "targets": [asdict(run) for run in runs],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
