"""What every outbox promises of its lanes (port `OutboxUnit`, O5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from node.ledger import steps
from node.model import codes
from node.model.parcel import NOTHING, Place, Position, Stage
from node.model.spool import Claim, EntryState, LaneState
from node.model.trouble import Retry
from node.ports import OutboxUnit
from node.spool.alignment import START
from tests.contracts.acts import LEASE, claimed, hear, holding, known, reseal, ship, state_of
from tests.contracts.opened import Opened
from tests.contracts.things import (
    BACKFILL,
    ELSEWHERE,
    LANE,
    OTHER,
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


class LanesContract(Opened):
    """Lanes: claims, places, rewinding, new epochs."""

    # --- lanes --------------------------------------------------------------------------------------------------

    def test_a_new_lane_stands_at_the_nodes_epoch(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 3, at=T0 + 5)
            state = state_of(unit)
            octets = sum(map(len, lines(3, "v1")))
            head = Position(unit.epoch(), 0, NOTHING)
            assert state == LaneState(LANE, 5, head, NOTHING, 1, 3, octets, T0 + 5, None, state.token)
            assert unit.lanes() == [state] == unit.lanes(THERE) and unit.lanes(ELSEWHERE) == []
            assert unit.due(LANE) is None and unit.accepted(LANE) is None

    def test_the_urgent_and_the_oldest_lane_is_ready_first(self, outbox: Any) -> None:
        idle, urgent = LANE._replace(resource="idle"), LANE._replace(resource="urgent")
        with outbox.unit() as unit:
            unit.wait(LANE, waiting(lines(1), at=T0 + 2))
            unit.wait(BACKFILL, waiting(lines(1), at=T0 + 1))
            unit.wait(OTHER, waiting(lines(1), at=T0))
            unit.wait(urgent, waiting(lines(1), at=T0 + 9)._replace(priority=0))
            unit.wait(idle, waiting(lines(1)))
            hear(unit, ship(unit, idle), Stage.ACCEPTED)
            assert [state.lane for state in unit.ready(THERE)] == [urgent, BACKFILL, LANE]
            unit.hold(BACKFILL, "EXN-X")
            assert [state.lane for state in unit.ready(THERE)] == [urgent, LANE]
            assert state_of(unit, BACKFILL).held == "EXN-X"
            unit.hold(BACKFILL, None)
            parcel = ship(unit, urgent)
            assert [state.lane for state in unit.ready(THERE)] == [urgent, BACKFILL, LANE]
            hear(unit, parcel, Stage.ACCEPTED)
            assert [state.lane for state in unit.ready(THERE)] == [BACKFILL, LANE]
            assert [state.lane for state in unit.ready(ELSEWHERE)] == [OTHER]

    def test_a_lane_is_claimed_once_until_its_lease_is_over(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            first = claimed(unit)
            assert unit.claim(LANE, T0 + LEASE - 1, LEASE) is None
            second = claimed(unit, now=T0 + LEASE)
            assert second.token > first.token
            unit.release(first)
            assert unit.claim(LANE, T0 + LEASE, LEASE) is None
            unit.release(second)
            third = claimed(unit)
            assert third.token > second.token
            assert state_of(unit).token == third.token

    def test_tokens_do_not_come_again_with_an_old_copy(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            assert claimed(unit, now=T0 + 77).token >= T0 + 77

    def test_a_restart_voids_claims(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            claim = claimed(unit)
        store = self.again(outbox)
        with store.unit() as unit:
            with pytest.raises(Retry):
                unit.place(claim, sealed(state_of(unit)), [], T0)
            assert claimed(unit).token > claim.token
        store.close()

    # --- O5: fencing --------------------------------------------------------------------------------------------

    def test_a_void_claim_changes_nothing(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            parcel = ship(unit)
        with outbox.unit() as unit:
            supply(unit, 1)
            void, ids = claimed(unit), [group.id for group in unit.draw(LANE)]
            claimed(unit, now=T0 + LEASE)
            state, entry = state_of(unit), known(unit, parcel)
        released = replace(void, token=state.token)
        with outbox.unit() as unit:
            unit.release(released)
        acts: list[Callable[[OutboxUnit, Claim], object]] = [
            lambda unit, claim: unit.place(claim, sealed(state), ids, T0),
            lambda unit, claim: unit.sent(claim, parcel, T0),
            lambda unit, claim: unit.rewind(claim, Position(state.head.epoch, 0, NOTHING)),
            lambda unit, claim: unit.reopen(claim, state.head.epoch + 1, START, T0),
            lambda unit, claim: unit.replace(claim, parcel, sealed(state), T0),
        ]
        for claim, act in product((void, released, replace(void, lane=OTHER), replace(void, token=0)), acts):
            with pytest.raises(Retry) as caught, outbox.unit() as unit:
                act(unit, claim)
            assert caught.value.code is codes.FENCED
        with outbox.unit() as unit:
            assert state_of(unit) == state and known(unit, parcel) == entry

    def test_a_parcel_goes_to_the_next_place_only(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            parcel = ship(unit)
            claim, state = claimed(unit), state_of(unit)
            head = state.head
            assert (head.epoch, head.seq, head.digest) == (unit.epoch(), 1, known(unit, parcel).digest)
            for wrong in (
                Place(head.epoch, 1, NOTHING), Place(head.epoch, 3, head.digest), Place(head.epoch, 2, NOTHING),
                Place(head.epoch + 1, 2, head.digest),
            ):
                with pytest.raises(Retry) as caught:
                    unit.place(claim, sealed(state, place=wrong), [], T0)
                assert caught.value.code is codes.FENCED

    # --- rewind -------------------------------------------------------------------------------------------------

    def test_a_lost_tail_is_sent_again_in_order(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            parcels = []
            for _ in range(4):
                supply(unit, 1)
                parcels.append(ship(unit))
                hear(unit, parcels[-1], Stage.ACCEPTED)
            hear(unit, parcels[1], Stage.PROCESSED)
            second = known(unit, parcels[1])
            with holding(unit) as claim:
                unit.rewind(claim, Position(second.epoch, 1, known(unit, parcels[0]).digest))
            assert unit.accepted(LANE) == Position(second.epoch, 1, known(unit, parcels[0]).digest)
            for parcel in parcels[1:]:
                entry = unit.due(LANE)
                assert entry is not None and entry.parcel == parcel
                with holding(unit) as claim:
                    unit.sent(claim, parcel, T0 + 5)
                hear(unit, parcel, Stage.ACCEPTED, T0 + 6)
            assert unit.due(LANE) is None and state_of(unit).cursor == 5
            assert known(unit, parcels[1]).state is S.DONE and known(unit, parcels[1]).attempts == 2

    def test_a_head_of_another_epoch_rewinds_to_the_first(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            parcel = ship(unit)
            hear(unit, parcel, Stage.ACCEPTED)
            unit.rewind(claimed(unit), Position(3, 9, NOTHING))
            entry = unit.due(LANE)
            assert entry is not None and entry.parcel == parcel

    def test_a_purged_tail_cannot_be_sent_again(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            parcels = []
            for _ in range(3):
                supply(unit, 1)
                parcels.append(ship(unit))
                hear(unit, parcels[-1], Stage.PROCESSED, T0)
            unit.learn(parcels[2], Stage.PROCESSED, None, b"", [], T0)
            assert unit.purge(T0 + 1, 0, 2) == 2
            state, claim = state_of(unit), claimed(unit)
            for seq in (0, 1, 4):
                with pytest.raises(Retry) as caught:
                    unit.rewind(claim, Position(state.head.epoch, seq, NOTHING))
                assert caught.value.code is codes.PURGED
            assert state_of(unit).cursor == 4
            unit.rewind(claim, Position(state.head.epoch, 2, NOTHING))
            assert state_of(unit).cursor == 3
            unit.rewind(claim, state.head)
            assert state_of(unit).cursor == 4

    # --- reopen -------------------------------------------------------------------------------------------------

    def test_a_new_epoch_lets_unaccepted_records_wait_again_in_front(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            first = ship(unit)
            hear(unit, first, Stage.ACCEPTED)
        with outbox.unit() as unit:
            lost = supply(unit, 2)
            second = ship(unit)
        with outbox.unit() as unit:
            supply(unit, 3)
        with outbox.unit() as unit:
            prev, epoch = known(unit, first).digest, state_of(unit).head.epoch
            with holding(unit) as claim:
                unit.reopen(claim, epoch + 1, Position(epoch, 1, prev), T0 + 3)
            state = state_of(unit)
            assert (state.head, state.base, state.cursor) == (Position(epoch + 1, 0, prev), prev, 1)
            assert (state.waiting, known(unit, second).state) == (5, S.VOIDED)
            assert known(unit, second).finished == T0 + 3
            assert [len(group.lines) for group in unit.draw(LANE)] == [2, 3]
            assert unit.groups(second) == [] or list(unit.groups(second)) == []
            assert [(span.parcel, span.state) for span in unit.spans(lost)] == [(None, None)]
            assert known(unit, first).state is S.ACCEPTED
            assert [entry.step for entry in unit.traced(second)] == [steps.VOIDED]
            third = ship(unit)
            assert (known(unit, third).epoch, known(unit, third).seq) == (epoch + 1, 1)
            assert unit.accepted(LANE) == Position(epoch, 1, prev)
            hear(unit, third, Stage.ACCEPTED)
            assert unit.accepted(LANE) == state_of(unit).head

    def test_what_the_peers_head_covers_is_not_sent_again_and_what_it_lost_is(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            parcels = []
            for n in range(5):
                supply(unit, 1)
                parcels.append(ship(unit, send=n != 4))
                if n in (0, 2, 3):
                    hear(unit, parcels[-1], Stage.ACCEPTED)
            hear(unit, parcels[3], Stage.REFUSED)
            there = known(unit, parcels[1])
            epoch = state_of(unit).head.epoch + 1
            unit.reopen(claimed(unit), epoch, Position(there.epoch, there.seq, there.digest), T0)
            states = [known(unit, parcel).state for parcel in parcels]
            assert states == [S.ACCEPTED, S.SENT, S.VOIDED, S.PARKED, S.VOIDED]
            assert state_of(unit).waiting == 2

    @pytest.mark.parametrize("restored, place, kept", [
        (True, (0, 9), 2), (True, (0, 2), 2), (True, (0, 1), 1), (True, (-1, 9), 0), (False, (0, 9), 0),
    ])
    def test_an_unknown_head_is_of_a_forgotten_life_of_a_restored_node_and_before_all_that_is_kept_otherwise(
        self, outbox: Any, restored: bool, place: tuple[int, int], kept: int
    ) -> None:
        """What was accepted up to it the peer has; in seed 900425 of `tests/world` the peer had lost the rest too."""
        with outbox.unit() as unit:
            parcels = []
            for _ in range(3):
                supply(unit, 1)
                parcels.append(ship(unit))
            for parcel in parcels[:2]:
                hear(unit, parcel, Stage.ACCEPTED)
        epoch = outbox.open_epoch(T0) if restored else T0 // 1000 + 1
        with outbox.unit() as unit, holding(unit) as claim:
            there = Position(state_of(unit).head.epoch + place[0], place[1], digest("theirs"))
            unit.reopen(claim, epoch, there, T0)
            assert state_of(unit).waiting == 3 - kept
            states = [known(unit, parcel).state for parcel in parcels]
            assert states == [S.ACCEPTED] * kept + [S.VOIDED] * (3 - kept)

    def test_what_is_done_is_asked_after_again_when_the_peer_went_on_from_a_life_we_forgot(self, outbox: Any) -> None:
        """It may have been restored, too, and have lost it (seed 912505 of `tests/world`)."""
        with outbox.unit() as unit:
            parcels = []
            for _ in range(3):
                supply(unit, 1)
                parcels.append(ship(unit))
                hear(unit, parcels[-1], Stage.PROCESSED, T0)
        epoch = outbox.open_epoch(T0)
        with outbox.unit() as unit, holding(unit) as claim:
            assert not unit.owed(THERE, T0 + 1, 9)
            unit.reopen(claim, epoch, Position(state_of(unit).head.epoch, 9, digest("theirs")), T0)
            assert [entry.parcel for entry in unit.owed(THERE, T0 + 1, 9)] == parcels
            assert [entry.parcel for entry in unit.owed(THERE, T0 + 1, 2)] == parcels[:2]
            assert not unit.owed(ELSEWHERE, T0 + 1, 9) and not unit.owed(THERE, T0, 9)
            hear(unit, parcels[0], Stage.PROCESSED, T0 + 5)
            unit.lost(parcels[1], T0)
            assert [entry.parcel for entry in unit.owed(THERE, T0 + 1, 9)] == parcels[2:]
            assert [known(unit, parcel).state for parcel in parcels] == [S.DONE] * 3
            assert state_of(unit).waiting == 1 and not unit.groups(parcels[1])

    def test_what_the_peer_lost_of_an_epoch_that_is_over_waits_again(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            parcel = ship(unit)
            hear(unit, parcel, Stage.ACCEPTED)
            unit.lost(parcel, T0)
            assert (known(unit, parcel).state, state_of(unit).waiting) == (S.ACCEPTED, 0), "a hello rewinds its lane"
            entry = known(unit, parcel)
            there = Position(entry.epoch, entry.seq, entry.digest)
            with holding(unit) as claim:
                unit.reopen(claim, entry.epoch + 1, there, T0)
            unit.lost(parcel, T0)
            assert (known(unit, parcel).state, state_of(unit).waiting) == (S.VOIDED, 1)
            assert known(unit, ship(unit)).epoch == entry.epoch + 1

    def test_an_epoch_only_grows(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            for epoch in (unit.epoch(), unit.epoch() - 1):
                with holding(unit) as claim, pytest.raises(ValueError, match="grows"):
                    unit.reopen(claim, epoch, START, T0)

    # --- replace ------------------------------------------------------------------------------------------------

    def test_a_re_sealed_parcel_takes_the_place_and_the_groups(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            submission = supply(unit, 2)
            old = ship(unit)
        with outbox.unit() as unit:
            new = reseal(unit, old)
            assert known(unit, old).state is S.VOIDED
            entry = unit.due(LANE)
            assert entry is not None and (entry.parcel, entry.seq, entry.state) == (new, 1, S.SEALED)
            assert state_of(unit).head == Position(entry.epoch, 1, entry.digest)
            assert [len(group.lines) for group in unit.groups(new)] == [2] and not unit.groups(old)
            assert [(span.parcel, span.leaf, span.count) for span in unit.spans(submission)] == [(new, 0, 2)]
            assert unit.digest_at(LANE, entry.epoch, 1) == entry.digest
            assert unit.stood(LANE, Position(entry.epoch, 1, known(unit, old).digest)), "the peer may have taken it"
            assert unit.stood(LANE, state_of(unit).head) and not unit.stood(LANE, Position(entry.epoch, 1, NOTHING))

    def test_a_void_takes_the_place_and_leaves_the_groups(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            submission = supply(unit, 2)
            old = ship(unit)
            new = reseal(unit, old, "void")
            assert [len(group.lines) for group in unit.groups(old)] == [2] and not unit.groups(new)
            assert [(span.parcel, span.state) for span in unit.spans(submission)] == [(old, S.VOIDED)]
            hear(unit, new, Stage.ACCEPTED)
            assert unit.due(LANE) is None and state_of(unit).waiting == 0

    def test_only_an_unaccepted_parcel_at_its_own_place_is_replaced(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            old = ship(unit)
            claim, place = claimed(unit), unit.sealed(old).statement.place
            later = replace(place, epoch=place.epoch + 1)
            for wrong in (replace(place, seq=2), replace(place, prev=digest("x")), later):
                with pytest.raises(Retry):
                    unit.replace(claim, old, sealed(state_of(unit), place=wrong), T0)
            unit.release(claim)
            new = reseal(unit, old)
            with holding(unit) as claim, pytest.raises(Retry):
                unit.replace(claim, old, sealed(state_of(unit), place=place), T0)
            claim = claimed(unit)
            hear(unit, new, Stage.ACCEPTED)
            with pytest.raises(Retry):
                unit.replace(claim, new, sealed(state_of(unit), place=place), T0)
            with pytest.raises(Retry):
                unit.replace(claim, fresh_id(), sealed(state_of(unit), place=place), T0)

    @pytest.mark.parametrize("kind", ["records", "void"])
    @pytest.mark.parametrize("stage", list(Stage))
    def test_a_superseded_parcel_that_was_accepted_after_all_has_its_place_back(
        self, outbox: Any, kind: str, stage: Stage
    ) -> None:
        with outbox.unit() as unit:
            submission = supply(unit, 2)
            old = ship(unit)
            new = reseal(unit, reseal(unit, old, "records"), kind)
            entry = hear(unit, old, stage)
            expected = {Stage.ACCEPTED: S.ACCEPTED, Stage.PROCESSED: S.DONE, Stage.REFUSED: S.PARKED}[stage]
            assert entry.state is expected and known(unit, new).state is S.VOIDED
            assert state_of(unit).head == Position(entry.epoch, 1, entry.digest)
            assert unit.due(LANE) is None and unit.accepted(LANE) == state_of(unit).head
            if kind == "records":
                assert [span.parcel for span in unit.spans(submission)] == [old]
                assert not unit.groups(new)
