"""The power fails at every sync point of each store in turn; what survives is opened, and nothing told done is lost."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from node.store import engine
from tests.fakes.memory import PowerCut
from tests.powercut.machines import lay, powered
from tests.powercut.platter import Fate
from tests.powercut.vfs import Power, Shim
from tests.store import places
from tests.store.test_crash import (
    Told,
    check_inbox,
    check_outbox,
    check_warehouse,
    live_inbox,
    live_outbox,
    live_warehouse,
)

Live = Callable[[Any, Told], None]
STORES: dict[str, tuple[Any, Live, Live]] = {
    "outbox": (places.outbox, live_outbox, check_outbox),
    "inbox": (places.inbox, live_inbox, check_inbox),
    "warehouse": (places.warehouse, live_warehouse, check_warehouse),
}
MOST = 400


def cut(
    folder: Path, shim: Shim, name: str, sync: int, after: bool, fate: Fate, word: str, lives: Live | None = None,
) -> str | None:
    """Live once with a cut, open what survived and check it; return the file whose sync failed, None if none did."""
    open_in, live, _ = STORES[name]
    before = folder / "before"
    before.mkdir(parents=True)
    power = Power()
    power.fail_at(sync, after)
    shim.watch(str(before), power)
    told: Told = []
    store = None
    try:
        store = powered(lambda kind: open_in(before, kind), name, power)
        (lives or live)(store, told)
        survives(folder / "idle", shim, name, power.platter.after(fate, Random(word)), told)
        store.close()  # its last checkpoint is a place to fall, too
    except PowerCut:
        if store is not None:
            store.close()
    survives(folder / "here", shim, name, power.platter.after(fate, Random(word)), told)
    shutil.rmtree(folder)
    return power.syncs[-1].rpartition("/")[2] if power.dead else None


def survives(folder: Path, shim: Shim, name: str, files: dict[str, bytes], told: Told) -> None:
    """Open what a disk had after a cut; everything told done must be there, and every page be sound."""
    open_in, _, check = STORES[name]
    folder.mkdir()
    shim.watch(str(folder), Power(lay(files, folder)))
    survivor = open_in(folder)
    check(survivor, told)
    survivor.close()
    with sqlite3.connect(folder / f"{name}.db") as plain:
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
    plain.close()


def some(dice: Random) -> list[Fate]:
    """Return one fate: over the points of a run each comes up."""
    return [dice.choice(list(Fate))]


def every(dice: Random) -> list[Fate]:
    """Return every fate."""
    return list(Fate)


def everywhere(
    folder: Path, shim: Shim, name: str, seed: int, fates: Callable[[Random], list[Fate]] = some,
    lives: Live | None = None,
) -> Counter[str]:
    """Cut at each sync point, before and after it; return how many cuts each file had, the folder as an empty name."""
    found: Counter[str] = Counter()
    for sync in range(1, MOST):
        for after in (False, True):
            for fate in fates(Random(f"{name} {sync} {after} {seed}")):
                word = f"{name} sync={sync} after={after} fate={fate} seed={seed}"
                try:
                    place = cut(folder / f"{sync}-{after}-{fate}", shim, name, sync, after, fate, word, lives)
                except BaseException as error:
                    error.add_note(f"cut: {word}")
                    raise
                if place is None:
                    return found
                found[place] += 1
    raise AssertionError("no run got through")


@pytest.mark.parametrize("log", [engine.LOG, 8 * engine.PAGE], ids=["usual-log", "checkpoints-often"])
@pytest.mark.parametrize("name", STORES)
def test_a_store_survives_a_cut_at_every_sync(
    tmp_path: Path, shim: Shim, monkeypatch: pytest.MonkeyPatch, name: str, log: int, seed: int
) -> None:
    monkeypatch.setattr(engine, "LOG", log)
    found = everywhere(tmp_path, shim, name, seed)
    assert found[f"{name}.db-wal"] >= 4 and found[f"{name}.db"] >= 2, "commits and checkpoints were cut"
    assert found[""] >= 1, "and the making of files"


def test_the_model_and_the_real_files_are_the_same_octets(tmp_path: Path, shim: Shim) -> None:
    power = Power()
    shim.watch(str(tmp_path), power)
    store = places.outbox(tmp_path)
    live_outbox(store, [])
    for path, octets in power.platter.after(Fate.ALL, Random(0)).items():
        assert Path(path).read_bytes() == octets, path
    store.close()
    found = power.platter.after(Fate.ALL, Random(0))
    assert set(found) == {f"{tmp_path}/outbox.db"} and Path(f"{tmp_path}/outbox.db").read_bytes() == found.popitem()[1]
