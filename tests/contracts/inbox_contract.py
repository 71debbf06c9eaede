"""What every inbox promises (port `InboxUnit`, I1 to I5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from node.crypto.symmetric import sm3
from node.ledger import chain, steps
from node.model import codes
from node.model.parcel import NOTHING, Lane, Outcome, Position, Stage, Verdict
from node.model.spool import Arrival, ArrivalState, Claim, Given, Met
from node.model.trouble import Hold, Refused, Retry
from node.ports import InboxUnit
from node.spool.boots import ECHO
from tests.contracts.opened import Opened
from tests.contracts.things import INCOMING, T0, digest, fresh_id, received

LEASE = 60_000
S = ArrivalState
SECOND = INCOMING._replace(resource="enterprise")
PROCESSED = b"processed receipt"


def take_in(unit: InboxUnit, number: int = 1, lane: Lane = INCOMING, *, at: int = T0, priority: int = 5) -> list[str]:
    """Store the next parcels of a lane; return them."""
    parcels = []
    for _ in range(number):
        was = unit.head(lane)
        made = received(
            was.seq + 1 if was else 1, was.digest if was else NOTHING, lane, at=at, priority=priority
        )
        unit.store(made, was)
        parcels.append(made.statement.parcel)
    return parcels


def taken(unit: InboxUnit, now: int = T0) -> tuple[Claim, Arrival]:
    """Take what is there to be taken."""
    found = unit.take(now, LEASE)
    assert found is not None
    return found


def close(unit: InboxUnit, claim: Claim, state: ArrivalState = S.DONE, now: int = T0, refused: int = 0) -> None:
    """Give a parcel its final receipt."""
    stage = Stage.PROCESSED if state is S.DONE else Stage.REFUSED
    code = None if state is S.DONE else "EXN-OPEN"
    unit.finish(claim, state, Given(claim.parcel or "", stage, PROCESSED, b"list"), refused, code, now)


def known(unit: InboxUnit, parcel: str) -> Arrival:
    """Return an arrival that is there."""
    arrival = unit.arrival(parcel)
    assert arrival is not None
    return arrival


class StoringContract(Opened):
    """Heads, receipts, evidence, peers (I1, I2)."""

    def test_a_parcel_is_stored_with_its_receipt_and_head(self, inbox: Any) -> None:
        made = received(1, at=T0 + 4)
        with inbox.unit() as unit:
            assert unit.head(INCOMING) is None and unit.by_digest(made.digest) is None
            unit.store(made, None)
            assert unit.writes > 0
        store = self.again(inbox)
        said = made.statement
        with store.unit() as unit:
            assert unit.head(INCOMING) == Position(7, 1, made.digest)
            assert unit.heads(INCOMING.sender) == [(INCOMING, Position(7, 1, made.digest))]
            assert unit.heads("nobody") == []
            size = len(made.manifest) + len(made.payload)
            arrival = Arrival(
                said.parcel, INCOMING, 7, 1, made.digest, said.envelope.digest, "records", 3, size, S.STORED, T0 + 4,
                None, 0, None, made.validation,
            )
            assert unit.arrival(said.parcel) == arrival == unit.by_digest(made.digest)
            assert unit.octets(said.parcel) == (made.manifest, made.payload)
            assert list(unit.given(said.parcel)) == [Given(said.parcel, Stage.ACCEPTED, made.receipt)]
            assert unit.archived(made.validation) == b"archive" and unit.archived(digest("other")) is None
            assert unit.at(INCOMING, 7, 1) == made.digest and unit.at(INCOMING, 7, 2) is None
            assert unit.unopened(INCOMING.sender) == (1, size) and unit.unopened("nobody") == (0, 0)
        store.close()

    def test_the_head_moves_by_compare_and_set(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            take_in(unit, 2)
            head = unit.head(INCOMING)
            assert head is not None
        for stale in (None, Position(7, 1, head.digest), Position(7, 2, digest("x")), Position(6, 2, head.digest)):
            with pytest.raises(Retry) as caught, inbox.unit() as unit:
                unit.store(received(3, head.digest), stale)
            assert caught.value.code is codes.FENCED
        with inbox.unit() as unit:
            assert unit.head(INCOMING) == head and unit.unopened(INCOMING.sender)[0] == 2
            newer = received(1, head.digest, epoch=9)
            unit.store(newer, head)
            assert unit.head(INCOMING) == Position(9, 1, newer.digest)

    def test_an_exception_stores_nothing(self, inbox: Any) -> None:
        class _Stop(Exception):
            pass

        with pytest.raises(_Stop), inbox.unit() as unit:
            (parcel,) = take_in(unit)
            unit.note(INCOMING, steps.ACCEPTED, parcel, digest("x"), 1, T0)
            unit.meet("n", 1, "b", T0)
            raise _Stop
        with inbox.unit() as unit:
            assert unit.arrival(parcel) is None and unit.head(INCOMING) is None and unit.given(parcel) == []
            assert unit.take(T0, LEASE) is None and unit.met("n") is None and not unit.ledger(INCOMING)
            assert unit.unopened(INCOMING.sender) == (0, 0)

    def test_a_parcel_id_is_taken_once(self, inbox: Any) -> None:
        made = received(1)
        with inbox.unit() as unit:
            unit.store(made, None)
        other = replace(received(1, lane=SECOND), digest=digest("other"))
        other = replace(other, statement=replace(other.statement, parcel=made.statement.parcel))
        with pytest.raises(Hold) as caught, inbox.unit() as unit:
            unit.store(other, None)
        assert caught.value.code is codes.FORK
        with inbox.unit() as unit:
            assert unit.head(SECOND) is None and unit.octets(made.statement.parcel) == (made.manifest, made.payload)

    def test_a_fork_is_kept_and_holds_its_lane(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            take_in(unit)
            second = received(1)
            for _ in range(2):
                unit.fork(second.statement, second.digest, second.manifest, T0 + 1)
            assert list(unit.forks()) == [(second.statement.parcel, second.digest, T0 + 1)]
            assert unit.held(INCOMING) == codes.FORK.name and unit.held(SECOND) is None
            assert [entry.step for entry in unit.traced(second.statement.parcel)] == [steps.FORKED]
            assert unit.take(T0, LEASE) is None
            unit.hold_lane(INCOMING, None)
            assert unit.held(INCOMING) is None and unit.take(T0, LEASE) is not None

    def test_receipts_are_handed_over_once_and_kept(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            one, two = take_in(unit, 2)
            (three,) = take_in(unit, 1, SECOND)
            take_in(unit, 1, INCOMING._replace(sender="another"))
            claim, _ = taken(unit)
            close(unit, claim)
            found = [(given.parcel, given.stage) for given in unit.ungiven(INCOMING.sender, 9)]
            assert found == [(parcel, Stage.ACCEPTED) for parcel in (one, two, three)] + [(one, Stage.PROCESSED)]
            assert len(unit.ungiven(INCOMING.sender, 2)) == 2
            unit.gave([(one, Stage.ACCEPTED), (two, Stage.ACCEPTED), (fresh_id(), Stage.REFUSED)])
            found = [(given.parcel, given.stage) for given in unit.ungiven(INCOMING.sender, 9)]
            assert found == [(three, Stage.ACCEPTED), (one, Stage.PROCESSED)]
            assert [given.stage for given in unit.given(one)] == [Stage.ACCEPTED, Stage.PROCESSED]
            assert unit.given(one)[1] == Given(one, Stage.PROCESSED, PROCESSED, b"list")

    def test_a_receipt_signed_anew_takes_the_place_of_the_old_one_and_is_handed_over(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            (one,) = take_in(unit, 1)
            claim, _ = taken(unit)
            close(unit, claim)
            unit.gave([(one, Stage.ACCEPTED), (one, Stage.PROCESSED)])
            unit.reissue(Given(one, Stage.PROCESSED, b"anew", b"list"), T0 + 1)
        store = self.again(inbox)
        with store.unit() as unit:
            assert unit.given(one)[1] == Given(one, Stage.PROCESSED, b"anew", b"list")
            assert [given.stage for given in unit.given(one)] == [Stage.ACCEPTED, Stage.PROCESSED]
            (anew,) = unit.ungiven(INCOMING.sender, 9)
            assert (anew.parcel, anew.stage) == (one, Stage.PROCESSED)
            assert unit.traced(one)[-1].step == steps.REISSUED
        store.close()

    def test_an_earlier_boot_that_speaks_again_is_a_clone(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            assert unit.met("n") is None
            assert unit.meet("n", 7, "b1", T0) == Met("n", 7, "b1", T0, since=T0)
            assert unit.meet("n", 7, "b1", T0 + 1) == Met("n", 7, "b1", T0 + 1, since=T0)
            assert unit.meet("n", 7, "b2", T0 + 2) == Met("n", 7, "b2", T0 + 2, since=T0 + 2)
            late = T0 + 2 + ECHO
            assert unit.meet("n", 7, "b1", late) == Met("n", 7, "b2", late, since=T0 + 2), "an echo"
            assert unit.meet("n", 7, "b1", late + 1) == Met("n", 7, "b2", late + 1, True, T0 + 2)
            assert unit.meet("n", 7, "b3", late + 4) == Met("n", 7, "b3", late + 4, True, late + 4)
            assert unit.meet("m", 7, "b1", T0).cloned is False
        with inbox.unit() as unit:
            assert unit.met("n") == Met("n", 7, "b3", late + 4, True, late + 4)
            assert unit.meet("n", 8, "b1", T0 + 5) == Met("n", 8, "b1", T0 + 5, since=T0 + 5), "restored: one again"
            assert unit.meet("n", 7, "b3", T0 + 6) == Met("n", 8, "b1", T0 + 6, since=T0 + 5)
            assert unit.meet("n", 8, "b3", T0 + 7) == Met("n", 8, "b3", T0 + 7, since=T0 + 7)

    def test_an_unknown_id_names_nothing(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            for id in (fresh_id(), "", "not an id"):
                assert unit.arrival(id) is None and unit.octets(id) is None and unit.judged(id) is None
                assert list(unit.given(id)) == []
                acts: list[Callable[[str], object]] = [unit.unhold, lambda id: unit.discard(id, "li", T0)]
                for act in acts:
                    with pytest.raises(Refused) as caught:
                        act(id)
                    assert caught.value.code is codes.NOT_FOUND


class TakingContract(Opened):
    """What is taken, judged, finished, forgotten (I3 to I5)."""

    def test_parcels_of_a_lane_are_taken_in_order_one_at_a_time(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            parcels = take_in(unit, 3)
            for parcel in parcels:
                claim, arrival = taken(unit)
                assert (claim.lane, claim.parcel, arrival) == (INCOMING, parcel, known(unit, parcel))
                assert unit.take(T0, LEASE) is None
                close(unit, claim)
            assert unit.take(T0, LEASE) is None and unit.unopened(INCOMING.sender) == (0, 0)

    def test_what_comes_behind_a_parcel_is_told_and_not_claimed(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            first, second, third = take_in(unit, 3)
            take_in(unit, 2, INCOMING._replace(resource="other"))
            assert unit.behind(known(unit, first)) == known(unit, second)
            assert unit.behind(known(unit, second)) == known(unit, third)
            assert unit.behind(known(unit, third)) is None
            claims = {}
            while (found := unit.take(T0, LEASE)) is not None:
                claims[found[0].lane] = found[0]
            assert claims[INCOMING].parcel == first, "nobody had it"
            close(unit, claims[INCOMING])
            assert unit.behind(known(unit, first)) == known(unit, second)

    def test_the_urgent_and_the_oldest_lane_is_taken_first(self, inbox: Any) -> None:
        lanes = [INCOMING._replace(resource=name) for name in ("new", "old", "urgent")]
        with inbox.unit() as unit:
            take_in(unit, 2, lanes[0], at=T0 + 5)
            take_in(unit, 2, lanes[1], at=T0 + 4)
            take_in(unit, 2, lanes[2], at=T0 + 6, priority=1)
            assert [taken(unit)[0].lane for _ in lanes] == [lanes[2], lanes[1], lanes[0]]
            assert unit.take(T0, LEASE) is None

    def test_a_claim_is_free_after_its_lease_and_after_a_restart(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            (parcel,) = take_in(unit)
            first, _ = taken(unit)
            assert unit.take(T0 + LEASE - 1, LEASE) is None
            second, _ = taken(unit, T0 + LEASE)
            unit.release(first)
            assert unit.take(T0 + LEASE, LEASE) is None
            unit.release(second)
            third, _ = taken(unit, T0)
            assert first.token < second.token < third.token
        store = self.again(inbox)
        with store.unit() as unit:
            fourth, arrival = taken(unit, T0)
            assert fourth.token > third.token and arrival.parcel == parcel
        store.close()

    def test_tokens_do_not_come_again_with_an_old_copy(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            take_in(unit)
            assert taken(unit, T0 + 77)[0].token >= T0 + 77

    def test_a_void_claim_changes_nothing(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            parcel, after = take_in(unit, 2)
            void, arrival = taken(unit)
            newest, _ = taken(unit, T0 + LEASE)
        released = replace(newest, token=newest.token + 5)
        acts: list[Callable[[InboxUnit, Claim], object]] = [
            lambda unit, claim: unit.judge(claim, []),
            lambda unit, claim: unit.hold(claim, "EXN-X", T0),
            lambda unit, claim: close(unit, claim),
        ]
        elsewhere = replace(newest, parcel=fresh_id())
        for claim, act in product((void, released, elsewhere, replace(newest, lane=SECOND)), acts):
            with pytest.raises(Retry) as caught, inbox.unit() as unit:
                act(unit, claim)
            assert caught.value.code is codes.FENCED
        with inbox.unit() as unit:
            assert known(unit, parcel) == arrival and unit.judged(parcel) is None
            assert [given.stage for given in unit.given(parcel)] == [Stage.ACCEPTED]
            close(unit, newest)
            assert taken(unit)[1].parcel == after
            with pytest.raises(Retry):
                close(unit, newest)

    def test_gate_verdicts_never_change(self, inbox: Any) -> None:
        verdicts = [Verdict(1, Outcome.REFUSED, "pattern", "Name"), Verdict(2, Outcome.REFUSED, "line")]
        with inbox.unit() as unit:
            (parcel,) = take_in(unit)
            claim, _ = taken(unit)
            assert unit.judged(parcel) is None
            unit.judge(claim, verdicts)
            assert known(unit, parcel).state is S.JUDGED
            unit.judge(claim, [])
        store = self.again(inbox)
        with store.unit() as unit:
            assert list(unit.judged(parcel) or ()) == verdicts
            claim, arrival = taken(unit)
            assert arrival.state is S.JUDGED
            unit.judge(claim, [])
            close(unit, claim, refused=2)
            assert list(unit.judged(parcel) or ()) == verdicts
        store.close()

    def test_no_refusals_are_verdicts_too(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            (parcel,) = take_in(unit)
            unit.judge(taken(unit)[0], [])
            assert unit.judged(parcel) is not None and list(unit.judged(parcel) or ()) == []

    def test_a_finished_parcel_has_its_final_receipt(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            done, parked = take_in(unit, 2)
            claim, _ = taken(unit)
            unit.judge(claim, [])
            close(unit, claim, S.DONE, T0 + 3, 2)
            arrival = known(unit, done)
            assert (arrival.state, arrival.finished, arrival.refused, arrival.code) == (S.DONE, T0 + 3, 2, None)
            claim, arrival = taken(unit)
            assert arrival.parcel == parked
            with pytest.raises(ValueError, match="ends"):
                unit.finish(claim, S.HELD, Given(parked, Stage.PROCESSED, b""), 0, None, T0)
            close(unit, claim, S.PARKED, T0 + 4)
            arrival = known(unit, parked)
            assert (arrival.state, arrival.finished, arrival.code) == (S.PARKED, T0 + 4, "EXN-OPEN")
            assert [given.stage for given in unit.given(parked)] == [Stage.ACCEPTED, Stage.REFUSED]

    def test_a_held_parcel_keeps_its_place_and_a_parked_one_gives_it_up(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            first, second = take_in(unit, 2)
            take_in(unit, 1, SECOND)
            claim, _ = taken(unit)
            unit.judge(claim, [])
            unit.hold(claim, "EXN-SPECIFICATION", T0)
            assert (known(unit, first).state, known(unit, first).code) == (S.HELD, "EXN-SPECIFICATION")
            claim, arrival = taken(unit)
            assert arrival.lane == SECOND
            close(unit, claim)
            assert unit.take(T0, LEASE) is None and unit.unopened(INCOMING.sender)[0] == 2
            unit.unhold(first)
            assert (known(unit, first).state, known(unit, first).code) == (S.JUDGED, None)
            claim, arrival = taken(unit)
            assert arrival.parcel == first
            close(unit, claim, S.PARKED)
            assert taken(unit)[1].parcel == second

    def test_only_a_held_parcel_is_unheld(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            (parcel,) = take_in(unit)
            with pytest.raises(Refused) as caught:
                unit.unhold(parcel)
            assert caught.value.code is codes.STATE
            claim, _ = taken(unit)
            unit.hold(claim, "EXN-X", T0)
            unit.unhold(parcel)
            assert known(unit, parcel).state is S.STORED

    def test_arrivals_are_listed_by_id_and_state(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            parcels = take_in(unit, 4)
            for state in (S.DONE, S.PARKED):
                close(unit, taken(unit)[0], state)
            expected: list[tuple[ArrivalState | None, list[str]]] = [
                (None, parcels), (S.DONE, parcels[:1]), (S.PARKED, parcels[1:2]), (S.STORED, parcels[2:])
            ]
            for wanted, found in expected:
                assert [arrival.parcel for arrival in unit.arrivals(wanted, "", 9)] == found
                assert [arrival.parcel for arrival in unit.arrivals(wanted, "", 1)] == found[:1]
            assert [arrival.parcel for arrival in unit.arrivals(None, parcels[2], 9)] == parcels[3:]

    # --- forgotten ----------------------------------------------------------------------------------------------

    def test_receipts_outlive_their_parcels(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            done, parked, waiting = take_in(unit, 3)
            close(unit, taken(unit)[0], S.DONE, T0 + 1)
            close(unit, taken(unit)[0], S.PARKED, T0 + 1)
            stood, head = known(unit, done).digest, unit.head(INCOMING)
            assert unit.purge(T0 + 1, 0, 9) == 0
            assert unit.purge(T0 + 2, 0, 9) == 1
            assert unit.purge(T0 + 2, 0, 9) == 0
            assert unit.octets(done) is None and unit.octets(parked) and unit.octets(waiting)
            assert [given.stage for given in unit.given(done)] == [Stage.ACCEPTED, Stage.PROCESSED]
            assert unit.at(INCOMING, 7, 1) == stood and unit.by_digest(stood) is not None
            assert unit.purge(T0 + 2, T0 + 2, 9) == 1
            assert unit.arrival(done) is None and list(unit.given(done)) == [] and unit.at(INCOMING, 7, 1) is None
            assert unit.head(INCOMING) == head, "the head is the replay memory and never expires"
            assert unit.purge(T0 + 99, T0 + 99, 9) == 0

    def test_purge_takes_no_more_than_it_is_told(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            for _ in take_in(unit, 4):
                close(unit, taken(unit)[0])
            assert [unit.purge(T0 + 1, T0 + 1, 3) for _ in range(4)] == [3, 3, 2, 0]
            assert unit.arrivals(None, "", 9) == []

    def test_a_parked_parcel_is_discarded_by_a_named_person(self, inbox: Any) -> None:
        with inbox.unit() as unit:
            (parcel,) = take_in(unit)
            with pytest.raises(Refused) as caught:
                unit.discard(parcel, "wang", T0)
            assert caught.value.code is codes.STATE
            close(unit, taken(unit)[0], S.PARKED)
            unit.discard(parcel, "wang", T0 + 5)
            arrival = known(unit, parcel)
            assert (arrival.state, arrival.finished, arrival.code) == (S.DONE, T0 + 5, "EXN-OPEN")
            assert [entry.step for entry in unit.traced(parcel)] == ["discarded:wang"]
            assert unit.purge(T0 + 6, 0, 9) == 1

    def test_each_lane_has_an_intact_chain_over_restarts(self, inbox: Any) -> None:
        for _ in range(2):
            with inbox.unit() as unit:
                (parcel,) = take_in(unit)
                unit.note(INCOMING, steps.ACCEPTED, parcel, digest("x"), 3, T0)
        store = self.again(inbox)
        with store.unit() as unit:
            unit.note(INCOMING, steps.PROCESSED, parcel, digest("x"), 3, T0)
            assert [entry.size for entry in unit.ledger(INCOMING)] == [1, 2, 3]
            assert chain.intact(sm3, unit.ledger(INCOMING))
            assert [entry.step for entry in unit.traced(parcel)] == [steps.ACCEPTED, steps.PROCESSED]
        store.close()


class InboxContract(StoringContract, TakingContract):
    """All of it; inherit and say how the store is opened, and opened again."""

    @pytest.fixture
    def inbox(self, tmp_path: Path) -> Iterator[Any]:
        store = self.open(tmp_path)
        yield store
        store.close()
