"""Three thresholds of free disk, each closing one thing more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from node.spool.shortage import Shortage, Thresholds, shortage

ROOM = Thresholds(intake=300, foreign=200, reserve=100)


def test_the_grade_changes_below_each_threshold_and_not_at_it() -> None:
    grades = [shortage(free, ROOM) for free in (300, 299, 200, 199, 100, 99, 0)]
    none, intake, foreign, reserve = Shortage
    assert grades == [none, intake, intake, foreign, foreign, reserve, reserve]


@given(st.integers(0, 400), st.integers(0, 400))
def test_more_room_is_never_a_worse_grade(one: int, other: int) -> None:
    assert (shortage(max(one, other), ROOM) <= shortage(min(one, other), ROOM))


def test_intake_closes_first_and_receipts_last() -> None:
    assert Shortage.NONE < Shortage.INTAKE < Shortage.FOREIGN < Shortage.RESERVE
    usual = Thresholds()
    assert usual.intake > usual.foreign > usual.reserve > 0
