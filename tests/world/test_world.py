"""A hundred worlds, each from its seed: whatever happens, the promises hold when it is over.

`WORLD_SEEDS=20000 pytest tests/world/test_world.py` asks more worlds, `WORLD_SEEDS=300-900` those, `WORLD_SEED=17` one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.world.city import City
from tests.world.nemesis import Nemeses
from tests.world.promises import check

STEPS = 30


def seeds() -> list[int]:
    """Return the seeds asked for."""
    if "WORLD_SEED" in os.environ:
        return [int(os.environ["WORLD_SEED"])]
    first, _, last = os.environ.get("WORLD_SEEDS", "100").rpartition("-")
    return list(range(int(first or 0), int(last)))


@contextmanager
def lived(seed: int) -> Iterator[City]:
    """Give a city that lived through its nemeses and came to rest."""
    city = City(seed)
    nemeses = Nemeses(city)
    city.start()
    try:
        city.run(1)
        for _ in range(STEPS):
            for source in city.sources.values():
                if city.dice.random() < 0.5:
                    source.change()
            nemeses.step()
            city.run(city.dice.choice((0.05, city.dice.uniform(0, 10))))
        city.calm()
        city.settle()
        yield city
    finally:
        city.end()


@pytest.mark.parametrize("seed", seeds())
def test_the_promises_hold_in_the_world_of(seed: int) -> None:
    print(f"seed={seed}: WORLD_SEED={seed} pytest tests/world/test_world.py")
    with lived(seed) as city:
        check(city)


def test_a_seed_is_one_world() -> None:
    with lived(3) as one, lived(3) as two:
        assert one.wire.requests == two.wire.requests
        assert one.clock.seconds() == two.clock.seconds()
        assert [event[:4] for event in one.events] == [event[:4] for event in two.events]
