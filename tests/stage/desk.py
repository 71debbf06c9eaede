"""One node on the stage: its desk with real keys and specifications, its stores, a fake clock.

    staged = set_up("dept-a", peers=["centre"], stores=tmp_path, clock=clock)      # or without stores: in memory
    answer = finish(staged.desk.outbox.run(...), clock)
    staged = staged.crash()                      # the same node again, from what is on its disk
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from node.crypto.chain import CertificateTrust
from node.crypto.keyring import Keyring
from node.crypto.storage import StorageSecret, new_secret
from node.exchange.means import Means
from node.model.certificate import Role
from node.model.instant import Instant
from node.model.registry import Grant, Peer, Resource
from node.ports import Chance, InboxUnit, OutboxUnit, Storage, Store, WarehouseUnit
from node.service.registry import StaticRegistry
from node.spool.shortage import Shortage
from node.store import SqliteInbox, SqliteOutbox, SqliteWarehouse
from node.validate import Specifications
from node.workers import Bell, Committer, Desk, InlineWorkers, Timers
from tests.crypto.papers import CRYPTO, DAY, NOW, ORG, the_authority, the_leaf, the_root
from tests.fakes.inbox import MemoryInbox
from tests.fakes.memory import MemoryStore
from tests.fakes.outbox import MemoryOutbox
from tests.fakes.warehouse import MemoryWarehouse
from tests.house.plan import ROOT

DOMAIN = "city.test"
CENTRE = "centre"
SPECIFICATIONS = {
    "population": "population-basic/1.0", "legal-entity": "legal-entity-basic/1.0", "region-code": "region-code/1.0",
}
T = TypeVar("T")


@dataclass
class Journal:
    """Every event a node logged."""

    events: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)

    def __call__(self, level: str, event: str, **fields: object) -> None:
        self.events.append((level, event, fields))

    def names(self, level: str | None = None) -> list[str]:
        """Return the names of the events, those of one level or all."""
        return [event for at, event, _ in self.events if level in (None, at)]


@dataclass
class Tally:
    """What a node counted, by name and labels."""

    counts: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        place = (name, tuple(sorted(labels.items())))
        self.counts[place] = self.counts.get(place, 0) + by

    def gauge(self, name: str, value: float, **labels: str) -> None:
        self.counts[(name, tuple(sorted(labels.items())))] = value

    def timed(self, name: str, seconds: float, **labels: str) -> None:
        self.count(name, 1, **labels)

    def of(self, name: str, **labels: str) -> float:
        """Return the sum of a name over all labels that include these."""
        return sum(
            value for (what, pairs), value in self.counts.items() if what == name and set(labels.items()) <= set(pairs)
        )


@dataclass
class Stores:
    """The three stores of one node, open."""

    outbox: Store[OutboxUnit]
    inbox: Store[InboxUnit]
    warehouse: Store[WarehouseUnit]

    def close(self) -> None:
        """Close all three."""
        for store in (self.outbox, self.inbox, self.warehouse):
            store.close()


@dataclass
class Staged:
    """A node on the stage; `shortage` may be set, `again` sets up the same node on the same stores' files."""

    desk: Desk
    stores: Stores
    clock: Clock
    journal: Journal
    tally: Tally
    again: Callable[[], Staged] = field(repr=False)
    shortage: Shortage = Shortage.NONE

    def crash(self) -> Staged:
        """Lose everything that was not committed, and return the node started again from its folder or memory."""
        for store in (self.stores.outbox, self.stores.inbox, self.stores.warehouse):
            if isinstance(store, MemoryStore):
                store.reopen()
            else:
                store.close()
        return self.again()

    def close(self) -> None:
        """Close the stores."""
        self.stores.close()


@cache
def specifications() -> Specifications:
    """Return the published specifications, compiled once for all tests."""
    return Specifications.load(ROOT / "xsd", CRYPTO.sm3)


@cache
def stage_trust() -> CertificateTrust:
    """Return the trust of every node: one root, one authority, lists that outlive any play."""
    lists = [paper.revoking(due=NOW + 360 * DAY) for paper in (the_root(), the_authority())]
    return CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], lists)


@cache
def keyring(node: str) -> Keyring:
    """Return a node's keys; the same node has the same keys all through."""
    ring = Keyring(CRYPTO, os.urandom)
    for role in Role:
        paper = the_leaf(role, node)
        ring.add(f"{node}-{role.value}", role, paper.certificate, paper.key)
    ring.add_storage("storage", storage_secret(node))
    return ring


@cache
def storage_secret(node: str) -> StorageSecret:
    """Return a node's storage key."""
    return new_secret(os.urandom)


def peer_of(node: str, **given: Any) -> Peer:
    """Return a node as its neighbours register it: it may send every resource; `given` replaces members."""
    certificates = {role: the_leaf(role, node).certificate for role in Role}
    made = Peer(
        node=node, org=ORG, signing=[certificates[Role.SIGN]], encryption=certificates[Role.ENCRYPT],
        tls=[certificates[Role.TLS]], resources=frozenset({"*"}),
        origins=frozenset({"*"}) if node == CENTRE else frozenset(),
    )
    return replace(made, **given)


def channel_of(node: str) -> str:
    """Return the fingerprint of a node's TLS certificate, as a checked channel shows it."""
    return the_leaf(Role.TLS, node).certificate.fingerprint


def resources_of(node: str) -> list[Resource]:
    """Return the catalogue: departments supply everything to the centre, the centre supplies by grant."""
    receivers = () if node == CENTRE else (CENTRE,)
    return [Resource(code, specification, receivers) for code, specification in SPECIFICATIONS.items()]


def means_of(
    node: str, peers: Sequence[str | Peer], resources: Sequence[Resource] | None = None, grants: Sequence[Grant] = (),
    chance: Chance = os.urandom,
) -> Means:
    """Return a node's means, with a registry of the peers."""
    registered = [peer_of(peer) if isinstance(peer, str) else peer for peer in peers]
    known = StaticRegistry(registered, resources_of(node) if resources is None else resources, grants)
    identity = keyring(node).identity(DOMAIN, node, ORG)
    return Means(identity, CRYPTO, known, stage_trust(), specifications(), chance)


def now_of(clock: Clock) -> Callable[[], Instant]:
    """Return the wall clock that goes with a fake clock."""
    return lambda: NOW + int(clock.seconds() * 1000)


def open_stores(
    where: Path | Stores | None, storage: Storage, now: Callable[[], Instant], chance: Chance, tally: Tally,
) -> Stores:
    """Return the stores of a folder, which is made if it is not there, the stores given, or for None new in memory."""
    if isinstance(where, Stores):
        return where
    if where is None:
        return Stores(MemoryOutbox(now, chance, CRYPTO.sm3), MemoryInbox(CRYPTO.sm3), MemoryWarehouse(CRYPTO.sm3))
    where.mkdir(parents=True, exist_ok=True)
    return Stores(
        SqliteOutbox(where / "outbox.db", storage, CRYPTO.sm3, now, chance, counter=tally),
        SqliteInbox(where / "inbox.db", storage, CRYPTO.sm3, counter=tally),
        SqliteWarehouse(where / "warehouse.db", storage, CRYPTO.sm3, counter=tally),
    )


def set_up(
    node: str = "dept-a", peers: Sequence[str | Peer] = (CENTRE,), *, stores: Path | Stores | None = None,
    clock: Clock | None = None, resources: Sequence[Resource] | None = None, grants: Sequence[Grant] = (),
    timers: Timers = Timers(), chance: Chance = os.urandom,
) -> Staged:
    """Set a node up; `stores` is a folder of SQLite files, stores already open, or None for new ones in memory."""
    clock = clock or Clock()
    journal, tally, now = Journal(), Tally(), now_of(clock)
    held = open_stores(stores, keyring(node).storage(), now, chance, tally)
    desk = Desk(
        means=means_of(node, peers, resources, grants, chance),
        outbox=Committer(held.outbox, clock),
        inbox=Committer(held.inbox, clock),
        warehouse=Committer(held.warehouse, clock),
        workers=InlineWorkers(),
        bell=Bell(clock),
        reactor=clock,
        now=now,
        counter=tally,
        log=journal,
        shortage=lambda: staged.shortage,
        timers=timers,
    )
    staged = Staged(desk, held, clock, journal, tally, lambda: set_up(
        node, peers, stores=held if stores is None else stores, clock=clock, resources=resources, grants=grants,
        timers=timers, chance=chance,
    ))
    return staged


def finish(work: Deferred[T] | Coroutine[Any, Any, T], clock: Clock, turns: int = 50) -> T:
    """Return what `work` comes to without time passing, or raise what it raises; fail if it waits for more."""
    running = work if isinstance(work, Deferred) else Deferred.fromCoroutine(work)
    found: list[Any] = []
    running.addBoth(found.append)
    for _ in range(turns):
        if found:
            break
        clock.advance(0)
    assert found, "it waits for something that did not come"
    if isinstance(found[0], Failure):
        found[0].raiseException()
    result: T = found[0]
    return result
