"""Two hundred worlds whose departments read old tables beside what is posted: in the end everyone holds the tables.

The process that reads dies in the middle, machines lose their power in a commit and are restored, rows change while
they are read, persons have everything read again or forgotten.  `READERS_SEED=17` lives one seed alone.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from random import Random

import orjson
import pytest

from node.intake import poller, reading
from tests.adapters.tried import further
from tests.stage.desk import CENTRE
from tests.world.city import A, B, City
from tests.world.nemesis import Nemeses
from tests.world.promises import check
from tests.world.reader import Reader

BLOCK, FEW, MANY = 20, 60, 2000
KNOWN = ("weather", "cut", "crash", "trip", "stall", "slow", "clock", "suspend", "fill", "full", "retire", "restore")
OWN = ("die", "reread", "reset", "burst", "snap")
STEPS = 10


class Troubles(Nemeses):
    """Some of the world's nemeses, and those of readers."""

    def __init__(self, city: City, readers: dict[str, Reader]) -> None:
        super().__init__(city)
        self.readers = readers
        # Some seeds have nothing read again: what is lost there stays lost.
        known = self.dice.sample(KNOWN, self.dice.randint(0, 5)) + self.dice.sample(OWN, self.dice.randint(1, len(OWN)))
        self._climate = {name: self.dice.uniform(0.02, 0.3) for name in known}

    def _reader(self) -> Reader:
        return self.readers[self.dice.choice((A, B))]

    def die(self) -> None:
        """The process that reads dies often, for a while."""
        table = self._reader().table
        table.deadly = self.dice.choice((0.05, 0.3))
        self._later(self.dice.uniform(1, 30), lambda: setattr(table, "deadly", 0.0))

    def reread(self) -> None:
        """A person has everything, or what was refused, read once more."""
        reader = self._reader()
        reader.ask(self.dice.random() < 0.3)
        self._later(self.dice.uniform(0, 3), lambda: reader.ask(False))  # in the middle of the first

    def reset(self) -> None:
        """A person has it forgotten how far a source was read."""
        self._reader().forget()

    def snap(self) -> None:
        """A department loses its power in one of the next commits of what it read."""
        life = self._reader().machine.life
        if life is not None:
            life.stores.outbox.fail_at(self.dice.randint(1, 6), after=self.dice.random() < 0.5)

    def burst(self) -> None:
        """Rows change in quick succession for some seconds."""
        table = self._reader().table
        for at in range(12):
            self._later(at * self.dice.uniform(0.05, 0.5), lambda: table.change(1))


def live(seed: int, met: Counter[str]) -> None:
    """Live one seed and ask for its promises."""
    city = City(seed)
    readers = {name: Reader(city.machines[name], Random(f"{seed}: {name} table")) for name in (A, B)}
    for name, reader in readers.items():
        city.machines[name].readers.append(reader)
        reader.table.change(reader.table.dice.randint(0, 15))
    troubles = Troubles(city, readers)
    city.start()
    try:
        for _ in range(STEPS):
            for name, reader in readers.items():
                reader.table.change(city.dice.randint(0, 3))
                if city.dice.random() < 0.3:
                    city.sources[name].change()
            troubles.step()
            city.run(city.dice.choice((0.05, city.dice.uniform(0, 8))))
        for reader in readers.values():
            reader.table.mend()
        city.calm()
        _settle(city, readers)
        check(city)
        broken = [said for name, reader in readers.items() for said in _wrong(city, name, reader)]
        assert not broken, "\n  ".join(broken[:12])
        met.update(name for _, name in troubles.done)
        met["death"] += sum(reader.table.deaths for reader in readers.values())
    except Exception as failed:
        failed.add_note(f"READERS_SEED={seed} pytest tests/world/test_readers.py; {troubles.story()}")
        raise
    finally:
        city.end()
        for reader in readers.values():
            reader.end()


def _settle(city: City, readers: dict[str, Reader]) -> None:
    until = city.clock.seconds() + 1200
    while left := [said for reader in readers.values() if (said := reader.left())]:
        assert city.clock.seconds() < until, left
        city.run(5)
    city.settle()


def _wrong(city: City, origin: str, reader: Reader) -> Iterator[str]:
    """Yield where somebody does not hold what stands in a table."""
    for sink in (CENTRE, B if origin == A else A):
        life = city.machines[sink].life
        assert life is not None
        with life.stores.warehouse.unit() as unit:
            held = {key: unit.row(origin, "region-code", (key,)) for key in reader.table.rows}
        for key, row in reader.table.rows.items():
            found, expected = held[key], None if row.twin["Operation"] == "D" else row.twin
            if found is None or (found.line and orjson.loads(found.line)["body"]) != expected:
                yield f"{sink} holds of {origin} {key}: {found}, and in its table stands {row}"
        if reader.promised is None or origin in city.restored:  # what was asked of a node may go with its disk
            continue
        for key in reader.promised[1]:
            found = held[key]
            if found is not None and found.version <= reader.promised[0]:
                yield f"{sink} holds {key} of {origin} as it was before all was read once more: {found}"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads are handed over in small batches, and never by the clock of this machine; slices are short."""
    for name, value in (("FEW", 2), ("MANY", 5), ("OLD", float("inf"))):
        monkeypatch.setattr(reading, name, value)
    monkeypatch.setattr(poller, "SLICE", 4)


@pytest.mark.skipif("READERS_SEED" in os.environ, reason="one seed was asked for")
@pytest.mark.parametrize("first", [*range(0, FEW, BLOCK), *further(*range(FEW, MANY, BLOCK))])
def test_what_stands_in_the_tables_stands_everywhere_in_twenty_worlds_from(first: int) -> None:
    met = Counter[str]()
    for seed in range(first, first + BLOCK):
        live(seed, met)
    assert not {name for name in (*OWN, "death") if not met[name]}, met


@pytest.mark.skipif("READERS_SEED" not in os.environ, reason="no seed was asked for")
def test_what_stands_in_the_tables_stands_everywhere_in_the_world_that_was_asked_for() -> None:
    live(int(os.environ["READERS_SEED"]), Counter())
