"""Ask: what is overdue, whatever the clock did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.exchange import ask
from tests.exchange.acts import sent, supplied
from tests.stage.desk import CENTRE
from tests.stage.pair import Pair

OVERDUE = 30_000


@pytest.fixture(params=["memory", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(None if request.param == "memory" else tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("later, asked", [
    (0, False), (OVERDUE - 1, False), (OVERDUE, True), (10 * OVERDUE, True), (-1, True), (-365 * 86_400_000, True),
])
def test_what_was_sent_long_ago_or_in_a_future_that_was_taken_back_is_asked_about(
    pair: Pair, later: int, asked: bool
) -> None:
    supplied(pair.dept)
    parcel = sent(pair.dept).entry.parcel
    with pair.dept.stores.outbox.unit() as unit:
        now = pair.dept.desk.now() + later
        assert [one.parcel for one in ask.wanted(unit, CENTRE, now, OVERDUE)] == ([parcel] if asked else [])
        assert [one.parcel for one in ask.wanted(unit, CENTRE, now)] == [parcel], "without a limit, whatever is owed"
