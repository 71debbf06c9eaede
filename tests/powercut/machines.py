"""Stores and machines whose power fails at a sync, and comes back to what the disk surely held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from node.crypto.storage import StorageKey
from node.model.instant import Instant
from node.ports import Chance
from node.store import SqliteInbox, SqliteOutbox, SqliteWarehouse
from tests.crypto.papers import CRYPTO
from tests.fakes.memory import PowerCut
from tests.powercut.platter import Fate
from tests.powercut.vfs import Power, Shim
from tests.world.disk import NAMES, Opened


class _OnPower:
    """A store that opens no unit without power, and ends none."""

    power: Power

    @contextmanager
    def unit(self, durable: bool = True) -> Iterator[Any]:
        """Open one transaction; whatever happened in it, the process is dead if the power failed meanwhile."""
        try:
            if self.power.dead:
                raise PowerCut
            with super().unit(durable) as unit:  # type: ignore[misc]  # the store this is mixed into
                yield unit
        finally:
            if self.power.dead:
                raise PowerCut

    def fail_at(self, commit: int, *, after: bool = False) -> None:
        """Nothing: this one fails at a sync, which its power knows."""


class PoweredOutbox(_OnPower, SqliteOutbox):
    """An outbox on a power of its own."""


class PoweredInbox(_OnPower, SqliteInbox):
    """An inbox on a power of its own."""


class PoweredWarehouse(_OnPower, SqliteWarehouse):
    """A warehouse on a power of its own."""


KINDS: dict[str, type[Any]] = {"outbox": PoweredOutbox, "inbox": PoweredInbox, "warehouse": PoweredWarehouse}


def powered(open_it: Callable[[type[Any]], Any], name: str, power: Power) -> Any:
    """Return a store opened on a power; raises PowerCut if that fails while it opens."""
    kind = type(f"On{name}", (KINDS[name],), {"power": power})
    try:
        store = open_it(kind)
    except BaseException:
        if power.dead:
            raise PowerCut from None
        raise
    if power.dead:
        with suppress(Exception):
            store.close()
        raise PowerCut
    return store


def lay(files: dict[str, bytes], folder: Path) -> dict[str, bytes]:
    """Write what survived into another folder; return it by its new paths."""
    laid = {f"{folder}/{path.rpartition('/')[2]}": octets for path, octets in files.items()}
    for path, octets in laid.items():
        Path(path).write_bytes(octets)
    return laid


class PowerDisk:
    """The disk of a machine of the world: three stores in one folder, and a power that fails once."""

    def __init__(
        self, folder: Path, shim: Shim, storage: StorageKey, now: Callable[[], Instant], chance: Chance,
    ) -> None:
        self._folder, self._shim, self._storage, self._now, self._chance = folder, shim, storage, now, chance
        self._lives = 0
        self._opened: list[Any] = []
        self.power = Power()
        self.cut: tuple[int, bool, Fate, Random] | None = None
        """The sync, whether after it, what survives, and the dice for that."""

    def start(self) -> Opened:
        """Open the stores; a cut before all three are open is another beginning at once."""
        while True:
            try:
                return self._live()
            except PowerCut:
                self.stop()

    def _live(self) -> Opened:
        here = self._folder / str(self._lives + 1)
        here.mkdir(parents=True)
        if self._lives:
            assert self.cut is not None and self.power.dead, "a machine on this disk dies of a power cut only"
            self.power = Power(lay(self.power.platter.after(self.cut[2], self.cut[3]), here))
        elif self.cut is not None:
            self.power.fail_at(*self.cut[:2])
        self._lives += 1
        self._shim.watch(str(here), self.power)
        return Opened(**{name: powered(partial(self._open, here / f"{name}.db"), name, self.power) for name in NAMES})

    def _open(self, path: Path, kind: type[Any]) -> Any:
        outbox = issubclass(kind, SqliteOutbox)
        store = kind(path, self._storage, CRYPTO.sm3, *((self._now, self._chance) if outbox else ()))
        self._opened.append(store)
        return store

    def stop(self) -> None:
        """Give back what the dead process held; its closing writes nothing any more."""
        for store in self._opened:
            with suppress(Exception):
                store.close()
        self._opened.clear()

    def close(self) -> None:
        """Close what the last life opened."""
        self.stop()

    def left(self) -> Path:
        """Close the stores, where the power may fail as well; return a folder with what the disk then holds."""
        self.stop()
        assert self.cut is not None
        here = self._folder / "left"
        here.mkdir()
        lay(self.power.platter.after(self.cut[2] if self.power.dead else Fate.ALL, self.cut[3]), here)
        return here
