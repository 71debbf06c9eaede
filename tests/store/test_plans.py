"""The statements of the busy paths find their rows by an index, however much is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.model.finding import Reference
from node.model.parcel import Stage
from node.model.spool import ArrivalState, EntryState
from tests.contracts.acts import hear, ship
from tests.contracts.cases_contract import finding, of_case
from tests.contracts.inbox_contract import LEASE, close, take_in, taken
from tests.contracts.things import LANE, SPEC, T0, arriving, delivery, fresh_id, supply
from tests.store import places

SMALL = {"lanes", "l", "kinds", "facts", "resources", "origins"}
"""Tables that grow with the configuration only, and may be read through."""


def scans(store: Any, act: Callable[[], object]) -> list[str]:
    """Return the plan lines of all statements of `act` that read a whole table or sort one."""
    seen: list[str] = []
    store._connection.set_trace_callback(seen.append)
    act()
    store._connection.set_trace_callback(None)
    found = []
    for statement in seen:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")):
            for *_, plan in store._connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
                words = plan.split()
                one = statement.endswith("LIMIT 1") or "CONSTANT" in plan
                if words[0] == "SCAN" and words[1] not in SMALL and not one:
                    found.append(f"{plan}: {statement}")
    return found


def outbox_acts(store: Any) -> dict[str, Callable[[], object]]:
    """Return the busy acts on an outbox with something in it."""
    with store.unit() as unit:
        submission = supply(unit, 3)
        parcel = ship(unit)
        supply(unit, 3)

    def within(act: Callable[[Any], object]) -> Callable[[], object]:
        def run() -> None:
            with store.unit() as unit:
                act(unit)
        return run

    return {name: within(act) for name, act in {
        "supply": lambda unit: supply(unit, 2),
        "ready": lambda unit: unit.ready(LANE.receiver),
        "lanes": lambda unit: unit.lanes(),
        "draw": lambda unit: unit.draw(LANE),
        "spans": lambda unit: unit.spans(submission),
        "traced": lambda unit: (unit.traced(submission.id), unit.traced(parcel)),
        "ship": lambda unit: ship(unit),
        "due": lambda unit: unit.due(LANE),
        "accepted": lambda unit: (unit.accepted(LANE), unit.digest_at(LANE, 1, 1)),
        "learn": lambda unit: [hear(unit, parcel, stage) for stage in (Stage.ACCEPTED, Stage.PROCESSED)],
        "owed": lambda unit: unit.owed(LANE.receiver, T0, 9),
        "parked": lambda unit: unit.entries(EntryState.PARKED, "", 9),
        "purge": lambda unit: unit.purge(T0 + 1, T0 + 1, 9),
    }.items()}


def test_the_outbox_reads_no_table_through(tmp_path: Path) -> None:
    store = places.outbox(tmp_path)
    for name, act in outbox_acts(store).items():
        # A page of the oldest submissions is read in the order of their ids, and no more than that page.
        found = [one for one in scans(store, act) if "FROM submissions ORDER BY id LIMIT" not in one]
        assert found == [], name
    store.close()


def test_the_inbox_reads_no_table_through(tmp_path: Path) -> None:
    store = places.inbox(tmp_path)
    with store.unit() as unit:
        take_in(unit, 2)

    def life() -> None:
        with store.unit() as unit:
            (parcel,) = take_in(unit)
            claim, arrival = taken(unit)
            unit.judge(claim, [])
            close(unit, claim)
            unit.by_digest(arrival.digest), unit.unopened(arrival.lane.sender), unit.take(T0, LEASE)
            unit.gave([(parcel, Stage.ACCEPTED)])
            unit.ungiven(arrival.lane.sender, 9), unit.given(parcel)
            unit.heads(arrival.lane.sender), unit.at(arrival.lane, 7, 1), unit.meet("n", 1, "b", T0)
            unit.arrivals(ArrivalState.PARKED, "", 9), unit.purge(T0 + 1, T0 + 1, 9)

    assert scans(store, life) == []
    store.close()


@pytest.mark.parametrize("again", [False, True])
def test_the_warehouse_reads_no_table_through(tmp_path: Path, again: bool) -> None:
    store = places.warehouse(tmp_path)
    made = delivery([arriving(n, n + 1, f"k{n}") for n in range(30)])

    def life() -> None:
        with store.unit() as unit:
            unit.apply(made, T0)
            unit.history(LANE.resource, 0, 9), unit.last(LANE.resource), unit.rows(LANE.resource, 0, 9)
            unit.row("dept-a", LANE.resource, ("k1", "x")), unit.applied(fresh_id())

    if again:
        life()
    assert scans(store, life) == []
    store.close()


def test_cases_and_findings_are_found_by_an_index(tmp_path: Path) -> None:
    store = places.warehouse(tmp_path)

    def life() -> None:
        with store.unit() as unit:
            unit.apply(delivery([of_case(f"case-{n}", n, n + 1, f"k{n}") for n in range(30)]), T0)
            for case in unit.cases_due(T0, 9):
                unit.case_rows(case.digest, 0, 9), unit.stands([LANE.resource], "k1"), unit.unclosed(case.digest)
                id = unit.keep_finding(case.digest, finding(opened=T0))
                unit.rest_case(case, [Reference(SPEC.id, "k")], T0)
                unit.finding(id), unit.findings("case.a", True, 0, 9), unit.findings(None, False, 0, 9)
            unit.apply(delivery([of_case("case-1", n, n + 50, f"k{n}")._replace(key=("k",)) for n in range(30)]), T0)
            unit.purge_findings(T0, 9), unit.drop_finding(id), unit.wake_every(b"", 9)

    assert scans(store, life) == []
    with store.unit() as unit:
        (plan,) = store._connection.execute("EXPLAIN QUERY PLAN SELECT 1 FROM current WHERE correlation = x'00'")
        assert "current_correlation" in plan[-1] and unit.open_findings() == {"case.a": 8}
    store.close()
