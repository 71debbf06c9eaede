"""POST /v1/receipts: receipts in both directions, what is pending, unknown and wanted, within a long poll."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from node.envelope import Enclosure, Letter, read_letter, read_receipt, write_letter
from node.exchange.seal import Outgoing
from node.intake.admission import admit_parcel
from node.model.parcel import Position, Stage
from node.model.registry import Resource
from node.model.spool import EntryState
from node.wire.media import LETTER
from node.workers.passage import next_parcel, release
from tests.intake.api import Api, twin
from tests.stage.desk import CENTRE, SPECIFICATIONS, finish, means_of
from tests.stage.pair import Pair, lane_of, media
from tests.wire.pipe import Pipe
from tests.wire.talk import Caller, post

UNKNOWN = "0199d1a2-7c3e-7b6a-8f00-5d2c9a1e4b30"


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair(registered=("dept-a", "dept-b"))
    yield made
    made.close()


def outgoing(pair: Pair, index: int = 0) -> Outgoing:
    Api(pair.dept).submitted(twin(index), key=f"k{index}")
    return pair.sealed()


def asked(pair: Pair, *ids: str, caller: str = "dept-a", wait: str = "0", **given: Any) -> Letter:
    heard = pair.said(f"/v1/receipts?wait={wait}", write_letter(Letter(ask=ids, **given)), LETTER, caller)
    assert heard.status == 200, heard.json
    return read_letter(heard.body)


def stages(letter: Letter, pair: Pair) -> list[tuple[str, Stage]]:
    said = [read_receipt(one.receipt, pair.dept.desk.means.crypto).statement for one in letter.receipts]
    return [(one.parcel, one.stage) for one in said]


def polling(pair: Pair, seconds: int, caller: str = "dept-a", *ids: str) -> tuple[Caller, Pipe]:
    """Return a long poll under way."""
    client, pipe = pair.house.connect(caller)
    pipe.client.write(post(f"/v1/receipts?wait={seconds}", write_letter(Letter(ask=ids)), media(LETTER)))
    pair.house.turn(pipe)
    return client, pipe


def test_a_parcel_is_pending_until_it_was_judged_and_unknown_if_it_never_came(pair: Pair) -> None:
    sent = outgoing(pair)
    pair.accept(sent)
    letter = asked(pair, sent.entry.parcel, UNKNOWN)
    assert (list(letter.pending), list(letter.unknown)) == ([sent.entry.parcel], [UNKNOWN])
    assert stages(letter, pair) == [(sent.entry.parcel, Stage.ACCEPTED)]
    pair.opened()
    letter = asked(pair, sent.entry.parcel)
    assert not letter.pending and not letter.unknown
    assert stages(letter, pair) == [(sent.entry.parcel, Stage.ACCEPTED), (sent.entry.parcel, Stage.PROCESSED)]


def test_a_receipt_is_handed_once_and_may_be_asked_for_ever_after(pair: Pair) -> None:
    sent = outgoing(pair)
    pair.accept(sent)
    pair.opened()
    first = asked(pair)
    assert len(first.receipts) == 1 and not asked(pair).receipts  # the accepted one was the answer to the parcel
    again = asked(pair, sent.entry.parcel)
    assert len(again.receipts) == 2 and again.receipts[1].receipt == first.receipts[0].receipt
    pair.crash_centre()
    assert [one.receipt for one in asked(pair, sent.entry.parcel).receipts] == [one.receipt for one in again.receipts]


def test_a_peer_learns_nothing_of_the_parcels_of_others(pair: Pair) -> None:
    sent = outgoing(pair)
    pair.accept(sent)
    pair.opened()
    letter = asked(pair, sent.entry.parcel, caller="dept-b")
    assert not letter.receipts and list(letter.unknown) == [sent.entry.parcel]


def test_a_poll_returns_on_news(pair: Pair) -> None:
    pair.accept(outgoing(pair))
    pair.accounted()
    client, pipe = polling(pair, 25)
    assert not client.answers
    pair.clock.advance(3)
    pair.opened()
    pair.house.turn(pipe)
    assert [stage for _, stage in stages(read_letter(client.answers[0].body), pair)] == [Stage.PROCESSED]


def test_a_poll_without_news_ends_after_the_time_asked_for(pair: Pair) -> None:
    client, pipe = polling(pair, 7)
    pair.clock.advance(6.9)
    pair.house.turn(pipe)
    assert not client.answers
    pair.clock.advance(0.2)
    pair.house.turn(pipe)
    assert read_letter(client.answers[0].body) == Letter()


def test_a_poll_holds_no_unit_while_it_waits_and_a_lost_client_leaves_nothing_behind(pair: Pair) -> None:
    _, pipe = polling(pair, 25)
    with pair.centre.stores.inbox.unit(), pair.centre.stores.outbox.unit():
        pass  # both stores are free
    pipe.cut()
    pair.clock.advance(30)
    assert not pair.house.faults and not pair.clock.getDelayedCalls()


def test_news_for_another_peer_wakes_nobody(pair: Pair) -> None:
    client, pipe = polling(pair, 25, "dept-b")
    pair.accept(outgoing(pair))
    pair.opened()
    pair.house.turn(pipe)
    assert not client.answers


@pytest.mark.parametrize("wait", ["26", "-1", "x", "", "1.5", "%D9%A1", "100"])
def test_a_wait_beyond_twenty_five_seconds_is_refused(pair: Pair, wait: str) -> None:
    heard = pair.said(f"/v1/receipts?wait={wait}", write_letter(Letter()), LETTER)
    assert (heard.status, heard.code) == (400, "EXN-API-REQUEST")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"ask":[],"pending":[],"receipts":[]}', b"\xff"])
def test_a_letter_of_another_form_is_refused(pair: Pair, body: bytes) -> None:
    heard = pair.said("/v1/receipts?wait=0", body, LETTER)
    assert (heard.status, heard.code) == (422, "EXN-STATEMENT")


# --- the centre sends: receipts come to it --------------------------------------------------------------------------


@pytest.fixture
def downward() -> Iterator[Pair]:
    """A pair whose centre supplies `population` to dept-a."""
    made = Pair(given={"resources": [Resource("population", SPECIFICATIONS["population"], ("dept-a",))]})
    yield made
    made.close()


def received(pair: Pair, index: int) -> tuple[str, bytes]:
    """Let the centre send one record to dept-a by hand; return the parcel and the department's accepted receipt."""
    Api(pair.centre).submitted(twin(index), key=f"k{index}")
    found = finish(next_parcel(pair.centre.desk, lane_of(sender=CENTRE, receiver="dept-a")), pair.clock)
    assert found is not None
    finish(release(pair.centre.desk, found.claim), pair.clock)
    receipt = finish(admit_parcel(pair.dept.desk, found.manifest, found.payload, CENTRE), pair.clock)
    return found.entry.parcel, receipt


def state_of(pair: Pair, parcel: str) -> EntryState | None:
    with pair.centre.stores.outbox.unit() as unit:
        entry = unit.entry(parcel)
        return entry.state if entry else None


def given(pair: Pair, *receipts: bytes, caller: str = "dept-a") -> Letter:
    return asked(pair, caller=caller, receipts=[Enclosure(one) for one in receipts])


def test_a_receipt_given_moves_the_entry(downward: Pair) -> None:
    parcel, receipt = received(downward, 0)
    assert state_of(downward, parcel) is EntryState.SENT
    given(downward, receipt)
    assert state_of(downward, parcel) is EntryState.ACCEPTED
    given(downward, receipt)
    assert state_of(downward, parcel) is EntryState.ACCEPTED


def test_a_bad_receipt_never_spoils_its_neighbours(downward: Pair) -> None:
    parcel, receipt = received(downward, 0)
    given(downward, receipt[:-1] + bytes([receipt[-1] ^ 1]), b"garbage", receipt, receipt[:50])
    assert state_of(downward, parcel) is EntryState.ACCEPTED
    assert len(downward.centre.journal.names("warning")) == 3
    assert downward.centre.tally.of("receipts_bad", peer="dept-a") == 3


def test_a_receipt_handed_in_by_somebody_else_is_not_taken(downward: Pair) -> None:
    parcel, receipt = received(downward, 0)
    downward.centre.desk.means = means_of(CENTRE, ["dept-a", "dept-b"])
    given(downward, receipt, caller="dept-b")
    assert state_of(downward, parcel) is EntryState.SENT


def test_an_overdue_parcel_is_asked_about_and_not_at_every_poll(downward: Pair) -> None:
    parcel, receipt = received(downward, 0)
    assert not asked(downward).ask
    downward.clock.advance(31)
    assert list(asked(downward).ask) == [parcel]
    assert not asked(downward).ask  # it was just asked: no poll spins on it
    downward.clock.advance(31)
    assert list(asked(downward).ask) == [parcel]
    given(downward, receipt)
    downward.clock.advance(31)
    assert list(asked(downward).ask) == [parcel]  # accepted is not its final word


def test_what_the_receiver_never_stored_of_an_epoch_that_is_over_waits_again(downward: Pair) -> None:
    """A receiver that connects to its sender can say so in its own letter alone (test_cloned.py, seed 102)."""
    parcel, receipt = received(downward, 0)
    given(downward, receipt)
    lane = lane_of(sender=CENTRE, receiver="dept-a")
    asked(downward, unknown=[parcel, UNKNOWN])
    assert state_of(downward, parcel) is EntryState.ACCEPTED  # in the present epoch its hello tells
    outbox, now = downward.centre.stores.outbox, downward.centre.desk.now()
    epoch = outbox.open_epoch(now)
    with outbox.unit() as unit:
        state, claim = unit.lane(lane), unit.claim(lane, now, 1000)
        assert state is not None and claim is not None
        unit.reopen(claim, epoch, Position(state.head.epoch, 1, "ab" * 32), now)  # another copy of us was there
        unit.release(claim)
    asked(downward, unknown=[parcel], caller="dept-a")
    assert state_of(downward, parcel) is EntryState.VOIDED
    with outbox.unit() as unit:
        state = unit.lane(lane)
        assert state is not None and state.waiting == 1
    assert downward.centre.journal.names("warning") == ["EXN-BEHIND"] * 2


def test_what_a_peer_does_not_know_of_the_parcels_for_another_changes_nothing(downward: Pair) -> None:
    parcel, receipt = received(downward, 0)
    given(downward, receipt)
    downward.centre.desk.means = means_of(CENTRE, ["dept-a", "dept-b"])
    asked(downward, unknown=[parcel], caller="dept-b")
    assert not downward.centre.journal.names("warning")
