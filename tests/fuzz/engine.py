"""Our own loop: inputs are drawn from the corpus, changed, judged, and kept when they did something new.

It knows no coverage; an input is new when its outcome is: another value returned, another code or reason.  That reaches
less than atheris does, and runs wherever Python does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.judge import Finding, judge, peak
from tests.fuzz.mutate import splice
from tests.fuzz.target import Target

CORPUS = Path(__file__).parent / "corpus"
"""Inputs that once broke something, by target."""


@dataclass
class Tally:
    """What a run over a target came to."""

    target: str
    executions: int = 0
    features: set[Hashable] = field(default_factory=set)
    worst_seconds: float = 0.0
    worst_memory: int = 0
    findings: dict[str, tuple[Finding, bytes]] = field(default_factory=dict)
    kept: list[bytes] = field(default_factory=list)


def kept_inputs(name: str, *folders: Path) -> list[bytes]:
    """Return the inputs kept for a target, those that once broke something first."""
    found = []
    for folder in (CORPUS, *folders):
        if (folder / name).is_dir():
            found += [path.read_bytes() for path in sorted((folder / name).iterdir()) if path.is_file()]
    return found


def attempt(target: Target, data: bytes, tally: Tally) -> bool:
    """Judge one input; return whether it did something new."""
    outcome = judge(target, data)
    tally.executions += 1
    tally.worst_seconds = max(tally.worst_seconds, outcome.seconds)
    tally.worst_memory = max(tally.worst_memory, outcome.memory)
    if outcome.finding is not None:
        tally.findings.setdefault(outcome.finding.name, (outcome.finding, data))
        return False
    if outcome.feature in tally.features:
        return False
    tally.features.add(outcome.feature)
    return True


def changed(target: Target, pool: list[bytes], chance: Random) -> bytes:
    """Return a new input made from the pool."""
    data = chance.choice(pool)
    if chance.random() < 0.05:
        data = splice(data, chance.choice(pool), chance)
    return target.mutate(data, chance)[: target.most]


def replay(target: Target, inputs: Iterable[bytes], tally: Tally) -> list[bytes]:
    """Judge inputs as they are and return them as the pool to draw from.

    The first run of a parser fills caches, and so would be the slowest and largest: one input is run before, unjudged.
    """
    pool = list(inputs)
    for data in pool[:1]:
        judge(target, data)
    for data in pool:
        attempt(target, data, tally)
    return pool


def mutations(target: Target, pool: list[bytes], count: int, chance: Random, tally: Tally) -> None:
    """Judge so many mutations; what did something new joins the pool."""
    for _ in range(count):
        data = changed(target, pool, chance)
        if attempt(target, data, tally):
            pool.append(data)
            tally.kept.append(data)


def loop(
    target: Target, pool: list[bytes], seconds: float, chance: Random, tally: Tally, before: Callable[[bytes], None],
    after: Callable[[], None],
) -> None:
    """Judge mutations for so many seconds; `before` is told each input, `after` called now and then."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for _ in range(20):
            data = changed(target, pool, chance)
            before(data)
            if attempt(target, data, tally):
                pool.append(data)
                tally.kept.append(data)
        after()


def memory() -> int:
    """Return the most octets this process ever held."""
    return peak()
