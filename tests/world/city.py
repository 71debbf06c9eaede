"""The city: a centre and two departments, their wire and their clock, from one seed.

dept-a and dept-b submit regions and people to the centre, and each has what the other submitted by a grant.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from twisted.python.failure import Failure

from node.deliver.sweep import Retention
from node.envelope import read_letter, read_manifest, unframe
from node.exchange import route
from node.model.parcel import Lane, Manifest
from node.model.registry import Grant
from node.model.spool import ArrivalState, EntryState
from node.spool.shortage import Shortage
from node.wire.media import LETTER, PARCEL
from node.wire.message import Response
from node.workers import Timers
from tests.crypto.papers import CRYPTO
from tests.stage.desk import CENTRE, resources_of
from tests.world.disk import Disk, MemoryDisk
from tests.world.keys import BEGAN, is_short, suite
from tests.world.liar import LIAR, Liar
from tests.world.lifetime import WorldClock
from tests.world.machine import RETENTION, STRAY, TIMERS, Life, Machine, Terms
from tests.world.source import Source
from tests.world.wire import Wire
from tests.world.witness import Witness, digest_of

A, B = "dept-a", "dept-b"
NAMES = (A, CENTRE, B)
RESOURCES = ("region-code", "population")
FOREVER = 1 << 50
OPEN = (ArrivalState.STORED, ArrivalState.JUDGED, ArrivalState.HELD)
UNFINISHED = (EntryState.SEALED, EntryState.SENT, EntryState.ACCEPTED)


@dataclass(frozen=True)
class Fault:
    """A bug that showed itself: something that is no `Trouble` escaped."""

    node: str
    fields: dict[str, object]


class City:
    """The whole world of one seed."""

    names = NAMES

    def __init__(
        self, seed: int, disks: dict[str, Disk] | None = None, timers: Timers = TIMERS,
        retention: Retention = RETENTION, moves: float = 0.1, real: bool = False,
    ) -> None:
        """Make the world of a seed; `real`: with the real SM2, not with the quick one."""
        self.seed, self.timers, self.retention, self.moves = seed, timers, retention, moves
        self.real = real
        self.clock = WorldClock()
        self.began = BEGAN
        self.dice = Random(f"{seed}: city")
        self.wire = Wire(self.clock, Random(f"{seed}: wire"))
        self.wire.seen.request, self.wire.seen.answer = self._request_seen, self._answer_seen
        self.envelopes: dict[str, bytes] = {}
        self.manifests: dict[str, Manifest] = {}
        self.digests: dict[str, str] = {}
        """Of each statement of a parcel that went over the wire, its digest by the parcel's id."""
        self.left_here: Counter[tuple[str, int, Lane]] = Counter()
        """How many parcels of a lane left each life of a machine."""
        self.holds: list[tuple[float, str, int, Lane, str]] = []
        """Every hold of a sending lane that was committed: when, in which life of which machine, why."""
        self.deaths: dict[tuple[str, int], float] = {}
        self.calmed = False
        self.broken: list[str] = []
        self.restored: set[str] = set()
        self.silent: set[str] = set()
        """Nodes that came back from a copy without a new epoch."""
        self.clones = self.wire.clones
        self.cloned: set[str] = set()
        """Nodes of which two copies spoke."""
        self.faults: list[Fault] = []
        self.events: list[tuple[float, str, str, str, dict[str, object]]] = []
        self.liar = Liar(self)
        grants = [Grant(code, node, "test", FOREVER) for code in RESOURCES for node in (A, B)]
        self.machines = {
            name: self._machine(name, (disks or {}).get(name), grants if name == CENTRE else []) for name in NAMES
        }
        self.sources = {
            name: Source(self, self.machines[name], Random(f"{seed}: {name} source")) for name in (A, B)
        }

    def _machine(self, name: str, disk: Disk | None, grants: list[Grant]) -> Machine:
        dice = Random(f"{self.seed}: {name}")
        terms = Terms([one for one in resources_of(name) if one.code in RESOURCES], grants)
        witness = Witness(name, self.envelopes, suite(self.real))
        held: Any = disk
        machine = Machine(name, self, held, terms, () if name == CENTRE else (CENTRE,), dice, witness)
        if disk is None:
            machine.disk = MemoryDisk(machine.now, dice.randbytes)
        return machine

    @property
    def centre(self) -> Machine:
        """The machine the departments connect to."""
        return self.machines[CENTRE]

    # --- running ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every machine."""
        for machine in self.machines.values():
            machine.start()

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.run_until(self.clock.seconds() + seconds)
        assert not self.faults, self.faults[0]

    def calm(self) -> None:
        """End every nemesis: the wire is good, every machine is up, every grant, peer, key and clock is good."""
        self.calmed = True
        self.wire.calm()
        for name in list(self.clones):
            self.mend_clone(name)
        newest = {name: self._lasting(name) for name in NAMES}
        revoked = frozenset[tuple[str, int]]().union(*(machine.terms.revoked for machine in self.machines.values()))
        for machine in self.machines.values():
            grants = [replace(grant, until=FOREVER) for grant in machine.terms.grants]
            machine.full, machine.slow, machine.shortage, machine.wrong = False, 0.0, Shortage.NONE, 0
            machine.skew = max(-STRAY, min(STRAY, machine.skew))
            machine.wake()
            machine.reload(
                suspended=frozenset(), grants=grants, generations=newest, revoked=revoked, lost=False,
                retired=frozenset(),
            )
            machine.start()
            assert machine.life is not None
            for name in ("outbox", "inbox", "warehouse"):
                machine.life.stores.of(name).fail_at(0)
            machine.go_on_opening()

    def _lasting(self, name: str) -> int:
        """Return the newest generation of a node, or the next one if that ends or was revoked."""
        machines = self.machines.values()
        newest = max(machine.terms.generation(name) for machine in machines)
        bad = is_short(newest) or any((name, newest) in machine.terms.revoked for machine in machines)
        return newest + 1 + is_short(newest + 1) if bad else newest

    def clone(self, name: str) -> None:
        """Start a copy of a machine beside it, unless it is down, or has one."""
        if self.machines[name].life is not None and name not in self.clones:
            self.clones[name] = self.machines[name].clone()
            self.cloned.add(name)

    def mend_clone(self, name: str) -> None:
        """Take the copy of a machine away and open a new epoch on the original, by a clock that is right."""
        clone = self.clones.pop(name, None)
        if clone is not None:
            clone.take_away()
            self.machines[name].skew = 0
            self.machines[name].open_epoch()

    def end(self) -> None:
        """End every life; nothing is left hanging for the collector of garbage to stumble over."""
        for machine in (*self.machines.values(), *self.clones.values()):
            if machine.life is not None:
                machine.life.die()
        self.clock.advance(0)

    def settle(self, within: float = 1200.0) -> None:
        """Let time pass until nothing is left to do; fail with what is left if that takes too long.

        A peer that lost its tail shows it with a hello, and one of them may find the lane busy (seed 911024): there is
        rest when nothing was left to do at any look for as long as two hellos take.
        """
        until, calm = self.clock.seconds() + within, 0.0
        while self.clock.seconds() < until:
            self.run(5.0)
            calm = 0.0 if self.left(first=True) else calm + 5.0
            if calm > 2 * self.timers.hello:
                return
        raise AssertionError("\n  ".join(["the world does not come to rest:", *self.left()]))

    def left(self, first: bool = False) -> list[str]:
        """Return what is still to be done; only the first thing if `first`."""
        found: list[str] = []
        for source in self.sources.values():
            if source.waiting:
                found.append(f"{source.machine.name}: {source.waiting} posts are not answered")
        for machine in self.machines.values():
            if first and found:
                break
            found += _left(machine)
        return found

    # --- told ---------------------------------------------------------------------------------------------------

    def hear(self, node: str, level: str, event: str, fields: dict[str, object]) -> None:
        """Take one line of a node's log."""
        self.events.append((self.clock.seconds(), node, level, event, fields))
        if event == "EXN-FAULT":
            self.faults.append(Fault(node, fields))
            bug = fields.get("bug")
            if isinstance(bug, BaseException):
                raise AssertionError(f"seed={self.seed}: a bug in {node}, {fields.get('at')}") from bug

    def fault(self, failure: Failure, node: str) -> None:
        """Take a bug of the world itself."""
        self.faults.append(Fault(node, {"bug": failure.getTraceback()}))

    # --- seen on the wire ---------------------------------------------------------------------------------------

    def _request_seen(self, caller: Life, callee: str, path: str, body: bytes) -> None:
        self.liar.heard.append((path, body))
        if path == "/v1/parcels":
            self._parcel(caller, callee, body)
        elif path.startswith("/v1/receipts"):
            self._letter(body)

    def _answer_seen(self, callee: Life, caller: str, path: str, response: Response) -> None:
        media = dict(response.headers).get(b"Content-Type")
        body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
        if media == PARCEL:
            self._parcel(callee, caller, body)
        elif media == LETTER:
            self._letter(body)

    def _parcel(self, sender: Life, receiver: str, frame: bytes) -> None:
        framed = unframe(frame)
        read = read_manifest(framed.manifest, CRYPTO)
        said = read.statement
        self.digests[said.parcel] = read.digest
        self.left_here[sender.name, sender.number, said.lane] += 1
        self.envelopes[digest_of(framed.payload)] = framed.payload
        before = self.manifests.setdefault(said.parcel, said)
        if before != said:
            self.broken.append(f"parcel {said.parcel} changed on the way")
        if sender.name == CENTRE and said.kind == "records":
            self._handed_out(sender.machine, receiver, said)

    def _handed_out(self, sender: Machine, receiver: str, said: Manifest) -> None:
        """Promise 4: nothing is handed out without a grant valid at that moment, by the clock of who hands it out."""
        now, grants = sender.now(), sender.terms.grants
        if not any((g.resource, g.receiver) == (said.resource, receiver) and now < g.until for g in grants):
            self.broken.append(f"{said.resource} was handed to {receiver} without a grant")

    def _letter(self, body: bytes) -> None:
        for one in read_letter(body).receipts:
            if one.verdicts:
                self.envelopes[digest_of(one.verdicts)] = one.verdicts


def _left(machine: Machine) -> list[str]:
    """Return what a machine has still to do, from what stands on its disk."""
    life, name = machine.life, machine.name
    if life is None:
        return [f"{name} is down"]
    found = []
    with life.stores.outbox.unit() as unit:
        for state in unit.lanes():
            if state.waiting or state.cursor <= state.head.seq:
                found.append(f"{name}: waiting in {state}")
        for wanted in UNFINISHED:
            found += [f"{name}: unfinished {entry}" for entry in unit.entries(wanted, "", 3)]
        marks = {grant: int(unit.bookmark(route.reader(grant)) or 0) for grant in machine.terms.grants}
    with life.stores.warehouse.unit() as unit:
        for grant, mark in marks.items():
            if unit.last(grant.resource) > mark:
                found.append(f"{name}: {grant.name} has read to {mark} of {unit.last(grant.resource)}")
    with life.stores.inbox.unit() as unit:
        for opened in OPEN:
            waiting = unit.arrivals(opened, "", 20)
            found += [f"{name}: not opened {arrival}" for arrival in waiting if arrival.lane.sender != LIAR][:3]
    return found
