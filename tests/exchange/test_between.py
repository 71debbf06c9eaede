"""`settle`: what was found of a case that changed meanwhile is dropped, and what is too large closes nothing."""

from __future__ import annotations

from node.exchange import between
from node.exchange.between import Stood
from node.model.finding import CaseDue, Finding, RowName
from node.validate.between import Judged, too_large
from tests.contracts.cases_contract import apply, due, finding, of_case
from tests.contracts.things import T0
from tests.fakes.warehouse import MemoryWarehouse, WarehouseUnitInMemory
from tests.stage.bureau import rules
from tests.validate.between import story

DAY = 86_400_000
NAME = "case.application"


def settled(unit: WarehouseUnitInMemory, case: CaseDue, judged: Judged, now: int = T0) -> list[Finding]:
    return between.settle(unit, case, Stood("440100-1", ()), judged, (), rules(), now)


def broken() -> Judged:
    step = story.standing("case-step")
    return rules().judge([step], frozenset(), T0)


def test_what_was_found_of_a_case_that_changed_meanwhile_is_dropped() -> None:
    with MemoryWarehouse().unit() as unit:
        apply(unit, of_case("1", 0, 1, "a"))
        (seen,) = due(unit)
        apply(unit, of_case("1", 0, 2, "a"))
        assert settled(unit, seen, broken(), T0 + 9 * DAY) == [] and unit.unclosed(seen.digest) == []
        assert len(due(unit)) == 1, "and it is still to be looked at"


def test_a_breach_waits_and_says_when_to_look_again() -> None:
    with MemoryWarehouse().unit() as unit:
        apply(unit, of_case("1", 0, 1, "a"))
        (case,) = due(unit)
        assert settled(unit, case, broken()) == []
        assert due(unit, T0 + DAY - 1) == [] and due(unit, T0 + DAY) == [case]
        told = settled(unit, case, broken(), T0 + DAY)
        assert sorted(one.rule for one in told) == ["case.acceptance", NAME]
        assert all(one.id and one.seen == T0 and one.opened == T0 + DAY for one in told)
        assert unit.open_findings() == {"case.acceptance": 1, NAME: 1} and due(unit, T0 + 99 * DAY) == []


def test_a_case_too_large_closes_nothing_that_is_open() -> None:
    with MemoryWarehouse().unit() as unit:
        apply(unit, of_case("1", 0, 1, "a"))
        (case,) = due(unit)
        unit.keep_finding(case.digest, finding(NAME, opened=T0 - 1))
        (told,) = settled(unit, case, too_large([story.standing("case-step")] * 3))
        assert (told.rule, told.opened) == ("case-too-large", T0)
        assert told.rows[0] == RowName("case-step", "dept-a", story.twin("case-step")["RecordId"])
        assert set(unit.open_findings()) == {NAME, "case-too-large"}
