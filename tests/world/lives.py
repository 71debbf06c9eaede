"""One seed, one world: it lives through its nemeses, comes to rest, and is asked for every promise.

Most seeds are small and sign with the quick SM2.  One in ten has the real SM2, and one in ten lives long.
"""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.world.city import City
from tests.world.nemesis import Nemeses
from tests.world.promises import check

STEPS, LONG = 12, 40
ALONE = "WORLD_SEED={} .venv/bin/python -m pytest tests/world/test_world.py"
"""How to run one seed alone."""


@dataclass
class Told:
    """What became of one seed."""

    seed: int
    error: str | None = None
    nemeses: Counter[str] = field(default_factory=Counter)
    records: int = 0
    seconds: float = 0.0
    """Seconds of this machine, not of the world."""


@contextmanager
def lived(seed: int) -> Iterator[tuple[City, Nemeses]]:
    """Give a city that lived through its nemeses and came to rest, and what they did."""
    city = City(seed, real=seed % 10 == 0)
    nemeses = Nemeses(city)
    city.start()
    try:
        try:
            city.run(1)
            for _ in range(LONG if seed % 10 == 5 else STEPS):
                for source in city.sources.values():
                    if city.dice.random() < 0.5:
                        source.change()
                nemeses.step()
                city.run(city.dice.choice((0.05, city.dice.uniform(0, 10))))
            city.calm()
            city.settle()
        except Exception as failed:
            failed.add_note(f"seed={seed}: {nemeses.story()}")
            raise
        yield city, nemeses
    finally:
        city.end()


def live(seed: int) -> Told:
    """Live one seed and ask for its promises; whatever was broken is told, not raised."""
    told, began = Told(seed), time.perf_counter()
    try:
        with lived(seed) as (city, nemeses):
            told.nemeses = Counter(name for _, name in nemeses.done)
            told.records = sum(len(post.changes) for source in city.sources.values() for post in source.posts)
            try:
                check(city)
            except Exception as failed:
                failed.add_note(nemeses.story())
                raise
    except Exception as failed:
        told.error = "".join(traceback.format_exception(failed, limit=-8))[-6000:] + f"\nalone: {ALONE.format(seed)}"
    told.seconds = time.perf_counter() - began
    return told


def live_all(seeds: range) -> list[Told]:
    """Live several seeds in this process."""
    return [live(seed) for seed in seeds]


def report(first: int, seeds: int, told: list[Told], seconds: float) -> dict[str, Any]:
    """Return what `python -m tests.world --report` writes."""
    nemeses: Counter[str] = sum((one.nemeses for one in told), Counter())
    failed = [{"seed": one.seed, "error": one.error} for one in told if one.error is not None]
    return {
        "seeds": seeds, "first": first, "passed": len(told) - len(failed), "failed": failed,
        "nemeses": dict(sorted(nemeses.items())), "records": sum(one.records for one in told),
        "seconds": round(seconds, 1),
    }
