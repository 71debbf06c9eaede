"""Numbers that are lacking: a journal of SQLite whose entries appear in any order, as if transactions were late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest

from adapters import sql
from adapters.journal import gaps
from adapters.journal.entries import Entries
from adapters.journal.gaps import UNKNOWN, Gap, Gaps
from adapters.journal.horizon import Numbered
from adapters.sql.pages import Pace, Pages
from tests.adapters.journalled import Journalled
from tests.adapters.tried import seeds

NOON = datetime(2019, 2, 28, 12, tzinfo=timezone.utc)


@pytest.fixture
def lone(sqlite: Any) -> Iterator[Journalled]:
    """Give a table whose journal the test writes itself."""
    database = sqlite.fresh()
    made = Journalled(database)
    yield made
    made.close()
    sqlite.drop(database)


@pytest.mark.parametrize("most", [3, 200])
@pytest.mark.parametrize("seed", seeds(2, 4))
def test_entries_that_appear_in_any_order_are_all_read(
    lone: Journalled, seed: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaps, "MOST", most)
    dice = Random(seed)
    page, bookmark, number = dice.choice([1, 2, 3, 10, 100]), Gaps(1).write(), 1
    hidden, visible, read, given = list[int](), set[int](), set[int](), 0
    for step in range(20):
        for _ in range(dice.randrange(12)):  # numbers are given out; their transactions end now, later, or never
            number += dice.choice([1, 1, 1, 2, 5])
            hidden.append(number)
        dice.shuffle(hidden)
        shown = [hidden.pop() for _ in range(dice.randrange(len(hidden) + 1))]
        visible.update(shown)
        lone.database.put(f"INSERT INTO {lone.journal} (exn_seq, exn_op, ID) VALUES (?, 'U', ?)",
                          [(n, n) for n in shown])
        bookmark, found = _read(lone, bookmark, page, NOON + timedelta(seconds=step), dice.choice([None, None, 1, 2]))
        read |= found
        given += len(found)
        assert found <= visible and len(bookmark["gaps"]) <= most
    bookmark, found = _read(lone, bookmark, page, NOON + timedelta(seconds=99), None)
    assert read | found == visible
    again, found = _read(lone, bookmark, page, NOON + timedelta(seconds=99), None)
    assert not found and again == bookmark, "what was read is not read again"
    assert most < 200 or given <= len(visible), "a gap of its own is read exactly"
    assert _read(lone, bookmark, page, NOON + timedelta(seconds=9999), None)[0]["gaps"] == []


def _read(
    lone: Journalled, bookmark: Any, page: int, now: datetime, kill_after: int | None
) -> tuple[dict[str, Any], set[int]]:
    """Read; return the bookmark that was kept, and the keys that came before it."""
    adapter: Any = lone.mirror.adapter
    with sql.reading(adapter._engine) as connection:
        pages = Pages(connection, lone.what, page, Pace())
        entries = Entries(pages, lone.shape)
        horizon = Numbered(entries, now, 3600.0)
        horizon.load(json.loads(json.dumps(bookmark)))
        found: set[int] = set()
        for slices, given in enumerate(horizon.changes()):
            if slices == kill_after:
                return bookmark, found
            found |= {key for (key,), _ in given}
            bookmark = horizon.write()
        return horizon.write(), found


def test_a_gap_falls_apart_where_it_is_filled() -> None:
    known = Gaps(1)
    known.take([10, 11, 20], 5)
    assert known.gaps == [Gap(2, 9, 0, 5), Gap(12, 19, 0, 5)] and known.high == 20
    assert known.fill(Gap(2, 9, 0, 5), [2, 4, 9], False) is None
    assert known.gaps == [Gap(3, 3, 0, 5), Gap(5, 8, 0, 5), Gap(12, 19, 0, 5)]
    left = known.fill(Gap(12, 19, 0, 5), [13, 14], True)
    assert left == Gap(15, 19, 0, 5) and known.fill(left, [15, 16, 17, 18, 19], False) is None
    assert known.gaps == [Gap(3, 3, 0, 5), Gap(5, 8, 0, 5), Gap(12, 12, 0, 5)]


def test_too_many_gaps_become_stretches_that_know_how_many_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "MOST", 2)
    known = Gaps(0)
    known.take([2, 4, 5, 100, 102, 110], 1)
    assert known.gaps == [Gap(1, 3, 1, 1), Gap(6, 109, 2, 1)], "those with the fewest entries between them"
    stretch = known.gaps[1]
    left = known.fill(stretch, [stretch.low + 1], True)
    assert left is not None and left.given == UNKNOWN


def test_many_gaps_fit_into_a_bookmark() -> None:
    known = Gaps(0)
    known.take(range(10 ** 12, 10 ** 12 + 400_000, 3), 1_800_000_000)
    said = json.dumps(known.write())
    again = Gaps.read(json.loads(said))
    assert len(again.gaps) <= gaps.MOST and len(said) < 20_000 and again.write() == json.loads(said)
    assert max(gap.high - gap.low for gap in again.gaps[1:]) < 20_000, "no stretch is nearly all"
