"""A table read by a journal of its changes: keys that change, deletes, kills, what is lost and said; four databases."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from adapters.contract import Dirty, Misconfigured, Mode
from adapters.journal import entries
from adapters.rows import write_row
from tests.adapters.journalled import Journalled, read_out
from tests.adapters.mirror import Mirror, quoted
from tests.adapters.servers import Database
from tests.adapters.tried import seeds


@pytest.fixture
def world(database: Database) -> Iterator[Journalled]:
    """Give the table with its journal, in every kind of database in turn."""
    made = Journalled(database)
    yield made
    made.close()


@pytest.fixture
def lone(sqlite: Any) -> Iterator[Journalled]:
    """Give the table with its journal in SQLite."""
    database = sqlite.fresh()
    made = Journalled(database)
    yield made
    made.close()
    sqlite.drop(database)


def test_inserts_changes_deletes_and_new_keys_come_once(world: Journalled) -> None:
    mirror = world.mirror
    world.together(world.insert(*((n, f"旧{n}") for n in range(20))))
    mirror.read()
    assert sorted(mirror.given) == [(n,) for n in range(20)]
    read_out(mirror)
    kept = mirror.bookmark
    assert mirror.read() == [] and mirror.bookmark == kept
    world.run(world.insert((100, "新")), world.update("XM", "改", 3, 4), world.delete(5), world.update("ID", 200, 6))
    mirror.read()
    assert sorted(mirror.given) == [(3,), (4,), (100,), (200,)] and sorted(mirror.gone) == [(5,), (6,)]
    assert mirror.rows == world.now() and mirror.read() == []


def test_of_many_changes_of_one_key_the_newest_comes_once(world: Journalled) -> None:
    world.mirror.read()
    world.together(world.insert((1, "a")), *(world.update("XM", f"第{n}次", 1) for n in range(5)))
    world.mirror.read()
    assert world.mirror.given == [(1,)] and world.mirror.rows[1,]["XM"] == "第4次"
    world.together(world.update("ID", 2, 1), world.update("ID", 1, 2), world.insert((3, "c")), world.delete(3))
    world.mirror.read()
    assert world.mirror.given == [(1,)] and sorted(world.mirror.gone) == [(2,), (3,)]


def test_a_key_of_two_columns_in_chinese(database: Database) -> None:
    world = Journalled(database, ("QH VARCHAR(20) NOT NULL", "HH CHAR(18) NOT NULL", "XM VARCHAR(60)"), ("QH", "HH"))
    world.mirror.read()
    world.run(world.insert(("西湖区", "330106199003078888", "张三"), ("江干区", "330104", "李㐂"), ("O'Brien", "%s", "x")))
    world.mirror.read()
    assert len(world.mirror.rows) == 3 and world.mirror.rows == world.now()
    world.run(world.update("HH", "330106", "西湖区"), world.delete("O'Brien"))
    world.mirror.read()
    assert len(world.mirror.gone) == 2 and world.mirror.rows == world.now() and world.mirror.read() == []
    world.close()


def test_a_row_that_leaves_the_part_that_is_wanted_is_gone(world: Journalled) -> None:
    world.mirror.what |= {"where": f"{quoted(world.database, 'XM')} <> '废'", "columns": ["XM", "ID"]}
    world.run(world.insert((1, "甲"), (2, "废")))
    world.mirror.read()
    world.run(world.update("XM", "废", 1), world.update("XM", "复", 2))
    world.mirror.read()
    assert world.mirror.gone == [(1,)] and world.mirror.given == [(2,)]


@pytest.mark.parametrize("seed", seeds(1, 2))
def test_killed_at_any_word_while_the_table_changes_all_is_equal_in_the_end(world: Journalled, seed: int) -> None:
    dice = Random(seed)
    used, ticks = set[int](), 0
    mirror = world.mirror
    mirror.what["page"] = dice.choice([1, 2, 5, 50])

    def stir() -> None:
        nonlocal ticks
        ticks += 1
        act, some, new = dice.random(), sorted(used), dice.randrange(60)
        if act < 0.4 and new not in used:
            world.run(world.insert((new, f"{ticks}")))
            used.add(new)
        elif act < 0.6 and some:
            world.run(world.update("XM", f"{ticks}", dice.choice(some)))
        elif act < 0.8 and some:
            gone = dice.choice(some)
            world.run(world.delete(gone))
            used.remove(gone)
        elif some and new not in used:
            old = dice.choice(some)
            world.run(world.update("ID", new, old))
            used.symmetric_difference_update({old, new})

    for _ in range(4):
        for _ in range(5):
            stir()
        mirror.read(kill_after=dice.randrange(25), limit=dice.choice([1, 3, 1000]),
                    between=lambda: stir() if dice.random() < 0.3 else None)
    read_out(mirror)
    assert mirror.rows == world.now()


def test_killed_at_every_word(lone: Journalled) -> None:
    lone.mirror.what["page"] = 3
    for kill in range(18):
        lone.together(lone.insert(*((n, f"{kill}") for n in range(10))))
        lone.mirror.read(kill_after=kill)
        lone.together(lone.delete(*range(0, 10, 2)))
        lone.mirror.read(kill_after=kill)
        lone.together(lone.delete(*range(1, 10, 2)), lone.insert((kill + 100, "存")))
        lone.mirror.read(kill_after=kill)
        read_out(lone.mirror)
        assert lone.mirror.rows == lone.now()


def test_what_changes_while_the_table_is_read_for_the_first_time_is_not_lost(world: Journalled) -> None:
    world.together(world.insert(*((n, "旧") for n in range(40))))
    steps = iter(range(1000))

    def stir() -> None:
        step = next(steps)
        if step % 3 == 0 and step < 30:
            world.run(world.delete(step), world.update("XM", "改", 39 - step), world.insert((100 + step, "新")))

    world.mirror.read(between=stir, kill_after=25)
    world.mirror.read(between=stir)
    read_out(world.mirror)
    assert world.mirror.rows == world.now() and len(world.mirror.rows) == 40


def test_from_now_on_and_whole(world: Journalled) -> None:
    world.together(world.insert(*((n, "旧") for n in range(20))))
    mirror = world.mirror
    mirror.read(mode=Mode.NONE)
    assert mirror.said == [] and mirror.read() == []
    world.run(world.delete(1), world.update("XM", "改", 2))
    mirror.read()
    assert mirror.given == [(2,)] and mirror.gone == [(1,)]
    other = Mirror(mirror.adapter, world.what)
    other.read(mode=Mode.WHOLE, kill_after=17)
    assert len(other.rows) == 14
    other.read(mode=Mode.WHOLE)
    assert other.rows == world.now() and other.bookmark is None


def test_emptied_at_a_stroke_is_seen_by_postgresql(postgresql: Any) -> None:
    world = Journalled(postgresql.fresh())
    world.together(world.insert(*((n, "旧") for n in range(20))))
    read_out(world.mirror)
    world.run([f"TRUNCATE {world.table}"], world.insert((3, "新")))
    world.mirror.read()
    assert sorted(world.mirror.gone) == [(n,) for n in range(20) if n != 3] and set(world.mirror.given) == {(3,)}
    world.close()


def test_without_a_journal_survey_gives_the_script_and_a_read_says_so(database: Database) -> None:
    world = Journalled(database, installed=False)
    last = [*world.mirror.adapter.survey(world.what)][-1]
    assert last.level == "fault" and "CREATE TRIGGER" in last.zh and "CREATE TRIGGER" in last.en
    with pytest.raises(Misconfigured) as met:
        world.mirror.read()
    assert "EXN_J_T_HUKOU" in met.value.zh and "survey" in met.value.en
    world.install()
    found = [*world.mirror.adapter.survey(world.what)]
    assert "fault" not in {one.level for one in found} and any("触发器在工作" in one.zh for one in found)
    world.close()


def test_a_journal_that_was_made_anew_is_not_the_one_that_was_read(world: Journalled) -> None:
    read_out(world.mirror)
    world.run(world.insert((1, "a")))
    world.remove()
    world.run(world.insert((2, "不记")))
    world.install()
    world.together(world.insert(*((n, "b") for n in range(10, 30))))
    with pytest.raises(Misconfigured) as met:
        world.mirror.read()
    assert "重建" in met.value.zh
    world.mirror.bookmark = None
    read_out(world.mirror)
    assert world.mirror.rows == world.now()


def test_a_journal_that_was_emptied_or_is_an_older_copy_is_told(world: Journalled) -> None:
    world.together(world.insert(*((n, "a") for n in range(5))))
    world.mirror.read()
    read_out(world.mirror)
    world.run(world.update("XM", "b", 1, 2, 3))
    read_out(world.mirror)
    number = world.shape.quote(world.shape.order)
    if world.shape.family != "postgresql":  # there the first number that is not given yet is what tells
        world.run([f"DELETE FROM {world.journal} WHERE {number} > 3"])
        with pytest.raises(Misconfigured, match="older"):
            world.mirror.read()
    else:
        kept, world.mirror.bookmark = world.mirror.bookmark, {**world.mirror.bookmark, "tx": [1 << 40]}
        with pytest.raises(Misconfigured, match="older"):
            world.mirror.read()
        world.mirror.bookmark = kept
    world.run([f"DELETE FROM {world.journal}"])
    for bookmark in (world.mirror.bookmark, None):
        world.mirror.bookmark = bookmark
        with pytest.raises(Misconfigured, match="first entry"):
            world.mirror.read()


def test_a_trigger_that_is_gone_is_told_before_a_change_is_missed(world: Journalled) -> None:
    read_out(world.mirror)
    name = world.shape.triggers[0]
    on = f" ON {world.shape.placed('T_HUKOU')}" if world.shape.family == "postgresql" else ""
    world.run([f"DROP TRIGGER {world.shape.quote(name)}{on}"])
    with pytest.raises(Misconfigured) as met:
        world.mirror.read()
    assert name in met.value.zh
    assert [*world.mirror.adapter.survey(world.what)][-1].level == "fault"


@pytest.mark.parametrize("kind", ["postgresql", "firebird"])
def test_a_trigger_that_is_disabled_is_told(kind: str, request: pytest.FixtureRequest) -> None:
    world = Journalled(request.getfixturevalue(kind).fresh())
    read_out(world.mirror)
    name = world.shape.quote(world.shape.name("row"))
    world.run([f"ALTER TABLE {world.table} DISABLE TRIGGER {name}" if kind == "postgresql" else
               f"ALTER TRIGGER {name} INACTIVE"])
    with pytest.raises(Misconfigured):
        world.mirror.read()
    world.close()


@pytest.mark.parametrize("bookmark", [
    {}, [], "x", 7, {"by": ["ID"]}, {"by": ["XM"], "journal": "B"}, {"by": ["ID"], "journal": "B"}, {"at": None},
])
def test_a_strange_bookmark_is_refused(lone: Journalled, bookmark: Any) -> None:
    lone.mirror.bookmark = bookmark
    with pytest.raises(Misconfigured):
        lone.mirror.read()


@pytest.mark.parametrize("bent", [
    {"seq": "1"}, {"seq": None}, {"seq": 1, "gaps": [[1, 2]]}, {"seq": 1, "gaps": [[5, 4, 0, 0]]},
    {"seq": 1, "gaps": 3}, {"seq": True, "gaps": []}, {"tx": ["a"]}, {"tx": []}, {"tx": [1, 2, 3]}, {"tx": [["q", 1]]},
])
def test_a_bent_bookmark_is_refused(world: Journalled, bent: Any) -> None:
    world.mirror.read()
    known = {"by": ["ID"], "journal": world.mirror.bookmark["journal"]}
    world.mirror.bookmark = {**known, **bent}
    with pytest.raises(Misconfigured):
        world.mirror.read()


def test_large_rows_come_in_small_slices(world: Journalled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "HELD", 300)
    world.mirror.what["page"] = 50
    world.mirror.read()
    world.together(world.insert(*((n, "大" * 50) for n in range(60))))
    read_out(world.mirror)
    assert world.mirror.rows == world.now()


def test_a_row_that_cannot_be_read_spoils_no_other(lone: Journalled) -> None:
    lone.mirror.read()
    lone.run(lone.insert((1, "好"), (2, "坏"), (3, "好")))
    lone.database.run(f"UPDATE {lone.table} SET XM = CAST(x'ff41' AS TEXT) WHERE ID = 2")
    lone.mirror.read()
    assert {1, 3} <= {key for key, in lone.mirror.rows}
    assert isinstance(write_row(lone.mirror.rows[2,]), Dirty), "its cell is in no charset"
