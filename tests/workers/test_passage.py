"""Receipts on their way home: none spoils its neighbours, each changes and is counted once, claims are given back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from node.model.parcel import Outcome, Stage, Verdict
from node.model.spool import EntryState
from node.workers.passage import take_receipts
from tests.exchange.acts import LEASE, entry_of, receipt, sent, supplied
from tests.stage.desk import CENTRE, finish
from tests.stage.pair import Pair, lane_of

REFUSED = [Verdict(0, Outcome.REFUSED, "empty", "PersonName")]


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


def home(pair: Pair, *receipts: tuple[bytes, bytes]) -> list[EntryState]:
    found = finish(take_receipts(pair.dept.desk, CENTRE, receipts), pair.clock)
    return [entry.state for entry in found]


def given(pair: Pair, stage: Stage, **changed: str) -> tuple[bytes, bytes]:
    first = sent(pair.dept)
    return receipt(first, pair.centre.desk.means, pair.dept.desk.means, stage, verdicts=REFUSED, **changed)


def test_bad_receipts_are_left_out_told_and_counted_and_the_good_ones_taken(pair: Pair) -> None:
    supplied(pair.dept)
    good = given(pair, Stage.ACCEPTED)
    other = given(pair, Stage.ACCEPTED, digest="ab" * 32)
    assert home(pair, (b"none", b""), other, good) == [EntryState.ACCEPTED]
    assert pair.dept.tally.of("receipts_bad", peer=CENTRE) == 2
    assert pair.dept.journal.names("warning") == ["EXN-CMS-FORM", "EXN-MISADDRESSED"]


def test_a_duplicate_is_taken_and_not_counted_again(pair: Pair) -> None:
    supplied(pair.dept, 2)
    first = sent(pair.dept)
    means = pair.centre.desk.means, pair.dept.desk.means
    accepted, final = receipt(first, *means), receipt(first, *means, Stage.PROCESSED, verdicts=REFUSED)
    pair.clock.advance(3)
    for _ in range(3):
        home(pair, accepted, final, accepted)
    tally = pair.dept.tally
    assert entry_of(pair.dept, first.entry.parcel).state is EntryState.DONE
    assert tally.of("receipts_received", peer=CENTRE) == 2
    assert (tally.of("records_delivered"), tally.of("delivery_latency", resource="population")) == (2, 1)


def test_a_refused_parcel_is_counted_as_parked_by_its_code(pair: Pair) -> None:
    supplied(pair.dept)
    home(pair, given(pair, Stage.REFUSED))
    assert pair.dept.tally.of("parcels_parked", resource="population", reason="EXN-OPEN") == 1


def test_the_claim_is_given_back_whatever_came(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    outbox, now = pair.dept.stores.outbox, pair.dept.desk.now()
    for receipts in ([(b"none", b"")], [receipt(first, pair.centre.desk.means, pair.dept.desk.means)]):
        with outbox.unit() as unit:
            claim = unit.claim(lane_of(), now, LEASE)
        assert claim is not None
        finish(take_receipts(pair.dept.desk, CENTRE, receipts, claim), pair.clock)
    with outbox.unit() as unit:
        assert unit.claim(lane_of(), now, LEASE) is not None


def test_news_wakes_who_waits_for_it(pair: Pair) -> None:
    supplied(pair.dept)
    bell = pair.dept.desk.bell
    before = bell.count(f"outbox:{CENTRE}"), bell.count("settled")
    home(pair, given(pair, Stage.ACCEPTED))
    assert bell.count(f"outbox:{CENTRE}") > before[0] and bell.count("settled") > before[1]
