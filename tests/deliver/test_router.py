"""The router and `route`: history through a grant, once, whole, at most a parcel ahead, and never back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from node.deliver.router import Router
from node.envelope import read_manifest, read_origins
from node.exchange import route
from node.exchange.route import reader
from node.model import codes
from node.model.parcel import Lane
from node.model.record import Stream
from node.model.registry import Grant
from node.model.spool import GROUP_RECORDS, Block, Group
from node.model.trouble import Trouble, trouble
from tests.exchange.acts import grant_of, sent, supplied
from tests.intake.api import twin
from tests.stage.desk import CENTRE, DOMAIN, finish, means_of, peer_of
from tests.stage.forging import line_of
from tests.stage.pair import Pair, lane_of

OUT = Lane(DOMAIN, CENTRE, "dept-b", "population", Stream.LIVE)


@pytest.fixture(params=["memory", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(None if request.param == "memory" else tmp_path, registered=("dept-a", "dept-b"))
    granted(made, grant_of())
    yield made
    made.close()


def granted(pair: Pair, *grants: Grant) -> None:
    desk = pair.centre.desk
    peers = [peer_of("dept-a"), peer_of("dept-b")]
    desk.means = replace(desk.means, registry=means_of(CENTRE, peers, grants=grants).registry)


def delivered(pair: Pair, *counts: int, start: int = 0) -> None:
    """Let parcels of these sizes reach the centre's warehouse."""
    for count in counts:
        supplied(pair.dept, count, start)
        pair.accept(sent(pair.dept))
        pair.opened()
        start += count


def blocks(pair: Pair, after: int = 0, limit: int = 100) -> Sequence[Block]:
    with pair.centre.stores.warehouse.unit() as unit:
        return unit.history("population", after, limit)


def waiting(pair: Pair, lane: Lane = OUT) -> Sequence[Group]:
    with pair.centre.stores.outbox.unit() as unit:
        return unit.draw(lane)


def routed(pair: Pair, after: int, found: Sequence[Block], grant: Grant | None = None, at: int = 0) -> int:
    desk = pair.centre.desk
    with pair.centre.stores.outbox.unit() as unit:
        return route.route(unit, grant or grant_of(), after, found, desk.means, desk.now() + at)


def hungry(pair: Pair, grant: Grant | None = None, at: int = 0) -> int | None:
    desk = pair.centre.desk
    with pair.centre.stores.outbox.unit() as unit:
        return route.hungry(unit, grant or grant_of(), desk.means, desk.now() + at)


def bookmark(pair: Pair) -> str | None:
    with pair.centre.stores.outbox.unit() as unit:
        return unit.bookmark(reader(grant_of()))


def test_lines_pass_byte_for_byte_with_their_proof_and_the_grants_purpose(pair: Pair) -> None:
    delivered(pair, 3)
    (block,) = blocks(pair)
    assert routed(pair, 0, [block]) == 3
    (group,) = waiting(pair)
    assert (list(group.lines), group.purpose, group.grant) == (list(block.lines), "govern", grant_of().name)
    (entry,) = read_origins(group.origins)
    assert (entry.count, [index for index, _ in entry.at]) == (3, [0, 1, 2])
    said = read_manifest(entry.manifest, pair.centre.desk.means.crypto).statement
    assert (said.sender.node, said.parcel) == ("dept-a", block.parcel)


def test_a_repeated_read_puts_nothing_twice(pair: Pair) -> None:
    delivered(pair, 2, 2)
    found = blocks(pair)
    assert routed(pair, 0, found) == 4
    with pytest.raises(Trouble) as caught:
        routed(pair, 0, found)
    assert caught.value.code is codes.FENCED
    assert sum(len(group.lines) for group in waiting(pair)) == 4
    assert (hungry(pair), bookmark(pair)) == (found[-1].id, str(found[-1].id))


def test_it_stops_at_one_parcel_and_goes_on_from_there(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered(pair, 2, 2, 2)
    monkeypatch.setattr(route, "GROUP_RECORDS", 4)
    found = blocks(pair)
    assert routed(pair, 0, found) == 4
    assert bookmark(pair) == str(found[1].id)
    assert hungry(pair) is None
    monkeypatch.setattr(route, "GROUP_RECORDS", GROUP_RECORDS)
    monkeypatch.setattr(route, "GROUP_OCTETS", 1000)
    assert hungry(pair) is None, "few records may be many octets"
    monkeypatch.undo()
    assert hungry(pair) == found[1].id
    assert routed(pair, found[1].id, found[2:]) == 2


def test_nothing_goes_back_to_its_origin_or_to_whoever_passed_it_on(pair: Pair) -> None:
    delivered(pair, 2)
    (block,) = blocks(pair)
    back = grant_of("dept-a")
    granted(pair, back, grant_of())
    assert routed(pair, 0, [block], back) == 0
    assert not waiting(pair, OUT._replace(receiver="dept-a"))
    mixed = replace(block, lines=[block.lines[0], line_of(twin(7), 1, "dept-b")])
    with pytest.raises(ValueError):
        routed(pair, 0, [replace(mixed, lines=[*mixed.lines, mixed.lines[0]])])
    assert routed(pair, 0, [mixed]) == 1
    (group,) = waiting(pair)
    (entry,) = read_origins(group.origins)
    assert list(group.lines) == [block.lines[0]] and [index for index, _ in entry.at] == [0] and len(entry.rest) == 1
    passed_on = replace(block, sender="dept-b")
    assert routed(pair, block.id, [replace(passed_on, id=block.id + 1)]) == 0


def test_a_grant_is_asked_when_it_is_hungry_and_again_when_it_is_put(pair: Pair) -> None:
    delivered(pair, 1)
    found = blocks(pair)
    ending = grant_of(until=pair.centre.desk.now() + 1000)
    granted(pair, ending)
    assert hungry(pair, ending) == 0 and hungry(pair, ending, 1000) is None
    assert routed(pair, 0, found, ending, 1000) == 0
    granted(pair)
    assert (hungry(pair, ending), routed(pair, 0, found, ending)) == (None, 0)
    assert bookmark(pair) is None and not waiting(pair)
    granted(pair, replace(ending, receiver="dept-z"))
    assert hungry(pair, replace(ending, receiver="dept-z")) is None


def test_blocks_of_several_streams_go_into_lanes_of_their_own(pair: Pair) -> None:
    delivered(pair, 1)
    supplied(pair.dept, 1, 5, lane_of(stream=Stream.BACKFILL))
    pair.accept(sent(pair.dept, lane=lane_of(stream=Stream.BACKFILL)))
    pair.opened()
    assert routed(pair, 0, blocks(pair)) == 2
    assert len(waiting(pair)) == len(waiting(pair, OUT._replace(stream=Stream.BACKFILL))) == 1


def test_the_router_feeds_until_a_parcel_waits_and_again_when_it_left(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(pair, 2, 2, 2)
    monkeypatch.setattr(route, "GROUP_RECORDS", 4)
    desk, router = pair.centre.desk, Router(pair.centre.desk)
    desk.keep("router", router.run)
    turn(pair)
    assert sum(len(group.lines) for group in waiting(pair)) == 4
    assert sent(pair.centre, lane=OUT).entry.count == 4
    desk.bell.ring("settled")
    turn(pair)
    assert sum(len(group.lines) for group in waiting(pair)) == 2
    assert pair.centre.tally.of("central_routed", subscriber="dept-b") == 6
    desk.stopping = True


def turn(pair: Pair) -> None:
    for _ in range(60):
        pair.clock.advance(0)


def test_a_grant_in_trouble_does_not_starve_the_others_and_is_told_of_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered(pair, 1)
    bad, good = grant_of(purpose="audit"), grant_of()
    granted(pair, bad, good)
    real = route.route

    def troubled(unit: object, grant: Grant, *given: object) -> int:
        if grant == bad:
            raise trouble(codes.STATEMENT, reason="origins")
        return real(unit, grant, *given)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(route, "route", troubled)
    router = Router(pair.centre.desk)
    for _ in range(3):
        desk = pair.centre.desk
        seen = desk.keep("router", router.run)
        turn(pair)
        desk.bell.ring("warehouse")
        turn(pair)
        seen.addErrback(lambda failure: None)
        seen.cancel()
    assert [group.purpose for group in waiting(pair)] == ["govern"]
    assert pair.centre.journal.names("error") == ["EXN-STATEMENT"]


def test_a_slow_subscriber_is_a_bookmark(pair: Pair) -> None:
    delivered(pair, *[1] * 5)
    desk = pair.centre.desk
    desk.means = replace(desk.means, registry=means_of(
        CENTRE, [peer_of("dept-a"), peer_of("dept-b", suspended=True)], grants=[grant_of()]
    ).registry)
    found = finish(desk.outbox.run(lambda unit: route.hungry(unit, grant_of(), desk.means, desk.now())), pair.clock)
    assert found == 0
