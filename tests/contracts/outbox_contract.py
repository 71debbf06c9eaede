"""What every outbox promises (port `OutboxUnit`, O1 to O7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.crypto.symmetric import sm3
from node.ledger import chain, steps
from node.model import codes
from node.model.parcel import Stage
from node.model.record import Problem, Version
from node.model.sentence import Sentence
from node.model.source import DirtyRow
from node.model.spool import GROUP_OCTETS, GROUP_RECORDS, Answer, EntryState, Rest
from node.model.trouble import Refused, Retry, Trouble
from tests.contracts.acts import LEASE, claimed, hear, known, ship, state_of
from tests.contracts.entries_contract import EntriesContract
from tests.contracts.lanes_contract import LanesContract
from tests.contracts.opened import Opened
from tests.contracts.things import (
    BACKFILL,
    ELSEWHERE,
    HERE,
    LANE,
    NEXT_SPEC,
    OTHER,
    SPEC,
    T0,
    THERE,
    digest,
    fresh_id,
    lines,
    sealed,
    supply,
    waiting,
)

S = EntryState


class CallersContract(Opened):
    """Towards callers: answers, versions, bookmarks, groups (O1 to O3)."""

    # --- O1: together or not at all -----------------------------------------------------------------------------

    def test_what_was_put_is_there_after_a_restart(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            submission = supply(unit, 3, key="k1")
            unit.mark("reader", None, "42")
        store = self.again(outbox)
        with store.unit() as unit:
            assert unit.answered("app", "population", "k1", b"body") == Answer(submission.id, 202, b"{}")
            assert unit.submission(submission.id) == (submission, Answer(submission.id, 202, b"{}"))
            assert unit.bookmark("reader") == "42"
            (group,) = unit.draw(LANE)
            assert list(group.lines) == lines(3, "v1")
        store.close()

    def test_an_old_copy_stays_one_until_a_new_epoch(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            assert not unit.superseded()
            unit.supersede()
            assert unit.superseded()
        store = self.again(outbox)
        with store.unit() as unit:
            assert unit.superseded()
        store.open_epoch(T0)
        with store.unit() as unit:
            assert not unit.superseded()
        store.close()

    def test_an_exception_leaves_nothing_behind(self, outbox: Any) -> None:
        class _Stop(Exception):
            pass

        with outbox.unit() as unit:
            supply(unit, 1)
        with pytest.raises(_Stop), outbox.unit() as unit:
            submission = supply(unit, 5, OTHER, key="k2")
            unit.mark("reader", None, "42")
            raise _Stop
        with outbox.unit() as unit:
            assert unit.answered("app", "population", "k2", b"body") is None
            assert unit.submission(submission.id) is None
            assert unit.bookmark("reader") is None
            assert unit.lane(OTHER) is None and not unit.ledger(OTHER)
            assert unit.allot("population", 1) == Version(unit.epoch(), 2)

    def test_the_same_key_gives_the_stored_answer_and_another_body_is_refused(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            submission = supply(unit, 1, key="k")
            assert unit.answered("app", "population", "k", b"body") == Answer(submission.id, 202, b"{}")
        with outbox.unit() as unit:
            assert unit.answered("app", "population", "k", b"body") == Answer(submission.id, 202, b"{}")
            with pytest.raises(Refused) as caught:
                unit.answered("app", "population", "k", b"another body")
            assert caught.value.code is codes.KEY_REUSED
            assert unit.answered("app", "another", "k", b"another body") is None
            assert unit.answered("another", "population", "k", b"another body") is None

    def test_an_unknown_id_names_nothing(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            for id in (fresh_id(), "", "not an id", "é"):
                assert unit.submission(id) is None and unit.entry(id) is None
                assert not unit.groups(id) and not unit.receipts(id) and not unit.refused(id) and not unit.traced(id)
                assert unit.learn(id, Stage.ACCEPTED, None, b"", [], T0) is None
                for act in (unit.sealed, lambda id: unit.park(id, "EXN-X", T0), lambda id: unit.discard(id, "li", T0)):
                    with pytest.raises(Refused) as caught:
                        act(id)
                    assert caught.value.code is codes.NOT_FOUND
            assert unit.lane(LANE) is None and unit.due(LANE) is None and unit.claim(LANE, T0, LEASE) is None
            assert not unit.draw(LANE) and unit.accepted(LANE) is None and unit.digest_at(LANE, 1, 1) is None

    def test_a_bookmark_moves_by_compare_and_set(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            unit.mark("reader", None, "1")
            unit.mark("reader", "1", "2")
            for stale in (None, "1", "3"):
                with pytest.raises(Retry) as caught:
                    unit.mark("reader", stale, "9")
                assert caught.value.code is codes.FENCED
            assert unit.bookmark("reader") == "2"
            assert unit.bookmark("another") is None

    def test_dirty_rows_stand_until_they_are_cleaned(self, outbox: Any) -> None:
        def row(name: str, seen: int = T0, rule: str = "required") -> DirtyRow:
            return DirtyRow(name, None if name == "b" else name, (Problem("名", rule, Sentence("缺", "missing")),), seen)

        with outbox.unit() as unit:
            before = unit.writes
            unit.soil("a/x", [row(name) for name in "abc"])
            unit.soil("a/y", [row("a")])
            assert unit.writes > before and unit.dirty_count("a/x") == 3 and unit.dirty_count("a/z") == 0
        store = self.again(outbox)
        with store.unit() as unit:
            pages = [unit.dirty("a/x", "", 2)]
            pages.append(unit.dirty("a/x", pages[0][-1].name, 2))
            found = sorted((one for page in pages for one in page), key=lambda one: one.name)
            assert found == [row("a"), row("b"), row("c")]
            unit.soil("a/x", [row("b", T0 + 5, "pattern")])
            assert unit.dirty_among("a/x", ["a", "b", "z"]) == {"a", "b"} and unit.dirty_among("a/z", ["a"]) == set()
            unit.clean("a/x", ["a", "z"])
            assert unit.dirty_count("a/x") == 2 and unit.dirty_count("a/y") == 1
            assert unit.clean_before("a/x", T0 + 1) == 1
            assert list(unit.dirty("a/x", "", 9)) == [row("b", T0 + 5, "pattern")]
        store.close()

    def test_writes_are_counted_and_reads_are_not(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            assert unit.writes == 0
            supply(unit, 1)
            before = unit.writes
            assert before > 0
            unit.answered("app", "population", "k", b""), unit.bookmark("r"), unit.entry(fresh_id()), unit.rest(THERE)
            assert unit.writes == before
            unit.set_rest(THERE, Rest(5, 1))
            assert unit.writes > before

    # --- O2: versions -------------------------------------------------------------------------------------------

    def test_versions_grow_over_units_streams_and_restarts(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            epoch = unit.epoch()
            assert unit.allot("population", 3) == Version(epoch, 1)
            assert unit.allot("population", 2) == Version(epoch, 4)
            assert unit.allot("enterprise", 1) == Version(epoch, 1)
        with outbox.unit() as unit:
            assert unit.allot("population", 0) == Version(epoch, 6)
            assert unit.allot("population", 1) == Version(epoch, 6)
        store = self.again(outbox)
        with store.unit() as unit:
            assert unit.allot("population", 1) == Version(epoch, 7)
        store.close()

    def test_a_restart_keeps_the_epoch_and_draws_another_boot(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            epoch, boot = unit.epoch(), unit.boot()
        assert epoch == T0 // 1000 and len(boot) == 32 and int(boot, 16) >= 0
        store = self.again(outbox)
        with store.unit() as unit:
            assert unit.epoch() == epoch and unit.boot() != boot
        assert store.open_epoch(T0) == epoch + 1
        assert store.open_epoch(T0 + 5_000_000) == T0 // 1000 + 5000
        with store.unit() as unit:
            assert unit.epoch() == T0 // 1000 + 5000
            assert unit.allot("population", 1) == Version(T0 // 1000 + 5000, 1)
        store.close()

    # --- O3: groups ---------------------------------------------------------------------------------------------

    def test_records_of_one_unit_share_a_group(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            submissions = [supply(unit, 2) for _ in range(5)]
        with outbox.unit() as unit:
            (group,) = unit.draw(LANE)
            assert list(group.lines) == [line for n in range(5) for line in lines(2, f"v{1 + 2 * n}")]
            assert (group.lane, group.spec, group.purpose, group.grant, group.origins) == (LANE, SPEC, "", "", b"")
            assert [span.first for one in submissions for span in unit.spans(one)] == [0] * 5
            assert [span.leaf for one in submissions for span in unit.spans(one)] == [0, 2, 4, 6, 8]
            (entry,) = unit.ledger(LANE)
            assert (entry.step, entry.count) == (steps.SUPPLIED, 10)
            assert [unit.traced(one.id) for one in submissions] == [[entry]] * 5

    def test_units_do_not_share_a_group(self, outbox: Any) -> None:
        for _ in range(3):
            with outbox.unit() as unit:
                supply(unit, 2)
        with outbox.unit() as unit:
            assert [len(group.lines) for group in unit.draw(LANE)] == [2, 2, 2]
            assert state_of(unit).waiting == 6

    def test_a_gap_in_versions_starts_another_group(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            first = supply(unit, 2)
            unit.allot("population", 1)
            second = supply(unit, 3)
        with outbox.unit() as unit:
            assert [len(group.lines) for group in unit.draw(LANE)] == [2, 3]
            assert [(span.first, span.count) for span in unit.spans(first)] == [(0, 2)]
            assert [(span.first, span.count) for span in unit.spans(second)] == [(0, 3)]

    @pytest.mark.parametrize("change", [{"spec": NEXT_SPEC}, {"purpose": "audit"}, {"grant": "g1"}, {"origins": b"[]"}])
    def test_a_parcel_never_mixes_kinds_and_order_is_kept(self, outbox: Any, change: dict[str, Any]) -> None:
        one = waiting(lines(2, "one"))
        with outbox.unit() as unit:
            unit.wait(LANE, one)
            unit.wait(LANE, one._replace(lines=lines(1, "other"), **change))
            unit.wait(LANE, one._replace(lines=lines(2, "last")))
        with outbox.unit() as unit:
            drawn = []
            while state_of(unit).waiting:
                groups = unit.draw(LANE)
                drawn.append([line for group in groups for line in group.lines])
                ship(unit)
        assert drawn == [lines(2, "one"), lines(1, "other"), lines(2, "last")]

    def test_a_lane_of_one_record_a_parcel_draws_one_and_counts_on(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            submission = supply(unit, 3, parcel_records=1)
        with outbox.unit() as unit:
            assert [(span.first, span.count) for span in unit.spans(submission)] == [(0, 1), (1, 1), (2, 1)]
            assert len(unit.draw(LANE)) == 3
            drawn = []
            while state_of(unit).waiting:
                groups = unit.draw(LANE, 1)
                drawn.append([line for group in groups for line in group.lines])
                ship(unit, parcel_records=1)
        assert [len(of) for of in drawn] == [1, 1, 1] and len({of[0] for of in drawn}) == 3

    def test_origins_come_back_and_their_records_stay_together(self, outbox: Any) -> None:
        many = lines(GROUP_RECORDS + 10, "routed")
        with outbox.unit() as unit:
            unit.wait(LANE, waiting(many)._replace(origins=b"[1]"))
            unit.wait(LANE, waiting(lines(1))._replace(origins=b"[2]"))
        with outbox.unit() as unit:
            (group,) = unit.draw(LANE)
            assert group.origins == b"[1]" and list(group.lines) == many
            ship(unit)
            (group,) = unit.draw(LANE)
            assert group.origins == b"[2]"

    def test_groups_are_cut_by_records_and_by_octets(self, outbox: Any) -> None:
        large = b"x" * (GROUP_OCTETS // 2)
        with outbox.unit() as unit:
            unit.wait(LANE, waiting(lines(2 * GROUP_RECORDS + 1)))
            unit.wait(OTHER, waiting([large, large, large, b"y" * (GROUP_OCTETS + 1), b"z"]))
        with outbox.unit() as unit:
            assert (state_of(unit).waiting, state_of(unit, OTHER).waiting) == (2 * GROUP_RECORDS + 1, 5)
            cuts = {LANE: [GROUP_RECORDS, GROUP_RECORDS, 1], OTHER: [2, 1, 1, 1]}
            for lane, sizes in cuts.items():
                for size in sizes:
                    (group,) = unit.draw(lane)
                    assert len(group.lines) == size
                    ship(unit, lane)
                assert unit.draw(lane) == []

    def test_a_parcel_takes_whole_groups_while_they_fit(self, outbox: Any) -> None:
        for number in (600, 400, 24, 1):
            with outbox.unit() as unit:
                unit.wait(LANE, waiting(lines(number)))
        with outbox.unit() as unit:
            assert [len(group.lines) for group in unit.draw(LANE)] == [600, 400, 24]
            parcel = ship(unit)
            assert [len(group.lines) for group in unit.groups(parcel)] == [600, 400, 24]
            assert [len(group.lines) for group in unit.draw(LANE)] == [1]
            assert known(unit, parcel).count == 1024

    def test_only_the_front_may_be_placed(self, outbox: Any) -> None:
        for _ in range(3):
            with outbox.unit() as unit:
                supply(unit, 1)
        with outbox.unit() as unit:
            ids = [group.id for group in unit.draw(LANE)]
            assert ids == sorted(ids)
            claim = claimed(unit)
            for wrong in ([ids[1]], [ids[1], ids[0]], [ids[0], ids[2]], [ids[0], 5]):
                with pytest.raises(Retry):
                    unit.place(claim, sealed(state_of(unit)), wrong, T0)
            unit.place(claim, sealed(state_of(unit)), ids[:2], T0)
            assert [group.id for group in unit.draw(LANE)] == ids[2:]

    def test_spans_follow_the_records_through_their_life(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            one = supply(unit, 700)
        with outbox.unit() as unit:
            two = supply(unit, 700)
            unit.wait(OTHER, waiting(lines(700), two.first))
            assert [(s.receiver, s.parcel, s.state) for s in unit.spans(one)] == [(THERE, None, None)]
            parcel = ship(unit)
            hear(unit, parcel, Stage.ACCEPTED)
            (span,) = unit.spans(one)
            assert (span.first, span.count, span.leaf, span.parcel, span.state) == (0, 700, 0, parcel, S.ACCEPTED)
            spans = unit.spans(two)
            assert [(s.receiver, s.count, s.parcel) for s in spans] == [(THERE, 700, None), (ELSEWHERE, 700, None)]

    # --- the rest of it -----------------------------------------------------------------------------------------

    def test_back_off_is_kept_per_peer(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            assert unit.rest(THERE) == Rest()
            unit.set_rest(THERE, Rest(T0, 3))
            unit.set_rest(ELSEWHERE, Rest(T0, 1))
            unit.set_rest(THERE, Rest(T0 + 1, 4))
        store = self.again(outbox)
        with store.unit() as unit:
            assert (unit.rest(THERE), unit.rest(ELSEWHERE)) == (Rest(T0 + 1, 4), Rest(T0, 1))
        store.close()

    def test_each_lane_has_an_intact_chain_over_restarts(self, outbox: Any) -> None:
        for _ in range(3):
            with outbox.unit() as unit:
                supply(unit, 2)
                supply(unit, 2, BACKFILL)
                unit.note(LANE, steps.ACCEPTED, fresh_id(), digest("x"), 2, T0)
        with pytest.raises(Trouble), outbox.unit() as unit:
            unit.note(LANE, steps.ACCEPTED, "lost", digest("x"), 2, T0)
            unit.mark("reader", "x", "y")
        store = self.again(outbox)
        with store.unit() as unit:
            unit.note(LANE, steps.PROCESSED, "p", digest("y"), 2, T0)
            told = unit.ledger(LANE)
            assert [entry.size for entry in told] == [1, 2, 3, 4, 5, 6, 7]
            assert chain.intact(sm3, told) and chain.intact(sm3, unit.ledger(BACKFILL))
            assert not chain.intact(sm3, [replace(told[0], count=3), *told[1:]])
            assert list(unit.ledger(LANE, 2, 3)) == list(told[2:5])
            assert unit.traced("p") == [told[-1]] and not unit.traced("lost")
            assert {entry.lane.sender for entry in told} == {HERE}
        store.close()


class OutboxContract(CallersContract, LanesContract, EntriesContract):
    """All of it; inherit and say how the store is opened, and opened again."""

    @pytest.fixture
    def outbox(self, tmp_path: Path) -> Iterator[Any]:
        store = self.open(tmp_path)
        yield store
        store.close()
