"""Where a lane goes on after its receiver told its head: the table, and a model of every reachable pair of ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.parcel import NOTHING, Lane, Position
from node.model.record import Stream
from node.model.spool import LaneState
from node.spool.alignment import START, Course, course, next_epoch

LANE = Lane("test", "dept-a", "centre", "population", Stream.LIVE)
E = 100


def digest(epoch: int, seq: int) -> str:
    """Return what we sealed at a place."""
    return f"{epoch:032x}{seq:032x}"


def ours(seq: int, epoch: int = E, base: str = NOTHING) -> LaneState:
    return LaneState(LANE, 5, Position(epoch, seq, digest(epoch, seq) if seq else base), base, 1, 0, 0, None, None, 1)


def at(seq: int, epoch: int = E, other: bool = False) -> Position:
    return Position(epoch, seq, "f" * 64 if other else digest(epoch, seq))


LEVEL, REWIND, REOPEN, SUPERSEDED = Course.LEVEL, Course.REWIND, Course.REOPEN, Course.SUPERSEDED


@pytest.mark.parametrize("what, state, node, taken, theirs, there, chosen", [
    ("both begin", ours(0), E, None, START, None, LEVEL),
    ("sent and not taken", ours(1), E, None, START, None, LEVEL),
    ("both hold the same", ours(3), E, at(3), at(3), digest(E, 3), LEVEL),
    ("they have one more than we know", ours(4), E, at(3), at(4), digest(E, 4), LEVEL),
    ("they lost a tail", ours(5), E, at(5), at(2), digest(E, 2), REWIND),
    ("they lost a tail we keep no longer", ours(5), E, at(5), at(2), None, REWIND),
    ("they lost all of this epoch", ours(5, base=digest(7, 3)), E, at(5), at(3, 7), digest(7, 3), REWIND),
    ("they lost everything, the first epoch", ours(5), E, at(5), START, None, REWIND),
    ("they wait for our first of this epoch", ours(0, base=digest(7, 3)), E, at(3, 7), at(3, 7), digest(7, 3), LEVEL),
    ("they lost more than this epoch", ours(5, base=digest(7, 3)), E, at(5), at(1, 7), None, REOPEN),
    ("they lost everything, a later epoch", ours(5, base=digest(7, 3)), E, at(5), START, None, REOPEN),
    ("we were restored", ours(2), E + 9, at(2), at(5), None, REOPEN),
    ("we were restored and nothing was sent", ours(0), E + 9, None, START, None, REOPEN),
    ("they are ahead of us", ours(2), E, at(2), at(3), None, SUPERSEDED),
    ("another parcel stands at our place", ours(3), E, at(2), at(3, other=True), digest(E, 3), SUPERSEDED),
    ("they saw a later epoch of ours", ours(3), E, at(3), at(1, E + 1), None, SUPERSEDED),
    ("restored, but to an epoch below theirs", ours(3), E + 1, at(3), at(1, E + 2), None, SUPERSEDED),
])
def test_the_course(
    what: str, state: LaneState, node: int, taken: Position | None, theirs: Position, there: str | None, chosen: Course
) -> None:
    assert course(state, node, taken, theirs, there) is chosen, what


@given(sealed=st.integers(0, 6), known=st.integers(0, 6), has=st.integers(0, 6))
def test_an_honest_pair_in_one_epoch_never_reopens_and_stops_only_ahead(sealed: int, known: int, has: int) -> None:
    known = min(known, sealed)
    taken = at(known) if known else None
    theirs = at(has) if has else START
    there = digest(E, has) if 0 < has <= sealed else None
    chosen = course(ours(sealed), E, taken, theirs, there)
    assert chosen is (SUPERSEDED if has > sealed else REWIND if has < known else LEVEL)


@given(epoch=st.integers(1, 50), node=st.integers(1, 50), theirs=st.integers(0, 50))
def test_a_new_epoch_is_above_every_one_that_either_end_has_seen(epoch: int, node: int, theirs: int) -> None:
    opened = next_epoch(ours(0, epoch), node, Position(theirs, 1, digest(1, 1)))
    assert opened > max(epoch, theirs) and opened >= node


def test_a_restored_node_opens_its_own_epoch() -> None:
    assert next_epoch(ours(3), E + 50, at(9)) == E + 50
    assert next_epoch(replace(ours(3)), E, at(9)) == E + 1
