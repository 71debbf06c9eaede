"""The model of a disk keeps its own promises; all else in this room stands on them."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tests.powercut.platter import PAGE, SECTOR, Fate, Inode, Platter, Truncate, Write, play

DICE = Random(0)
CHANGES = st.lists(st.one_of(
    st.builds(Write, st.integers(0, 3000), st.binary(min_size=1, max_size=1500)),
    st.builds(Truncate, st.integers(0, 4000)),
), max_size=6)


def written(*changes: Write | Truncate, safe: bytes = b"") -> Inode:
    return Inode(safe, list(changes))


def test_what_was_not_synced_may_be_gone_and_may_be_there() -> None:
    inode = written(Write(0, b"one"))
    assert inode.after(Fate.NONE, DICE) == b"" and inode.after(Fate.ALL, DICE) == b"one"
    inode.sync()
    inode.since.append(Write(3, b"two"))
    assert {inode.after(fate, DICE) for fate in (Fate.NONE, Fate.ALL)} == {b"one", b"onetwo"}


def test_a_page_is_torn_between_its_sectors() -> None:
    old, new = b"o" * PAGE, b"n" * PAGE
    seen = {written(Write(0, new), safe=old).after(Fate.SECTORS, Random(seed)) for seed in range(40)}
    assert len(seen) > 30 and all({one[at : at + SECTOR] for at in range(0, PAGE, SECTOR)} <= {
        old[:SECTOR], new[:SECTOR]} for one in seen)
    assert {written(Write(0, new), safe=old).after(Fate.PAGES, Random(seed)) for seed in range(40)} == {old, new}


def test_a_sector_holds_what_any_of_its_writes_left() -> None:
    inode = written(Write(0, b"1"), Write(0, b"2"), Write(0, b"3"), safe=b"0")
    assert {inode.after(Fate.SECTORS, Random(seed)) for seed in range(60)} == {b"0", b"1", b"2", b"3"}


def test_a_length_may_be_there_without_what_was_written() -> None:
    inode = written(Write(0, b"x" * SECTOR))
    seen = {inode.after(Fate.SECTORS, Random(seed)) for seed in range(60)}
    assert seen == {b"", b"x" * SECTOR, bytes(SECTOR)}


@given(st.binary(max_size=3000), CHANGES, st.integers(0, 9))
def test_each_octet_after_a_cut_is_one_that_was_there(
    safe: bytes, changes: list[Write | Truncate], seed: int
) -> None:
    states = [play(safe, changes[:number]) for number in range(len(changes) + 1)]
    for fate in Fate:
        found = written(*changes, safe=safe).after(fate, Random(seed))
        assert len(found) in {len(state) for state in states}
        for at in range(0, len(found), 7):
            assert found[at] in {0, *(state[at] for state in states if at < len(state))}


@given(st.binary(max_size=3000), CHANGES, st.integers(0, 9))
def test_nothing_synced_is_ever_hurt(safe: bytes, changes: list[Write | Truncate], seed: int) -> None:
    inode = written(*changes, safe=safe)
    inode.sync()
    whole = play(safe, changes)
    assert all(inode.after(fate, Random(seed)) == whole for fate in Fate)


def test_a_name_is_there_from_the_sync_of_its_folder_on() -> None:
    disk = Platter({"/d/old": b"1"})
    made = disk.open("/d/new")
    made.since.append(Write(0, b"2"))
    made.sync()
    disk.remove("/d/old")
    assert disk.after(Fate.NONE, DICE) == {"/d/old": b"1"} and disk.after(Fate.ALL, DICE) == {"/d/new": b"2"}
    found = {tuple(disk.after(Fate.SECTORS, Random(seed))) for seed in range(60)}
    assert found == {(), ("/d/old",), ("/d/new",), ("/d/new", "/d/old")}
    disk.sync_folder("/other")
    assert disk.after(Fate.NONE, DICE) == {"/d/old": b"1"}
    disk.sync_folder("/d")
    assert all(disk.after(fate, DICE) == {"/d/new": b"2"} for fate in Fate)


def test_a_rename_without_a_sync_leaves_either_name() -> None:
    disk = Platter({"/d/key": b"old"})
    disk.open("/d/key.tmp").since.append(Write(0, b"new"))
    disk.rename("/d/key.tmp", "/d/key")
    disk.sync_folder("/d")
    assert disk.after(Fate.NONE, DICE) == {"/d/key": b""}, "the classic: renamed before its octets were safe"
