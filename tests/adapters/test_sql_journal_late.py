"""Entries that commit in another order than they are numbered: real transactions side by side, on every database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from random import Random
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import Connection

from adapters import sql
from adapters.contract import Mode
from adapters.journal import gaps
from tests.adapters.journalled import Journalled, do, read_out
from tests.adapters.servers import Server
from tests.adapters.tried import seeds

SERVERS = ("postgresql", "mariadb", "firebird")


@pytest.fixture(params=SERVERS)
def world(request: pytest.FixtureRequest) -> Iterator[Journalled]:
    """Give the table with its journal on every server where transactions run side by side."""
    server: Server = request.getfixturevalue(request.param)
    database = server.fresh()
    made = Journalled(database)
    yield made
    made.close()
    server.drop(database)


def test_what_commits_late_is_given_late(world: Journalled) -> None:
    mirror = world.mirror
    world.run(world.insert((1, "先"), (2, "先")))
    read_out(mirror)
    with world.open() as late:
        do(late, world.insert((10, "迟")), world.update("XM", "迟", 1), world.delete(2))
        world.run(world.insert((20, "早")))
        read_out(mirror)
        if world.shape.family != "postgresql":  # which holds back what came after an open transaction
            assert (20,) in mirror.rows
        assert (10,) not in mirror.rows and (2,) in mirror.rows
        late.commit()
    mirror.read()
    assert {(10,), (1,)} <= set(mirror.given) and mirror.gone == [(2,)] and mirror.rows == world.now()
    read_out(mirror)


def test_what_is_undone_is_never_given_and_holds_nothing_up(world: Journalled) -> None:
    read_out(world.mirror)
    with world.open() as undone:
        do(undone, world.insert((10, "撤")))
        world.run(world.insert((20, "留")))
        undone.rollback()
    read_out(world.mirror)
    assert world.mirror.rows == world.now() == {(20,): {"ID": 20, "XM": "留"}}


@pytest.mark.parametrize("mode", [Mode.NONE, Mode.NEW])
def test_a_transaction_that_was_open_when_reading_began_is_not_lost(world: Journalled, mode: Mode) -> None:
    with world.open() as late:
        do(late, world.insert((10, "迟")))
        world.run(world.insert((20, "早"), (21, "早")))
        world.mirror.read(mode=mode)
        late.commit()
    read_out(world.mirror)
    assert (10,) in world.mirror.rows


def test_a_gap_is_looked_for_until_it_is_too_old(world: Journalled, monkeypatch: pytest.MonkeyPatch) -> None:
    if world.shape.family == "postgresql":
        pytest.skip("PostgreSQL tells which transactions are open: it needs no gaps")
    read_out(world.mirror)
    passed = 0.0
    told = sql.clock
    monkeypatch.setattr(sql, "clock", lambda *given: told(*given) + timedelta(seconds=passed))
    with world.open() as late:
        do(late, world.insert((10, "迟")))
        world.run(world.insert((20, "早")))
        read_out(world.mirror)
        assert len(world.mirror.bookmark["gaps"]) == 1
        passed = 3500
        read_out(world.mirror)
        assert len(world.mirror.bookmark["gaps"]) == 1
        passed = 9000
        late.commit()
    world.mirror.read()
    assert world.mirror.given == [(10,)], "it is looked for a last time"
    with world.open() as undone:
        do(undone, world.insert((11, "撤")))
        world.run(world.insert((21, "早")))
        read_out(world.mirror)
        undone.rollback()
    passed = 20_000
    read_out(world.mirror)
    assert world.mirror.bookmark["gaps"] == []


def test_survey_tells_of_a_transaction_that_does_not_end(postgresql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = Journalled(postgresql.fresh())
    with world.open() as late:
        do(late, world.insert((10, "迟")))
        world.run(world.insert((20, "早")))
        assert [*world.mirror.adapter.survey(world.what)][-1].level == "good"
        told = sql.clock
        monkeypatch.setattr(sql, "clock", lambda *given: told(*given) + timedelta(hours=1))
        last = [*world.mirror.adapter.survey(world.what)][-1]
        assert last.level == "warning" and "36" in last.zh
        late.rollback()
    world.close()


@pytest.mark.parametrize("most", [3, 200])
@pytest.mark.parametrize("seed", seeds(1, 2))
def test_transactions_side_by_side_are_all_read_in_the_end(
    world: Journalled, seed: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "MOST", most)
    dice = Random(seed)
    mirror = world.mirror
    mirror.what["page"] = dice.choice([1, 3, 50])
    if dice.random() < 0.5:
        mirror.read(mode=Mode.NONE)
    with ExitStack() as stack:
        writers = [_Writer(world, stack.enter_context(world.open()), at * 100) for at in range(3)]
        for _ in range(12):
            for _ in range(dice.randrange(5)):
                dice.choice(writers).act(dice)
            mirror.read(kill_after=dice.choice([None, None, dice.randrange(12)]), limit=dice.choice([2, 1000]))
        for one in writers:
            one.end(dice)
    read_out(mirror)
    assert mirror.rows == world.now()


class _Writer:
    """A connection that changes keys of its own, and commits, or does not, when it likes."""

    def __init__(self, world: Journalled, connection: Connection, low: int) -> None:
        self.world, self.connection, self.low = world, connection, low
        self.kept, self.open = set[int](), set[int]()
        self.ticks = 0

    def act(self, dice: Random) -> None:
        """Do one thing."""
        self.ticks += 1
        some, new = sorted(self.open), self.low + dice.randrange(30)
        what = dice.random()
        if what < 0.3:
            self.end(dice)
        elif what < 0.6 and new not in self.open:
            do(self.connection, self.world.insert((new, f"{self.ticks}")))
            self.open.add(new)
        elif what < 0.8 and some:
            do(self.connection, self.world.update("XM", f"{self.ticks}", dice.choice(some)))
        elif some:
            gone = dice.choice(some)
            do(self.connection, self.world.delete(gone))
            self.open.remove(gone)

    def end(self, dice: Random) -> None:
        """Commit, or undo."""
        if dice.random() < 0.6:
            self.connection.commit()
            self.kept = set(self.open)
        else:
            self.connection.rollback()
            self.open = set(self.kept)


# Firebird's driver forgets statements in whatever thread collects them, and stumbles over its own list.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_writers_that_do_not_wait_for_one_another(world: Journalled) -> None:
    until = monotonic() + 1.5
    failed: list[BaseException] = []

    def write(low: int) -> None:
        dice, number = Random(low), 0
        try:
            with world.open() as connection:
                while monotonic() < until:
                    for _ in range(dice.randrange(1, 6)):
                        number += 1
                        do(connection, world.insert((low + number, "x")))
                        if number > 3 and dice.random() < 0.3:
                            do(connection, world.update("XM", f"{number}", low + number - 1))
                    if dice.random() < 0.8:
                        connection.commit()
                    else:
                        connection.rollback()
                connection.commit()
        except BaseException as why:
            failed.append(why)

    threads = [threading.Thread(target=write, args=(low * 100_000,)) for low in range(3)]
    for one in threads:
        one.start()
    world.mirror.what["page"] = 50
    reads = 0
    while any(one.is_alive() for one in threads):
        world.mirror.read()
        reads += 1
    for one in threads:
        one.join()
    assert not failed and reads > 0
    read_out(world.mirror)
    assert world.mirror.rows == world.now() and len(world.mirror.rows) > 100


def test_the_clock_of_a_journal_is_that_of_its_database(world: Journalled) -> None:
    world.run(world.insert((1, "a")))
    adapter: Any = world.mirror.adapter
    with sql.reading(adapter._engine) as connection:
        now = sql.clock(connection, "+08:00")
        at = next(iter(adapter._open(connection, world.what).entries.newest()))[1]
    said = at if at.tzinfo else at.replace(tzinfo=timezone(timedelta(hours=8)))
    assert abs((now - said).total_seconds()) < 60 and isinstance(at, datetime)
