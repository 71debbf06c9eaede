"""Rows of a REST service: every way of pages, ties, late rows, rows that move, kills at any word, clocks, deletes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

import pytest

from adapters.contract import GONE, Bookmark, Dirty, Misconfigured, Mode, Order, Unavailable
from adapters.http_poll import HttpPoll
from adapters.schema import fit
from tests.adapters.http_service import PAGES, Asked, Persons, Told, Web, person, settings, stamp, what
from tests.adapters.legacy import Node

WAYS = sorted(PAGES)


class World:
    """A service with persons, and a node that reads it."""

    def __init__(self) -> None:
        self.persons = Persons()
        self.web = Web(lambda asked: self.persons(asked))
        self.adapters: list[HttpPoll] = []

    def node(self, way: str = "page", **more: Any) -> Node:
        """Return a node that reads it one way."""
        made, asked = HttpPoll(settings(self.web.port)), what(way, **more)
        self.adapters.append(made)
        fit(HttpPoll.reads, asked, "what", "what")
        return Node(made, asked)


@pytest.fixture
def world() -> Iterator[World]:
    """Give a service."""
    made = World()
    yield made
    for adapter in made.adapters:
        adapter.close()
    made.web.stop()


def ids(rows: list[Any]) -> list[int]:
    """Return the ids of rows in order."""
    return [row["id"] for row in rows]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_new_comes_once_and_by_every_way_of_pages(world: World, way: str) -> None:
    world.persons.put(*(person(n, 5000 - n) for n in range(50)))
    node = world.node(way)
    assert ids(node.read()) == list(range(50)) and node.read() == []
    world.persons.put(person(7, 5, xm="改"), person(50, 4, xm="新"))
    assert [(row["id"], row["xm"]) for row in node.read()] == [(7, "改"), (50, "新")] and node.read() == []


@pytest.mark.parametrize("way", WAYS)
def test_ties_late_rows_and_stamps_ahead_hide_nothing(world: World, way: str) -> None:
    at = stamp(60)
    world.persons.put(*({"id": n, "xm": "同", "gxsj": at} for n in range(30)))
    node = world.node(way)
    assert sorted(ids(node.read())) == list(range(30))
    world.persons.put({"id": 30, "xm": "同", "gxsj": at}, person(31, 300), person(32, -40_000))
    assert sorted(ids(node.read())) == [30, 31, 32], "a tie, one that came late, one ahead of the clock"
    for n in range(33, 36):
        world.persons.put(person(n, 1))
        assert ids(node.read()) == [n]


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_read_goes_on_where_it_was_broken_off(world: World, way: str) -> None:
    world.persons.put(*(person(n, 5000 - n) for n in range(50)))
    node = world.node(way)
    first = node.read(kill_after=20, mode=Mode.WHOLE)
    rest = node.read(mode=Mode.WHOLE)
    assert ids(first) and sorted({*ids(first), *ids(rest)}) == list(range(50)) and len(rest) < 45
    assert len(node.read(mode=Mode.WHOLE)) == 50 and node.bookmark is None


@pytest.mark.parametrize("way", WAYS)
def test_reading_can_begin_from_now(world: World, way: str) -> None:
    world.persons.put(*(person(n, 900 - n) for n in range(1000)))
    node = world.node(way, limit=200)
    assert node.read(mode=Mode.NONE) == [] and node.read() == []
    world.persons.put(person(7, 0, xm="改"))
    assert ids(node.read()) == [7]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", range(4))
def test_killed_at_any_word_nothing_is_lost(world: World, way: str, part: int, seed: int) -> None:
    dice, wanted, ticks = Random(seed + part), dict[int, tuple[str, str]](), count()
    node = world.node(way, limit=dice.choice([2, 3, 20]))
    for step in range(8):
        rows = [person(dice.randrange(60), dice.uniform(0, 250), xm=f"{step}.{next(ticks)}")
                for _ in range(dice.randrange(30))]
        world.persons.put(*rows)
        wanted.update({row["id"]: (row["xm"], row["gxsj"]) for row in rows})
        node.read(kill_after=dice.randrange(40))
    # The first ends what was broken off, the second looks over the lag; the third has nothing left.
    node.read(), node.read()
    told = {(row["id"], row["xm"], row["gxsj"]) for row in node.rows}
    assert {(id, *said) for id, said in wanted.items()} <= told and node.read() == []


@pytest.mark.parametrize(("way", "newest_first"), [
    *((one, False) for one in WAYS), ("page", True), ("page-total", True), ("offset", True), ("offset-more", True),
])
def test_rows_that_move_between_pages_are_not_missed(world: World, way: str, newest_first: bool, seed: int) -> None:
    dice, world.persons.newest_first = Random(seed), newest_first
    world.persons.put(*(person(n, 50_000 - 100 * n) for n in range(60)))

    def change(asked: Asked) -> None:
        if len(world.web.asked) % 3 == 0 and len(world.web.asked) < 60:
            world.persons.put(person(dice.randrange(60), 0, xm="动"))
            world.persons.rows.pop(dice.randrange(60), None)

    world.persons.before = change
    node = world.node(way, lag=1)
    node.read()
    world.persons.before = lambda asked: None  # what came where this read had been already is the next one's
    node.read()
    assert set(world.persons.rows) <= set(ids(node.rows))


def test_a_service_that_cuts_the_limit_short_is_read_to_its_end(world: World) -> None:
    world.persons.most = 3
    world.persons.put(*(person(n, 5000 - n) for n in range(20)))
    assert ids(world.node("page", limit=500).read()) == list(range(20))
    assert ids(world.node("page-total", limit=500).read()) == list(range(20))


@pytest.mark.parametrize("way", [one for one in WAYS if one != "link"])
def test_a_page_that_comes_for_ever_is_noticed(world: World, way: str) -> None:
    world.persons.put(*(person(n, 5000 - n) for n in range(20)))
    first = world.persons(Asked("GET", "/", {"limit": "7"}, {}, b""))
    first.body["data"]["more"] = True
    world.web.answers = lambda asked: first
    with pytest.raises(Misconfigured, match="again|itself|names"):
        world.node(way).read()


def test_a_link_to_itself_and_to_another_host_is_not_followed(world: World) -> None:
    rows = {"data": {"list": [person(1)]}}
    world.web.answers = lambda asked: Told(rows, headers={"Link": f'<{asked.target}>; rel=next'})
    with pytest.raises(Misconfigured):
        world.node("link").read()
    world.web.answers = lambda asked: Told(rows, headers={"Link": '<http://192.0.2.1/x>; rel="next"'})
    with pytest.raises(Misconfigured, match="another host"):
        world.node("link").read()


def test_a_read_that_was_broken_off_is_begun_anew_when_the_service_forgot_its_page(world: World) -> None:
    world.persons.put(*(person(n, 5000 - n) for n in range(20)))
    node = world.node("next")
    assert len(node.read(kill_after=10)) == 7
    asked: list[Asked] = []

    def forgets(one: Asked) -> Told:
        asked.append(one)
        return Told("expired", 410) if len(asked) == 1 else world.persons(one)

    world.web.answers = forgets
    node.read()
    assert asked[0].query["token"] and sorted(set(ids(node.rows))) == list(range(20))


def test_a_server_that_restarts_between_pages_loses_nothing(world: World) -> None:
    world.persons.put(*(person(n, 5000 - n) for n in range(40)))
    node = world.node("page")
    rows = []
    for one in node.adapter.read(Order(node.what)):
        if isinstance(one, Bookmark):
            world.web.stop()
            world.web = Web(lambda asked: world.persons(asked), port=world.web.port)
        else:
            rows.append(one)
    assert ids(rows) == list(range(40))


def test_a_service_that_goes_away_in_a_read_is_asked_again_from_there(world: World) -> None:
    world.persons.put(*(person(n, 5000 - n) for n in range(40)))
    node = world.node("sorted-page")

    def leave(asked: Asked) -> None:
        if len(world.web.asked) in (3, 4):
            raise ConnectionError

    world.persons.before = leave
    rows: list[Any] = []
    with pytest.raises(Unavailable):
        for one in node.adapter.read(Order(node.what)):
            if isinstance(one, Bookmark):
                node.bookmarks[Mode.NEW] = one.at
            elif not isinstance(one, Dirty):
                rows.append(one["id"])
    assert len(rows) == 13 and rows + ids(node.read()) == list(range(40))


def test_a_bookmark_ahead_of_the_source_reads_on_from_its_clock(world: World) -> None:
    node = world.node("page", lag=3600)
    world.persons.put(person(1))
    node.read()
    node.bookmarks[Mode.NEW]["at"] = "2999-01-01 00:00:00"
    world.persons.put(person(2, 1800))
    assert ids(node.read()) == [2]


def test_what_is_gone_is_told(world: World) -> None:
    world.persons.put(person(1, 9, zt="0"), person(2, 8, zt="1"))
    node = world.node(gone={"field": "zt", "values": ["1", "D"]})
    assert [row.get(GONE, False) for row in node.read()] == [False, True]
    world.persons.put(person(1, 7, zt="D"))
    assert [(row["id"], row[GONE]) for row in node.read()] == [(1, True)]


def test_without_a_cursor_everything_is_read_each_time(world: World) -> None:
    world.persons.put(*(person(n) for n in range(10)))
    asked = what("page")
    del asked["cursor"]
    node = Node(HttpPoll(settings(world.web.port)), asked)
    assert len(node.read()) == 10 == len(node.read())
    node.adapter.close()


def test_a_read_ends_at_its_bounds_and_goes_on(world: World) -> None:
    world.persons.put(*(person(n, 5000 - n) for n in range(40)))
    node = world.node("page", most_pages=2)
    assert ids(node.read()) == list(range(14)) and ids(node.read()) == list(range(14, 28))
    node = world.node("sorted-page", most_rows=10)
    while len(node.rows) < 40:
        assert 0 < len(node.read()) <= 14
    assert sorted(ids(node.rows)) == list(range(40))


@pytest.mark.parametrize("way", ["page", "sorted-page", "next"])
def test_more_rows_within_the_lag_than_a_bookmark_holds_are_given_again_and_not_lost(world: World, way: str) -> None:
    world.persons.most = 20_000
    world.persons.put(*(person(n, 200 - n / 60) for n in range(9000)))
    node = world.node(way, limit=1000)
    assert sorted(ids(node.read())) == list(range(9000))
    assert len(json.dumps(node.bookmark)) < 60_000
    world.persons.put(person(9000, 190), person(9001, 0))
    again = ids(node.read())
    assert {9000, 9001} <= set(again) and len(again) < 5200


@pytest.mark.parametrize("token", ["x" * 9000, "张" * 3000, "a\n", 5, True, {"a": 1}])
def test_what_a_service_gives_to_ask_on_with_is_bounded(world: World, token: Any) -> None:
    answers = iter([{"data": {"list": [person(1)], "next": token}}, {"data": {"list": [person(2)]}}])
    world.web.answers = lambda asked: Told(next(answers))
    node = world.node("next")
    if isinstance(token, str):
        with pytest.raises(Misconfigured):
            node.read()
    else:
        assert len(node.read()) == (2 if token == 5 else 1)


def test_rows_out_of_order_are_noticed_where_order_is_promised(world: World) -> None:
    world.persons.newest_first = True
    world.persons.put(*(person(n, 500 - n) for n in range(10)))
    with pytest.raises(Misconfigured, match="order"):
        world.node("sorted-page").read()


def test_more_rows_of_one_stamp_than_an_answer_holds_are_noticed(world: World) -> None:
    at = stamp(60)
    world.persons.put(*({"id": n, "xm": "同", "gxsj": at} for n in range(9)))
    alone = {"paging": {"kind": "none"}, "query": {"since": "{bookmark}", "limit": "{limit}"}}
    node = world.node("sorted-page", **alone)
    with pytest.raises(Misconfigured, match="one stamp"):
        node.read()
    world.persons.put(*(person(n, 50 - n) for n in range(2, 30)))
    assert sorted(set(ids(world.node("sorted-page", **alone).read()))) == list(range(30))


@pytest.mark.parametrize("lacks", [{"cursor": "no"}, {"rows": "data.no"}, {"rows": "code"}, {
    "paging": {"kind": "page", "total": "data.no"}}, {"paging": {"kind": "page", "more": "no"}}, {
    "success": {"field": "no", "values": ["0"]}}, {"success": {"field": "code", "values": ["1"], "mend": ["0"]}}])
def test_what_is_not_in_the_answer_is_told(world: World, lacks: dict[str, Any]) -> None:
    world.persons.put(person(1))
    with pytest.raises(Misconfigured) as met:
        world.node(**lacks).read()
    assert "人1" not in met.value.zh + met.value.en


@pytest.mark.parametrize(("status", "kind"), [
    (400, Misconfigured), (401, Misconfigured), (403, Misconfigured), (404, Misconfigured), (302, Misconfigured),
    (408, Unavailable), (425, Unavailable), (429, Unavailable), (500, Unavailable), (503, Unavailable),
])
def test_a_status_means_what_it_says(world: World, status: int, kind: type[Exception]) -> None:
    world.web.answers = lambda asked: Told("张三的身份证号", status, {"Retry-After": "77"})
    with pytest.raises(kind) as met:
        world.node().read()
    assert str(status) in str(met.value) and "张三" not in str(met.value)
    assert kind is Misconfigured or "77" in str(met.value)


@pytest.mark.parametrize("shape", [
    "20190228093000", "20190228", "2019-02-28 09:30:00", "2019-02-28T09:30:00.500Z", "2019-02-28T09:30:00+08:00",
    "2019/02/28", "第1版", "0000-00-00 00:00:00", 7, 1551317400, "1551317400000", "2019-02-28T09:30:00.123456789Z",
])
@pytest.mark.parametrize("way", ["page", "sorted-offset"])
def test_every_shape_of_a_stamp_is_read_on_from(world: World, shape: Any, way: str) -> None:
    world.persons.chosen = lambda since: [  # type: ignore[method-assign]  # numbers compare as such
        one for one in sorted(world.persons.rows.values(), key=lambda one: (one["gxsj"], one["id"]))
        if not since or one["gxsj"] >= type(one["gxsj"])(since)]
    world.persons.put(*({"id": n, "xm": "x", "gxsj": shape} for n in range(10)))
    node = world.node(way)
    assert ids(node.read()) == list(range(10)) and node.read() == []
    world.persons.put({"id": 99, "xm": "x", "gxsj": shape})
    assert ids(node.read()) == [99] and node.read() == []


def test_it_is_checked_surveyed_and_discovered(world: World) -> None:
    world.persons.put(person(1, zz={"sheng": "京"}))
    document = {"paths": {"/persons": {"get": {"summary": "人口", "responses": {"200": {"content": {
        "application/json": {"schema": {"properties": {"data": {"$ref": "#/x"}}}}}}}}}},
        "x": {"type": "array", "items": {"properties": {"id": {"type": "integer", "description": "编号"}}}}}
    old = world.web.answers
    world.web.answers = lambda asked: Told(document) if asked.path == "/openapi.json" else old(asked)
    adapter = HttpPoll(settings(world.web.port, probe="/persons", samples=[what("page")], openapi="/openapi.json"))
    world.adapters.append(adapter)
    assert [one.level for one in adapter.check()] == ["good", "warning", "good", "good"]
    one, two = adapter.discover()
    assert [column.name for column in one.columns] == ["id", "xm", "gxsj", "zz.sheng"] and one.columns[0].key
    assert two.name == "GET /persons" and [column.comment for column in two.columns] == ["编号"]
    found = list(adapter.survey(what("page", gone={"field": "zt", "values": ["1"]})))
    assert "1行" in found[0].zh and any("zt" in each.zh and each.level == "warning" for each in found)
    world.web.answers = lambda asked: Told("", 401)
    assert [one.level for one in adapter.check()][-2:] == ["fault", "good"]
