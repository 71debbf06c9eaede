"""The nemeses: what goes wrong in the world, chosen by the seed; each ends by itself or with `City.calm`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random

from node.spool.shortage import Shortage
from tests.stage.desk import CENTRE, SPECIFICATIONS
from tests.world.city import FOREVER
from tests.world.city import NAMES as NODES
from tests.world.city import RESOURCES, A, B, City
from tests.world.disk import NAMES as STORES
from tests.world.keys import is_short
from tests.world.machine import STRAY, Machine
from tests.world.wire import Weather

GENERATIONS = 5
"""The newest keys a node gets; `City.calm` may give one more."""
NAMES = (
    "weather", "cut", "crash", "trip", "stall", "slow", "clock", "year", "flat", "suspend", "revoke", "retire",
    "fill", "full", "bend", "rotate", "expire", "revoke_key", "lose_key", "bury_key", "restore", "clone", "lie",
)
YEAR = 365 * 86_400_000
RARELY = 5.0
"""Seconds between two restores of one machine at least."""


class Nemeses:
    """Troubles one city, each nemesis as often as this seed's climate says."""

    def __init__(self, city: City) -> None:
        self.city, self.dice = city, Random(f"{city.seed}: nemeses")
        # Some seeds know a few nemeses only, and know them well.
        known = self.dice.sample(NAMES, self.dice.randint(1, len(NAMES) // 2))
        self._climate = {name: self.dice.uniform(0.02, 0.25) for name in known}
        self.done: list[tuple[float, str]] = []
        self._restored: dict[str, float] = {}

    def step(self) -> None:
        """Do what the climate says."""
        for name, chance in self._climate.items():
            if self.dice.random() < chance:
                self.done.append((self.city.clock.seconds(), name))
                act: Callable[[], None] = getattr(self, name)
                act()

    def story(self) -> str:
        """Return what was done when, in one line."""
        return "nemeses: " + (", ".join(f"{name} at {at:.0f} s" for at, name in self.done) or "none")

    def _machine(self) -> Machine:
        return self.city.machines[self.dice.choice(NODES)]

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        # What was to come when the world had been calmed does not: a key that ends would never be renewed.
        self.city.clock.callLater(seconds, lambda: None if self.city.calmed else act())

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
        machine.skew = max(-STRAY, min(STRAY, machine.skew + self.dice.randint(-STRAY, STRAY)))

    def year(self) -> None:
        """A clock steps by a year, either way, and is set right after a while."""
        machine = self._machine()
        step = self.dice.choice((-YEAR, YEAR))
        machine.skew = max(-YEAR, min(YEAR, machine.skew + step))

        def right() -> None:
            machine.skew = 0

        self._later(self.dice.uniform(1, 40), right)

    def flat(self) -> None:
        """A machine loses its power and starts with a clock that is a year off, until it is set right."""
        machine = self._machine()
        machine.wrong = self.dice.choice((-YEAR, YEAR))
        machine.crash(self.dice.choice((0.0, self.dice.uniform(0, 10))))

        def right() -> None:
            machine.wrong = machine.skew = 0

        self._later(self.dice.uniform(5, 40), right)

    def stall(self) -> None:
        """A process stops for a while, perhaps past its leases, and goes on as if nothing had been."""
        self._machine().stall(self.dice.choice((self.dice.uniform(0.1, 10), self.dice.uniform(30, 60))))

    def slow(self) -> None:
        """The threads of a machine are slow for a while, perhaps past its leases."""
        machine = self._machine()
        machine.slow = self.dice.choice((0.2, 5.0, 50.0))
        self._later(self.dice.uniform(1, 60), lambda: setattr(machine, "slow", 0.0))

    def restore(self) -> None:
        """A machine is backed up now, loses its disk after a while, and is restored as an operator would."""
        machine, clock = self._machine(), self.city.clock
        copied = machine.copy()

        def come() -> None:
            # Two restores in one second, or by a clock that is wrong, would give one epoch twice (WIRE §3).
            if clock.seconds() - self._restored.get(machine.name, -RARELY) >= RARELY:
                self._restored[machine.name] = clock.seconds()
                machine.skew = machine.wrong = 0
                machine.restore(copied)

        self._later(self.dice.uniform(1, 50), come)

    def clone(self) -> None:
        """A second machine runs from a copy of one's disk, until an operator takes it away and opens a new epoch."""
        name = self.dice.choice(NODES)

        def mend() -> None:
            if name in self.city.clones:
                self._restored[name] = self.city.clock.seconds()
                self.city.mend_clone(name)

        if name not in self.city.clones:
            self.city.clone(name)
            self._later(self.dice.uniform(5, 60), mend)

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

    def full(self) -> None:
        """A disk is full for a while: no commit succeeds."""
        machine = self._machine()
        machine.full = True
        self._later(self.dice.uniform(0.1, 20), lambda: setattr(machine, "full", False))

    def retire(self) -> None:
        """A machine no longer holds a specification, and gets it back after a while."""
        machine = self._machine()
        name = SPECIFICATIONS[self.dice.choice(RESOURCES)]
        machine.reload(retired=machine.terms.retired | {name})
        self._later(
            self.dice.uniform(1, 60), lambda: machine.reload(retired=machine.terms.retired - {name})
        )

    def rotate(self) -> None:
        """A node gets new keys; itself and the others take them into use one after the other, in any order."""
        self._renew(self.dice.choice(NODES), short=False)

    def expire(self) -> None:
        """A node gets keys whose certificates end soon, or have ended, and new ones after a while."""
        node = self.dice.choice(NODES)
        if self._renew(node, short=True):
            self._later(self.dice.uniform(10, 60), lambda: self._renew(node, short=False))

    def revoke_key(self) -> None:
        """A node's present keys are revoked; the list reaches each machine in its time, and new keys come."""
        node = self.dice.choice(NODES)
        bad = node, self._newest(node)
        if self._renew(node, short=False):
            for machine in self.city.machines.values():
                self._later(self.dice.uniform(0, 40), partial(_revoke, machine, bad))

    def lose_key(self) -> None:
        """A machine's older encryption keys cannot be found for a while."""
        machine = self._machine()
        machine.reload(lost=True)
        self._later(self.dice.uniform(1, 60), lambda: machine.reload(lost=False))

    def bury_key(self) -> None:
        """A node's encryption keys so far are lost for good; it gets new ones at once, and others hear of it later.

        It lost them while a person had stopped what it opens, so that there are parcels nobody will ever open.
        """
        machine = self.city.machines[self.dice.choice(NODES)]
        machine.stop_opening()

        def lose() -> None:
            newest = self._renew(machine.name, short=False)
            if newest:
                machine.reload(generations={**machine.terms.generations, machine.name: newest}, gone=newest)
            machine.go_on_opening()

        self._later(self.dice.uniform(0, 30), lose)

    def _newest(self, node: str) -> int:
        return max(machine.terms.generation(node) for machine in self.city.machines.values())

    def _renew(self, node: str, short: bool) -> int:
        """Give a node its next keys of a kind; return their generation, or 0 if there were none left."""
        newest = self._newest(node) + 1
        while is_short(newest) is not short:
            newest += 1
        if newest > GENERATIONS:
            return 0
        for machine in self.city.machines.values():
            self._later(self.dice.uniform(0, 40), partial(_learn, machine, node, newest))
        return newest

    def lie(self) -> None:
        """A registered department lies to the centre."""
        self.city.liar.act()

    def bend(self) -> None:
        """A department's own gate lets a record through that breaks its specification."""
        self.city.sources[self.dice.choice((A, B))].bend()


def _revoke(machine: Machine, bad: tuple[str, int]) -> None:
    machine.reload(revoked=machine.terms.revoked | {bad})


def _learn(machine: Machine, node: str, generation: int) -> None:
    if machine.terms.generation(node) < generation:
        machine.reload(generations={**machine.terms.generations, node: generation})
