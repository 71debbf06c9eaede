"""An old database is read by a node's adapter; what stands there arrives everywhere, whatever happens on the way."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from node.model.record import Stream
from node.validate import to_json
from tests.adapters.tried import seeds
from tests.processes.exchange import CENTRE, SOURCE, SUBSCRIBER, Exchange, until
from tests.processes.legacy import Legacy, section


@pytest.fixture
def legacy(exchange: Exchange, tmp_path: Path) -> Iterator[Legacy]:
    """Give an old database."""
    spec = exchange.specifications.get("population-basic/1.0")
    assert spec is not None
    found = Legacy(tmp_path / "old.db", spec)
    yield found
    found.close()


def arrived(exchange: Exchange, legacy: Legacy, node: str) -> bool:
    """Return whether a node holds exactly what stands in the database."""
    (ledgers,) = exchange.ledgers(node)
    return Counter(ledgers.rows("population")) == legacy.bodies()


def test_what_stands_in_an_old_table_arrives_and_what_changes_follows(exchange: Exchange, legacy: Legacy) -> None:
    legacy.put(range(3000))
    exchange.set(SOURCE, "60-adapter", section(legacy))
    exchange.start(CENTRE, SOURCE, SUBSCRIBER)
    for node in (CENTRE, SUBSCRIBER):
        until(f"{node} has the table", lambda: arrived(exchange, legacy, node))
    legacy.put([7, 8, 3001], Remark="改")
    for node in (CENTRE, SUBSCRIBER):
        until(f"{node} has the changes", lambda: arrived(exchange, legacy, node))


def command(exchange: Exchange, *words: str) -> tuple[int, Any]:
    """Return the exit status of a command at the source's node, and what it printed as JSON."""
    return exchange.command(SOURCE, "adapter", *words, "--json")


def test_a_row_that_is_no_record_is_told_until_it_is_one(exchange: Exchange, legacy: Legacy) -> None:
    legacy.put(range(200))
    legacy.spoil(900, SexCode="X")
    exchange.set(SOURCE, "60-adapter", section(legacy))
    exchange.start(CENTRE, SOURCE, SUBSCRIBER)
    until("the good rows arrive", lambda: arrived(exchange, legacy, CENTRE))
    status, (row,) = until("the bad one is told", lambda: (found := command(exchange, "dirty", "hukou"))[1] and found)
    assert status == 65 and {one["field"] for one in row["problems"]} == {"SexCode"}
    assert all("X" not in one["zh"] for one in row["problems"])
    _, (state,) = command(exchange, "state")
    assert state["dirty"] == 1 and state["live"]["total"] == 200 and state["live"]["trouble"] is None
    legacy.put([900])
    until("mended, it arrives", lambda: arrived(exchange, legacy, CENTRE))
    assert command(exchange, "dirty", "hukou") == (0, [])


def test_too_many_bad_rows_stop_a_source_until_somebody_looks(exchange: Exchange, legacy: Legacy) -> None:
    for id in range(300):
        legacy.spoil(id, SexCode="X")
    exchange.set(SOURCE, "60-adapter", section(legacy))
    exchange.start(CENTRE, SOURCE)
    status, (state,) = until("it is told", lambda: (found := command(exchange, "state"))[0] == 65 and found)
    assert state["live"]["trouble"]["code"] == "EXN-ADAPTER-ERRORS" and state["live"]["total"] == 0
    legacy.put(range(300))
    status, (told,) = command(exchange, "run", "hukou", "--once", "--who", "li")
    assert (status, told["trouble"], told["rows"]) == (0, None, 300)
    until("it goes on", lambda: arrived(exchange, legacy, CENTRE))
    assert exchange.events(SOURCE).count("EXN-ADAPTER-ERRORS") == 1, "one alarm"


def test_after_a_mapping_was_mended_only_the_refused_rows_go_again(exchange: Exchange, legacy: Legacy) -> None:
    legacy.put(range(100))
    sex = legacy.spoil(900, SexCode="本人")
    legacy.spoil(901, SexCode="X")
    exchange.edit(SOURCE, 'code = "population"', 'code = "population"\nmappings = { "旧" = "old.toml" }')
    mapping = exchange.seat(SOURCE).folder / "old.toml"
    fields = "".join(f'{name} = "{name}"\n' for name in legacy.names)
    mapping.write_text(f'[mapping]\nspecification = "population-basic/1.0"\n[fields]\n{fields}', encoding="utf-8")
    exchange.set(SOURCE, "60-adapter", section(legacy, mapping="旧"))
    exchange.start(CENTRE, SOURCE, SUBSCRIBER)
    until("the good rows arrive", lambda: arrived(exchange, legacy, CENTRE))
    until("two are dirty", lambda: len(command(exchange, "dirty", "hukou")[1]) == 2)
    before = exchange.delivered(CENTRE)
    mapping.write_text(mapping.read_text(encoding="utf-8").replace(
        'SexCode = "SexCode"', f'SexCode = {{ from = "SexCode", codes = {{ "本人" = "{sex}" }}, keep = true }}',
    ), encoding="utf-8")
    exchange.crew.signal(SOURCE, signal.SIGHUP)
    until("reloaded", lambda: "config.reloaded" in exchange.events(SOURCE))
    assert command(exchange, "reread", "hukou", "--refused")[0] == 0
    (left,) = until("one is left", lambda: len(found := command(exchange, "dirty", "hukou")[1]) == 1 and found)
    until("only it was sent", lambda: exchange.delivered(CENTRE) == before + 1)
    assert left["problems"][0]["field"] == "SexCode"


def test_a_history_goes_behind_what_is_new(exchange: Exchange, legacy: Legacy) -> None:
    legacy.put(range(12_000), ago=60)  # older than the lag: it is history
    exchange.set(SOURCE, "60-adapter", section(legacy, history="backfill"))
    exchange.start(CENTRE, SOURCE, SUBSCRIBER)
    until("the history has begun", lambda: "backfill" in command(exchange, "state")[1][0]["under_way"])
    legacy.put([3, 30_000], Remark="㐂")
    (ledgers,) = exchange.ledgers(CENTRE)
    seen = 0

    def new_here() -> list[Stream]:
        nonlocal seen
        blocks = list(ledgers.blocks("population", seen))
        seen = max((block.id for block in blocks), default=seen)
        return [block.stream for block in blocks if any("㐂".encode() in line for line in block.lines)]

    streams = until("the news are here", new_here)
    assert streams == [Stream.LIVE] and not arrived(exchange, legacy, CENTRE), "they did not wait for the history"
    until("all is here", lambda: arrived(exchange, legacy, CENTRE), 120)
    until("the history is closed", lambda: command(exchange, "state")[1][0]["under_way"] == [])


@pytest.mark.parametrize("seed", seeds(1, 2))
def test_killed_at_random_nothing_is_lost_and_nothing_falls_back(
    exchange: Exchange, legacy: Legacy, seed: int
) -> None:
    dice = Random(seed)
    legacy.put(range(2000))
    exchange.set(SOURCE, "60-adapter", section(legacy))
    exchange.start(CENTRE, SOURCE, SUBSCRIBER)
    for step in range(6):
        legacy.put(dice.sample(range(2500), 300), Remark=f"{step}")
        time.sleep(dice.uniform(0, 0.6))
        if dice.random() < 0.5:
            exchange.crew.kill(SOURCE)
            exchange.start(SOURCE)
        else:
            for pid in children(exchange, SOURCE):
                os.kill(pid, signal.SIGKILL)
    until(f"all is here, seed {seed}", lambda: arrived(exchange, legacy, CENTRE))
    until(f"all is there, seed {seed}", lambda: arrived(exchange, legacy, SUBSCRIBER))


def children(exchange: Exchange, node: str) -> list[int]:
    """Return the processes that a node has started."""
    pid = exchange.crew.pid(node)
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for each in found for child in each.read_text().split()]


def landing(path: Path) -> str:
    """Return the TOML of an adapter that lands the population in a table."""
    return f"""
[[adapter]]
name = "rk"
kind = "sql_table"
settings = {{ url = "sqlite:///{path}" }}
[[adapter.write]]
resource = "population"
what = {{ table = "T_RK" }}
"""


def test_a_department_lands_what_it_receives_in_its_own_table(
    exchange: Exchange, legacy: Legacy, tmp_path: Path
) -> None:
    target = tmp_path / "target.db"
    line = sqlite3.connect(target, isolation_level=None)
    line.execute("CREATE TABLE T_RK (IdNumber TEXT PRIMARY KEY, " + ", ".join(
        f"{name} TEXT" for name in legacy.names if name != "IdNumber") + ", CHECK (Remark <> '禁'))")

    def landed() -> bool:
        found = line.execute(f"SELECT {', '.join(legacy.names)} FROM T_RK").fetchall()
        rows = Counter(to_json({name: cell for name, cell in zip(legacy.names, row) if cell}) for row in found)
        return rows == legacy.bodies()

    legacy.put(range(1500))
    exchange.set(SOURCE, "60-adapter", section(legacy))
    exchange.set(SUBSCRIBER, "60-adapter", landing(target))
    exchange.start(CENTRE, SOURCE, SUBSCRIBER)
    until("the table is filled", landed)
    exchange.crew.kill(SUBSCRIBER)
    legacy.put(range(100, 300), Remark="改")
    exchange.start(SUBSCRIBER)
    until("what changed is landed", landed)
    before = dict(legacy.rows)
    legacy.put([5], Remark="禁")
    (centre,) = exchange.ledgers(CENTRE)
    until("what the target refuses is a verdict", lambda: any(entry.refused for entry in centre.entries()))
    legacy.rows = before
    assert landed(), "the row stands as it was"
    line.close()
    target.unlink()
