"""The sweep: what it forgets, for how long it keeps, and that a clock that jumped purges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from node.deliver.sweep import DAY, Retention, Sweep
from node.model.parcel import Stage
from node.workers import WatchedClock
from tests.contracts.cases_contract import finding
from tests.exchange.acts import heard, receipt, sent, supplied
from tests.stage.desk import CENTRE, finish, means_of, peer_of
from tests.stage.pair import Pair

EVERY = 60.0


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


def done(pair: Pair) -> str:
    """Let one parcel be finished, and return it."""
    supplied(pair.dept)
    first = sent(pair.dept)
    heard(pair.dept, *receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.PROCESSED))
    return first.entry.parcel


def kept(pair: Pair, parcel: str) -> bool:
    with pair.dept.stores.outbox.unit() as unit:
        return unit.entry(parcel) is not None


def swept(pair: Pair, sweep: Sweep, wait: float = EVERY) -> None:
    running = pair.dept.desk.keep("sweep", sweep.run)
    for _ in range(3):  # until it has read when the clock was good
        pair.clock.advance(0)
    pair.clock.advance(wait)
    finish(pair.dept.desk.outbox.run(lambda unit: None), pair.clock)
    for _ in range(20):
        pair.clock.advance(0)
    running.addErrback(lambda failure: None)
    running.cancel()


def set_clock(pair: Pair, ms: int) -> None:
    wall = pair.dept.desk.clock.wall
    pair.dept.desk.clock.wall = lambda: wall() + ms


def after(pair: Pair, days: float, sweep: Sweep) -> None:
    """Let days pass with a sweep in each minute, told in one step: no clock jumps."""
    pair.clock.advance(days * 86_400)
    swept(pair, sweep)


def test_closed_findings_are_forgotten_after_their_retention_and_open_ones_are_kept(pair: Pair) -> None:
    now = pair.dept.desk.now()
    with pair.dept.stores.warehouse.unit() as unit:
        unit.keep_finding(b"a", finding(opened=now, closed=now))
        unit.keep_finding(b"b", finding(opened=now))
    sweep = Sweep(pair.dept.desk, Retention(findings=9 * DAY), EVERY)

    def left() -> list[int]:
        with pair.dept.stores.warehouse.unit() as unit:
            return [one.id for one in unit.findings(None, False, 0, 9)]

    after(pair, 8, sweep)
    assert left() == [1, 2]
    after(pair, 2, sweep)
    assert left() == [2]


def test_finished_entries_are_forgotten_after_their_retention(pair: Pair) -> None:
    sweep = Sweep(pair.dept.desk, Retention(done=2 * DAY), EVERY)
    parcel = done(pair)
    after(pair, 1.9, sweep)
    assert kept(pair, parcel)
    after(pair, 0.2, sweep)
    assert not kept(pair, parcel)
    assert ("info", "store.purged", {"count": 1}) in pair.dept.journal.events


def test_nothing_is_forgotten_before_a_peer_could_restore_its_oldest_backup(pair: Pair) -> None:
    desk = pair.dept.desk
    slow = peer_of("dept-b", backup_interval=5 * DAY)
    desk.means = replace(desk.means, registry=means_of("dept-a", [CENTRE, slow]).registry)
    sweep = Sweep(desk, Retention(done=DAY), EVERY)
    parcel = done(pair)
    after(pair, 4.9, sweep)
    assert kept(pair, parcel)
    after(pair, 0.2, sweep)
    assert not kept(pair, parcel)


def test_what_is_not_finished_is_never_forgotten(pair: Pair) -> None:
    sweep = Sweep(pair.dept.desk, Retention(done=DAY), EVERY)
    supplied(pair.dept)
    parcel = sent(pair.dept).entry.parcel
    after(pair, 400, sweep)
    assert kept(pair, parcel)


@pytest.mark.parametrize("jump", [365 * DAY, -365 * DAY, 61_000])
def test_a_clock_that_jumped_purges_nothing_for_a_day_and_tells_it_once(pair: Pair, jump: int) -> None:
    sweep = Sweep(pair.dept.desk, Retention(done=DAY), EVERY)
    parcel = done(pair)
    swept(pair, sweep)
    set_clock(pair, jump)
    for _ in range(3):
        swept(pair, sweep)
    assert kept(pair, parcel)
    assert pair.dept.journal.names("error") == ["EXN-CLOCK"]
    set_clock(pair, -jump)  # it is put right again
    swept(pair, sweep)
    after(pair, 0.9, sweep)
    assert kept(pair, parcel)
    after(pair, 0.3, sweep)
    assert not kept(pair, parcel)
    assert pair.dept.journal.names("error") == ["EXN-CLOCK"] * 2


def test_a_clock_set_before_the_first_sweep_is_noticed(pair: Pair) -> None:
    sweep = Sweep(pair.dept.desk, Retention(done=DAY), EVERY)
    parcel = done(pair)
    set_clock(pair, 30 * DAY)
    swept(pair, sweep)
    assert kept(pair, parcel) and pair.dept.journal.names("error") == ["EXN-CLOCK"]


def test_a_slow_drift_is_no_jump(pair: Pair) -> None:
    sweep = Sweep(pair.dept.desk, Retention(done=DAY), EVERY)
    for _ in range(5):
        set_clock(pair, 30_000)
        swept(pair, sweep)
    assert not pair.dept.journal.names("error")


def test_more_than_one_batch_is_forgotten_in_one_sweep(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    from node.deliver import sweep as module

    monkeypatch.setattr(module, "AT_ONCE", 2)
    sweep = Sweep(pair.dept.desk, Retention(done=DAY), EVERY)
    parcels = [done(pair) for _ in range(5)]
    after(pair, 1.1, sweep)
    assert not any(kept(pair, parcel) for parcel in parcels)


def test_a_clock_set_wrong_and_right_again_between_two_sweeps_is_noticed(pair: Pair) -> None:
    """What was dated by the wrong clock would be forgotten at once by the right one (seed 6 of `tests/world` then)."""
    desk = pair.dept.desk
    desk.means = replace(desk.means, registry=means_of("dept-a", [peer_of(CENTRE, backup_interval=0)]).registry)
    sweep = Sweep(desk, Retention(done=DAY // 3), EVERY)
    running = desk.keep("sweep", sweep.run)
    running.addErrback(lambda failure: None)
    pair.clock.pump([1.0] * 3)
    set_clock(pair, -DAY * 5 // 6)
    parcel = done(pair)
    pair.clock.pump([1.0] * 5)
    set_clock(pair, DAY * 5 // 6)
    pair.clock.pump([1.0] * 60 + [0] * 20)
    running.cancel()
    assert kept(pair, parcel)
    assert pair.dept.journal.names("error") == ["EXN-CLOCK"] * 2


def test_a_clock_wrong_for_one_reading_only_is_noticed(pair: Pair) -> None:
    """Two steps that undo one another within a second (seed 900207 of `tests/world`)."""
    desk = pair.dept.desk
    desk.means = replace(desk.means, registry=means_of("dept-a", [peer_of(CENTRE, backup_interval=0)]).registry)
    sweep = Sweep(desk, Retention(done=DAY // 3), EVERY)
    set_clock(pair, -DAY * 5 // 6)
    parcel = done(pair)
    set_clock(pair, DAY * 5 // 6)
    for _ in range(3):
        swept(pair, sweep)
    assert kept(pair, parcel)
    assert pair.dept.journal.names("error") == ["EXN-CLOCK"]


def test_a_start_with_a_clock_far_from_the_last_good_one_purges_nothing_for_a_day(pair: Pair) -> None:
    swept(pair, Sweep(pair.dept.desk, Retention(done=DAY), EVERY))
    parcel = done(pair)
    pair.clock.advance(30 * 86_400)
    sweep = Sweep(pair.dept.desk, Retention(done=DAY), EVERY)
    swept(pair, sweep)
    assert kept(pair, parcel) and pair.dept.journal.names("error") == ["EXN-CLOCK"]
    after(pair, 1.1, sweep)
    assert not kept(pair, parcel)


def test_a_clock_that_was_doubted_is_not_believed_by_the_next_start(pair: Pair) -> None:
    """Its own times would make it look good (seed 4633 of `tests/world`)."""
    swept(pair, Sweep(pair.dept.desk, Retention(done=DAY), EVERY))
    parcel = done(pair)
    set_clock(pair, 365 * DAY)
    for _ in range(3):
        swept(pair, Sweep(pair.dept.desk, Retention(done=DAY), EVERY))
        assert kept(pair, parcel)
    set_clock(pair, -365 * DAY)
    after(pair, 2, Sweep(pair.dept.desk, Retention(done=DAY), EVERY))
    assert kept(pair, parcel), "the jump back is one, too"


def test_a_new_nodes_first_clock_is_believed_and_a_better_one_doubted(pair: Pair) -> None:
    desk, right = pair.dept.desk, pair.dept.desk.clock.wall
    for wrong, told in ((365 * DAY, []), (0, ["EXN-CLOCK"])):
        desk.now = desk.clock = WatchedClock(lambda: right() + wrong, desk.reactor.seconds)
        swept(pair, Sweep(desk, Retention(done=DAY), EVERY), 1.0)
        assert pair.dept.journal.names("error") == told


def test_what_a_silent_peer_finished_is_kept_until_it_is_heard(pair: Pair) -> None:
    """It may have been restored, and only its hello tells (seed 1565 of `tests/world` at 8ac85f9)."""
    desk = pair.dept.desk
    sweep = Sweep(desk, Retention(done=DAY), EVERY)
    parcel = done(pair)

    def heard() -> None:
        with pair.dept.stores.inbox.unit() as unit:
            unit.meet(CENTRE, 7, "ab" * 16, desk.now())

    heard()
    after(pair, 3, sweep)
    assert kept(pair, parcel)
    heard()
    swept(pair, sweep)
    assert not kept(pair, parcel)


def test_a_doubt_outlives_the_start_it_began_in(pair: Pair) -> None:
    """What was dated by a clock that was behind is not forgotten by the next start with a good one (seed 5175)."""
    right = pair.dept.desk.clock.wall
    pair.clock.advance(10 * 86_400)
    swept(pair, Sweep(pair.dept.desk, Retention(done=DAY), EVERY))
    set_clock(pair, -9 * DAY)
    swept(pair, Sweep(pair.dept.desk, Retention(done=DAY), EVERY), 1.0)
    parcel = done(pair)
    for _ in range(3):
        desk = pair.dept.desk
        desk.now = desk.clock = WatchedClock(right, desk.reactor.seconds)
        sweep = Sweep(desk, Retention(done=DAY), EVERY)
        swept(pair, sweep, 60.0)
        assert kept(pair, parcel)
    assert pair.dept.journal.names("error").count("EXN-CLOCK") >= 4
    after(pair, 1.1, sweep)
    assert not kept(pair, parcel), "a day of running with a good clock ends it"
