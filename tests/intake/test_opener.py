"""The opener: what happens to a parcel on which we fail ourselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from node.exchange import handle
from node.intake import opener
from node.intake.opener import AT_ONCE, TRIES
from node.model.parcel import Lane
from node.model.record import Stream
from node.model.spool import ArrivalState
from tests.exchange.acts import supplied
from tests.stage.pair import Pair, lane_of

POISONED = lane_of()
OTHER = lane_of(stream=Stream.BACKFILL)


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


def accepted(pair: Pair, lane: Lane) -> str:
    supplied(pair.dept, 1, 0 if lane == POISONED else 1, lane)
    outgoing = pair.sealed(lane)
    pair.accept(outgoing)
    return outgoing.entry.parcel


def state(pair: Pair, parcel: str) -> tuple[ArrivalState, str | None]:
    with pair.centre.stores.inbox.unit() as unit:
        found = unit.arrival(parcel)
    assert found is not None
    return found.state, found.code


def test_a_parcel_that_breaks_us_each_time_is_held_and_the_other_lanes_go_on(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, good = accepted(pair, POISONED), accepted(pair, OTHER)
    judge = handle.judge

    def breaking(claim: Any, *more: Any) -> Any:
        if claim.parcel == poison:
            raise LookupError("a bug of ours")
        return judge(claim, *more)

    monkeypatch.setattr(handle, "judge", breaking)
    for _ in range(TRIES):
        with pytest.raises(LookupError):
            pair.opened()
        assert state(pair, good)[0] is ArrivalState.DONE, "beside the other, not after it"
    assert state(pair, poison) == (ArrivalState.HELD, "EXN-FAULT")
    assert pair.centre.journal.names().count("EXN-FAULT") == 1, "one alarm"
    monkeypatch.setattr(handle, "judge", judge)
    with pair.centre.stores.inbox.unit() as unit:
        unit.unhold(poison)
    pair.opened()
    assert state(pair, poison)[0] is ArrivalState.DONE, "it goes on when the cause is gone"


def test_small_parcels_of_several_lanes_share_their_units_and_large_ones_are_opened_alone(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    parcels = [accepted(pair, POISONED), accepted(pair, OTHER)]
    assert len(parcels) <= AT_ONCE
    monkeypatch.setattr(opener, "SMALL", 1)
    pair.opened()
    assert sorted(state(pair, parcel)[0] for parcel in parcels) == [ArrivalState.DONE, ArrivalState.STORED]
