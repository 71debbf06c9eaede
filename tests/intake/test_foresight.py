"""A parcel is judged while the one before it lands, and what was judged too early is judged again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from node.exchange import handle
from node.intake import foresight
from node.model import codes
from node.model.parcel import Outcome, Verdict
from node.model.spool import ArrivalState, Delivery
from node.model.trouble import Retry, trouble
from tests.exchange.acts import supplied
from tests.stage.pair import Pair


class Slow:
    """A sink that lands when it is told to."""

    def __init__(self) -> None:
        self.landed: list[str] = []
        self.tokens: list[int] = []
        self.going: Deferred[None] = Deferred()

    async def apply(self, delivery: Delivery) -> Sequence[Verdict]:
        """Land a delivery once it may go."""
        self.tokens.append(delivery.claim.token)
        await self.going
        self.landed.append(delivery.parcel)
        return [Verdict(one.leaf, Outcome.APPLIED) for one in delivery.records]

    def go(self) -> None:
        """Let what is landing land."""
        going, self.going = self.going, Deferred()
        going.callback(None)


class Stage:
    """A centre with a slow sink, and a count of how often each parcel was judged."""

    def __init__(self, pair: Pair, parcels: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pair, self.sink, self.judged = pair, Slow(), list[str]()
        pair.centre.desk.sinks = {"population": self.sink}
        self.parcels = [self._accepted(number) for number in range(parcels)]
        judge = handle.judge

        def counting(claim: Any, *more: Any) -> Any:
            self.judged.append(claim.parcel)
            return judge(claim, *more)

        monkeypatch.setattr(handle, "judge", counting)

    def _accepted(self, number: int) -> str:
        supplied(self.pair.dept, 1, number)
        outgoing = self.pair.sealed()
        self.pair.accept(outgoing)
        return outgoing.entry.parcel

    def open(self) -> Deferred[None]:
        """Begin to open what comes next."""
        opening = Deferred.fromCoroutine(self.pair.opener.run())
        self.turn()
        return opening

    def turn(self) -> None:
        """Let what is due be done, without time passing."""
        for _ in range(20):
            self.pair.clock.advance(0)

    def land(self) -> None:
        """Open the next parcel and land it."""
        opening = self.open()
        self.sink.go()
        self.turn()
        assert opening.called

    def state(self, number: int) -> ArrivalState:
        """Return the state of a parcel."""
        with self.pair.centre.stores.inbox.unit() as unit:
            found = unit.arrival(self.parcels[number])
        assert found is not None
        return found.state


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


def test_the_next_parcel_is_judged_while_one_lands_and_only_once(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(pair, 3, monkeypatch)
    stage.open()
    assert stage.judged == stage.parcels[:2] and stage.sink.landed == []
    assert (stage.state(0), stage.state(1)) == (ArrivalState.JUDGED, ArrivalState.STORED), "nothing is claimed"
    stage.sink.go()
    stage.turn()
    stage.land()
    stage.land()
    assert stage.judged == stage.sink.landed == stage.parcels
    assert stage.sink.tokens == sorted(set(stage.sink.tokens)), "each landed under a claim of its own"
    assert [stage.state(number) for number in range(3)] == [ArrivalState.DONE] * 3


def test_other_means_and_an_old_judgement_are_judged_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(pair, 3, monkeypatch)
    stage.land()
    pair.centre.desk.means = replace(pair.centre.desk.means)
    stage.land()
    assert stage.judged == [stage.parcels[0], *[stage.parcels[1]] * 2, stage.parcels[2]]
    pair.clock.advance(foresight.OLD + 1)
    stage.land()
    assert stage.judged[-2:] == [stage.parcels[2]] * 2
    assert stage.sink.landed == stage.parcels


def test_what_prevents_it_is_met_at_its_turn(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(pair, 2, monkeypatch)
    judge = handle.judge

    def unwilling(claim: Any, *more: Any) -> Any:
        if claim.parcel == stage.parcels[1]:
            raise trouble(codes.UNREGISTERED)
        return judge(claim, *more)

    monkeypatch.setattr(handle, "judge", unwilling)
    stage.land()
    assert stage.state(0) is ArrivalState.DONE
    assert not pair.centre.journal.names(), "nobody was told yet"
    stage.open()
    assert stage.state(1) is ArrivalState.HELD and pair.centre.journal.names() == ["EXN-UNREGISTERED"]


def test_it_is_judged_once_however_often_the_one_before_it_is_tried(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(pair, 2, monkeypatch)
    for _ in range(3):
        opening = stage.open()
        going, stage.sink.going = stage.sink.going, Deferred()
        going.errback(trouble(codes.ADAPTER_DOWN, name="old", reason="-"))
        stage.turn()
        opening.addErrback(lambda failure: failure.trap(Retry))
    assert stage.judged.count(stage.parcels[0]) == 3 and stage.judged.count(stage.parcels[1]) == 1
    stage.land()
    stage.land()
    assert stage.sink.landed == stage.parcels and stage.judged.count(stage.parcels[1]) == 1


def test_a_large_parcel_waits_for_its_turn(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(pair, 2, monkeypatch)
    monkeypatch.setattr(foresight, "LARGE", 100)
    stage.open()
    assert stage.judged == stage.parcels[:1]
