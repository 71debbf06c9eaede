"""The power fails at the first commit, then at the second, until a run gets through; nothing acknowledged is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.crypto.symmetric import sm3
from node.ledger import chain
from node.model.parcel import Stage
from node.model.spool import Submission
from tests.contracts.acts import hear, known, ship, state_of
from tests.contracts.inbox_contract import close, take_in, taken
from tests.contracts.things import INCOMING, LANE, T0, arriving, delivery, lines, supply
from tests.fakes.failing import FailingInbox, FailingOutbox, FailingWarehouse, after_the_cut
from tests.fakes.inbox import MemoryInbox
from tests.fakes.memory import PowerCut
from tests.fakes.outbox import MemoryOutbox
from tests.fakes.warehouse import MemoryWarehouse
from tests.store import places

Told = list[Any]
Maker = Callable[[Path], tuple[Any, Callable[[], Any]]]


def on_disk(open_in: Callable[[Path], Any], name: str) -> Maker:
    """Return a maker of (store, what comes back after the cut): a copy of its files, taken without closing it."""

    def make(folder: Path) -> tuple[Any, Callable[[], Any]]:
        folder.mkdir()
        store = open_in(folder)

        def again() -> Any:
            after_the_cut(folder / f"{name}.db", folder / "copy")
            store.close()
            return open_in(folder / "copy")

        return store, again

    return make


def in_memory(kind: Callable[[], Any]) -> Maker:
    """Return a maker of (store, the same store after the cut)."""

    def make(folder: Path) -> tuple[Any, Callable[[], Any]]:
        store = kind()

        def again() -> Any:
            store.reopen()
            return store

        return store, again

    return make


OUTBOXES = [
    on_disk(lambda folder: places.outbox(folder, FailingOutbox), "outbox"),
    in_memory(lambda: MemoryOutbox(lambda: T0, places.chance)),
]
INBOXES = [on_disk(lambda folder: places.inbox(folder, FailingInbox), "inbox"), in_memory(MemoryInbox)]
WAREHOUSES = [
    on_disk(lambda folder: places.warehouse(folder, FailingWarehouse), "warehouse"), in_memory(MemoryWarehouse)
]


def each_cut(
    folder: Path, make: Maker, live: Callable[[Any, Told], None],
    check: Callable[[Any, Told], None],
) -> None:
    """Cut `live` off at each of its commits, before and after it took effect; check what is there each time."""
    for after in (False, True):
        for commit in range(1, 100):
            store, again = make(folder / f"{commit}-{after}")
            store.fail_at(commit, after=after)
            told: Told = []
            through = False
            try:
                live(store, told)
                through = True
            except PowerCut:
                with pytest.raises(PowerCut), store.unit():
                    pass
            survivor = again()
            check(survivor, told)
            survivor.close()
            if through:
                assert commit > 4, "it was cut off several times before"
                break
        else:
            pytest.fail("no run got through")


def live_outbox(store: Any, told: Told) -> None:
    """Three times: submit, send, hear; each unit is told only after it committed."""
    for number in range(3):
        with store.unit() as unit:
            submission = supply(unit, number + 1, key=f"k{number}")
        told.append(submission)
        with store.unit() as unit:
            parcel = ship(unit)
        told.append(parcel)
        with store.unit() as unit:
            hear(unit, parcel, Stage.PROCESSED)
        told.append((parcel, Stage.PROCESSED))


def check_outbox(store: Any, told: Told) -> None:
    with store.unit() as unit:
        assert chain.intact(sm3, unit.ledger(LANE))
        for thing in told:
            if isinstance(thing, Submission):
                assert unit.submission(thing.id)[0] == thing
                assert sum(span.count for span in unit.spans(thing)) == thing.count
            elif isinstance(thing, str):
                entry = known(unit, thing)
                carried = [line for group in unit.groups(thing) for line in group.lines]
                assert len(carried) == entry.count and unit.sealed(thing).digest == entry.digest
            else:
                assert thing[1] in dict(unit.receipts(thing[0]))
        found = unit.entries(None, "", 99)
        assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
        state = unit.lane(LANE)
        waiting = sum(len(group.lines) for group in unit.draw(LANE))
        # All or nothing: what waits and what went is exactly what some submissions put.
        assert sum(entry.count for entry in found) + waiting in (0, 1, 3, 6)
        assert (state.waiting if state else 0) == waiting
        if found:
            assert state_of(unit).head.digest == found[-1].digest
            lane_lines = [line for entry in found for group in unit.groups(entry.parcel) for line in group.lines]
            whole = [*lines(1, "v1"), *lines(2, "v2"), *lines(3, "v4")]
            assert lane_lines == whole[: len(lane_lines)]


def live_inbox(store: Any, told: Told) -> None:
    """Three times: store, judge, finish."""
    for _ in range(3):
        with store.unit() as unit:
            (parcel,) = take_in(unit)
        told.append(("stored", parcel))
        with store.unit() as unit:
            claim, _arrival = taken(unit)
            unit.judge(claim, [])
        told.append(("judged", parcel))
        with store.unit() as unit:
            close(unit, claim)
        told.append(("done", parcel))


def check_inbox(store: Any, told: Told) -> None:
    with store.unit() as unit:
        for what, parcel in told:
            stages = [given.stage for given in unit.given(parcel)]
            assert stages[0] is Stage.ACCEPTED and unit.octets(parcel) is not None
            assert what != "judged" or unit.judged(parcel) is not None
            assert what != "done" or stages == [Stage.ACCEPTED, Stage.PROCESSED]
        found = unit.arrivals(None, "", 99)
        head = unit.head(INCOMING)
        assert (head.digest if head else None) == (found[-1].digest if found else None)
        open_ones = [arrival for arrival in found if arrival.finished is None]
        assert unit.unopened(INCOMING.sender)[0] == len(open_ones)
        assert (unit.take(T0, 1) is not None) == bool(open_ones)


def live_warehouse(store: Any, told: Told) -> None:
    """Four deliveries over the same keys."""
    for number in range(4):
        made = delivery([arriving(n, 10 * number + n, f"k{n}", f"r{(n + number) % 3}") for n in range(3)])
        with store.unit() as unit:
            verdicts = unit.apply(made, T0)
        told.append((made, list(verdicts)))


def check_warehouse(store: Any, told: Told) -> None:
    with store.unit() as unit:
        blocks = unit.history(LANE.resource, 0, 99)
        assert len(told) <= len(blocks) <= len(told) + 1 and chain.intact(sm3, unit.ledger(LANE))
        for block, (made, verdicts) in zip(blocks, told, strict=False):
            assert block.parcel == made.parcel and list(unit.applied(made.parcel)) == verdicts
            assert list(unit.apply(made, T0)) == verdicts
        for block in blocks:
            assert unit.applied(block.parcel) is not None, "history and marks are saved together"
        newest = {(row.version.n, row.line) for _, row in unit.rows(LANE.resource, 0, 99) if row.line}
        assert all(any(line in block.lines for block in blocks) for _, line in newest)


@pytest.mark.parametrize("make", OUTBOXES, ids=["sqlite", "memory"])
def test_the_outbox_survives_a_cut_at_every_commit(tmp_path: Path, make: Maker) -> None:
    each_cut(tmp_path, make, live_outbox, check_outbox)


@pytest.mark.parametrize("make", INBOXES, ids=["sqlite", "memory"])
def test_the_inbox_survives_a_cut_at_every_commit(tmp_path: Path, make: Maker) -> None:
    each_cut(tmp_path, make, live_inbox, check_inbox)


@pytest.mark.parametrize("make", WAREHOUSES, ids=["sqlite", "memory"])
def test_the_warehouse_survives_a_cut_at_every_commit(tmp_path: Path, make: Maker) -> None:
    each_cut(tmp_path, make, live_warehouse, check_warehouse)
