"""A department's reader: the node's own poller over an old table, and what persons do to it.

Only the child process and the threads are not real (`table`, `strand`); the poller, the locks, the reading, its
bookmarks and versions are.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import DeferredLock

from node.exchange import read
from node.exchange.read import Batch, Place
from node.hosts import Child
from node.intake.poller import Poller
from node.intake.process import AdapterProcess
from node.model.record import Stream, Version
from node.model.source import Instance
from tests.world.strand import Strands, Told
from tests.world.table import Table, TableChild

if TYPE_CHECKING:
    from tests.world.machine import Life, Machine

T = TypeVar("T")


class TableProcess(AdapterProcess):
    """The process of an adapter, whose child is in memory."""

    def __init__(self, table: Table, strands: Strands, life: Life) -> None:
        name = table.source.adapter
        super().__init__(Instance(name, "table", {}, ".", 0, 0), strands, life.time)
        self._make: Callable[[], Any] = lambda: TableChild(table, strands)

    def _with(self, function: Callable[[Child], T]) -> T:
        if self._child is None:
            self._child = self._make()
        return super()._with(function)


class TablePoller(Poller):
    """A poller whose reading waits in a strand."""

    strands: Strands

    def _put(self, belongs: read.Reading, was: Place, batch: Batch) -> Future[None]:
        told = Told(self.strands)
        self._desk.reactor.callLater(0, self._keep, belongs, was, batch, told)
        return told


class Reader:
    """One table at one machine, over all its lives."""

    def __init__(self, machine: Machine, dice: Random) -> None:
        self.machine, self.table = machine, Table(machine.name, dice)
        self._strands: list[Strands] = []
        self.promised: tuple[Version, frozenset[str]] | None = None
        """The version behind which a repeated read that was asked for gives rows, and the keys of these."""

    def works(self, life: Life) -> Iterator[tuple[str, Callable[[], Coroutine[Any, Any, None]]]]:
        """Yield what runs in a life for it."""
        strands = Strands(life)
        self._strands.append(strands)
        poller = TablePoller(life.desk, TableProcess(self.table, strands, life), self.table.source, DeferredLock())
        poller.strands = strands
        yield f"poller:{self.table.source.name}", poller.run

    def ask(self, only_dirty: bool) -> None:
        """A person has the whole read once more."""
        keys, source = frozenset(self.table.rows), self.table.source

        def ask(unit: Any, now: int) -> tuple[Version, frozenset[str]] | None:
            read.ask(unit, source, Stream.RESUPPLY, only_dirty, now)
            return None if only_dirty else (unit.allot(source.resource, 1), keys)

        self._act(ask)

    def forget(self) -> None:
        """A person resets it."""

        def forget(unit: Any, now: int) -> tuple[Version, frozenset[str]] | None:
            read.forget(unit, self.table.source)
            return self.promised

        self._act(forget)

    def _act(self, act: Callable[[Any, int], tuple[Version, frozenset[str]] | None]) -> None:
        life = self.machine.life
        if life is None:
            return

        def acted(promised: tuple[Version, frozenset[str]] | None) -> None:
            self.promised = promised
            life.bell.ring(f"source:{self.table.source.name}")

        life.outbox.run(lambda unit: act(unit, life.desk.now())).addCallbacks(acted, lambda failure: None)

    def end(self) -> None:
        """The world is over."""
        for strands in self._strands:
            strands.end()

    def left(self) -> str | None:
        """Return what it has still to read."""
        life, source = self.machine.life, self.table.source
        if life is None:
            return "it is down"
        with life.stores.outbox.unit() as unit:
            places = {stream: read.place(unit, source, stream) for stream in Stream}
            dirty = unit.dirty_count(source.name)
        behind = [stream.value for stream in (Stream.BACKFILL, Stream.RESUPPLY) if places[stream].open]
        live = places[Stream.LIVE]
        if live.at != self.table.last or behind or dirty:
            return f"{source.name}: read to {live.at} of {self.table.last}, {behind} open, {dirty} dirty"
        return None
