"""What every outbox promises of its parcels (port `OutboxUnit`, O4 and O6)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from node.ledger import steps
from node.model import codes
from node.model.parcel import Position, Stage
from node.model.spool import Entry, EntryState, RefusedRecord
from node.model.trouble import Refused
from node.spool.alignment import START
from tests.contracts.acts import claimed, hear, holding, known, reseal, ship, state_of
from tests.contracts.opened import Opened
from tests.contracts.things import ELSEWHERE, LANE, T0, THERE, digest, sealed, supply

S = EntryState


class EntriesContract(Opened):
    """Parcels: learned of, parked, discarded, purged."""

    # --- sealed, sent, learned ----------------------------------------------------------------------------------

    def test_a_parcel_is_kept_as_it_was_sealed(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 2)
            made = sealed(state_of(unit), unit.draw(LANE))
            full = replace(made.statement, expires=T0 + 1, via=("n1", "n2"), ext={"a": 1}, supersedes=digest("x"))
            made = replace(made, statement=full)
            unit.place(claimed(unit), made, [group.id for group in unit.draw(LANE)], T0)
        store = self.again(outbox)
        with store.unit() as unit:
            assert unit.sealed(made.statement.parcel) == made
            entry = known(unit, made.statement.parcel)
            size = len(made.manifest) + len(made.payload)
            said = made.statement
            assert entry == Entry(
                said.parcel, LANE, said.place.epoch, 1, made.digest, said.envelope.digest, "records", 2, size, S.SEALED,
                T0, None, None, None, 0, 0, None,
            )
            assert unit.due(LANE) == entry and state_of(unit).waiting == 0 and state_of(unit).waiting_octets == 0
            assert unit.digest_at(LANE, said.place.epoch, 1) == made.digest
        store.close()

    def test_the_cursor_waits_for_accepted(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            parcel = ship(unit, now=T0 + 1)
            entry = unit.due(LANE)
            assert entry is not None and (entry.state, entry.sent, entry.attempts) == (S.SENT, T0 + 1, 1)
            unit.sent(claimed(unit), parcel, T0 + 9)
            again = known(unit, parcel)
            assert (again.state, again.sent, again.attempts) == (S.SENT, T0 + 9, 2)
            heard = hear(unit, parcel, Stage.ACCEPTED, T0 + 10)
            assert (heard.state, heard.accepted, heard.finished) == (S.ACCEPTED, T0 + 10, None)
            assert unit.due(LANE) is None and state_of(unit).cursor == 2
            assert unit.accepted(LANE) == state_of(unit).head
            done = hear(unit, parcel, Stage.PROCESSED, T0 + 11)
            assert (done.state, done.accepted, done.finished) == (S.DONE, T0 + 10, T0 + 11)

    def test_a_final_word_is_taken_in_any_state(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            for stage, state in ((Stage.PROCESSED, S.DONE), (Stage.REFUSED, S.PARKED)):
                for before in range(3):
                    supply(unit, 1)
                    parcel = ship(unit, send=before > 0)
                    if before == 2:
                        unit.park(parcel, "EXN-X", T0)
                    entry = hear(unit, parcel, stage, T0 + 1, "EXN-OPEN" if stage is Stage.REFUSED else None)
                    assert (entry.state, entry.accepted, entry.finished) == (state, T0 + 1, T0 + 1)
                    assert entry.code == ("EXN-OPEN" if stage is Stage.REFUSED else None)
                    assert unit.due(LANE) is None, "the lane goes on"

    def test_knowledge_only_grows(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            parcel = ship(unit)
            hear(unit, parcel, Stage.PROCESSED, T0 + 1)
            before = known(unit, parcel)
            for stage in Stage:
                unit.learn(parcel, stage, "EXN-X", b"another", [RefusedRecord(0, "r", "x", "f")], T0 + 5)
                assert known(unit, parcel) == before
            assert dict(unit.receipts(parcel))[Stage.PROCESSED] == b"processed receipt"
            assert unit.refused(parcel) == [] or list(unit.refused(parcel)) == []

    def test_refused_records_come_home_by_row_id(self, outbox: Any) -> None:
        refused = [RefusedRecord(1, "r-1", "pattern", "Name"), RefusedRecord(1, "r-1", "code", "Area"),
                   RefusedRecord(4, "行4", "head", "")]
        with outbox.unit() as unit:
            supply(unit, 5)
            parcel = ship(unit)
            entry = unit.learn(parcel, Stage.PROCESSED, None, b"receipt", refused, T0)
            assert entry is not None and (entry.state, entry.refused) == (S.DONE, 2)
        with outbox.unit() as unit:
            assert list(unit.refused(parcel)) == refused
            assert list(unit.receipts(parcel)) == [(Stage.PROCESSED, b"receipt")]

    def test_what_is_owed_is_what_was_sent_and_has_no_final_word(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            parcels = []
            for n in range(5):
                supply(unit, 1)
                parcels.append(ship(unit, now=T0 + n, send=n != 4))
                if n < 3:
                    hear(unit, parcels[-1], Stage.ACCEPTED, T0 + 10 + n)
            hear(unit, parcels[1], Stage.PROCESSED)
            owed = [parcels[0], parcels[2], parcels[3]]
            assert [entry.parcel for entry in unit.owed(THERE, T0 + 100, 10)] == owed
            assert [entry.parcel for entry in unit.owed(THERE, T0 + 100, 2)] == owed[:2]
            assert [entry.parcel for entry in unit.owed(THERE, T0 + 12, 10)] == [parcels[0], parcels[3]]
            assert unit.owed(ELSEWHERE, T0 + 100, 10) == []

    def test_entries_are_listed_by_id_and_state(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            parcels = []
            for n in range(6):
                supply(unit, 1)
                parcels.append(ship(unit))
                if n % 2:
                    hear(unit, parcels[-1], Stage.PROCESSED)
            for state, found in ((None, parcels), (S.DONE, parcels[1::2]), (S.SENT, parcels[::2]), (S.PARKED, [])):
                assert [entry.parcel for entry in unit.entries(state, "", 100)] == found
                assert [entry.parcel for entry in unit.entries(state, "", 2)] == found[:2]
            assert [entry.parcel for entry in unit.entries(None, parcels[3], 100)] == parcels[4:]
            assert [entry.parcel for entry in unit.entries(S.DONE, parcels[1], 100)] == parcels[3::2]

    # --- parked, discarded, purged ------------------------------------------------------------------------------

    def test_a_parked_parcel_stops_its_lane_until_a_person_discards_it(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            parcel = ship(unit)
        with outbox.unit() as unit:
            supply(unit, 1)
            assert unit.park(parcel, "EXN-X", T0).code == "EXN-X"
            assert unit.ready(THERE) == []
            assert unit.purge(T0 + 99, 0, 9) == 0
            unit.discard(parcel, "wang", T0 + 1)
            entry = unit.due(LANE)
            assert entry is not None and (entry.parcel, entry.state) == (parcel, S.VOIDED)
            assert [state.lane for state in unit.ready(THERE)] == [LANE]
            assert unit.purge(T0 + 99, 0, 9) == 0, "its place is still to be filled"
            void = reseal(unit, parcel, "void")
            hear(unit, void, Stage.PROCESSED, T0 + 1)
            assert unit.due(LANE) is None
            assert [entry.step for entry in unit.traced(parcel)] == [steps.VOIDED, "discarded:wang"]
            assert unit.purge(T0 + 99, 0, 9) == 2

    def test_a_refused_parcel_waits_for_a_person_and_the_lane_goes_on(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            parcel = ship(unit)
            hear(unit, parcel, Stage.REFUSED, T0, "EXN-OPEN")
            assert unit.due(LANE) is None
            assert unit.purge(T0 + 99, 0, 9) == 0
            unit.discard(parcel, "wang", T0 + 1)
            entry = known(unit, parcel)
            assert (entry.state, entry.code, entry.finished) == (S.DONE, "EXN-OPEN", T0 + 1)
            assert [entry.step for entry in unit.traced(parcel)] == ["discarded:wang"]
            with pytest.raises(Refused) as caught:
                unit.discard(parcel, "wang", T0)
            assert caught.value.code is codes.STATE
            with pytest.raises(Refused):
                unit.park(parcel, "EXN-X", T0)

    def test_a_refused_parcels_records_wait_again_before_all_that_wait(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            submission = supply(unit, 2)
            parcel = ship(unit)
            hear(unit, parcel, Stage.REFUSED, T0, "EXN-OPEN")
        with outbox.unit() as unit:
            supply(unit, 3)
        with outbox.unit() as unit:
            with pytest.raises(Refused) as caught:
                unit.resupply("0199d1a2-7c3e-7b6a-8f00-5d2c9a1e4b30", T0)
            assert caught.value.code is codes.NOT_FOUND
            unit.resupply(parcel, T0 + 1)
            entry = known(unit, parcel)
            assert (entry.state, entry.code, entry.finished) == (S.DONE, "EXN-OPEN", T0 + 1)
            assert [entry.step for entry in unit.traced(parcel)] == [steps.VOIDED]
            assert unit.due(LANE) is None and state_of(unit).waiting == 5 and not unit.groups(parcel)
            assert [len(group.lines) for group in unit.draw(LANE)] == [2, 3]
            assert [(span.parcel, span.state) for span in unit.spans(submission)] == [(None, None)]
            with pytest.raises(Refused) as caught:
                unit.resupply(parcel, T0 + 2)
            assert caught.value.code is codes.STATE
            assert (known(unit, ship(unit)).seq, known(unit, parcel).seq) == (2, 1)

    def test_one_set_aside_before_it_was_accepted_leaves_its_place_to_a_void(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            parcel = ship(unit)
            unit.park(parcel, "EXN-X", T0)
            unit.resupply(parcel, T0 + 1)
            entry = unit.due(LANE)
            assert entry is not None and (entry.parcel, entry.state) == (parcel, S.VOIDED)
            assert state_of(unit).waiting == 1
            hear(unit, reseal(unit, parcel, "void"), Stage.PROCESSED, T0 + 1)
            assert known(unit, ship(unit)).count == 1

    def test_who_cannot_open_a_parcel_has_not_its_records(self, outbox: Any) -> None:
        """Another copy of the receiver had processed it (seed 475 of `tests/world`)."""
        with outbox.unit() as unit:
            supply(unit, 1)
            first = ship(unit)
            hear(unit, first, Stage.PROCESSED)
            assert hear(unit, first, Stage.REFUSED, T0 + 1, "EXN-OPEN").state is S.PARKED
            supply(unit, 1)
            second = ship(unit)
            hear(unit, second, Stage.REFUSED, T0 + 1, "EXN-OPEN")
            entry = hear(unit, second, Stage.PROCESSED, T0 + 2)
            assert (entry.state, entry.code) == (S.PARKED, "EXN-OPEN")
            supply(unit, 1)
            third = ship(unit)
            hear(unit, third, Stage.PROCESSED)
            assert hear(unit, third, Stage.REFUSED, T0 + 1, "EXN-X").state is S.DONE, "the first final word stands"

    def test_what_a_peer_may_have_forgotten_is_asked_after_until_its_final_word_comes_again(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            done = ship(unit)
            for stage in (Stage.ACCEPTED, Stage.PROCESSED):
                hear(unit, done, stage)
            head = unit.accepted(LANE)
            assert not unit.owed(THERE, T0 + 9, 9)
            unit.doubt(ELSEWHERE)
            assert not unit.owed(THERE, T0 + 9, 9)
            unit.doubt(THERE)
            assert [entry.parcel for entry in unit.owed(THERE, T0 + 9, 9)] == [done]
            assert unit.accepted(LANE) == head and unit.due(LANE) is None, "it is not sent again, nor taken for lost"
            hear(unit, done, Stage.ACCEPTED)
            assert [entry.parcel for entry in unit.owed(THERE, T0 + 9, 9)] == [done]
            hear(unit, done, Stage.PROCESSED)
            assert not unit.owed(THERE, T0 + 9, 9)

    def test_what_was_done_and_is_sent_again_is_asked_after_until_its_final_word_comes(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            done = ship(unit)
            hear(unit, done, Stage.PROCESSED)
            with holding(unit) as claim:
                unit.rewind(claim, START)
            assert not unit.owed(THERE, T0 + 9, 9), "it is on its way"
            hear(unit, done, Stage.ACCEPTED)
            assert [entry.parcel for entry in unit.owed(THERE, T0 + 9, 9)] == [done]
            assert unit.due(LANE) is None
            hear(unit, done, Stage.PROCESSED)
            assert not unit.owed(THERE, T0 + 9, 9)

    def test_purge_takes_finished_entries_only(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            submission = supply(unit, 1, at=T0)
            done = ship(unit)
            hear(unit, done, Stage.PROCESSED, T0 + 10)
            supply(unit, 1)
            sent = ship(unit)
            assert unit.purge(T0 + 10, 0, 9) == 0
            assert unit.purge(T0 + 11, 0, 9) == 1
            assert unit.entry(done) is None and not unit.groups(done) and not unit.receipts(done)
            assert unit.spans(submission) == [] or list(unit.spans(submission)) == []
            assert known(unit, sent).state is S.SENT and len(unit.groups(sent)) == 1
            assert unit.accepted(LANE) == Position(state_of(unit).head.epoch, 1, unit.sealed(sent).statement.place.prev)
            hear(unit, sent, Stage.PROCESSED, T0)
            assert unit.purge(T0 + 11, 0, 9) == 1
            assert unit.accepted(LANE) == state_of(unit).head

    def test_an_answer_dated_too_early_is_kept_as_long_as_those_before_it(self, outbox: Any) -> None:
        for at, key in ((T0, "right"), (T0 - 100, "wrong"), (T0 - 99, "still wrong"), (T0 + 1, "right again")):
            with outbox.unit() as unit:
                supply(unit, 1, at=at, key=key)
        with outbox.unit() as unit:
            assert unit.purge(0, T0, 9) == 0
            assert unit.purge(0, T0 + 1, 9) == 3
            assert unit.answered("app", "population", "right again", b"body") is not None

    def test_what_a_silent_receiver_finished_is_kept(self, outbox: Any) -> None:
        with outbox.unit() as unit:
            supply(unit, 1)
            done = ship(unit)
            hear(unit, done, Stage.PROCESSED, T0)
            assert unit.purge(T0 + 1, 0, 9, [LANE.receiver, "another"]) == 0
            assert unit.purge(T0 + 1, 0, 9, ["another"]) == 1

    def test_answers_are_forgotten_by_their_own_retention(self, outbox: Any) -> None:
        for n in range(3):
            with outbox.unit() as unit:
                supply(unit, 1, at=T0 + n, key=f"k{n}")
        with outbox.unit() as unit:
            assert unit.purge(0, T0 + 2, 1) == 1
            assert unit.purge(0, T0 + 2, 9) == 1
            found = [unit.answered("app", "population", f"k{n}", b"body") is not None for n in range(3)]
            assert found == [False, False, True]
            assert state_of(unit).waiting == 3, "records outlive the answer"
            supply(unit, 1, key="k0")
