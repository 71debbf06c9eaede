"""The pump: what is sent when, and that no answer of a peer makes it spin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from node.deliver.pump import Pump
from node.envelope import Letter, read_letter, read_manifest, unframe, write_letter
from node.exchange import seal
from node.model import codes
from node.model.certificate import Role
from node.model.parcel import NOTHING
from node.model.record import Stream
from node.model.spool import GROUP_RECORDS, Entry, EntryState, LaneState
from node.model.trouble import Code, Trouble, trouble
from node.ports import OutboxUnit
from node.spool.alignment import START
from node.wire.media import LETTER, STATEMENT
from node.wire.message import Request, Response
from node.workers import passage
from node.workers.passage import next_parcel
from tests.deliver.play import Play, nothing, says
from tests.exchange.acts import entry_of, receipt, renewed, sent, state_of, supplied, taken
from tests.stage.desk import CENTRE, finish, means_of, peer_of
from tests.stage.pair import lane_of

POST = "/v1/parcels"


@pytest.fixture
def play() -> Iterator[Play]:
    made = Play()
    yield made
    made.end()


def up(play: Play) -> None:
    play.link.set_up(True)
    play.start(play.pump.run)


def all_entries(play: Play) -> list[Entry]:
    with play.dept.stores.outbox.unit() as unit:
        return list(unit.entries(None, "", 100))


def entries(play: Play) -> list[EntryState]:
    return [entry.state for entry in all_entries(play)]


def test_a_lane_has_one_parcel_in_flight_and_goes_on_at_once_when_it_is_accepted(play: Play) -> None:
    held: list[Request] = []

    def late(request: Request) -> Response:
        held.append(request)
        raise trouble(codes.DISK, what="intake")

    play.answers[POST] = late
    supplied(play.dept, 2)
    up(play)
    supplied(play.dept, 2, 2)
    play.dept.desk.bell.ring(f"outbox:{CENTRE}")
    play.go(0)
    assert len(held) == 1
    del play.answers[POST]
    play.go(10)
    assert play.asked[POST] == 3 and entries(play) == [EntryState.ACCEPTED] * 2


def test_a_lane_under_load_waits_so_that_the_next_parcel_holds_more(play: Play) -> None:
    supplied(play.dept, 60)
    up(play)
    for start in (60, 61):
        supplied(play.dept, 1, start)
        play.dept.desk.bell.ring(f"outbox:{CENTRE}")
        play.go(0.01, step=0.01)
    assert play.asked[POST] == 1
    play.go(0.04, step=0.01)
    assert [entry.count for entry in all_entries(play)] == [60, 2]


def test_a_lone_record_and_a_full_parcel_wait_for_nothing(play: Play) -> None:
    supplied(play.dept, 1)
    up(play)
    play.go(0.004, step=0.001)
    supplied(play.dept, 1, 1)
    play.dept.desk.bell.ring(f"outbox:{CENTRE}")
    play.go(0.004, step=0.001)
    assert [entry.count for entry in all_entries(play)] == [1, 1]
    supplied(play.dept, 100, 2)
    play.dept.desk.bell.ring(f"outbox:{CENTRE}")
    play.go(0.004, step=0.001)
    supplied(play.dept, GROUP_RECORDS, 102)
    play.dept.desk.bell.ring(f"outbox:{CENTRE}")
    play.go(0.004, step=0.001)
    counts = [entry.count for entry in all_entries(play)]
    assert counts[2] == 100 and len(counts) > 3, "the full one left while the last one's time was not over"


def test_the_next_payload_is_packed_while_a_parcel_is_on_its_way(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[bool] = []
    close = seal.close

    def noted(drawn: seal.Drawn, *more: Any) -> Any:
        used.append(drawn.ahead is not None)
        return close(drawn, *more)

    monkeypatch.setattr(seal, "close", noted)
    play.pump = Pump(play.dept.desk, play.link, ahead=1)
    supplied(play.dept, GROUP_RECORDS)
    supplied(play.dept, 5, GROUP_RECORDS)
    up(play)
    play.go(1)
    counts = [entry.count for entry in all_entries(play)]
    assert sum(counts) == GROUP_RECORDS + 5 and len(counts) > 1
    assert used == [False] + [True] * (len(counts) - 1)
    assert set(entries(play)) == {EntryState.ACCEPTED}


def test_no_more_payloads_are_packed_ahead_than_may_be_on_their_way_however_many_lanes_wait(play: Play) -> None:
    play.pump = Pump(play.dept.desk, play.link, at_once=1, ahead=1)
    for number, stream in enumerate(Stream):
        supplied(play.dept, GROUP_RECORDS, number * GROUP_RECORDS, lane_of(stream=stream))
    up(play)
    most = 0
    for _ in range(40):
        play.go(0.01, step=0.01)
        most = max(most, len(play.pump._ahead))
    play.go(2)
    assert most == 1 and sum(entry.count for entry in all_entries(play)) == len(Stream) * GROUP_RECORDS
    assert set(entries(play)) == {EntryState.ACCEPTED} and not play.pump._ahead, "nothing is kept that nobody will use"


def test_what_was_packed_for_a_lane_that_is_held_leaves_its_room_to_others(play: Play) -> None:
    play.pump = Pump(play.dept.desk, play.link, at_once=1, ahead=1)
    for number, stream in enumerate((Stream.LIVE, Stream.BACKFILL)):
        supplied(play.dept, 3, number * 3, lane_of(stream=stream))
    up(play)
    with play.dept.stores.outbox.unit() as unit:
        unit.hold(lane_of(), codes.GRANT.name)
    play.go(2)
    assert lane_of() not in play.pump._ahead


def test_urgent_lanes_go_first_and_no_more_than_a_few_at_once(play: Play) -> None:
    order: list[int] = []
    for number, stream in enumerate(Stream):
        supplied(play.dept, 1, number, lane_of(stream=stream), priority=9 - number)

    def noted(request: Request) -> Response:
        order.append(read_manifest(unframe(request.body).manifest, play.dept.desk.means.crypto).statement.priority)
        raise trouble(codes.DISK, what="intake")

    play.answers[POST] = noted
    play.pump = Pump(play.dept.desk, play.link, at_once=1)
    up(play)
    play.go(0.5)
    assert order == [7, 8, 9]


def test_what_the_peer_had_already_is_asked_about_and_not_sent_again(play: Play) -> None:
    supplied(play.dept)
    first = sent(play.dept)
    assert play.pair.posted(first.manifest, first.payload).status == 200  # and its answer was lost
    supplied(play.dept, 1, 1)
    up(play)
    play.go(1)
    assert play.asked[POST] == 1  # the second one: the lane was not kept by the first one's claim
    assert entries(play) == [EntryState.ACCEPTED] * 2


def test_what_the_peer_never_had_is_sent_again_byte_for_byte(play: Play) -> None:
    supplied(play.dept)
    first = sent(play.dept)
    up(play)
    play.go(1)
    assert (play.asked["/v1/receipts"], play.asked[POST]) == (1, 1)
    with play.pair.centre.stores.inbox.unit() as unit:
        arrival = unit.by_digest(first.entry.digest)
    assert arrival is not None


def test_it_is_asked_about_before_it_is_sealed_again(play: Play) -> None:
    """Sealed twice again, it would name the second sealing only, and the peer that has the first would see a fork."""
    supplied(play.dept)
    first = sent(play.dept)
    assert play.pair.posted(first.manifest, first.payload).status == 200
    play.dept.desk.means = replace(play.dept.desk.means, identity=renewed("dept-a", Role.SIGN)[0].identity)
    up(play)
    play.go(1)
    assert play.asked[POST] == 0
    assert entry_of(play.dept, first.entry.parcel).state is EntryState.ACCEPTED


def test_a_renewed_certificate_seals_again_what_the_peer_never_had(play: Play) -> None:
    supplied(play.dept)
    first = sent(play.dept)
    means, ours = renewed("dept-a", Role.SIGN)
    play.dept.desk.means = replace(play.dept.desk.means, identity=means.identity)
    centre = play.pair.centre.desk
    centre.means = replace(centre.means, registry=means_of(CENTRE, [ours]).registry)
    up(play)
    play.go(1)
    assert entry_of(play.dept, first.entry.parcel).state is EntryState.VOIDED
    assert sorted(entries(play)) == [EntryState.ACCEPTED, EntryState.VOIDED]


# --- turned away ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [codes.QUOTA, codes.DISK, codes.DRAINING])
def test_the_peer_says_how_long_to_wait(play: Play, code: Code) -> None:
    play.answers[POST] = says(trouble(code, peer=CENTRE, what="intake"), 20)
    supplied(play.dept)
    up(play)
    play.go(19)
    assert play.asked[POST] == 1 and state_of(play.dept).held is None
    play.go(2)
    assert play.asked[POST] == 2


def test_a_wait_that_a_peer_asks_for_is_bounded_and_leaves_other_lanes_alone(play: Play) -> None:
    play.answers[POST] = says(trouble(codes.QUOTA, peer=CENTRE), 99_999)
    for stream in Stream:
        supplied(play.dept, lane=lane_of(stream=stream))
    play.pump = Pump(play.dept.desk, play.link, at_once=1)
    up(play)
    play.go(5)
    assert play.asked[POST] == 3
    del play.answers[POST]
    play.go(61)
    assert entries(play) == [EntryState.ACCEPTED] * 3


def test_an_answer_without_a_code_is_tried_again_ever_more_seldom(play: Play) -> None:
    play.answers[POST] = lambda request: Response(500, b"oops")
    supplied(play.dept)
    up(play)
    play.go(60)
    assert 5 <= play.asked[POST] <= 8
    del play.answers[POST]
    play.go(61)
    assert entries(play) == [EntryState.ACCEPTED]


@pytest.mark.parametrize("code", [codes.NOT_ALLOWED, codes.UNREGISTERED, codes.FORK, codes.SIGNATURE])
def test_an_answer_that_waits_for_somebody_holds_the_lane_with_one_alarm(play: Play, code: Code) -> None:
    play.answers[POST] = says(trouble(code, peer=CENTRE, what="population"))
    supplied(play.dept)
    up(play)
    play.go(30)
    assert (play.asked[POST], state_of(play.dept).held) == (1, code.name)
    for _ in range(3):
        with play.dept.stores.outbox.unit() as unit:
            unit.hold(lane_of(), None)
        play.dept.desk.bell.ring(f"outbox:{CENTRE}")
        play.go(70)
    assert play.asked[POST] == 4
    assert play.dept.journal.names("error") == [code.name]
    del play.answers[POST]
    with play.dept.stores.outbox.unit() as unit:
        unit.hold(lane_of(), None)
    play.go(70)
    assert entries(play) == [EntryState.ACCEPTED]


def test_a_full_disk_that_cannot_keep_a_hold_is_no_fault_and_no_circle(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise trouble(codes.DISK, what="store")

    play.answers[POST] = says(trouble(codes.NOT_ALLOWED, peer=CENTRE, what="population"))
    supplied(play.dept)
    with play.dept.stores.outbox.unit() as unit:
        kind = type(unit)
    monkeypatch.setattr(kind, "hold", full)
    up(play)
    play.go(30)
    assert "EXN-FAULT" not in play.dept.journal.names("error")
    assert 1 < play.asked[POST] < 8 and state_of(play.dept).held is None
    monkeypatch.undo()
    play.go(70)
    assert state_of(play.dept).held == codes.NOT_ALLOWED.name


def two_accepted(play: Play) -> None:
    for number in range(2):
        supplied(play.dept, 1, number)
        play.pair.accept(sent(play.dept))
    supplied(play.dept, 1, 2)


def test_a_lane_behind_rewinds_at_once_and_sends_the_lost_tail_again(play: Play) -> None:
    two_accepted(play)
    with play.dept.stores.outbox.unit() as unit:
        digest = unit.digest_at(lane_of(), state_of_in(unit).head.epoch, 1)
    head = {"epoch": state_of(play.dept).head.epoch, "seq": 1, "head": digest}
    play.answers["/v1/receipts"] = nothing
    play.answers[POST] = lambda request: _once(play, trouble(codes.BEHIND), request, **head)
    up(play)
    play.go(0)
    assert play.asked[POST] == 3, "the third, then the second and the third"
    assert entries(play) == [EntryState.ACCEPTED] * 3


@pytest.mark.parametrize("papers", [(), (Role.SIGN,)])
def test_a_lost_tail_goes_in_a_new_epoch_once_our_papers_have_changed(play: Play, papers: tuple[Role, ...]) -> None:
    """Its bytes are fixed, and their certificate may have ended since (seed 930577 of `tests/world`)."""
    two_accepted(play)
    with play.dept.stores.outbox.unit() as unit:
        claim = unit.claim(lane_of(), play.dept.desk.now(), 1000)
        assert claim is not None
        unit.rewind(claim, START)
        unit.release(claim)
    epoch = state_of(play.dept).head.epoch
    play.dept.desk.means = replace(play.dept.desk.means, identity=renewed("dept-a", *papers)[0].identity)
    play.answers["/v1/receipts"] = nothing
    play.answers[POST] = says(trouble(codes.NOT_ALLOWED, peer=CENTRE, what="population"))
    up(play)
    play.go(5)
    state = state_of(play.dept)
    assert state.held == codes.NOT_ALLOWED.name and play.asked[POST] == 1
    assert (state.head.epoch, state.head.seq) == ((epoch + 1, 1) if papers else (epoch, 2))
    assert all_entries(play)[-1].count == (3 if papers else 1)


def state_of_in(unit: OutboxUnit) -> LaneState:
    state = unit.lane(lane_of())
    assert state is not None
    return state


def _once(play: Play, met: Trouble, request: Request, **members: object) -> Response:
    del play.answers[POST]
    return says(met, **members)(request)


def test_a_peer_that_always_says_behind_is_not_asked_in_a_circle(play: Play) -> None:
    two_accepted(play)
    play.answers[POST] = says(trouble(codes.BEHIND), epoch=0, seq=0, head=NOTHING)
    up(play)
    play.go(60)
    assert 4 <= play.asked[POST] <= 9


@pytest.mark.parametrize("told", [
    {}, {"epoch": 1, "seq": -1, "head": NOTHING}, {"epoch": True, "seq": 1, "head": NOTHING},
    {"epoch": 2**63, "seq": 2**63, "head": NOTHING}, {"epoch": 1, "seq": 1, "head": "z" * 64},
    {"epoch": "1", "seq": 1, "head": NOTHING},
])
def test_a_head_that_is_none_changes_nothing(play: Play, told: dict[str, object]) -> None:
    play.answers[POST] = says(trouble(codes.BEHIND), **told)
    supplied(play.dept)
    up(play)
    play.go(30)
    assert play.asked[POST] <= 7 and state_of(play.dept).held is None


def test_a_place_whose_receipt_was_purged_opens_a_new_epoch(play: Play) -> None:
    supplied(play.dept)
    first = sent(play.dept)
    epoch = state_of(play.dept).head.epoch
    head = {"epoch": epoch, "seq": 1, "head": first.entry.digest}
    play.answers[POST] = says(trouble(codes.PURGED), **head)
    up(play)
    play.go(0)
    assert play.asked[POST] == 1
    state = state_of(play.dept)
    assert (state.head.epoch, state.base, state.waiting) == (epoch + 1, first.entry.digest, 0)


# --- answers that are not what they should be -------------------------------------------------------------------------


def test_an_answer_that_is_no_receipt_is_not_believed_and_not_asked_for_in_a_circle(play: Play) -> None:
    play.answers[POST] = lambda request: Response(200, b"thank you", [(b"Content-Type", STATEMENT)])
    supplied(play.dept)
    up(play)
    play.go(60)
    assert play.asked[POST] <= 8
    assert entries(play) == [EntryState.SENT]


def test_the_receipt_of_another_parcel_finishes_nothing(play: Play) -> None:
    supplied(play.dept)
    first = sent(play.dept)
    play.pair.accept(first)
    given, _ = receipt(first, play.pair.centre.desk.means, play.dept.desk.means)
    play.answers[POST] = lambda request: Response(200, given, [(b"Content-Type", STATEMENT)])
    play.answers["/v1/receipts"] = nothing
    supplied(play.dept, 1, 1)
    up(play)
    play.go(60)
    assert sorted(entries(play)) == [EntryState.ACCEPTED, EntryState.SENT]
    assert play.asked[POST] <= 8


def test_a_letter_that_is_none_delays(play: Play) -> None:
    play.answers["/v1/receipts"] = lambda request: Response(200, b"not a letter", [(b"Content-Type", LETTER)])
    supplied(play.dept)
    sent(play.dept)
    up(play)
    play.go(60)
    assert play.asked["/v1/receipts"] <= 8 and play.asked[POST] == 0


def test_a_lane_that_another_holds_is_looked_at_seldom(play: Play) -> None:
    supplied(play.dept)
    with play.dept.stores.outbox.unit() as unit:
        assert unit.claim(lane_of(), play.dept.desk.now(), 40_000) is not None
    runs = 0
    real = play.dept.desk.outbox.run

    def counted(function: object, durable: bool = True) -> object:
        nonlocal runs
        runs += 1
        return real(function, durable)  # type: ignore[arg-type, type-var]  # passed on as it came

    play.dept.desk.outbox.run = counted  # type: ignore[method-assign, assignment]  # it counts and does the same
    up(play)
    play.go(39)
    assert play.asked[POST] == 0 and runs < 40
    play.go(62)
    assert play.asked[POST] == 1


def test_a_peer_that_cannot_be_reached_takes_the_link_down_and_nothing_is_counted_down(play: Play) -> None:
    play.line.endpoint.refusing = True
    supplied(play.dept)
    up(play)
    play.go(300)
    assert not play.link.up and entries(play) == [EntryState.SENT] and state_of(play.dept).held is None
    play.line.endpoint.refusing = False
    play.link.set_up(True)
    play.go(2)
    assert entries(play) == [EntryState.ACCEPTED]


def test_a_peer_that_greets_well_and_breaks_on_every_parcel_is_not_tried_in_a_circle(play: Play) -> None:
    supplied(play.dept)

    def breaks(request: Request) -> Response:
        for pipe in play.line.endpoint.pipes:
            pipe.server.abortConnection()
        return Response(200, b"")

    play.answers[POST] = breaks
    play.start(play.pump.run, play.greeter.run)
    play.go(60)
    assert 2 <= play.asked[POST] <= 14  # each try on a kept connection is one more on a new one
    assert play.asked["/v1/hello"] <= 14


# --- one parcel's way out ---------------------------------------------------------------------------------------------


def test_a_seal_that_can_never_be_made_holds_the_lane(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(*given: object) -> None:
        raise trouble(codes.TOO_LARGE, what="payload", limit=1)

    monkeypatch.setattr(seal, "close", too_large)
    supplied(play.dept)
    up(play)
    play.go(30)
    assert state_of(play.dept).held == "EXN-TOO-LARGE"
    assert play.dept.journal.names("error") == ["EXN-TOO-LARGE"] and state_of(play.dept).waiting == 1


def test_two_senders_of_one_lane_never_have_the_same_parcel_at_once(play: Play) -> None:
    supplied(play.dept)
    first = finish(next_parcel(play.dept.desk, lane_of()), play.clock)
    assert first is not None
    assert finish(next_parcel(play.dept.desk, lane_of()), play.clock) is None
    assert taken(play.dept, at=play.dept.desk.timers.lease_ms) is not None


def test_a_large_seal_gives_the_lane_back_when_it_fails(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage, "BLOCK", 1)
    supplied(play.dept, 3)
    play.register(peer_of(CENTRE, suspended=True))
    with pytest.raises(Trouble):
        finish(next_parcel(play.dept.desk, lane_of()), play.clock)
    play.register(CENTRE)
    found = finish(next_parcel(play.dept.desk, lane_of()), play.clock)
    assert found is not None and found.entry.count == 3


def test_a_letter_asks_for_one_parcel(play: Play) -> None:
    supplied(play.dept)
    first = sent(play.dept)
    letters: list[Letter] = []

    def noted(request: Request) -> Response:
        letters.append(read_letter(request.body))
        return Response(200, write_letter(Letter(unknown=letters[-1].ask)), [(b"Content-Type", LETTER)])

    play.answers["/v1/receipts"] = noted
    up(play)
    play.go(1)
    assert [list(letter.ask) for letter in letters] == [[first.entry.parcel]]
    assert entries(play) == [EntryState.ACCEPTED]
