"""What every warehouse promises (port `WarehouseUnit`, W1 to W4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest

from node.crypto.symmetric import sm3
from node.ledger import chain, steps
from node.model import codes
from node.model.parcel import Outcome, Verdict
from node.model.record import Operation, Stream, Version
from node.model.spool import Arriving, Block, Delivery
from node.model.trouble import Retry
from node.ports import WarehouseUnit
from tests.contracts.cases_contract import CasesContract
from tests.contracts.opened import Opened
from tests.contracts.things import HERE, LANE, NEXT_SPEC, SPEC, T0, arriving, delivery, fresh_id

APPLIED, OLDER = Outcome.APPLIED, Outcome.OLDER
DELETE = Operation.DELETE
RESOURCE = LANE.resource


def apply(unit: WarehouseUnit, *records: Arriving, **changes: Any) -> list[Outcome]:
    """Apply records as one delivery; return the outcomes."""
    return [verdict.outcome for verdict in unit.apply(delivery(records, **changes), T0)]


def stands(unit: WarehouseUnit, key: str, origin: str = HERE) -> tuple[int, bool] | None:
    """Return the version of a key, and whether it is alive."""
    row = unit.row(origin, RESOURCE, (key, "x"))
    return (row.version.n, row.line is not None) if row else None


class WarehouseContract(CasesContract, Opened):
    """Inherit and say how the store is opened, and opened again."""

    @pytest.fixture
    def warehouse(self, tmp_path: Path) -> Iterator[Any]:
        store = self.open(tmp_path)
        yield store
        store.close()

    # --- W1, W2: versions decide --------------------------------------------------------------------------------

    def test_only_a_greater_version_is_applied(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            assert apply(unit, arriving(0, 5, "a")) == [APPLIED]
            assert apply(unit, arriving(0, 4, "a"), arriving(1, 5, "a"), arriving(2, 6, "a")) == [OLDER, OLDER, APPLIED]
            assert stands(unit, "a") == (6, True)
        with warehouse.unit() as unit:
            assert apply(unit, arriving(0, 7, "a"), arriving(1, 6, "a")) == [APPLIED, OLDER]
            row = unit.row(HERE, RESOURCE, ("a", "x"))
            assert row is not None and (row.origin, row.version) == (HERE, Version(7, 7))
            assert row.line == arriving(0, 7, "a").line

    def test_a_greater_epoch_wins_over_a_greater_number(self, warehouse: Any) -> None:
        old, new = arriving(0, 900, "a"), arriving(0, 1, "a")
        new = new._replace(head=new.head._replace(version=Version(8, 1)))
        with warehouse.unit() as unit:
            assert apply(unit, old) + apply(unit, new) + apply(unit, arriving(0, 901, "a")) == [APPLIED, APPLIED, OLDER]

    def test_origins_and_resources_do_not_meet(self, warehouse: Any) -> None:
        other = LANE._replace(resource="enterprise")
        with warehouse.unit() as unit:
            assert apply(unit, arriving(0, 9, "a")) == [APPLIED]
            assert apply(unit, arriving(0, 1, "a", origin="dept-b")) == [APPLIED]
            assert apply(unit, arriving(0, 1, "a"), lane=other) == [APPLIED]
            assert (stands(unit, "a"), stands(unit, "a", "dept-b")) == ((9, True), (1, True))
            assert unit.row(HERE, "enterprise", ("a", "x")) is not None
            assert unit.row(HERE, "nothing", ("a", "x")) is None and unit.row(HERE, RESOURCE, ("ax",)) is None

    def test_a_delete_leaves_a_tombstone(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            assert apply(unit, arriving(0, 1, "a"), arriving(1, 3, "a", operation=DELETE)) == [APPLIED, APPLIED]
            assert stands(unit, "a") == (3, False)
            assert apply(unit, arriving(0, 2, "a")) == [OLDER]
            assert stands(unit, "a") == (3, False)
            assert apply(unit, arriving(0, 4, "a")) == [APPLIED]
            assert stands(unit, "a") == (4, True)
            assert apply(unit, arriving(0, 9, "unheard", operation=DELETE)) == [APPLIED]
            assert apply(unit, arriving(0, 8, "unheard")) == [OLDER]

    @pytest.mark.parametrize("together", [True, False])
    def test_a_row_that_returns_under_another_key_leaves_a_tombstone(self, warehouse: Any, together: bool) -> None:
        moved = [arriving(0, 1, "old", "r"), arriving(1, 5, "new", "r")]
        with warehouse.unit() as unit:
            outcomes = apply(unit, *moved) if together else [*apply(unit, moved[0]), *apply(unit, moved[1])]
            assert outcomes == [APPLIED, APPLIED]
            assert (stands(unit, "old"), stands(unit, "new")) == ((1, False), (5, True))
            assert apply(unit, arriving(0, 4, "old", "r")) == [OLDER]
            assert apply(unit, arriving(0, 6, "old", "another")) == [APPLIED]
            assert apply(unit, arriving(0, 7, "old", "r")) == [APPLIED], "and home again"
            assert (stands(unit, "old"), stands(unit, "new")) == ((7, True), (5, False))

    def test_rows_that_swap_keys_keep_both(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, arriving(0, 1, "a", "r1"), arriving(1, 2, "b", "r2"))
            assert apply(unit, arriving(0, 3, "b", "r1"), arriving(1, 4, "a", "r2")) == [APPLIED, APPLIED]
            assert (stands(unit, "a"), stands(unit, "b")) == ((4, True), (3, True))
            assert apply(unit, arriving(0, 5, "c", "r1")) == [APPLIED]
            assert (stands(unit, "a"), stands(unit, "b"), stands(unit, "c")) == ((4, True), (3, False), (5, True))

    def test_a_row_that_lost_its_key_takes_nothing_with_it(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, arriving(0, 1, "a", "r1"))
        with warehouse.unit() as unit:
            apply(unit, arriving(0, 2, "a", "r2"))
        with warehouse.unit() as unit:
            assert apply(unit, arriving(0, 3, "b", "r1")) == [APPLIED]
            assert (stands(unit, "a"), stands(unit, "b")) == ((2, True), (3, True))
        with warehouse.unit() as unit:
            assert apply(unit, arriving(0, 4, "a", "r1")) == [APPLIED], "back again"
            assert (stands(unit, "a"), stands(unit, "b")) == ((4, True), (3, False))

    def test_history_that_comes_late_raises_no_ghost(self, warehouse: Any) -> None:
        """A row that went a, b, c: whatever order its records come in, it stands at c alone."""
        story = [arriving(n, n + 1, key, "r") for n, key in enumerate("abc")]
        for number, order in enumerate(permutations(story)):
            lane = LANE._replace(resource=f"resource-{number}")
            for record in order:
                with warehouse.unit() as unit:
                    apply(unit, record, lane=lane)
            with warehouse.unit() as unit:
                alive = [key for key in "abc" if (row := unit.row(HERE, lane.resource, (key, "x"))) and row.line]
                assert alive == ["c"], order

    def test_arrival_order_decides_nothing(self, warehouse: Any, seed: int) -> None:
        """Rows that share their keys, some deleted, some moved: all orders and cuts end alike."""
        random = Random(seed)
        story, version = [], 0
        for row in range(6):
            for step in range(random.randint(1, 5)):
                version += 1
                operation = DELETE if random.random() < 0.2 else Operation.UPSERT
                key = f"{row // 3}-{random.randint(0, 2)}"
                story.append(arriving(0, version, key, f"r{row}", operation))
        keys = [f"{half}-{key}" for half in range(2) for key in range(3)]
        ends = set()
        for attempt in range(6):
            lane = LANE._replace(resource=f"resource-{attempt}")
            order = random.sample(story, len(story)) if attempt else story
            while order:
                cut = random.randint(1, 5)
                with warehouse.unit() as unit:
                    apply(unit, *(record._replace(leaf=leaf) for leaf, record in enumerate(order[:cut])), lane=lane)
                order = order[cut:]
            with warehouse.unit() as unit:
                found = {key: unit.row(HERE, lane.resource, (key, "x")) for key in keys}
                ends.add(tuple((key, row.line) for key, row in found.items() if row and row.line))
        assert len(ends) == 1

    # --- W3: once -----------------------------------------------------------------------------------------------

    def test_a_delivery_applied_once_returns_the_same_verdicts_ever_after(self, warehouse: Any) -> None:
        made = delivery([arriving(0, 2, "a"), arriving(3, 1, "a"), arriving(7, 1, "b")], token=5)
        verdicts = [Verdict(0, APPLIED), Verdict(3, OLDER), Verdict(7, APPLIED)]
        with warehouse.unit() as unit:
            assert unit.applied(made.parcel) is None
            assert list(unit.apply(made, T0)) == verdicts
        store = self.again(warehouse)
        with store.unit() as unit:
            apply(unit, arriving(0, 9, "a"), token=6)
            assert list(unit.applied(made.parcel)) == verdicts
            assert list(unit.apply(made, T0 + 9)) == verdicts
            again = replace(made, claim=replace(made.claim, token=7))
            assert list(unit.apply(again, T0 + 9)) == verdicts
            assert stands(unit, "a") == (9, True)
            assert len(unit.history(RESOURCE, 0, 9)) == 2
        store.close()

    def test_an_older_token_delivers_nothing(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            apply(unit, arriving(0, 1, "a"), token=5)
        with pytest.raises(Retry) as caught, warehouse.unit() as unit:
            apply(unit, arriving(0, 2, "a"), token=4)
        assert caught.value.code is codes.FENCED
        with warehouse.unit() as unit:
            assert stands(unit, "a") == (1, True) and unit.last(RESOURCE) == 1
            assert apply(unit, arriving(0, 2, "a"), token=5) == [APPLIED]
            other = LANE._replace(stream=Stream.BACKFILL)
            assert apply(unit, arriving(0, 3, "a"), token=1, lane=other) == [APPLIED], "tokens are per lane"

    def test_an_exception_applies_nothing(self, warehouse: Any) -> None:
        class _Stop(Exception):
            pass

        made = delivery([arriving(0, 1, "a")])
        with pytest.raises(_Stop), warehouse.unit() as unit:
            unit.apply(made, T0)
            raise _Stop
        with warehouse.unit() as unit:
            assert unit.applied(made.parcel) is None and stands(unit, "a") is None and unit.last(RESOURCE) == 0
            assert not unit.ledger(LANE) and unit.rows(RESOURCE, 0, 9) == []
            assert [verdict.outcome for verdict in unit.apply(made, T0)] == [APPLIED]

    # --- W4: history --------------------------------------------------------------------------------------------

    def test_history_holds_every_record_in_commit_order(self, warehouse: Any) -> None:
        made = [self._made(n) for n in range(5)]
        for one in made:
            with warehouse.unit() as unit:
                unit.apply(one, T0 + one.records[0].leaf)
        store = self.again(warehouse)
        with store.unit() as unit:
            blocks: Sequence[Block] = unit.history(RESOURCE, 0, 9)
            assert [block.parcel for block in blocks] == [one.parcel for one in made]
            assert [block.id for block in blocks] == sorted({block.id for block in blocks})
            for block, one in zip(blocks, made, strict=True):
                assert (block.resource, block.sender, block.stream) == (RESOURCE, LANE.sender, one.lane.stream)
                assert (block.spec, block.at, block.evidence) == (one.spec, T0 + one.records[0].leaf, one.evidence)
                assert list(block.leaves) == [record.leaf for record in one.records]
                assert list(block.lines) == [record.line for record in one.records]
            second = blocks[1].id
            assert [block.parcel for block in unit.history(RESOURCE, second, 2)] == [one.parcel for one in made[2:4]]
            assert unit.last(RESOURCE) == blocks[-1].id and unit.last("nothing") == 0
            assert unit.history(RESOURCE, blocks[-1].id, 9) == [] and unit.history("nothing", 0, 9) == []
        store.close()

    def _made(self, n: int) -> Delivery:
        stream = Stream.BACKFILL if n % 2 else Stream.LIVE
        records = [arriving(n, 10 - n, "a"), arriving(n + 4, 20 + n, f"k{n}")]
        made = delivery(records, lane=LANE._replace(stream=stream))
        return replace(made, spec=NEXT_SPEC if n == 3 else SPEC)

    def test_resources_have_their_own_history(self, warehouse: Any) -> None:
        other = LANE._replace(resource="enterprise")
        with warehouse.unit() as unit:
            for lane in (LANE, other, LANE, other):
                apply(unit, arriving(0, 1, fresh_id()), lane=lane)
            ours, theirs = unit.history(RESOURCE, 0, 9), unit.history("enterprise", 0, 9)
            assert (len(ours), len(theirs)) == (2, 2)
            assert unit.last(RESOURCE) == ours[-1].id and unit.last("enterprise") == theirs[-1].id

    def test_a_delivery_of_nothing_is_applied_and_leaves_no_block(self, warehouse: Any) -> None:
        made = delivery([])
        with warehouse.unit() as unit:
            assert list(unit.apply(made, T0)) == [] and unit.last(RESOURCE) == 0
            assert unit.applied(made.parcel) is not None

    def test_rows_are_paged_for_reconciliation_with_their_tombstones(self, warehouse: Any) -> None:
        keys = [f"k{n}" for n in range(7)]
        with warehouse.unit() as unit:
            apply(unit, *(arriving(n, n + 1, key) for n, key in enumerate(keys)))
            apply(unit, arriving(0, 99, "elsewhere"), lane=LANE._replace(resource="enterprise"))
            apply(unit, arriving(0, 50, "k3", operation=DELETE), arriving(1, 51, "k1"))
        with warehouse.unit() as unit:
            found, after = [], 0
            while page := unit.rows(RESOURCE, after, 3):
                assert [cursor for cursor, _ in page] == sorted(cursor for cursor, _ in page)
                after = page[-1][0]
                found += [(row.origin, row.version.n, row.line is not None) for _, row in page]
            ends = [(HERE, n, n != 50) for n in (1, 51, 3, 50, 5, 6, 7)]
            assert found == ends
            assert unit.rows("nothing", 0, 9) == []

    def test_a_large_delivery_is_applied_whole(self, warehouse: Any) -> None:
        with warehouse.unit() as unit:
            assert set(apply(unit, *(arriving(n, n + 1, f"k{n}") for n in range(1024)))) == {APPLIED}
        with warehouse.unit() as unit:
            outcomes = apply(unit, *(arriving(n, 1000 + n, f"k{n}") for n in range(0, 1200, 2)))
            assert outcomes == [APPLIED] * 600
            assert len(unit.rows(RESOURCE, 0, 5000)) == 1024 + 88
            assert stands(unit, "k1") == (2, True) and stands(unit, "k1000") == (2000, True)

    def test_deliveries_are_noted_in_the_lanes_chain(self, warehouse: Any) -> None:
        made = [delivery([arriving(0, n, f"k{n}"), arriving(1, n, f"l{n}")]) for n in range(3)]
        for one in made:
            with warehouse.unit() as unit:
                unit.apply(one, T0)
                unit.apply(one, T0)
        store = self.again(warehouse)
        with store.unit() as unit:
            told = unit.ledger(LANE)
            found = [(entry.step, entry.subject, entry.count) for entry in told]
            assert found == [(steps.DELIVERED, one.parcel, 2) for one in made]
            assert chain.intact(sm3, told) and list(unit.traced(made[1].parcel)) == [told[1]]
        store.close()
