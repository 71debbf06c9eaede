"""Rows that come late are found, whatever was given before, and while the window is small no other is given again."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Misconfigured
from adapters.sql import window as module
from adapters.sql.places import Place, read_place, write_place
from adapters.sql.window import MOST, SINGLE, Window, _Run
from node.model.frames import STATE
from tests.adapters.tried import further


def look(window: Window, table: list[Place]) -> list[Place]:
    """Return the rows given in one look over a table, noting them as an adapter does."""
    behind = [place for place in table if window.edge is None or place > window.edge]
    compared = window.compare(behind)
    rows = [place for one in compared.differ for place in behind
            if (one.after is None or place > one.after) and place <= one.last]
    new = [place for place in behind if compared.end is None or place > compared.end]
    for place in new:
        window.add(place)
    return rows + new


PLACES = st.sets(st.tuples(st.integers(0, 30), st.text("ab中", max_size=2)), max_size=30)


@given(st.lists(PLACES, min_size=1, max_size=6))
def test_while_it_is_small_exactly_what_is_new_is_given(steps: list[set[Place]]) -> None:
    window, table = Window(), set[Place]()
    for step in steps:
        new = step - table
        table |= step
        assert sorted(look(window, sorted(table))) == sorted(new)
        window = Window.read(json.loads(json.dumps(window.write())))


@pytest.mark.parametrize("many", [300, *further(900)])
def test_no_row_is_left_out_while_rows_come_late_and_move_on(
    many: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if many < MOST:  # few buckets, so that few rows are too many
        monkeypatch.setattr(module, "MOST", 100)
        monkeypatch.setattr(module, "SINGLE", 25)
    dice = Random(seed)
    for _ in range(many // 25):
        wander(dice, many)


def wander(dice: Random, many: int) -> None:
    """Look again and again at a table of which up to so many rows change each time."""
    window, table, known, clock, given = Window(), dict[int, int](), set[Place](), 0, 0
    for _ in range(12):
        clock += 100
        for _ in range(dice.randrange(many)):
            late = dice.random() < 0.1
            # A row that is there already moves to its new stamp: it is updated.
            table[dice.randrange(3 * many)] = clock - dice.randrange(300 if late else 30)
        places = sorted((stamp, key) for key, stamp in table.items())
        rows = look(window, places)
        given += len(rows)
        known |= set(rows)
        assert set(places) <= known
        window.forget(clock - 350)
        assert len(window.buckets) <= module.MOST and len(json.dumps(window.write())) < STATE
        assert not look(window, places)
    assert given < 12 * many * 12


def test_a_last_row_that_moved_on_costs_one_bucket_and_not_the_window() -> None:
    table = [(n, "k") for n in range(MOST * 10)]
    window = Window()
    assert len(look(window, table)) == len(table) and len(window.buckets) <= MOST
    table[-1] = (10**6, "k")
    assert look(window, table)[-1] == (10**6, "k") and not look(window, table)
    middle = window.buckets[len(window.buckets) // 2]
    table.remove(middle.last)
    assert len(look(window, table)) <= 2 * middle.rows + MOST


@pytest.mark.parametrize("many", [12_000, *further(60_000)])
def test_a_window_of_many_rows_is_passed_over_and_a_late_row_costs_one_of_its_buckets(many: int) -> None:
    table: list[Place] = [(n // 1000, n) for n in range(many)]
    window = Window()
    assert len(look(window, table)) == len(table)
    sizes = [bucket.rows for bucket in window.buckets]
    assert sum(sizes) == len(table) and max(sizes) <= 8 * len(table) / MOST and sizes[-SINGLE:] == [1] * SINGLE
    assert look(window, table) == []
    late: Place = (many // 2000, 0.5)
    assert late in (given := look(window, sorted([*table, late]))) and len(given) <= max(sizes) + 1


def test_nothing_is_held_of_rows_that_no_bucket_ends() -> None:
    window = Window()
    look(window, [(0, "gone")])
    run = _Run()
    for n in range(10_000):
        run.add((n + 1, "k"))
    assert run.rows == 10_000 and len(run._single) <= SINGLE + 1 and len(run.buckets()) == 1
    compared = window.compare((n + 1, "k") for n in range(10_000))
    assert compared == ([], None) and window.buckets == []


@pytest.mark.parametrize("value", [
    "汉", 7, 1.5, datetime(2019, 2, 28, 9, 30, 0, 500), date(2019, 2, 28), Decimal("1.50"), b"\0\xff", True,
])
def test_a_place_comes_back_as_it_was(value: object) -> None:
    (back,) = read_place(json.loads(json.dumps(write_place((value,)))))
    assert back == value and type(back) is type(value)


def test_what_cannot_be_kept_is_told() -> None:
    with pytest.raises(Misconfigured):
        write_place((object(),))
