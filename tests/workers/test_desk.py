"""Bell, Seldom and the desk: news is never lost, waits end, bugs are told and work goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.spool.shortage import Shortage
from node.workers import Bell, Seldom
from node.workers.seldom import MOST
from tests.stage.desk import CENTRE, Staged
from tests.stage.pair import Pair


def waiting(bell: Bell, names: tuple[str, ...], seconds: float = 10, seen: int | None = None) -> list[object]:
    """Return a list that gets the wait's result."""
    found: list[object] = []
    counted = bell.count(*names) if seen is None else seen
    Deferred.fromCoroutine(bell.wait(names, counted, seconds)).addBoth(found.append)
    return found


def test_a_ring_wakes_everyone_who_waits_for_one_of_the_names() -> None:
    clock = Clock()
    bell = Bell(clock)
    one, both, other = waiting(bell, ("a",)), waiting(bell, ("a", "b")), waiting(bell, ("c",))
    bell.ring("a")
    assert (one, both, other) == ([True], [True], [])
    assert len(clock.getDelayedCalls()) == 1, "those who were woken leave no timer"
    clock.advance(10)
    assert other == [False] and not clock.getDelayedCalls()


def test_what_was_rung_after_the_look_is_not_lost() -> None:
    bell = Bell(Clock())
    seen = bell.count("a", "b")
    bell.ring("b")
    assert waiting(bell, ("a", "b"), seen=seen) == [True]
    assert waiting(bell, ("a", "b")) == []


def test_a_ring_of_two_names_wakes_once() -> None:
    bell = Bell(Clock())
    found = waiting(bell, ("a", "b"))
    bell.ring("a", "b")
    assert found == [True]


def test_who_is_woken_may_ring_and_wait_again() -> None:
    bell = Bell(Clock())
    rounds: list[int] = []

    async def work() -> None:
        for number in range(3):
            await bell.wait(("a",), bell.count("a"), 10)
            rounds.append(number)
            bell.ring("b")

    Deferred.fromCoroutine(work())
    for _ in range(3):
        bell.ring("a")
    assert rounds == [0, 1, 2] and bell.count("b") == 3


def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    clock = Clock()
    bell = Bell(clock)
    running = Deferred.fromCoroutine(bell.wait(("a",), 0, 10))
    caught: list[object] = []
    running.addErrback(lambda failure: caught.append(failure.trap(CancelledError)))
    running.cancel()
    assert caught == [CancelledError] and not clock.getDelayedCalls()
    bell.ring("a")


def test_a_name_has_its_turn_once_per_interval() -> None:
    clock = Clock()
    seldom = Seldom(clock, 30)
    assert seldom.pass_on(["a", "b"]) == ["a", "b"]
    clock.advance(29)
    assert seldom.pass_on(["a", "b", "c"]) == ["c"]
    clock.advance(1)
    assert seldom.pass_on(["b", "a", "c"]) == ["b", "a"]


def test_a_name_twice_in_one_breath_has_one_turn() -> None:
    assert Seldom(Clock(), 30).pass_on(["a", "a", "b", "a"]) == ["a", "b"]


def test_the_oldest_are_forgotten_first() -> None:
    clock = Clock()
    seldom = Seldom(clock, 30)
    seldom.pass_on(["first"])
    seldom.pass_on(map(str, range(MOST - 1)))
    assert seldom.pass_on(["first"]) == []
    seldom.pass_on(["one too many"])
    assert seldom.pass_on(["first", "0"]) == ["first"]


@pytest.fixture
def staged() -> Iterator[Staged]:
    pair = Pair()
    yield pair.dept
    pair.close()


@pytest.mark.parametrize("most, open_at", [(Shortage.NONE, 0), (Shortage.INTAKE, 1), (Shortage.FOREIGN, 2)])
def test_what_the_disk_allows(staged: Staged, most: Shortage, open_at: int) -> None:
    for grade in Shortage:
        staged.shortage = grade
        if grade <= open_at:
            staged.desk.afford(most)
            continue
        with pytest.raises(Trouble) as caught:
            staged.desk.afford(most)
        assert caught.value.code is codes.DISK


def test_a_stopping_node_affords_nothing(staged: Staged) -> None:
    staged.desk.stopping = True
    with pytest.raises(Trouble) as caught:
        staged.desk.afford(Shortage.RESERVE)
    assert caught.value.code is codes.DRAINING


def test_work_goes_on_after_troubles_and_bugs_and_both_are_told(staged: Staged) -> None:
    met = [trouble(codes.PEER_DOWN, peer=CENTRE), KeyError("secret"), None]
    turns: list[object] = []

    async def work() -> None:
        turns.append(what := met[len(turns)] if len(turns) < len(met) else None)
        if what is not None:
            raise what
        await staged.desk.sleep(5)

    running = staged.desk.keep("play", work)
    staged.clock.advance(0)
    assert len(turns) == 1, "it rests after a trouble"
    for _ in range(3):
        staged.clock.advance(staged.desk.timers.rest_first)
    assert len(turns) == 3
    assert staged.journal.names() == ["EXN-PEER-DOWN", "EXN-FAULT"]
    assert staged.tally.of("faults", room="play") == 1
    staged.desk.stopping = True
    staged.clock.advance(10)
    assert running.called and len(turns) == 3


def test_a_loop_can_be_cancelled_in_a_wait(staged: Staged) -> None:
    async def work() -> None:
        await staged.desk.sleep(5)

    running = staged.desk.keep("play", work)
    caught: list[object] = []
    running.addErrback(lambda failure: caught.append(failure.trap(CancelledError)))
    running.cancel()
    assert caught == [CancelledError] and not staged.clock.getDelayedCalls()


def test_a_sleep_ends_with_time_or_by_a_name(staged: Staged) -> None:
    ended: list[object] = []
    for names in ((), ("news",)):
        Deferred.fromCoroutine(staged.desk.sleep(5, *names)).addBoth(ended.append)
    staged.desk.bell.ring("news")
    assert len(ended) == 1
    staged.clock.advance(5)
    assert len(ended) == 2
