"""The asker: what is overdue is asked about and never sent again, receipts go both ways, and nobody makes it spin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from node.envelope import Enclosure, Letter, Said, frame_head, read_letter, seal, write_letter
from node.exchange import ask
from node.exchange.authority import party
from node.intake.admission import admit_parcel
from node.intake.collector import Collector
from node.intake.opener import Opener
from node.model import codes
from node.model.spool import EntryState, Sealed
from node.model.trouble import trouble
from node.wire.media import LETTER, PARCEL
from node.wire.message import Request, Response
from node.workers.passage import next_parcel
from tests.deliver.play import Answers, Play, nothing, says
from tests.exchange.acts import entry_of, receipt, sent, supplied
from tests.intake.api import twin
from tests.stage.desk import CENTRE, finish, means_of, peer_of
from tests.stage.forging import draft_of, line_of, signer_of
from tests.stage.pair import lane_of

RECEIPTS = "/v1/receipts"
STRANGE = "0199d1a2-7c3e-7b6a-8f00-5d2c9a1e4b30"


@pytest.fixture
def play() -> Iterator[Play]:
    made = Play()
    yield made
    made.end()


def letters(play: Play, answer: Answers = nothing) -> list[Letter]:
    """Return the letters the peer will have got."""
    got: list[Letter] = []

    def noted(request: Request) -> Response:
        got.append(read_letter(request.body))
        return answer(request)

    play.answers[RECEIPTS] = noted
    return got


def letter(**given: Any) -> Answers:
    return lambda request: Response(200, write_letter(Letter(**given)), [(b"Content-Type", LETTER)])


def on_its_way(play: Play, accepted: bool = True) -> str:
    supplied(play.dept)
    first = sent(play.dept)
    if accepted:
        play.pair.accept(first)
    return first.entry.parcel


def test_while_nothing_is_unaccounted_for_the_peer_is_given_the_chance_to_ask_now_and_then(play: Play) -> None:
    got = letters(play)
    play.link.set_up(True)
    play.start(play.asker.poll, play.asker.give)
    play.go(300)
    assert 3 <= len(got) <= 5 and set(got) == {Letter((), (), (), ())}


def test_a_poll_brings_the_final_word_home_as_soon_as_there_is_one(play: Play) -> None:
    parcel = on_its_way(play)
    play.link.set_up(True)
    play.start(play.asker.poll)
    play.go(5)
    assert entry_of(play.dept, parcel).state is EntryState.ACCEPTED
    play.pair.opened()
    play.go(0)
    assert entry_of(play.dept, parcel).state is EntryState.DONE
    play.go(60)
    assert play.asked["/v1/parcels"] == 0 and play.asked[RECEIPTS] <= 2


def test_what_is_overdue_is_asked_about_once_per_interval(play: Play) -> None:
    parcel = on_its_way(play)
    got = letters(play)
    play.link.set_up(True)
    play.start(play.asker.poll)
    play.go(29)
    assert not any(one.ask for one in got)
    play.go(65)
    assert [list(one.ask) for one in got if one.ask] == [[parcel]] * 3


def test_what_is_sent_while_the_asker_looks_is_not_overdue(play: Play) -> None:
    got = letters(play)
    play.link.set_up(True)
    supplied(play.dept)
    ticks = count(play.dept.desk.now())
    play.dept.desk.now = lambda: next(ticks)
    sending = Deferred.fromCoroutine(next_parcel(play.dept.desk, lane_of()))
    play.start(play.asker.poll)
    assert sending.called and [one.ask for one in got] == [()]


@pytest.mark.parametrize("answer", ["nothing", "pending", "unknown", "ask", "receipt", "others", "problem"])
def test_a_peer_that_answers_the_same_at_once_is_not_asked_in_a_circle(play: Play, answer: str) -> None:
    parcel = on_its_way(play)
    supplied(play.dept, 1, 1)
    other = sent(play.dept)
    given, _ = receipt(other, play.pair.centre.desk.means, play.dept.desk.means)
    letters(play, {
        "nothing": nothing, "pending": letter(pending=[parcel]), "unknown": letter(unknown=[parcel]),
        "ask": letter(ask=[parcel]), "receipt": letter(receipts=[Enclosure(given)]),
        "others": letter(receipts=[Enclosure(b"no receipt")]), "problem": says(trouble(codes.QUOTA, peer=CENTRE)),
    }[answer])
    play.link.set_up(True)
    play.start(play.asker.poll, play.asker.give)
    play.go(60)
    assert play.asked[RECEIPTS] <= 75


def test_a_peer_that_turns_letters_away_is_told_of_once_and_left_alone(play: Play) -> None:
    on_its_way(play)
    letters(play, says(trouble(codes.NOT_ALLOWED, peer="dept-a", what="ask"), 30))
    play.link.set_up(True)
    play.start(play.asker.poll)
    play.go(100)
    assert play.asked[RECEIPTS] == 4
    assert play.dept.journal.names("warning") == ["EXN-NOT-ALLOWED"]


def test_what_the_peer_never_had_is_looked_after_by_a_hello(play: Play) -> None:
    parcel = on_its_way(play)
    letters(play, letter(unknown=[parcel]))
    before = play.dept.desk.bell.count(f"greet:{CENTRE}")
    play.link.set_up(True)
    play.start(play.asker.poll)
    play.go(31)
    assert play.dept.desk.bell.count(f"greet:{CENTRE}") > before
    assert "EXN-BEHIND" in play.dept.journal.names("warning")


def test_while_the_link_is_down_nothing_is_asked(play: Play) -> None:
    on_its_way(play)
    got = letters(play)
    play.start(play.asker.poll, play.asker.give)
    play.go(100)
    assert not got


# --- receipts we owe --------------------------------------------------------------------------------------------------


def supplied_down(play: Play) -> Sealed:
    """Return a parcel of the centre for the department."""
    means, peer = play.pair.centre.desk.means, peer_of("dept-a")
    draft = replace(draft_of(means, play.dept.desk.now()), receiver=party(peer))
    lines = [line_of(twin(0), 1, CENTRE)]
    return seal(draft, lines, Said(), signer_of(means), [peer.encryption], means.crypto, means.chance)


def owing(play: Play) -> str:
    """Let the department accept a parcel of the centre, and open it, and return its id: its final word is owed."""
    made = supplied_down(play)
    finish(admit_parcel(play.dept.desk, made.manifest, made.payload, CENTRE), play.clock)
    finish(Opener(play.dept.desk).run(), play.clock)
    return made.statement.parcel


def test_receipts_are_given_at_once_and_once(play: Play) -> None:
    got = letters(play)
    play.link.set_up(True)
    play.start(play.asker.give)
    parcel = owing(play)
    play.dept.desk.bell.ring(f"receipts:{CENTRE}")
    play.go(100)
    assert [len(one.receipts) for one in got] == [1]
    with play.dept.stores.inbox.unit() as unit:
        assert unit.given(parcel) and not unit.ungiven(CENTRE, 10)


def test_a_receipt_turned_away_is_kept_and_given_later(play: Play) -> None:
    owing(play)
    letters(play, says(trouble(codes.DRAINING), 5))
    play.link.set_up(True)
    play.start(play.asker.give)
    play.go(12)
    assert play.asked[RECEIPTS] == 3
    got = letters(play)
    play.go(10)
    assert [len(one.receipts) for one in got] == [1]


def test_what_the_peer_asks_for_is_given_again_and_kept_until_it_was(play: Play) -> None:
    parcel = owing(play)
    with play.dept.stores.inbox.unit() as unit:
        unit.gave([(one.parcel, one.stage) for one in unit.given(parcel)])
    on_its_way(play)
    asking = [True]

    def asks_once(request: Request) -> Response:
        if asking and not read_letter(request.body).receipts:
            asking.clear()
            return letter(ask=[parcel])(request)
        if not asking and read_letter(request.body).receipts and len(turned) < 2:
            turned.append(1)
            return says(trouble(codes.DRAINING), 3)(request)
        return nothing(request)

    turned: list[int] = []
    got = letters(play, asks_once)
    play.link.set_up(True)
    play.start(play.asker.poll, play.asker.give)
    play.go(20)
    assert [len(one.receipts) for one in got if one.receipts] == [2, 2, 2]


def test_what_the_peer_asks_for_and_was_never_stored_is_told_and_not_at_every_letter(play: Play) -> None:
    """The peer sends from where nobody connects to us: it learns in no other way that we lost a parcel."""
    got = letters(play, letter(ask=[STRANGE]))
    on_its_way(play)
    play.link.set_up(True)
    play.start(play.asker.poll, play.asker.give)
    play.go(29)
    assert [list(one.unknown) for one in got if one.unknown] == [[STRANGE]]
    play.go(10)
    assert [list(one.unknown) for one in got if one.unknown] == [[STRANGE]] * 2


def test_what_was_never_stored_is_told_also_where_it_is_asked_for_beside_a_collected_parcel(play: Play) -> None:
    made, asks = supplied_down(play), iter([letter(ask=[STRANGE])])
    body = [frame_head(made.manifest, len(made.payload)), made.payload]
    play.answers["/v1/collect"] = lambda request: Response(200, body, [(b"Content-Type", PARCEL)])
    got = letters(play, lambda request: next(asks, nothing)(request))
    play.link.set_up(True)
    done = Deferred.fromCoroutine(Collector(play.dept.desk, play.link).run())
    play.go(1)
    assert done.called
    assert [(len(one.receipts), list(one.unknown)) for one in got] == [(1, []), (0, [STRANGE])]


def test_a_receipt_for_somebody_else_is_never_given(play: Play) -> None:
    parcel = owing(play)
    play.dept.desk.means = means_of("dept-a", [CENTRE, "dept-b"])
    with play.dept.stores.inbox.unit() as unit:
        assert not ask.due(unit, "dept-b", [parcel])
        assert ask.tell(unit, "dept-b", [parcel]).unknown == [parcel]
        assert len(ask.due(unit, CENTRE, [parcel])) == 2
