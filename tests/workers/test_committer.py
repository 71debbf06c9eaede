"""The committer over a store that keeps its word, and one that breaks it on purpose."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.workers import Committer, Opens
from node.workers.committer import SHARE


class Turns(Clock):
    """A clock that tells one turn of the reactor from the next: what a turn schedules waits for the one after."""

    def turn(self) -> None:
        due = [call for call in self.getDelayedCalls() if call.getTime() <= self.seconds()]
        for call in due:
            self.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)


class Unit:
    """What was written in one transaction."""

    def __init__(self, rows: list[str]) -> None:
        self.rows = rows
        self.writes = 0

    def write(self, row: str) -> int:
        self.writes += 1
        self.rows.append(row)
        return len(self.rows)


class Store:
    """Rows on a list; `commits` counts the units, `fail_commits` are how many commits fail first."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.commits = 0
        self.units = 0
        self.synced: list[bool] = []
        self.fail_commits = 0
        self.open = False

    @contextmanager
    def unit(self, durable: bool = True) -> Iterator[Unit]:
        assert not self.open, "two units at once"
        self.open = True
        self.units += 1
        self.synced.append(durable)
        unit = Unit(list(self.rows))
        try:
            yield unit
            if self.fail_commits:
                self.fail_commits -= 1
                raise trouble(codes.STORE_BUSY, name="outbox")
            self.rows = unit.rows
            self.commits += 1
        finally:
            self.open = False


_: type[Opens[Unit]] = Store


class Desk:
    """A committer, its clock, and every outcome in the order it was told."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.store = Turns(), Store()
        self.committer = Committer(self.store, self.clock, **settings)
        self.told: list[tuple[str, Any]] = []
        self.calls: list[list[str]] = []

    def ask(self, name: str, function: Callable[[Unit], Any]) -> Deferred[Any]:
        return self._listen(name, self.committer.run(function))

    def share(self, name: str, kind: str, weight: int = 1) -> Deferred[Any]:
        """Ask for one of KINDS by a call that is shared."""
        return self._listen(name, self.committer.share(self.all, kind, weight))

    def all(self, unit: Unit, kinds: Sequence[str]) -> Sequence[Any]:
        self.calls.append(list(kinds))
        return [KINDS[kind](unit) for kind in kinds]

    def _listen(self, name: str, asked: Deferred[Any]) -> Deferred[Any]:
        def failed(failure: Any) -> None:
            error = failure.value
            self.told.append((name, error.code.name if isinstance(error, Trouble) else type(error).__name__))

        asked.addCallbacks(lambda result: self.told.append((name, result)), failed)
        return asked

    def turns(self) -> int:
        """Let turns pass until nothing is left; return how many."""
        count = 0
        while self.clock.getDelayedCalls():
            self.clock.turn()
            count += 1
        return count


def writing(row: str) -> Callable[[Unit], int]:
    return lambda unit: unit.write(row)


def refusing(unit: Unit) -> None:
    raise trouble(codes.NOT_FOUND)


def refusing_too_late(unit: Unit) -> None:
    unit.write("half")
    raise trouble(codes.NOT_FOUND)


def breaking(unit: Unit) -> None:
    raise LookupError("a bug")


def test_what_is_asked_in_one_turn_is_committed_once_and_told_after() -> None:
    desk = Desk()
    for name in "abc":
        desk.ask(name, writing(name))
    assert desk.told == [] and desk.store.units == 0
    assert desk.turns() == 1
    assert desk.told == [("a", 1), ("b", 2), ("c", 3)]
    assert (desk.store.rows, desk.store.commits) == (["a", "b", "c"], 1)


def test_a_unit_is_synced_if_one_of_its_functions_asks_for_that() -> None:
    desk = Desk()
    for wanted in ((True,), (False,), (False, True, False), (False, False)):
        for durable in wanted:
            desk.committer.run(writing("x"), durable)
        desk.turns()
    assert desk.store.synced == [True, False, True, False]


def test_run_alone_each_function_has_the_unit_it_asked_for() -> None:
    desk = Desk()
    desk.committer.run(writing("claim"), durable=False)
    desk.ask("b", breaking)
    desk.committer.run(writing("record"))
    desk.turns()
    assert desk.store.synced == [True, False, True, True] and desk.store.rows == ["claim", "record"]


def test_nobody_is_told_before_the_commit() -> None:
    desk = Desk()
    seen: list[int] = []
    desk.committer.run(writing("a")).addCallback(lambda _: seen.append(desk.store.commits))
    desk.turns()
    assert seen == [1]


def test_a_later_function_sees_what_an_earlier_one_wrote() -> None:
    desk = Desk()
    desk.ask("a", writing("x"))
    desk.ask("b", lambda unit: list(unit.rows))
    desk.turns()
    assert desk.told == [("a", 1), ("b", ["x"])]


def test_a_refusal_that_wrote_nothing_costs_the_others_nothing() -> None:
    desk = Desk()
    desk.ask("a", writing("a"))
    desk.ask("b", refusing)
    desk.ask("c", writing("c"))
    assert desk.turns() == 1
    assert desk.told == [("a", 1), ("b", "EXN-API-NOT-FOUND"), ("c", 2)]
    assert desk.store.units == 1


@pytest.mark.parametrize(("bad", "says"), [(refusing_too_late, "EXN-API-NOT-FOUND"), (breaking, "LookupError")])
def test_one_that_spoils_the_unit_is_alone_in_its_fate(bad: Callable[[Unit], None], says: str) -> None:
    desk = Desk()
    desk.ask("a", writing("a"))
    desk.ask("b", bad)
    desk.ask("c", writing("c"))
    desk.turns()
    assert desk.told == [("a", 1), ("b", says), ("c", 2)]
    assert desk.store.rows == ["a", "c"]
    assert desk.store.commits == 2


def test_a_commit_that_fails_is_tried_again_one_by_one() -> None:
    desk = Desk()
    desk.store.fail_commits = 2
    for name in "abc":
        desk.ask(name, writing(name))
    desk.turns()
    assert desk.told == [("a", "EXN-STORE-BUSY"), ("b", 1), ("c", 2)]
    assert desk.store.rows == ["b", "c"]


def test_a_unit_that_cannot_be_opened_fails_all_and_the_next_turn_goes_on() -> None:
    desk = Desk()
    healthy = desk.store.unit

    def unit(durable: bool = True) -> Any:
        raise trouble(codes.STORE_BUSY, name="outbox")

    desk.store.unit = unit  # type: ignore[method-assign]  # the disk is gone
    desk.ask("a", writing("a"))
    desk.turns()
    desk.store.unit = healthy  # type: ignore[method-assign]  # and back
    desk.ask("b", writing("b"))
    desk.turns()
    assert desk.told == [("a", "EXN-STORE-BUSY"), ("b", 1)]


def test_what_a_callback_asks_for_waits_for_the_next_turn() -> None:
    desk = Desk()
    desk.ask("a", writing("a")).addCallback(lambda _: desk.ask("b", writing("b")))
    desk.clock.turn()
    assert desk.told == [("a", 1)] and desk.store.commits == 1
    desk.clock.turn()
    assert desk.told == [("a", 1), ("b", 2)] and desk.store.commits == 2


def test_a_turn_works_no_longer_than_its_budget_and_replies_leave_between() -> None:
    desk = Desk(budget=0.020)

    def slow(unit: Unit) -> int:
        desk.clock.rightNow += 0.008
        return unit.write("x")

    for name in "abcdefg":
        desk.ask(name, slow)
    desk.clock.turn()
    assert [name for name, _ in desk.told] == ["a", "b", "c"]
    desk.ask("late", writing("y"))
    assert desk.turns() == 2
    assert [name for name, _ in desk.told] == ["a", "b", "c", "d", "e", "f", "g", "late"]
    assert desk.store.commits == 3


def test_the_budget_holds_for_those_run_alone_too_and_order_is_kept() -> None:
    desk = Desk(budget=0.020)

    def slow(unit: Unit) -> int:
        desk.clock.rightNow += 0.008
        return unit.write("x")

    desk.ask("bad", breaking)
    for name in "abcde":
        desk.ask(name, slow)
    desk.clock.turn()
    assert [name for name, _ in desk.told] == ["bad", "a", "b", "c"]
    desk.ask("late", writing("y"))
    desk.turns()
    assert [name for name, _ in desk.told] == ["bad", "a", "b", "c", "d", "e", "late"]
    assert desk.store.commits == 6


def test_a_unit_takes_no_more_than_the_most() -> None:
    desk = Desk(most=10)
    for number in range(25):
        desk.ask(str(number), writing(str(number)))
    assert desk.turns() == 3
    assert desk.store.commits == 3 and len(desk.store.rows) == 25


def test_a_cancelled_function_is_not_run() -> None:
    desk = Desk()
    asked = desk.ask("a", writing("a"))
    desk.ask("b", writing("b"))
    asked.cancel()
    desk.turns()
    assert desk.told == [("a", CancelledError.__name__), ("b", 1)]


def test_stopping_refuses_the_new_and_finishes_the_old() -> None:
    desk = Desk(most=1)
    desk.ask("a", writing("a"))
    desk.ask("b", writing("b"))
    done: list[None] = []
    desk.committer.stop().addCallback(done.append)
    desk.ask("c", writing("c"))
    assert desk.told == [("c", "EXN-DRAINING")]
    desk.turns()
    assert desk.told[1:] == [("a", 1), ("b", 2)] and done == [None]


def test_stopping_an_idle_committer_ends() -> None:
    desk = Desk()
    done: list[None] = []
    desk.committer.stop().addCallback(done.append)
    desk.turns()
    assert done == [None]


class Crash(BaseException):
    """The process dies here."""


def test_a_crash_tells_nobody_anything() -> None:
    desk = Desk()

    def crashing(unit: Unit) -> None:
        raise Crash

    desk.ask("a", writing("a"))
    desk.ask("b", crashing)
    with pytest.raises(Crash):
        desk.turns()
    assert desk.told == [] and desk.store.rows == []


def test_what_is_shared_in_one_turn_is_one_call_and_each_has_its_own_result() -> None:
    desk = Desk()
    desk.share("a", "w")
    desk.ask("b", writing("b"))
    desk.share("c", "w")
    assert desk.turns() == 1
    assert desk.told == [("a", 1), ("c", 2), ("b", 3)] and desk.calls == [["w", "w"]]
    desk.share("d", "w")
    desk.turns()
    assert desk.calls[1:] == [["w"]] and desk.store.commits == 2


def test_a_call_is_shared_up_to_its_weight_so_that_the_budget_is_looked_at() -> None:
    desk = Desk()
    for name, weight in (("a", SHARE - 1), ("b", 5000), ("c", 1), ("d", SHARE), ("e", 1)):
        desk.share(name, "w", weight)
    desk.turns()
    assert desk.calls == [["w", "w"], ["w", "w"], ["w"]] and len(desk.told) == 5


@pytest.mark.parametrize("bad", "rlb")
def test_a_shared_call_that_fails_is_split_and_only_the_culprit_hears_of_it(bad: str) -> None:
    desk = Desk()
    for name, kind in (("a", "w"), ("b", bad), ("c", "w")):
        desk.share(name, kind)
    desk.turns()
    says = "LookupError" if bad == "b" else "EXN-API-NOT-FOUND"
    assert desk.told == [("a", 1), ("b", says), ("c", 2)]
    assert desk.calls == [["w", bad, "w"], ["w"], [bad], ["w"]]


def test_who_withdraws_from_a_shared_call_is_left_out_of_it() -> None:
    desk = Desk()
    first, second = desk.share("a", "w"), desk.share("b", "r")
    second.cancel()
    desk.turns()
    assert desk.told == [("b", "CancelledError"), ("a", 1)] and desk.calls == [["w"]]
    desk.share("c", "w").cancel()
    desk.turns()
    assert first.called and len(desk.store.rows) == 1 == len(desk.calls)


def test_nothing_is_shared_with_a_committer_that_stops() -> None:
    desk = Desk()
    desk.share("a", "w")
    desk.committer.stop()
    desk.share("b", "w")
    desk.turns()
    assert desk.told == [("b", "EXN-DRAINING"), ("a", 1)]


class Elsewhere:
    """Workers whose results come when the test says so, as a thread's would."""

    def __init__(self) -> None:
        self.work: list[Callable[[], None]] = []

    def run(self, function: Any, *args: Any, **kwargs: Any) -> Deferred[Any]:
        deferred: Deferred[Any] = Deferred()
        self.work.append(lambda: deferred.callback(function(*args, **kwargs)))
        return deferred

    def run_block(self, octets: int, function: Any, *args: Any, **kwargs: Any) -> Deferred[Any]:
        return self.run(function, *args, **kwargs)


def test_with_a_thread_there_is_one_unit_at_a_time_and_the_rest_gathers() -> None:
    elsewhere = Elsewhere()
    desk = Desk(workers=elsewhere)
    desk.ask("a", writing("a"))
    desk.turns()
    desk.ask("b", writing("b"))
    desk.ask("c", writing("c"))
    assert desk.turns() == 0 and len(elsewhere.work) == 1
    elsewhere.work.pop()()
    assert desk.told == [("a", 1)]
    desk.turns()
    elsewhere.work.pop()()
    assert desk.told == [("a", 1), ("b", 2), ("c", 3)] and desk.store.commits == 2


def test_workers_that_cannot_work_fail_the_callers() -> None:
    elsewhere = Elsewhere()
    elsewhere.run = lambda *args, **kwargs: _failed()  # type: ignore[method-assign]  # the pool is gone
    desk = Desk(workers=elsewhere)
    desk.ask("a", writing("a"))
    desk.turns()
    assert desk.told == [("a", "RuntimeError")]


def _failed() -> Deferred[Any]:
    deferred: Deferred[Any] = Deferred()
    deferred.errback(RuntimeError("no threads"))
    return deferred


KINDS = {"w": writing("w"), "r": refusing, "l": refusing_too_late, "b": breaking}


@given(
    st.lists(st.lists(st.sampled_from("wrlb"), max_size=6), max_size=5), st.integers(0, 4), st.integers(1, 5),
    st.booleans(),
)
def test_every_function_is_told_once_in_order_and_only_the_told_writes_stand(
    rounds: list[list[str]], fail_commits: int, most: int, shared: bool
) -> None:
    desk = Desk(most=most)
    desk.store.fail_commits = fail_commits
    asked: list[str] = []
    for round_ in rounds:
        for kind in round_:
            asked.append(f"{len(asked)}{kind}")
            if shared:
                desk.share(asked[-1], kind, SHARE // 2)
            else:
                desk.ask(asked[-1], KINDS[kind])
        desk.clock.turn()
    desk.turns()
    assert [name for name, _ in desk.told] == asked
    good = [result for name, result in desk.told if isinstance(result, int)]
    assert len(good) == len(desk.store.rows) and good == sorted(good)
    assert "half" not in desk.store.rows
    for name, result in desk.told:
        if name.endswith("b"):
            assert result == "LookupError"


@pytest.mark.parametrize("shared", [True, False])
def test_what_was_committed_is_let_go_without_the_collector(shared: bool) -> None:
    """The nodes let it come seldom: jobs that held themselves kept a hundred MiB of records under load."""

    class Body:
        pass

    desk, body = Desk(), Body()
    gone = weakref.ref(body)
    gc.disable()
    try:
        if shared:
            desk.committer.share(lambda unit, bodies: [unit.write("row") for _ in bodies], body)
        else:
            desk.committer.run(lambda unit, body=body: unit.write("row"))  # type: ignore[misc]
        del body
        assert gone() is not None
        desk.clock.advance(0)
        assert gone() is None and desk.store.rows == ["row"]
    finally:
        gc.enable()
