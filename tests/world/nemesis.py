"""The nemeses: what goes wrong in the world, chosen by the seed; each ends by itself or with `City.calm`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random

from node.spool.shortage import Shortage
from tests.stage.desk import CENTRE
from tests.world.city import FOREVER, NAMES, A, B, City
from tests.world.disk import NAMES as STORES
from tests.world.machine import Machine
from tests.world.wire import Weather

SKEW = 120_000
"""How far (ms) a clock may stray: less than half of what peers allow each other."""
GENERATIONS = 2
"""How often a node gets new keys at most."""


class Nemeses:
    """Troubles one city, each nemesis as often as this seed's climate says."""

    def __init__(self, city: City) -> None:
        self.city, self.dice = city, Random(f"{city.seed}: nemeses")
        self._all: list[Callable[[], None]] = [
            self.weather, self.cut, self.crash, self.trip, self.clock, self.suspend, self.revoke, self.fill, self.bend,
            self.rotate,
        ]
        # Some seeds know a few nemeses only, and know them well.
        known = self.dice.sample(self._all, self.dice.randint(1, len(self._all)))
        self._climate = {act: self.dice.uniform(0.02, 0.25) for act in known}
        self.done: list[tuple[float, str]] = []

    def step(self) -> None:
        """Do what the climate says."""
        for act, chance in self._climate.items():
            if self.dice.random() < chance:
                self.done.append((self.city.clock.seconds(), act.__name__))
                act()

    def _machine(self) -> Machine:
        return self.city.machines[self.dice.choice(NAMES)]

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self.city.clock.callLater(seconds, act)

    def weather(self) -> None:
        """The wire gets better or worse."""
        draw, worst = self.dice.random, self.dice.choice((0.1, 0.5))
        self.city.wire.weather = Weather(
            draw() * worst, draw() * worst, draw() * worst, draw() * worst / 2, draw() * 3, draw() * worst
        )

    def cut(self) -> None:
        """A department's line is cut for a while."""
        node = self.dice.choice((A, B))
        self.city.wire.cut(node, CENTRE)
        self._later(self.dice.uniform(0.1, 60), lambda: self.city.wire.mend(node, CENTRE))

    def crash(self) -> None:
        """A machine loses its power."""
        self._machine().crash(self.dice.choice((0.0, self.dice.uniform(0, 60))))

    def trip(self) -> None:
        """A machine loses its power in a commit of one of its stores, before or after it took effect."""
        life = self._machine().life
        if life is not None:
            store, after = self.dice.choice(STORES), self.dice.random() < 0.5
            life.stores.of(store).fail_at(self.dice.randint(1, 15), after=after)

    def clock(self) -> None:
        """A clock steps a little, either way."""
        machine = self._machine()
        machine.skew = max(-SKEW, min(SKEW, machine.skew + self.dice.randint(-SKEW, SKEW)))

    def suspend(self) -> None:
        """A peer is suspended for a while."""
        node = self.dice.choice((A, B))
        here, other = self.dice.choice(((node, CENTRE), (CENTRE, node)))
        machine = self.city.machines[here]
        machine.reload(suspended=machine.terms.suspended | {other})
        self._later(
            self.dice.uniform(1, 60), lambda: machine.reload(suspended=machine.terms.suspended - {other})
        )

    def revoke(self) -> None:
        """A grant ends, and is renewed after a while."""
        centre = self.city.centre
        chosen = self.dice.choice(centre.terms.grants).name

        def until(end: int) -> None:
            grants = [replace(one, until=end) if one.name == chosen else one for one in centre.terms.grants]
            centre.reload(grants=grants)

        until(centre.now())
        self._later(self.dice.uniform(1, 60), lambda: until(FOREVER))

    def fill(self) -> None:
        """A disk is short for a while."""
        machine = self._machine()
        machine.shortage = self.dice.choice((Shortage.INTAKE, Shortage.FOREIGN))
        self._later(self.dice.uniform(1, 60), lambda: setattr(machine, "shortage", Shortage.NONE))

    def rotate(self) -> None:
        """A node gets new keys; itself and the others take them into use one after the other, in any order."""
        node = self.dice.choice(NAMES)
        newest = max(machine.terms.generation(node) for machine in self.city.machines.values()) + 1
        if newest <= GENERATIONS:
            for machine in self.city.machines.values():
                self._later(self.dice.uniform(0, 40), partial(_learn, machine, node, newest))

    def bend(self) -> None:
        """A department's own gate lets a record through that breaks its specification."""
        self.city.sources[self.dice.choice((A, B))].bend()


def _learn(machine: Machine, node: str, generation: int) -> None:
    if machine.terms.generation(node) < generation:
        machine.reload(generations={**machine.terms.generations, node: generation})
