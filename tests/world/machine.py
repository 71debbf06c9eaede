"""A machine of the world: a disk that stays, and one life after the other of the real node over it.

Rule 1: a life that is over changes nothing, says nothing and hears nothing, though Python still holds its coroutines.
Rule 2: a life is put together as `node.service.build` puts a node together; only sockets, threads and TLS are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.python.failure import Failure

from node.deliver.asker import Asker
from node.deliver.greeter import Greeter
from node.deliver.pump import Pump
from node.deliver.router import Router
from node.deliver.sweep import Retention, Sweep
from node.exchange import resupply
from node.exchange.means import Means
from node.intake.collector import Collector
from node.intake.gateway import Gateway
from node.intake.local import Local
from node.intake.opener import Opener
from node.model import codes
from node.model.instant import Instant
from node.model.parcel import Lane
from node.model.registry import Grant, Resource
from node.model.trouble import Trouble, trouble
from node.spool.shortage import Shortage
from node.validate import Specifications
from node.wire.link import PeerLink
from node.wire.message import Link, Request, Response
from node.wire.problem import problem
from node.wire.routes import Routes
from node.workers import Bell, Committer, Desk, InlineWorkers, Timers
from tests.crypto.papers import ORG
from tests.fakes.memory import PowerCut
from tests.stage.desk import DOMAIN, Tally, means_of, specifications
from tests.world.disk import Disk, MemoryDisk
from tests.world.keys import channel, registered, ring, trust
from tests.world.liar import LIAR
from tests.world.lifetime import LifeTime
from tests.world.wire import WireClient
from tests.world.witness import Witness

if TYPE_CHECKING:
    from tests.world.city import City
    from tests.world.reader import Reader

P = ParamSpec("P")
A = TypeVar("A")
T = TypeVar("T")
TOKEN = b"a-token-of-the-world"
TIMERS = Timers(
    hello=20.0, idle=5.0, poll=10.0, overdue_ms=10_000, lease_ms=30_000, rest_first=1.0, rest_most=20.0, post=30.0
)
STRAY: Instant = 120_000
"""How far (ms) a clock may be wrong when a machine starts: less than half of what peers allow each other."""
CLONED = 1000
"""What the lives of a clone are counted from, times the number of clones before."""
RETENTION = Retention(answers=7_200_000, done=60_000, bytes_in=60_000, receipts=7_200_000, quiet=60_000)


class _Committer(Committer[Any]):
    """A committer whose life may end."""

    def __init__(self, life: Life, store: Any, most: int) -> None:
        super().__init__(_Door(life, store), life.time, most=most)
        self._life = life

    def run(self, function: Callable[[Any], T], durable: bool = True) -> Deferred[T]:
        return super().run(function, durable) if self._life.alive else fail(PowerCut())

    def share(self, function: Callable[[Any, Sequence[A]], Sequence[T]], argument: A, weight: int = 1) -> Deferred[T]:
        return super().share(function, argument, weight) if self._life.alive else fail(PowerCut())

    def bury(self) -> None:
        """Fail what was asked for and never done."""
        while self._jobs:
            self._jobs.popleft().tell(None, PowerCut())


class _Door:
    """The way of one life to one store; a power cut in a commit ends that life."""

    def __init__(self, life: Life, store: Any) -> None:
        self._life, self._store = life, store
        self._lanes = store is life.stores.outbox

    @contextmanager
    def unit(self, durable: bool = True) -> Iterator[Any]:
        if not self._life.alive:
            raise PowerCut
        try:
            with self._store.unit(durable) as unit:
                held = self._watch(unit)
                yield unit
                if unit.writes and self._life.machine.full:
                    raise trouble(codes.DISK, what="store")
        except PowerCut:
            self._life.die()
            raise
        life, city = self._life, self._life.machine.city
        for lane, code in held:
            city.holds.append((city.clock.seconds(), life.name, life.number, lane, code))

    def _watch(self, unit: Any) -> list[tuple[Lane, str]]:
        """Return where the holds of lanes in this unit will stand."""
        held: list[tuple[Lane, str]] = []
        if self._lanes:
            hold = unit.hold

            def watched(lane: Lane, code: str | None) -> None:
                if code is not None:
                    held.append((lane, code))
                hold(lane, code)

            unit.hold = watched
        return held


class _Bell(Bell):
    """A bell whose life may end."""

    def bury(self) -> None:
        """Wake nobody ever again."""
        for waiting in list(self._waiting.values()):
            for deferred in list(waiting):
                deferred.cancel()


class _Threads(InlineWorkers):
    """Threads that may be slow, past any lease."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        life, slow = self._life, self._life.machine.slow
        if not slow:
            return super().run(function, *args, **kwargs)
        done: Deferred[T] = Deferred()

        def work() -> None:
            if not done.called:
                super(_Threads, self).run(function, *args, **kwargs).chainDeferred(done)

        life.time.callLater(life.machine.dice.uniform(0, slow), work)
        return done


@dataclass
class Terms:
    """What a machine's configuration says now; changed by `Machine.reload`."""

    resources: Sequence[Resource]
    grants: Sequence[Grant] = ()
    suspended: frozenset[str] = frozenset()
    generations: Mapping[str, int] = field(default_factory=dict)
    """Which generation of keys it holds itself, and which of each other node's it was told of."""
    revoked: frozenset[tuple[str, int]] = frozenset()
    """Which generations of which nodes its revocation lists name."""
    lost: bool = False
    """Its older encryption keys cannot be found."""
    gone: int = 0
    """How many generations of its encryption keys, the oldest, are lost for good, and declared so."""
    retired: frozenset[str] = frozenset()
    """Names of specifications it no longer holds."""

    def generation(self, node: str) -> int:
        """Return the generation of a node's keys as known here."""
        return self.generations.get(node, 0)


class Life:
    """One run of a node's process."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.name, self.alive = machine, machine.name, True
        self.number = machine.lives
        city = machine.city
        self.time = LifeTime(city.clock)
        self.stores = machine.disk.start()
        most = machine.dice.choice((1, 2, 512, 512))
        self.bell = _Bell(self.time)
        self.outbox, self.inbox, self.warehouse = (
            _Committer(self, store, most) for store in (self.stores.outbox, self.stores.inbox, self.stores.warehouse)
        )
        self.desk = Desk(
            means=machine.means(), outbox=self.outbox, inbox=self.inbox, warehouse=self.warehouse,
            workers=_Threads(self), bell=self.bell, reactor=self.time, now=machine.now, counter=Tally(),
            log=self._log, shortage=lambda: machine.shortage, timers=city.timers,
        )
        self.gateway, self.local = Routes(), Routes()
        Gateway(self.desk).add_to(self.gateway)
        Local(self.desk, {"app": TOKEN}).add_to(self.local)
        self.try_again()
        self._running: dict[Deferred[Response], None] = {}
        self._loops = [self.desk.keep(name, work) for name, work in self._works()]
        for loop in self._loops:
            loop.addErrback(lambda failure: None)

    def _works(self) -> Iterator[tuple[str, Callable[[], Coroutine[Any, Any, None]]]]:
        desk, city = self.desk, self.machine.city
        opener = Opener(desk)
        yield "opener", opener.run
        yield "reconsider", opener.reconsider
        yield "router", Router(desk).run
        yield "sweep", Sweep(desk, city.retention, 30.0).run
        for reader in self.machine.readers:
            yield from reader.works(self)
        for peer in self.machine.posts_to:
            link = self._link(peer)
            asker = Asker(desk, link)
            yield "greeter", Greeter(desk, link).run
            yield "pump", Pump(desk, link).run
            yield "asker", asker.poll
            yield "giver", asker.give
            yield "collector", Collector(desk, link).run

    def _link(self, peer: str) -> PeerLink:
        city = self.machine.city
        client: Any = WireClient(city.wire, self, city.machines[peer])
        return PeerLink(client, lambda: self.bell.ring(f"link:{peer}"))

    def try_again(self) -> Deferred[int]:
        """Let what waited for a change of the terms go on, as `Running` does when it starts and reloads."""
        done = self.outbox.run(lambda unit: resupply.try_again(unit, self.desk.means, self.desk.now()))
        return done.addErrback(lambda failure: 0)

    # --- asked --------------------------------------------------------------------------------------------------

    def answer(self, caller: str, path: str, media: bytes, body: bytes) -> Deferred[Response]:
        """Return what the gateway answers to a peer."""
        return self._answer(self.gateway, "POST", path, {b"content-type": media}, body, Link("", 0, channel(caller)))

    def ask(self, method: str, path: str, headers: dict[bytes, bytes], body: bytes = b"") -> Deferred[Response]:
        """Return what the local API answers to the department's own system."""
        return self._answer(self.local, method, path, {b"authorization": b"Bearer " + TOKEN, **headers}, body, Link())

    def _answer(
        self, routes: Routes, method: str, target: str, headers: dict[bytes, bytes], body: bytes, link: Link
    ) -> Deferred[Response]:
        path, _, query = target.partition("?")
        request = Request(method, path, query.encode("ascii"), headers, link)
        running: Deferred[Response] = Deferred.fromCoroutine(self._act(routes, request, body))
        self._running[running] = None
        running.addErrback(self._explain)
        running.addBoth(self._over, running)
        return running

    async def _act(self, routes: Routes, request: Request, body: bytes) -> Response:
        found = routes.find(request.path)
        assert found is not None, request.path
        route = found[0].route(request.method)
        assert route is not None, request.path
        request.template, request.arguments = found[0].template, found[1]
        if route.early is not None:
            route.early(request)
        request.body = body
        reply = route.action(request)
        return reply if isinstance(reply, Response) else await reply

    def _explain(self, failure: Failure) -> Response | Failure:
        error = failure.value
        if isinstance(error, Trouble):
            return problem(error)
        if self.alive and not isinstance(error, CancelledError):
            self._log("error", "EXN-FAULT", at="answer", bug=error)
        return failure

    def _over(self, result: Any, running: Deferred[Response]) -> Any:
        self._running.pop(running, None)
        return result

    # --- told and dead ------------------------------------------------------------------------------------------

    def _log(self, level: str, event: str, **fields: object) -> None:
        if self.alive:
            self.machine.city.hear(self.name, level, event, {**fields, "life": self.number})

    def die(self) -> None:
        """Lose the power in this instant."""
        if self.alive:
            self.alive, self.time.over, self.desk.stopping = False, True, True
            self.machine.fallen()
            self.machine.city.clock.callLater(0, self._bury)

    def _bury(self) -> None:
        """End what Python still holds of this life; nothing of it reaches a store or the wire any more."""
        self.machine.city.wire.fallen(self)
        for committer in (self.outbox, self.inbox, self.warehouse):
            committer.bury()
        for loop in self._loops:
            loop.cancel()
        for running in list(self._running):
            running.cancel()
        self.bell.bury()


def _held(retired: frozenset[str]) -> Specifications:
    every = specifications()
    return Specifications({name: spec for name in every.names() if name not in retired and (spec := every.get(name))})


@dataclass
class Machine:
    """One node's place: its disk, its clock's error, its configuration."""

    name: str
    city: City
    disk: Disk
    terms: Terms
    posts_to: Sequence[str]
    dice: Random
    witness: Witness
    skew: Instant = 0
    shortage: Shortage = Shortage.NONE
    full: bool = False
    """Nothing more can be written: every commit of a unit that wrote fails."""
    slow: float = 0.0
    """Seconds (at most) that work given to its threads takes."""
    life: Life | None = None
    lives: int = 0
    copies: int = 0
    """How many clones of it were made."""
    wrong: Instant = 0
    """How far its clock is off at its next starts, its battery being flat; else its time is set when it starts."""
    gone: bool = False
    """It was taken away, and never starts again."""
    readers: list[Reader] = field(default_factory=list)
    """What it reads old tables with."""
    _restart: list[float] = field(default_factory=list)

    def now(self) -> Instant:
        """The machine's own wall clock."""
        return self.city.began + int(self.city.clock.seconds() * 1000) + self.skew

    def means(self) -> Means:
        """Return the means of its present terms."""
        peers = [
            replace(
                registered(other, self.terms.generation(other)), suspended=other in self.terms.suspended,
                address=other if other in self.posts_to else None, backup_interval=self.city.retention.done,
            )
            for other in (*self.city.names, LIAR) if other != self.name
        ]
        made = means_of(self.name, peers, self.terms.resources, self.terms.grants, self.dice.randbytes)
        crypto: Any = self.witness.crypto
        keys = ring(self.name, self.terms.generation(self.name), self.city.real, self.terms.lost, self.terms.gone)
        return replace(
            made, crypto=crypto, identity=self.witness.identity(keys.identity(DOMAIN, self.name, ORG)),
            trust=trust(self.terms.revoked), specifications=_held(self.terms.retired),
        )

    def reload(self, **changes: Any) -> None:
        """Take new terms, as `Running.reload` does; who configures a machine does not know that there are two."""
        clone = self.city.clones.get(self.name)
        if clone is not None and clone is not self:
            clone.reload(**changes)
        self.terms = replace(self.terms, **changes)
        if self.life is not None:
            self.life.desk.means = self.means()
            self.life.try_again().addBoth(self._ring, self.life)

    def _ring(self, result: object, life: Life) -> None:
        others = [other for other in self.city.names if other != self.name]
        kinds = ("outbox", "receipts", "greet", "link", "inbox-means")
        life.bell.ring("means", "inbox", "warehouse", *(f"{kind}:{node}" for kind in kinds for node in others))

    def stop_opening(self) -> None:
        """A person holds every lane that leads here, as `queue hold --inbox` does."""
        self._hold_incoming(None, codes.HELD.name)

    def go_on_opening(self) -> None:
        """A person lets the lanes go on that a person held."""
        self._hold_incoming(codes.HELD.name, None)

    def _hold_incoming(self, was: str | None, code: str | None) -> None:
        def change(unit: Any) -> None:
            for lane in [lane for sender in self.city.names for lane, _ in unit.heads(sender)]:
                if unit.held(lane) == was:
                    unit.hold_lane(lane, code)

        if self.life is not None:
            self.life.inbox.run(change).addErrback(lambda failure: None)
            self.life.bell.ring("inbox")

    def start(self) -> None:
        """Begin a life, unless there is one; a machine that starts has its time set."""
        if self.life is None and not self.gone:
            self.lives += 1
            self.skew = self.wrong or max(-STRAY, min(STRAY, self.skew))
            self.life = Life(self)

    def stall(self, seconds: float) -> None:
        """Do nothing for a while, as a stopped process or a machine that is saved and resumed."""
        if self.life is not None:
            self.life.time.stalled = True
            self.city.clock.callLater(seconds, self._resume, self.life)

    def wake(self) -> None:
        """End a stall now."""
        if self.life is not None:
            self.life.time.wake()

    def _resume(self, life: Life) -> None:
        if life.alive:
            life.time.wake()

    def crash(self, down: float = 0.0) -> None:
        """Lose the power, and have it back after `down` seconds."""
        if self.life is not None:
            self._restart.append(down)
            self.life.die()

    def copy(self) -> dict[str, Any]:
        """Return a backup of all three stores, taken in one instant."""
        disk: Any = self.disk
        copied: dict[str, Any] = disk.copy()
        return copied

    def restore(self, copied: dict[str, Any], new_epoch: bool = True) -> None:
        """Lose the disk, and start again from a backup: as `restore` does, or by hand and without a word."""
        self.start()
        if self.name in self.city.sources:
            self.city.sources[self.name].acknowledged()
        assert self.life is not None
        self.life.die()
        self.city.clock.advance(0)
        disk: Any = self.disk
        disk.put_back(copied)
        if new_epoch:
            disk.start().outbox.open_epoch(self.now())
        else:
            self.city.silent.add(self.name)
        self.start()
        self.city.restored.add(self.name)
        if self.name in self.city.sources:
            self.city.sources[self.name].forget()

    def open_epoch(self) -> None:
        """Stop, and start again with a new node epoch."""
        if self.life is not None:
            self.life.die()
            self.city.clock.advance(0)
        self.disk.start().outbox.open_epoch(self.now())
        self.start()

    def clone(self) -> Machine:
        """Start a second machine from a copy of its disk as it runs, as a snapshot is started beside its original.

        Its lives are counted from a number of their own: both write their logs under one name.
        """
        self.copies += 1
        dice = Random(f"{self.dice.random()}: clone of {self.name}")
        held: Any = None
        twin = Machine(
            self.name, self.city, held, self.terms, self.posts_to, dice, self.witness.beside(), self.skew,
            lives=self.copies * CLONED,
        )
        disk = twin.disk = MemoryDisk(twin.now, dice.randbytes)
        disk.start()
        disk.put_back(self.copy())
        twin.start()
        return twin

    def take_away(self) -> None:
        """End its last life."""
        self.gone = True
        if self.life is not None:
            self.life.die()
            self.city.clock.advance(0)

    def fallen(self) -> None:
        """Its life ended just now; plan the next."""
        self.city.deaths[self.name, self.lives] = self.city.clock.seconds()
        self.life = None
        self.disk.stop()
        down = self._restart.pop() if self._restart else self.dice.uniform(0, 5)
        self.city.clock.callLater(down + 0.001, self.start)
