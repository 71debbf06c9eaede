"""The greeter: a peer's rest, its end by a good hello, and what a hello changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.model import codes
from node.model.spool import EntryState, Rest
from node.model.trouble import trouble
from node.wire.message import Request, Response
from tests.deliver.play import TIMERS, Play, says
from tests.exchange.acts import entry_of, sent, state_of, supplied
from tests.stage.desk import CENTRE
from tests.stage.pair import Pair, lane_of

HELLO = "/v1/hello"


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    made = Play(Pair(tmp_path))
    yield made
    made.end()


def rest(play: Play) -> Rest:
    with play.dept.stores.outbox.unit() as unit:
        return unit.rest(CENTRE)


def test_a_good_hello_brings_the_link_up_and_is_said_each_minute(play: Play) -> None:
    play.start(play.greeter.run)
    assert play.link.up and play.asked[HELLO] == 1
    play.go(59)
    assert play.asked[HELLO] == 1
    play.go(121)
    assert play.asked[HELLO] == 4
    assert play.dept.tally.of("peer_clock_skew", peer=CENTRE) == 0


def test_the_rest_of_a_peer_doubles_with_jitter_stays_bounded_and_is_on_disk(play: Play) -> None:
    play.line.endpoint.refusing = True
    play.start(play.greeter.run)
    waits = []
    for attempt in range(1, 10):
        found = rest(play)
        assert found.attempts == attempt
        waits.append((found.until - play.dept.desk.now()) / 1000)
        while rest(play).attempts == attempt:
            play.go(0.25)
    for number, wait in enumerate(waits):
        whole = min(TIMERS.rest_most, 2**number)
        assert 0.8 * whole - 0.3 <= wait <= 1.2 * whole
    assert play.dept.journal.names("warning") == ["EXN-PEER-DOWN"] and not play.link.up
    play.line.endpoint.refusing = False
    play.go(75)
    assert play.link.up and rest(play) == Rest()


def test_a_node_started_again_keeps_to_the_rest_on_disk(play: Play) -> None:
    play.line.endpoint.refusing = True
    with play.dept.stores.outbox.unit() as unit:
        unit.set_rest(CENTRE, Rest(play.dept.desk.now() + 30_000, 6))
    play.line.endpoint.refusing = False
    play.start(play.greeter.run)
    play.go(29)
    assert play.asked[HELLO] == 0
    play.go(2)
    assert play.asked[HELLO] == 1 and play.link.up


def test_a_rest_written_under_a_clock_a_year_ahead_is_clamped(play: Play) -> None:
    with play.dept.stores.outbox.unit() as unit:
        unit.set_rest(CENTRE, Rest(play.dept.desk.now() + 365 * 86_400_000, 3))
    play.start(play.greeter.run)
    play.go(TIMERS.rest_most + 1)
    assert play.link.up


def test_a_wish_ends_a_rest_and_one_that_comes_during_a_hello_is_not_lost(play: Play) -> None:
    with play.dept.stores.outbox.unit() as unit:
        unit.set_rest(CENTRE, Rest(play.dept.desk.now() + 50_000, 3))
    play.start(play.greeter.run)
    play.go(1)
    play.dept.desk.bell.ring(f"greet:{CENTRE}")
    play.go(0.25)
    assert play.asked[HELLO] == 1

    def wished(request: Request) -> Response:
        del play.answers[HELLO]
        play.dept.desk.bell.ring(f"greet:{CENTRE}")
        return says(trouble(codes.DISK, what="x"))(request)

    play.answers[HELLO] = wished
    play.dept.desk.bell.ring(f"greet:{CENTRE}")
    play.go(3)
    assert play.asked[HELLO] >= 3 and play.link.up


def test_a_link_that_went_down_is_greeted_at_once(play: Play) -> None:
    play.start(play.greeter.run)
    play.link.set_up(False)
    play.go(0.25)
    assert play.asked[HELLO] == 2 and play.link.up


def test_a_hello_rewinds_a_lost_tail(play: Play) -> None:
    supplied(play.dept)
    first = sent(play.dept)
    play.pair.accept(first)
    with play.pair.centre.stores.inbox.unit() as unit:
        before = unit.heads("dept-a")
    assert before
    play.pair.centre.close()
    centre = Path(str(play.pair.folder)) / CENTRE
    for file in centre.iterdir():
        file.unlink()
    play.pair.centre = play.pair.centre.again()
    play.pair.open_house()
    play.pair.centre.desk.timers = TIMERS
    fresh = Play(play.pair)
    fresh.start(fresh.greeter.run, fresh.pump.run)
    fresh.go(2)
    assert entry_of(play.dept, first.entry.parcel).state is EntryState.ACCEPTED
    with fresh.pair.centre.stores.inbox.unit() as unit:
        assert unit.head(lane_of()) is not None
    fresh.dept.desk.stopping = True


@pytest.mark.parametrize("code", [codes.SUPERSEDED, codes.CLONED])
def test_a_peer_that_calls_us_old_or_double_stops_our_lanes_and_is_told_of_once(play: Play, code: codes.Code) -> None:
    supplied(play.dept)
    play.answers[HELLO] = says(trouble(code, peer="dept-a"))
    play.start(play.greeter.run)
    play.go(30)
    assert state_of(play.dept).held == code.name and not play.link.up
    assert play.dept.journal.names("error") == [code.name]


def test_a_peer_that_is_registered_no_more_is_not_reached(play: Play) -> None:
    play.register()
    play.start(play.greeter.run)
    play.go(10)
    assert not play.link.up and play.asked[HELLO] == 0
    assert play.dept.journal.names("error") == ["EXN-UNREGISTERED"]
    play.register(CENTRE)
    play.go(70)
    assert play.link.up


def test_a_clock_that_differs_too_much_is_not_spoken_with(play: Play) -> None:
    now = play.pair.centre.desk.now
    play.pair.centre.desk.now = lambda: now() + 301_000
    play.start(play.greeter.run)
    play.go(1)
    assert not play.link.up and play.dept.journal.names("error") == ["EXN-CLOCK"]


def test_held_lanes_try_again_after_a_good_hello_but_not_those_for_people(play: Play) -> None:
    supplied(play.dept)
    for held, after in ((codes.GRANT, None), (codes.HELD, codes.HELD), (codes.FORK, codes.FORK)):
        with play.dept.stores.outbox.unit() as unit:
            unit.hold(lane_of(), held.name)
        fresh = Play(play.pair)
        fresh.start(fresh.greeter.run)
        assert state_of(play.dept).held == (after.name if after else None)
