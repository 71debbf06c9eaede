"""What every warehouse promises of cases and findings (C1 to C4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from node.model.finding import CaseDue, Finding, Reference, RowName
from node.model.record import Operation
from node.model.spool import Arriving
from node.ports import WarehouseUnit
from tests.contracts.things import ELSEWHERE, HERE, LANE, SPEC, T0, arriving, delivery

DAY = 86_400_000


def of_case(case: str | None, leaf: int, n: int, key: str, *names: str, **given: Any) -> Arriving:
    """Return a record that belongs to a case."""
    made = arriving(leaf, n, key, *names, **given)
    return made._replace(head=made.head._replace(correlation=case))


def apply(unit: WarehouseUnit, *records: Arriving, **changes: Any) -> None:
    """Apply records as one delivery."""
    unit.apply(delivery(records, **changes), T0)


def due(unit: WarehouseUnit, now: int = T0) -> list[CaseDue]:
    return list(unit.cases_due(now, 99))


def rest_all(unit: WarehouseUnit) -> None:
    for case in unit.cases_due(T0, 99):
        assert unit.rest_case(case, (), None)


def rows(unit: WarehouseUnit, case: CaseDue) -> list[bytes]:
    return [row.line for row in unit.case_rows(case.digest, 0, 99)]


def finding(rule: str = "case.a", **given: Any) -> Finding:
    named = (RowName("population", HERE, "row-a"), RowName("population", ELSEWHERE, "row-b"))
    return replace(Finding(0, rule, "440100-1", named, 2, T0), **given)


class CasesContract:
    """The part of the warehouse contract that speaks of cases."""

    def test_a_case_has_the_current_records_that_share_its_correlation(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, of_case("1", 0, 1, "a"), of_case("2", 1, 2, "b"), of_case(None, 2, 3, "c"))
            apply(unit, of_case("1", 0, 1, "a", origin=ELSEWHERE), lane=LANE._replace(resource="enterprise"))
        with warehouse.unit() as unit:
            found = {tuple(sorted(rows(unit, case))) for case in due(unit)}
            assert found == {
                (arriving(0, 1, "a").line, arriving(0, 1, "a").line), (arriving(0, 2, "b").line,),
            }
            (case,) = [one for one in due(unit) if len(rows(unit, one)) == 2]
            told = unit.case_rows(case.digest, 0, 9)
            assert [row.resource for row in told] == ["population", "enterprise"] and told[0].spec == SPEC
            assert unit.case_rows(case.digest, told[0].id, 9) == told[1:]
            assert unit.case_rows(case.digest, 0, 1) == told[:1]

    def test_records_without_a_correlation_make_no_case_due(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, *(arriving(n, n + 1, f"k{n}") for n in range(9)))
            assert due(unit) == []

    @pytest.mark.parametrize("operation, left", [(Operation.DELETE, 0), (Operation.UPSERT, 1)])
    def test_a_change_and_a_delete_make_the_case_due_again(
        self, warehouse: Any, operation: Operation, left: int
    ) -> None:
        with warehouse.unit() as unit:
            apply(unit, of_case("1", 0, 1, "a"))
            rest_all(unit)
            assert due(unit, T0 + DAY) == []
            apply(unit, of_case("1", 0, 2, "a", operation=operation))
            (case,) = due(unit)
            assert len(rows(unit, case)) == left
            rest_all(unit)
            apply(unit, of_case("1", 0, 1, "a"))
            assert due(unit) == [], "an older record changes nothing"

    def test_a_record_that_changes_its_case_leaves_the_old_one_and_joins_the_new(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, of_case("1", 0, 1, "a"), of_case("1", 1, 2, "b"))
            rest_all(unit)
            apply(unit, of_case("2", 0, 3, "a"))
            assert sorted(len(rows(unit, case)) for case in due(unit)) == [1, 1]
            rest_all(unit)
            apply(unit, of_case(None, 0, 4, "a"))
            assert [rows(unit, case) for case in due(unit)] == [[]]

    def test_a_row_that_moves_to_another_key_leaves_the_case_of_the_old_one(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, of_case("1", 0, 1, "old", "r"))
            rest_all(unit)
            apply(unit, of_case("2", 0, 2, "new", "r"))
            assert sorted(len(rows(unit, case)) for case in due(unit)) == [0, 1]

    def test_a_delete_that_names_no_case_still_changes_the_case_it_leaves(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, of_case("1", 0, 1, "a"))
            rest_all(unit)
            apply(unit, of_case(None, 0, 2, "a", operation=Operation.DELETE))
            assert [rows(unit, case) for case in due(unit)] == [[]]

    def test_a_case_that_changed_since_it_was_seen_does_not_rest(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, of_case("1", 0, 1, "a"))
            (seen,) = due(unit)
            apply(unit, of_case("1", 0, 2, "a"))
            assert not unit.rest_case(seen, (), None)
            (again,) = due(unit)
            assert again.block > seen.block and unit.rest_case(again, (), T0 + DAY)
            assert due(unit, T0 + DAY - 1) == [] and due(unit, T0 + DAY) == [again]
            assert not unit.rest_case(CaseDue(b"?" * 16, 1), (), None)

    def test_what_is_noted_outlives_a_crash_and_what_is_rolled_back_does_not(self, warehouse: Any) -> None:
        class _Stop(Exception):
            pass

        with pytest.raises(_Stop), warehouse.unit() as unit:
            apply(unit, of_case("1", 0, 1, "a"))
            raise _Stop
        with warehouse.unit() as unit:
            assert due(unit) == []
            apply(unit, of_case("1", 0, 1, "a"))
        store = self.again(warehouse)  # type: ignore[attr-defined]  # the contract this is a part of
        with store.unit() as unit:
            assert [len(rows(unit, case)) for case in due(unit)] == [1]
        store.close()

    def test_whoever_watches_a_name_is_told_of_it_whatever_its_case_or_origin(self, warehouse: Any) -> None:
        licence = LANE._replace(resource="licence")
        came = arriving(0, 1, "L1", origin=ELSEWHERE)
        left = arriving(0, 2, "L1", origin=ELSEWHERE, operation=Operation.DELETE)
        named = [record._replace(key=("L1",)) for record in (came, left)]
        with warehouse.unit() as unit:
            apply(unit, of_case("1", 0, 1, "a"))
            (case,) = due(unit)
            assert unit.rest_case(case, [Reference(SPEC.id, "L1"), Reference(SPEC.id, "L2")], None)
            assert not unit.stands(["licence"], "L1")
            for record, stands in zip(named, (True, False), strict=True):
                apply(unit, record, lane=licence)
                (again,) = due(unit)
                assert again.digest == case.digest and unit.stands(["licence", "nothing"], "L1") is stands
                assert not unit.stands(["nothing"], "L1") and not unit.stands([], "L1")
                assert unit.rest_case(again, [Reference(SPEC.id, "L1")], None)
            apply(unit, arriving(0, 1, "L2")._replace(key=("L2",)), lane=licence)
            assert due(unit) == [], "a name watched no more"

    # --- findings -----------------------------------------------------------------------------------------------

    def test_a_finding_is_kept_told_and_closed(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            id = unit.keep_finding(b"c" * 16, finding())
            waiting = finding(id=id)
            assert list(unit.unclosed(b"c" * 16)) == [waiting] and unit.unclosed(b"d" * 16) == []
            assert unit.finding(id) is None and unit.findings(None, False, 0, 9) == [] and unit.open_findings() == {}
            opened = replace(waiting, opened=T0 + 5, count=3)
            assert unit.keep_finding(b"c" * 16, opened) == id
        store = self.again(warehouse)  # type: ignore[attr-defined]  # the contract this is a part of
        with store.unit() as unit:
            assert unit.finding(id) == opened and unit.open_findings() == {"case.a": 1}
            closed = replace(opened, closed=T0 + 9)
            unit.keep_finding(b"c" * 16, closed)
            assert unit.unclosed(b"c" * 16) == [] and unit.open_findings() == {} and unit.finding(id) == closed
            assert unit.keep_finding(b"c" * 16, finding()) == id + 1, "and it may be found again"
        store.close()

    def test_findings_are_listed_by_number_rule_and_state(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            for n in range(6):
                told = finding(f"case.{'ab'[n % 2]}", opened=T0 + n, closed=T0 + 99 + n if n < 2 else None)
                unit.keep_finding(bytes([n]) * 16, told)
            unit.keep_finding(b"w" * 16, finding())
            every = [one.id for one in unit.findings(None, False, 0, 99)]
            assert len(every) == 6 and every == sorted(every)
            assert [one.id for one in unit.findings("case.a", False, 0, 99)] == every[::2]
            assert [one.id for one in unit.findings("case.a", True, 0, 99)] == every[2::2]
            assert [one.id for one in unit.findings(None, True, every[2], 2)] == every[3:5]
            assert unit.open_findings() == {"case.a": 2, "case.b": 2}

    def test_closed_findings_are_forgotten_and_open_and_waiting_ones_are_not(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            for n in range(4):
                unit.keep_finding(bytes([n]) * 16, finding(opened=T0, closed=T0 + n if n < 3 else None))
            unit.drop_finding(unit.keep_finding(b"w" * 16, finding()))
            unit.keep_finding(b"v" * 16, finding())
            assert unit.unclosed(b"w" * 16) == []
            assert unit.purge_findings(T0 + 2, 1) == 1 and unit.purge_findings(T0 + 2, 9) == 1
            assert unit.purge_findings(T0 + 2, 9) == 0
            assert len(unit.findings(None, False, 0, 9)) == 2 and len(unit.unclosed(b"v" * 16)) == 1

    def test_what_waits_and_what_is_found_can_be_looked_at_again(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, of_case("1", 0, 1, "a"), of_case("2", 1, 2, "b"), of_case("3", 2, 3, "c"))
            for case, until in zip(due(unit), (T0 + 9 * DAY, None, None), strict=True):
                unit.rest_case(case, (), until)
            unit.keep_finding(b"c" * 16, finding(opened=T0))
            unit.keep_finding(b"d" * 16, finding(opened=T0, closed=T0))
            assert due(unit) == [] and unit.wake_cases() == 2 and len(due(unit)) == 2

    def test_every_case_can_be_looked_at_again_a_page_at_a_time(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, *(of_case(str(n // 2), n, n + 1, f"k{n}") for n in range(10)), arriving(10, 99, "none"))
            known = {case.digest for case in due(unit)}
            rest_all(unit)
            assert len(known) == 5 and due(unit) == []
            after: bytes | None = b""
            pages = 0
            while after is not None:
                after = unit.wake_every(after, 2)
                pages += 1
            assert pages == 3 and {case.digest for case in due(unit)} == known
            apply(unit, of_case("1", 0, 50, "k2"))
            (changed,) = [case for case in due(unit) if case.block]
            assert unit.wake_every(b"", 9) is None and changed in due(unit), "a change seen is not forgotten"
