"""What a receiver refused for a key it lost goes again once it has another, by itself (worlds, nemesis `bury_key`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from node.exchange.resupply import try_again
from node.model import codes
from node.model.certificate import Role
from node.model.parcel import Stage
from node.model.spool import EntryState
from node.spool.alignment import START
from node.workers.passage import take_receipts
from tests.exchange.acts import entry_of, heard, receipt, renewed, sent, state_of, supplied, taken
from tests.stage.desk import CENTRE, finish, means_of
from tests.stage.pair import Pair


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


def told_of_new_key(pair: Pair) -> None:
    """Let the department hear of the centre's new encryption certificate."""
    peer = renewed(CENTRE, Role.ENCRYPT, old_key="lost")[1]
    pair.dept.desk.means = replace(pair.dept.desk.means, registry=means_of("dept-a", [peer]).registry)


def tried(pair: Pair) -> int:
    with pair.dept.stores.outbox.unit() as unit:
        return try_again(unit, pair.dept.desk.means, pair.dept.desk.now())


def test_it_waits_until_the_sender_hears_of_the_new_key(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    heard(pair.dept, *receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.REFUSED))
    assert tried(pair) == 0 and entry_of(pair.dept, first.entry.parcel).state is EntryState.PARKED
    told_of_new_key(pair)
    assert tried(pair) == 1 and entry_of(pair.dept, first.entry.parcel).state is EntryState.DONE
    assert state_of(pair.dept).waiting == 1
    again = sent(pair.dept)
    assert (again.entry.seq, again.entry.count) == (2, 1)
    assert tried(pair) == 0


def test_it_goes_at_once_if_the_sender_has_heard_already(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    given = receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.REFUSED)
    told_of_new_key(pair)
    finish(take_receipts(pair.dept.desk, CENTRE, [given]), pair.clock)
    assert state_of(pair.dept).waiting == 1


def test_what_was_refused_for_another_cause_waits_for_a_person(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    code = codes.UNSUPPORTED
    heard(pair.dept, *receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.REFUSED, code=code))
    told_of_new_key(pair)
    assert tried(pair) == 0 and entry_of(pair.dept, first.entry.parcel).state is EntryState.PARKED


def test_refused_and_lost_again_it_is_not_sent_to_a_key_that_opens_nothing(pair: Pair) -> None:
    """Its place was taken once; what follows goes on in a new epoch, or the lane would be held for ever."""
    supplied(pair.dept)
    first = sent(pair.dept)
    heard(pair.dept, *receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.REFUSED))
    told_of_new_key(pair)
    assert tried(pair) == 1
    epoch = state_of(pair.dept).head.epoch
    with pair.dept.stores.outbox.unit() as unit:
        claim = unit.claim(first.entry.lane, pair.dept.desk.now(), 1000)
        assert claim is not None
        unit.rewind(claim, START)
        unit.release(claim)
    assert taken(pair.dept) is None, "the lane opens anew first"
    again = sent(pair.dept)
    assert (again.entry.epoch, again.entry.seq, again.entry.count) == (epoch + 1, 1, 1)
