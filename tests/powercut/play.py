"""A full exchange between a centre and two departments, one of which stands on a power that fails once.

Both submit, live and back-fill, a row moves, a key is deleted, a record is refused at either gate; both
collect what the other sent; every receipt comes home; what is finished is purged.
"""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from random import Random

from node.deliver.sweep import Retention
from node.model.record import Stream
from tests.powercut.machines import PowerDisk
from tests.powercut.platter import Fate
from tests.powercut.vfs import Shim
from tests.stage.desk import keyring
from tests.world.city import A, B, City
from tests.world.disk import NAMES
from tests.world.promises import check
from tests.world.source import region

SOON = Retention(answers=7_200_000, done=20_000, bytes_in=15_000, receipts=7_200_000, quiet=0)


@dataclass(frozen=True)
class Cut:
    """Where the power of one node fails, and what becomes of what was not synced."""

    node: str
    sync: int
    after: bool
    fate: Fate
    seed: int

    def __str__(self) -> str:
        moment = "after" if self.after else "before"
        return f"{self.node}, {moment} sync {self.sync}, unsynced: {self.fate.value}, seed={self.seed}"


def play(folder: Path, shim: Shim, cut: Cut) -> str | None:
    """Play once; return the name of the file whose sync the power failed at, None if the play got through before."""
    city = City(7, retention=SOON)
    machine = city.machines[cut.node]
    disk = PowerDisk(folder, shim, keyring(cut.node).storage(), machine.now, machine.dice.randbytes)
    disk.cut = (cut.sync, cut.after, cut.fate, Random(str(cut)))
    machine.disk, first = disk, disk.power
    try:
        city.start()
        _exchange(city)
        city.settle(600)
        check(city)
        city.run(70)  # two sweeps, and the retention before
        city.settle(600)
        check(city)
        seen = {event for _, _, _, event, _ in city.events}
        assert "store.purged" in seen, seen
        _sound(disk)
    except BaseException as error:
        error.add_note(f"cut: {cut}")
        raise
    finally:
        city.end()
        disk.close()
        shutil.rmtree(folder)
    return first.syncs[-1].rpartition("/")[2] if first.dead else None


def _exchange(city: City) -> None:
    a, b = city.sources[A], city.sources[B]
    first = [region("r1", "110101", "one", False), region("r2", "110102", "gone", True)]
    a.supply("region-code", Stream.LIVE, first, planted=1)
    a.supply("region-code", Stream.BACKFILL, [region("r1", "110103", "moved", False)])
    b.supply("region-code", Stream.LIVE, [region("r1", "110101", "other", False)])
    city.run(0.1)
    a.bend()
    a.supply("region-code", Stream.LIVE, [region("r3", "110101", "two", False)])
    b.supply("region-code", Stream.LIVE, [region("r1", "110101", "other", True)])


def _sound(disk: PowerDisk) -> None:
    """Every file of the stores is whole in SQLite's own judgement."""
    folder = disk.left()
    for name in NAMES:
        with sqlite3.connect(folder / f"{name}.db") as plain:
            assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)], name
        plain.close()
