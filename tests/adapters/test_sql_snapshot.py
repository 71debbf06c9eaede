"""A table compared with what was given of it: deletes, kills at any word, changes while it is read; four databases."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from adapters.contract import Misconfigured, Mode
from adapters.sql import snapshot
from adapters.sql_snapshot import SqlSnapshot
from tests.adapters.mirror import Mirror, by_key, held, quoted
from tests.adapters.servers import Database
from tests.adapters.tried import seeds

NAMES = ("ID", "XM", "DM")


class World:
    """A table T_DMB of codes, and a mirror of it."""

    def __init__(self, database: Database, **what: Any) -> None:
        self.database = database
        self.table = quoted(database, "T_DMB")
        database.run(f"CREATE TABLE {self.table} ({quoted(database, 'ID')} INTEGER NOT NULL PRIMARY KEY,"
                     f" {quoted(database, 'XM')} VARCHAR(60), {quoted(database, 'DM')} VARCHAR(20))")
        self.mirror = Mirror(SqlSnapshot(database.settings), {"table": "T_DMB", "page": 5, **what})

    def put(self, rows: Any) -> None:
        """Insert rows."""
        self.database.put(f"INSERT INTO {self.table} VALUES (?, ?, ?)", rows)

    def fill(self, count: int) -> None:
        """Insert so many rows."""
        self.put([(n, f"名{n}", f"{n:04}") for n in range(count)])

    def change(self, keys: Any, name: str) -> None:
        """Change rows."""
        self.database.put(
            f"UPDATE {self.table} SET {quoted(self.database, 'XM')} = ? WHERE {quoted(self.database, 'ID')} = ?",
            [(name, key) for key in keys])

    def move(self, key: int, to: int) -> None:
        """Give a row another key."""
        self.database.run(f"UPDATE {self.table} SET {quoted(self.database, 'ID')} = {to}"
                          f" WHERE {quoted(self.database, 'ID')} = {key}")

    def delete(self, keys: Any) -> None:
        """Take rows away."""
        some = ", ".join(map(str, keys))
        self.database.run(f"DELETE FROM {self.table} WHERE {quoted(self.database, 'ID')} IN ({some})")

    def now(self) -> dict[Any, Any]:
        """Return the table's rows by their key."""
        return by_key(held(self.database, "T_DMB", NAMES), ("ID",))


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """Give the table in every kind of database in turn."""
    made = World(database)
    yield made
    made.mirror.adapter.close()


@pytest.fixture
def lone(sqlite: Any) -> Iterator[World]:
    """Give the table in SQLite."""
    database = sqlite.fresh()
    made = World(database)
    yield made
    made.mirror.adapter.close()
    sqlite.drop(database)


def test_what_differs_comes_once_and_what_is_gone_is_told_by_its_key(world: World) -> None:
    world.fill(60)
    mirror = world.mirror
    mirror.read()
    assert mirror.given == [(n,) for n in range(60)] and mirror.rows == world.now()
    kept = mirror.bookmark
    assert mirror.read() == [] and mirror.bookmark is kept, "nothing differs: the bookmark is not written again"
    world.put([(100, "新", "X")])
    world.change([7, 8], "改")
    world.delete([3, 59])
    world.move(20, 200)
    mirror.read()
    assert mirror.given == [(7,), (8,), (100,), (200,)] and mirror.gone == [(3,), (20,), (59,)]
    assert mirror.rows == world.now() and mirror.read() == []


def test_a_row_that_came_back_and_one_that_became_as_it_was(world: World) -> None:
    world.fill(20)
    world.mirror.read()
    world.delete([5])
    world.change([6], "改")
    world.mirror.read()
    world.put([(5, "名5", "0005")])
    world.change([6], "名6")
    world.mirror.read()
    assert world.mirror.given == [(5,), (6,)] and world.mirror.gone == [] and world.mirror.rows == world.now()


@pytest.mark.parametrize("seed", seeds(1, 2))
def test_killed_at_any_word_while_the_table_changes_all_is_equal_in_the_end(world: World, seed: int) -> None:
    dice = Random(seed)
    mirror, used, ticks = world.mirror, set[int](), 0
    mirror.what |= {"page": dice.choice([1, 3, 8]), "most_deletes": 1000}

    def stir() -> None:
        nonlocal ticks
        ticks += 1
        act, some = dice.random(), sorted(used)
        if act < 0.4 or not some:
            key = dice.randrange(300)
            if key not in used:
                world.put([(key, f"{ticks}", None)])
                used.add(key)
        elif act < 0.6:
            world.change(dice.sample(some, min(3, len(some))), f"{ticks}")
        elif act < 0.8:
            gone = dice.sample(some, min(4, len(some)))
            world.delete(gone)
            used.difference_update(gone)
        else:
            key, to = dice.choice(some), dice.randrange(300)
            if to not in used:
                world.move(key, to)
                used.remove(key)
                used.add(to)

    for _ in range(4):
        for _ in range(4):
            stir()
        mirror.read(kill_after=dice.randrange(30), limit=dice.choice([1, 4, 1000]),
                    between=lambda: stir() if dice.random() < 0.3 else None)
    read_out(mirror)
    assert mirror.rows == world.now() and mirror.read() == []


def read_out(mirror: Mirror) -> None:
    """Read until nothing more comes."""
    for _ in range(200):
        if mirror.read() == [] and mirror.ended:
            return
    raise AssertionError("it does not come to rest")


@pytest.mark.parametrize("limit", [1, 7])
def test_a_limit_is_no_hindrance(lone: World, limit: int) -> None:
    lone.fill(60)
    for _ in range(100):
        if not lone.mirror.read(limit=limit):
            break
    assert lone.mirror.rows == lone.now()


@pytest.mark.parametrize("room", [900, 500])
def test_with_little_room_rows_share_a_digest_and_all_is_equal_still(
    lone: World, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "ROOM", room)
    dice = Random(room)
    mirror = lone.mirror
    mirror.what["page"] = 50
    lone.put([(n * 3, f"{n}", None) for n in range(600)])
    mirror.read()
    assert mirror.rows == lone.now() and mirror.read() == []
    for step in range(30):
        some = [key for key, in lone.now()]
        changed, gone = dice.choice(some), dice.choice(some)
        lone.change([changed], f"第{step}次")
        lone.delete([gone])
        new = 5000 + step if step % 2 or (gone + 1,) in lone.now() else gone + 1
        lone.put([(new, "新", None)])
        kill = dice.choice([None, 1, 3, 10])
        mirror.read(kill_after=kill)
        if kill is None:
            assert mirror.gone and len(mirror.given) < 300, "of a bucket that differs all rows come, not of the table"
    read_out(mirror)
    assert mirror.rows == lone.now()


def test_killed_at_every_word_and_every_delete_is_told(lone: World) -> None:
    lone.fill(30)
    lone.mirror.what["most_deletes"] = 30
    for kill in range(24):
        lone.put([(n, "又", None) for n in range(30, 36)])
        read_out(lone.mirror)
        lone.delete([n for n in lone.now() for n in n if n >= 30 or n == kill % 30])
        lone.change([1, 11, 21], f"{kill}")
        lone.mirror.read(kill_after=kill)
        read_out(lone.mirror)
        assert lone.mirror.rows == lone.now()
        if (kill % 30,) not in lone.now():
            lone.put([(kill % 30, "回", None)])


def test_a_table_that_is_suddenly_empty_is_not_believed(world: World) -> None:
    world.fill(10)
    world.mirror.read()
    world.delete(range(10))
    with pytest.raises(Misconfigured) as met:
        world.mirror.read()
    assert "most_deletes = 10" in met.value.zh and "10" in met.value.en and len(world.mirror.rows) == 10
    world.mirror.what["most_deletes"] = 10
    world.mirror.read()
    assert world.mirror.rows == {} and world.mirror.read() == []


@pytest.mark.parametrize(("rows", "gone", "stands"), [
    (120, 100, True), (120, 101, False), (1000, 200, True), (1000, 201, False), (9, 9, True),
])
def test_so_many_deletes_are_believed(lone: World, rows: int, gone: int, stands: bool) -> None:
    lone.fill(rows)
    lone.mirror.what["page"] = 500
    lone.mirror.read()
    lone.delete(range(gone))
    lone.change([rows - 1], "改")
    if stands:
        lone.mirror.read()
        assert len(lone.mirror.gone) == gone
        return
    for _ in range(2):
        with pytest.raises(Misconfigured, match=str(gone)):
            lone.mirror.read()
        assert lone.mirror.rows[rows - 1,]["XM"] == "改", "what is changed is kept all the same"
        assert len(lone.mirror.rows) == rows


def test_a_part_of_the_table_and_a_row_that_leaves_it(world: World) -> None:
    world.mirror.what |= {"where": f"{quoted(world.database, 'XM')} <> '废'", "columns": ["ID", "XM"]}
    world.fill(15)
    world.mirror.read()
    world.change([4], "废")
    world.mirror.read()
    assert world.mirror.gone == [(4,)] and world.mirror.given == []
    world.database.run(f"UPDATE {world.table} SET {quoted(world.database, 'DM')} = 'Z'")
    assert world.mirror.read() == [], "a column that is not wanted changed"


def test_from_now_on_and_whole(world: World) -> None:
    world.fill(30)
    mirror = world.mirror
    mirror.read(mode=Mode.NONE)
    assert mirror.said == [] and mirror.read() == []
    world.delete([1])
    world.change([2], "改")
    mirror.read()
    assert mirror.given == [(2,)] and mirror.gone == [(1,)]
    other = Mirror(mirror.adapter, mirror.what)
    other.read(mode=Mode.WHOLE, kill_after=14)
    assert len(other.rows) == 10
    other.read(mode=Mode.WHOLE)
    assert other.rows == world.now() and other.bookmark is None


def test_a_key_that_is_not_unique_is_told(lone: World) -> None:
    lone.fill(5)
    lone.put([(6, "双", "0001")])
    lone.mirror.what["key"] = ["DM"]
    with pytest.raises(Misconfigured) as met:
        lone.mirror.read()
    assert "不唯一" in met.value.zh


@pytest.mark.parametrize("bookmark", [
    {}, [], "x", 7, {"by": ["ID"]}, {"by": ["ID"], "known": "!"}, {"by": ["XM"], "known": ""},
    {"by": ["ID"], "known": "0000000000"}, {"after": [1]},
])
def test_a_strange_bookmark_is_refused(lone: World, bookmark: Any) -> None:
    lone.fill(3)
    lone.mirror.bookmark = bookmark
    with pytest.raises(Misconfigured):
        lone.mirror.read()


def test_too_many_keys_are_refused_before_the_first_row(lone: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "ROOM", 300)
    dice = Random(3)
    lone.put([(key, None, None) for key in dice.sample(range(1 << 30), 200)])
    for mode in (Mode.NEW, Mode.NONE):
        with pytest.raises(Misconfigured) as met:
            lone.mirror.read(mode=mode)
        assert "200" in met.value.zh and "sql_journal" in met.value.en and lone.mirror.bookmark is None
    assert [one.level for one in lone.mirror.adapter.survey(lone.mirror.what)][-1] == "fault"


def test_a_table_that_grows_too_large_is_refused_and_nothing_forgotten(
    lone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "ROOM", 300)
    dice = Random(4)
    keys = dice.sample(range(1 << 30), 300)
    lone.put([(key, None, None) for key in keys[:60]])
    lone.mirror.read()
    lone.put([(key, None, None) for key in keys[60:]])
    with pytest.raises(Misconfigured, match="rows"):
        lone.mirror.read()
    lone.delete(keys[50:])
    lone.mirror.what["most_deletes"] = 300
    read_out(lone.mirror)
    assert lone.mirror.rows == lone.now() and len(lone.mirror.rows) == 50


def test_survey_tells_how_full_a_bookmark_will_be(world: World) -> None:
    world.fill(10)
    last = [*world.mirror.adapter.survey(world.mirror.what)][-1]
    assert last.level == "good" and "10行" in last.zh and "%" in last.en


def test_a_row_that_cannot_be_given_is_told_once(lone: World) -> None:
    lone.database.run(
        f"DROP TABLE {lone.table}", f"CREATE TABLE {lone.table} (ID INTEGER PRIMARY KEY, XM TEXT, DM TEXT)")
    lone.fill(8)
    lone.put([(50, "大" * 1_200_000, None)])
    lone.mirror.read()
    assert [one.row for one in lone.mirror.dirty] == ["50"] and len(lone.mirror.given) == 8
    lone.mirror.read()
    assert len(lone.mirror.dirty) == 1 and lone.mirror.gone == []
    lone.change([50], "小")
    lone.mirror.read()
    assert lone.mirror.given == [(50,)]
