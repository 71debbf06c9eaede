"""The tests of this room can fail: a store that syncs too little, or is believed too early, is found out by them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from node.model.trouble import Trouble
from node.store import engine
from tests.contracts.things import T0, arriving, delivery
from tests.powercut.platter import Fate
from tests.powercut.play import Cut, play
from tests.powercut.test_stores import every, everywhere
from tests.powercut.vfs import Shim
from tests.store.test_crash import Told
from tests.world.city import A


def lax(monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    """Let every store open with another `synchronous`."""
    connect = engine.SqliteStore._connect

    def laxer(self: Any) -> sqlite3.Connection:
        connection = connect(self)
        connection.execute(f"PRAGMA synchronous = {level}")
        return connection

    monkeypatch.setattr(engine.SqliteStore, "_connect", laxer)


@pytest.mark.parametrize("level", ["OFF", "NORMAL"])
@pytest.mark.parametrize("name", ["outbox", "inbox", "warehouse"])
def test_a_store_that_syncs_less_is_found_out(
    name: str, level: str, tmp_path: Path, shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    lax(monkeypatch, level)
    with pytest.raises((AssertionError, TypeError, LookupError, Trouble)):
        everywhere(tmp_path, shim, name, 0, lambda dice: [Fate.NONE])


def test_a_caller_told_before_the_commit_is_found_out(tmp_path: Path, shim: Shim) -> None:
    def hasty(store: Any, told: Told) -> None:
        made = delivery([arriving(1, 1, "k", "r")])
        with store.unit() as unit:
            told.append((made, list(unit.apply(made, T0))))
        with store.unit() as unit:
            unit.apply(delivery([arriving(2, 2, "k", "r")]), T0)

    with pytest.raises(AssertionError):
        everywhere(tmp_path, shim, "warehouse", 0, every, hasty)


def test_a_department_that_syncs_less_breaks_a_promise(
    tmp_path: Path, shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOG", 16 * engine.PAGE)
    lax(monkeypatch, "NORMAL")
    with pytest.raises(AssertionError):
        for sync in range(20, 60, 2):
            play(tmp_path / f"{sync}", shim, Cut(A, sync, False, Fate.NONE, 0))
