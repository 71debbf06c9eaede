"""A process that lands is killed at any step, and the parcel comes again: all is as if it had been landed once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.contract import Batch, Result
from node.hosts import Child, Limits
from node.model import codes
from node.model.trouble import Trouble
from tests.adapters.dying import Steps
from tests.adapters.landings import TABLE, WHAT, batch, fates, lander, line, record, rows
from tests.adapters.servers import Database, Server, SQLite
from tests.adapters.test_landing import REFUSING
from tests.adapters.tried import further, seeds

ROOT = Path(__file__).resolve().parents[2]
REFUSES = {**WHAT, "table": "RZ"}


def made(server: Server) -> Database:
    """Return a database with a table that refuses some records."""
    database = server.fresh()
    database.run(TABLE.replace("TABLE RK", "TABLE RZ"), *REFUSING[server.kind])
    return database


def history(dice: Random) -> list[Batch]:
    """Return some batches of few people who change, move, are deleted, come late or are refused."""
    numbers = list(range(1, 500))
    dice.shuffle(numbers)
    return [
        batch([
            record(f"{dice.randrange(25):02}", numbers.pop(), f"r{dice.randrange(25)}", delete=dice.random() < 0.15,
                   Name=dice.choice(["trigger", "甲", "乙", "丙", "丁"]), Age=dice.choice(["7", "x", "30"]))
            for _ in range(dice.choice([1, 10, 50]))], REFUSES)
        for _ in range(4)]


def stands(database: Database) -> tuple[Any, ...]:
    """Return what stands at the target, and what the ledger holds but its digests, which are salted."""
    kept = rows(database, "SELECT epoch, serial, gone, CASE WHEN hidden IS NULL THEN 0 ELSE 1 END,"
                          " CASE WHEN row_digest IS NULL THEN 0 ELSE 1 END FROM exn_versions")
    return (rows(database, "SELECT ZJHM, XM, NL FROM RZ ORDER BY ZJHM"), sorted(kept),
            rows(database, "SELECT epoch, serial FROM exn_strays ORDER BY epoch, serial"),
            rows(database, "SELECT parcel, results FROM exn_parcels ORDER BY parcel"))


def killed(database: Database, came: Batch, step: int) -> bool:
    """Land a batch in a process that dies at a step; return whether it died."""
    pid = os.fork()
    if pid == 0:
        try:
            Steps(step).watch()
            lander(database).apply(came)
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def settled(database: Database, came: Batch) -> list[Result]:
    """Land a batch in a process of its own that lives."""
    lands = lander(database)
    try:
        return lands.apply(came)
    finally:
        lands.close()


def compare(server: Server, seed: int) -> None:
    """Land one history twice, once with kills; what is told and what stands must be the same."""
    dice = Random(seed)
    calm, torn = made(server), made(server)
    for came in history(dice):
        told = settled(calm, came)
        while killed(torn, came, dice.randrange(1, 60)) and dice.random() < 0.5:
            pass
        assert settled(torn, came) == told == settled(torn, came), f"seed {seed}"
    assert stands(torn) == stands(calm), f"seed {seed}"
    server.drop(calm)
    server.drop(torn)


@pytest.mark.parametrize("seed", seeds(6, 20))
def test_killed_at_any_step_nothing_is_lost_and_nothing_lands_twice(sqlite: SQLite, seed: int) -> None:
    compare(sqlite, seed)


@pytest.mark.parametrize("seed", seeds(1, 2))
def test_killed_at_any_step_on_a_server(each: Server, seed: int) -> None:
    if isinstance(each, SQLite):
        pytest.skip("it has more seeds of its own")
    compare(each, seed)


@pytest.mark.parametrize("stride", [7, *further(3)])
def test_it_may_die_at_each_step_of_a_batch(sqlite: SQLite, stride: int) -> None:
    calm, step = made(sqlite), -1
    came = history(Random(99))[:2]
    told = [settled(calm, one) for one in came]
    while True:
        step += stride  # before and after a statement are much the same
        torn = made(sqlite)
        settled(torn, came[0])
        died = killed(torn, came[1], step)
        assert settled(torn, came[1]) == told[1] and stands(torn) == stands(calm), f"step {step}"
        if not died:
            break
    assert step > 50


@pytest.mark.parametrize("step", [30, 52, 200, *further(45, 56)])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_nodes_own_process_of_it_is_killed(
    kind: str, step: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: Server = request.getfixturevalue(kind)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    database = made(server)
    came = [batch([record(f"{n:02}", 10 * k + n + 1, Name="甲") for n in range(30)], REFUSES) for k in range(2)]
    one = came[1]
    said: dict[str, Any] = {
        "what": one.what, "resource": one.resource, "lane": one.lane, "parcel": one.parcel, "token": 1}
    lines = [line(each) for each in one.records]
    first = settled(database, came[0])
    child = Child("sql_table", database.settings, Limits(silence=60),
                  command=(sys.executable, "-P", "-m", "tests.adapters.dying", str(step)))
    try:
        answer = child.apply(lines, **said)
    except Trouble as met:
        assert met.code is codes.ADAPTER_ENDED and step < 200
    else:
        assert [told for _, told in answer] == ["applied"] * 30 and step == 200
    child.close()
    assert fates(first) == ["a"] * 30 == fates(settled(database, came[1]))
    assert len(rows(database, "SELECT ZJHM FROM RZ")) == 30
    again = Child("sql_table", database.settings, Limits(silence=60))
    assert [told for _, told in again.apply(lines, **said)] == ["applied"] * 30
    assert any(one["level"] == "good" for one in again.ask("survey", what=REFUSES, write=True))
    again.close()
    server.drop(database)
