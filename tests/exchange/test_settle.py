"""Settle: which receipts move an entry, in any order they come, and how refusals come home."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from node.envelope import read_receipt, write
from node.model import codes
from node.model.certificate import Role
from node.model.parcel import Outcome, Stage, Verdict
from node.model.spool import EntryState
from node.spool.alignment import START
from tests.exchange.acts import entry_of, heard, receipt, renewed, sent, state_of, supplied, turned_away
from tests.intake.api import twin
from tests.stage.desk import CENTRE, means_of, peer_of
from tests.stage.forging import draft_of, line_of, parcel_of, spec_id
from tests.stage.pair import Pair, lane_of

REFUSED = [Verdict(0, Outcome.APPLIED), Verdict(1, Outcome.REFUSED, "empty", "PersonName")]


@pytest.fixture(params=["memory", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(None if request.param == "memory" else tmp_path)
    yield made
    made.close()


def rows(pair: Pair, parcel: str) -> list[tuple[int, str, str]]:
    with pair.dept.stores.outbox.unit() as unit:
        return [(one.leaf, one.row, one.rule) for one in unit.refused(parcel)]


def test_accepted_moves_the_lane_on_and_processed_brings_refusals_home_by_row_id(pair: Pair) -> None:
    supplied(pair.dept, 2)
    first = sent(pair.dept)
    issuer, to = pair.centre.desk.means, pair.dept.desk.means
    entry = heard(pair.dept, *receipt(first, issuer, to))
    assert entry is not None and (entry.state, state_of(pair.dept).cursor) == (EntryState.ACCEPTED, 2)
    entry = heard(pair.dept, *receipt(first, issuer, to, Stage.PROCESSED, verdicts=REFUSED))
    assert entry is not None and (entry.state, entry.refused) == (EntryState.DONE, 1)
    assert rows(pair, first.entry.parcel) == [(1, twin(1)["RecordId"], "empty")]
    with pair.dept.stores.outbox.unit() as unit:
        assert [one.step for one in unit.ledger(lane_of())][-2:] == ["accepted", "processed"]


@pytest.mark.parametrize("order", list(permutations([Stage.ACCEPTED, Stage.PROCESSED, Stage.REFUSED])))
def test_receipts_race_and_the_first_final_word_stands(pair: Pair, order: tuple[Stage, ...]) -> None:
    supplied(pair.dept, 2)
    first = sent(pair.dept)
    issuer, to = pair.centre.desk.means, pair.dept.desk.means
    for stage in order:
        given = receipt(first, issuer, to, stage, verdicts=REFUSED, code=codes.UNSUPPORTED)
        for _ in range(2):  # a duplicate changes nothing
            heard(pair.dept, *given)
    final = next(stage for stage in order if stage is not Stage.ACCEPTED)
    entry = entry_of(pair.dept, first.entry.parcel)
    # Processed is the better knowledge: it may follow a refusal that a person had to look at.
    assert entry.state is EntryState.DONE or final is Stage.REFUSED and entry.state is EntryState.PARKED
    assert state_of(pair.dept).cursor == 2
    with pair.dept.stores.outbox.unit() as unit:
        assert len(unit.receipts(first.entry.parcel)) == 3
        steps = [one.step for one in unit.ledger(lane_of())]
    assert sorted(steps[-3:]) == ["accepted", "processed", "refused"]


def test_a_refused_parcel_is_parked_with_its_code(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    heard(pair.dept, *receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.REFUSED))
    entry = entry_of(pair.dept, first.entry.parcel)
    assert (entry.state, entry.code, state_of(pair.dept).cursor) == (EntryState.PARKED, "EXN-OPEN", 2)


def test_a_list_sealed_to_a_key_that_is_lost_tells_how_many_and_not_which(pair: Pair) -> None:
    supplied(pair.dept, 2)
    first = sent(pair.dept)
    given = receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.PROCESSED, verdicts=REFUSED)
    own = pair.dept.desk.means
    pair.dept.desk.means = replace(own, identity=renewed("dept-a", Role.ENCRYPT, old_key="missing")[0].identity)
    assert turned_away(pair.dept, *given) == "EXN-KEY-ROLE", "it may be found: the receipt is asked for again"
    pair.dept.desk.means = replace(own, identity=renewed("dept-a", Role.ENCRYPT, old_key="lost")[0].identity)
    entry = heard(pair.dept, *given)
    assert entry is not None and (entry.state, entry.refused) == (EntryState.DONE, 1)
    assert rows(pair, first.entry.parcel) == [(-1, "", "list-unread")]


def test_an_unknown_parcel_moves_nothing(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    other = "0199d1a2-7c3e-7b6a-8f00-5d2c9a1e4b30"
    assert heard(pair.dept, *receipt(first, pair.centre.desk.means, pair.dept.desk.means, parcel=other)) is None


@pytest.mark.parametrize("changed, code", [
    ({"digest": "11" * 32}, "EXN-MISADDRESSED"), ({"envelope": "11" * 32}, "EXN-MISADDRESSED"),
    ({"domain": "other.test"}, "EXN-MISADDRESSED"),
])
def test_a_receipt_for_something_else_moves_nothing(pair: Pair, changed: dict[str, str], code: str) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    assert turned_away(pair.dept, *receipt(first, pair.centre.desk.means, pair.dept.desk.means, **changed)) == code
    assert entry_of(pair.dept, first.entry.parcel).state is EntryState.SENT


def test_a_receipt_from_anybody_but_the_lanes_receiver_moves_nothing(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    other, to = means_of("dept-b", ["dept-a"]), pair.dept.desk.means
    given = receipt(first, other, to)
    assert turned_away(pair.dept, *given, channel="dept-b") == "EXN-UNREGISTERED"
    pair.dept.desk.means = means_of("dept-a", [CENTRE, "dept-b"])
    assert turned_away(pair.dept, *given, channel="dept-b") == "EXN-MISADDRESSED"
    assert turned_away(pair.dept, *given, channel=CENTRE) == "EXN-NOT-ALLOWED"
    assert entry_of(pair.dept, first.entry.parcel).state is EntryState.SENT


def test_an_altered_receipt_or_list_moves_nothing(pair: Pair) -> None:
    supplied(pair.dept, 2)
    first = sent(pair.dept)
    issuer, to = pair.centre.desk.means, pair.dept.desk.means
    statement, listed = receipt(first, issuer, to, Stage.PROCESSED, verdicts=REFUSED)
    spoiled = bytes([listed[-1] ^ 1])
    assert turned_away(pair.dept, statement, listed[:-1] + spoiled) == "EXN-DIGEST"
    assert turned_away(pair.dept, statement, b"") == "EXN-DIGEST"
    other = receipt(first, issuer, to, Stage.PROCESSED, verdicts=REFUSED)[1]
    assert turned_away(pair.dept, statement, other) == "EXN-DIGEST"
    said = read_receipt(statement, to.crypto).statement
    forged = write(said, issuer.identity.signing, to.identity.sign)
    assert turned_away(pair.dept, forged, listed) == "EXN-SIGNATURE"
    assert entry_of(pair.dept, first.entry.parcel).state is EntryState.SENT
    assert heard(pair.dept, statement, listed) is not None  # asked for again, it is good


def test_a_parcel_is_no_receipt_and_a_receipt_no_parcel(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    assert turned_away(pair.dept, first.manifest) == "EXN-STATEMENT"
    given = receipt(first, pair.centre.desk.means, pair.dept.desk.means)
    assert pair.posted(given[0], first.payload).code == "EXN-STATEMENT"


def test_a_leaf_we_never_sealed_is_left_out(pair: Pair) -> None:
    supplied(pair.dept, 2)
    first = sent(pair.dept)
    verdicts = [*REFUSED, Verdict(2, Outcome.REFUSED, "empty", "PersonName")]
    heard(pair.dept, *receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.PROCESSED, verdicts=verdicts))
    assert [leaf for leaf, _, _ in rows(pair, first.entry.parcel)] == [1]


def test_the_final_word_on_a_parcel_sealed_again_since_brings_its_refusals_home(pair: Pair) -> None:
    supplied(pair.dept, 2)
    first = sent(pair.dept)
    new = replace(pair.dept.desk.means, identity=renewed("dept-a", Role.SIGN)[0].identity)
    second = sent(pair.dept, new)
    given = receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.PROCESSED, verdicts=REFUSED)
    entry = heard(pair.dept, *given)
    assert entry is not None and (entry.state, entry.refused) == (EntryState.DONE, 1)
    assert rows(pair, first.entry.parcel) == [(1, twin(1)["RecordId"], "empty")]
    assert entry_of(pair.dept, second.entry.parcel).state is EntryState.VOIDED
    late = receipt(second, pair.centre.desk.means, new)
    assert heard(pair.dept, *late) is not None  # it says that it accepted both, which no honest peer can
    assert entry_of(pair.dept, first.entry.parcel).state is EntryState.DONE
    assert (state_of(pair.dept).cursor, state_of(pair.dept).head.digest) == (2, first.entry.digest)


def test_a_parcel_sealed_to_an_old_certificate_of_the_peer_is_accounted_for_by_its_new_one(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    issuer, peer = renewed(CENTRE, Role.SIGN, Role.ENCRYPT)
    given = receipt(first, issuer, pair.dept.desk.means)
    assert turned_away(pair.dept, *given) == "EXN-UNREGISTERED"
    pair.dept.desk.means = means_of("dept-a", [peer])
    entry = heard(pair.dept, *given)
    assert entry is not None and entry.state is EntryState.ACCEPTED


def test_refusals_of_records_that_wait_again_are_told_without_their_row_ids(pair: Pair) -> None:
    supplied(pair.dept, 2)
    first = sent(pair.dept)
    with pair.dept.stores.outbox.unit() as unit:
        claim = unit.claim(lane_of(), pair.dept.desk.now(), 1000)
        state = unit.lane(lane_of())
        assert claim is not None and state is not None
        unit.reopen(claim, state.head.epoch + 1, START, pair.dept.desk.now())
        unit.release(claim)
    given = receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.PROCESSED, verdicts=REFUSED)
    entry = heard(pair.dept, *given)
    assert entry is not None and (entry.state, entry.refused) == (EntryState.DONE, 1)
    assert rows(pair, first.entry.parcel) == [(1, "", "empty")]


def test_a_suspended_peers_receipts_wait(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    pair.dept.desk.means = means_of("dept-a", [peer_of(CENTRE, suspended=True)])
    given = receipt(first, pair.centre.desk.means, pair.dept.desk.means)
    assert turned_away(pair.dept, *given) == "EXN-SUSPENDED"


def test_a_parcel_of_other_records_under_a_known_id_is_kept_as_evidence(pair: Pair) -> None:
    desk = pair.dept.desk
    one = parcel_of(desk.means, [line_of(twin(0), desk.now())], draft_of(desk.means, desk.now()))
    assert pair.posted(one.manifest, one.payload).status == 200
    draft = draft_of(desk.means, desk.now(), 2, one.digest, parcel=one.statement.parcel)
    other = parcel_of(desk.means, [line_of(twin(1), desk.now())], draft)
    assert pair.posted(other.manifest, other.payload).code == "EXN-FORK"
    with pair.centre.stores.inbox.unit() as unit:
        assert [(parcel, digest) for parcel, digest, _ in unit.forks()] == [(one.statement.parcel, other.digest)]
        assert unit.held(one.statement.lane) == "EXN-FORK"


def test_a_resource_under_another_interface_is_not_allowed(pair: Pair) -> None:
    desk = pair.dept.desk
    draft = draft_of(desk.means, desk.now(), spec=spec_id("region-code/1.0"))
    made = parcel_of(desk.means, [line_of(twin(0), desk.now())], draft)
    assert pair.posted(made.manifest, made.payload).code == "EXN-NOT-ALLOWED"
