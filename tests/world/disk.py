"""The disk of a machine: what of its three stores outlives a crash, and old copies of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from node.crypto.storage import StorageKey
from node.model.instant import Instant
from node.ports import Chance
from tests.crypto.papers import CRYPTO
from tests.fakes.failing import FailingInbox, FailingOutbox, FailingWarehouse, after_the_cut
from tests.fakes.inbox import MemoryInbox
from tests.fakes.memory import MemoryStore, PowerCut, Table
from tests.fakes.outbox import MemoryOutbox
from tests.fakes.warehouse import MemoryWarehouse

NAMES = ("outbox", "inbox", "warehouse")


@dataclass
class Opened:
    """The three stores of one life; each has `unit`, `fail_at` and `commits`."""

    outbox: Any
    inbox: Any
    warehouse: Any

    def of(self, name: str) -> Any:
        """Return a store by its name."""
        return getattr(self, name)


class Disk(Protocol):
    """What a machine keeps when it loses its memory."""

    def start(self) -> Opened:
        """Return the stores as a new life opens them: what was committed is there, nothing else."""

    def stop(self) -> None:
        """The life that opened them is over."""


class MemoryDisk:
    """Stores in memory: quick, and cut off as exactly as a disk."""

    def __init__(self, now: Callable[[], Instant], chance: Chance) -> None:
        self._stores: Opened | None = None
        self._now, self._chance = now, chance

    def start(self) -> Opened:
        if self._stores is None:
            self._stores = Opened(MemoryOutbox(self._now, self._chance), MemoryInbox(), MemoryWarehouse())
        else:
            for name in NAMES:
                self._stores.of(name).reopen()
        return self._stores

    def stop(self) -> None:
        pass

    def copy(self, *names: str) -> dict[str, Any]:
        """Return a copy of stores as they are on the disk now."""
        assert self._stores is not None
        return {name: rows(self._stores.of(name)) for name in names or NAMES}

    def put_back(self, copied: dict[str, Any]) -> None:
        """Let the stores be what they were when they were copied; the machine must be down."""
        assert self._stores is not None
        for name, tables in copied.items():
            self._stores.of(name).forget_unsynced()
            put_back(self._stores.of(name), tables)


def _tables(store: MemoryStore[Any]) -> list[dict[Any, Any]]:
    found = []
    for table in (*vars(getattr(store, "tables")).values(), store.chains):
        found += [table] if isinstance(table, Table) else vars(table).values()
    return [table._rows for table in found]


def rows(store: MemoryStore[Any]) -> list[dict[Any, Any]]:
    """Return a copy of what a store holds; values are never changed in place."""
    return [copy.copy(held) for held in _tables(store)]


def put_back(store: MemoryStore[Any], copied: list[dict[Any, Any]]) -> None:
    """Let a store hold what it held when it was copied."""
    for held, before in zip(_tables(store), copied, strict=True):
        held.clear()
        held.update(before)


class SqliteDisk:
    """Real files; each life opens what a power cut left of the life before."""

    def __init__(self, folder: Path, storage: StorageKey, now: Callable[[], Instant], chance: Chance) -> None:
        self._folder, self._storage, self._now, self._chance = folder, storage, now, chance
        self._lives = 0
        self._stores: Opened | None = None

    def start(self) -> Opened:
        before, here = self._folder / str(self._lives), self._folder / str(self._lives + 1)
        here.mkdir(parents=True)
        for name in NAMES if self._lives else ():
            after_the_cut(before / f"{name}.db", here)
        self._lives += 1
        self._close()
        paths = {name: here / f"{name}.db" for name in NAMES}
        self._stores = Opened(
            FailingOutbox(paths["outbox"], self._storage, CRYPTO.sm3, self._now, self._chance),
            FailingInbox(paths["inbox"], self._storage, CRYPTO.sm3),
            FailingWarehouse(paths["warehouse"], self._storage, CRYPTO.sm3),
        )
        return self._stores

    def stop(self) -> None:
        pass  # a dead process closes nothing: its files are copied as they lie

    def _close(self) -> None:
        if self._stores is not None:
            for name in NAMES:
                with suppress(PowerCut):
                    self._stores.of(name).close()

    def close(self) -> None:
        """Close what the last life opened."""
        self._close()
        self._stores = None
