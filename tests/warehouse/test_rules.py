"""Which record wins: the rules against the whole story told in order."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from node.model.parcel import Outcome
from node.model.record import Operation, Version
from node.warehouse.rules import State

Event = tuple[bytes, bytes, bool]
"""(row id, key, deleted)."""

ROWS = [b"r0", b"r1", b"r2"]
KEYS = [b"a", b"b", b"c"]
STORY = st.lists(st.tuples(st.sampled_from(ROWS), st.sampled_from(KEYS), st.booleans()), max_size=9)


def tell(state: State, number: int, event: Event) -> Outcome:
    """Apply an event whose version is its number in the story."""
    row, key, deleted = event
    operation = Operation.DELETE if deleted else Operation.UPSERT
    return state.apply(number, key, row, Version(1, number + 1), operation)


def alive(state: State) -> dict[bytes, Version]:
    """Return the keys that stand, with their versions."""
    return {key: held.version for key, held in state.held.items() if not held.gone}


@given(STORY)
def test_a_story_in_order_is_applied_whole(story: list[Event]) -> None:
    state = State()
    assert [tell(state, number, event) for number, event in enumerate(story)] == [Outcome.APPLIED] * len(story)
    for key, version in alive(state).items():
        row, at, deleted = story[version.n - 1]
        assert at == key and not deleted
        last = max(number for number, event in enumerate(story) if event[0] == row)
        assert last == version.n - 1, "a row stands at its last key alone"


@given(STORY, st.randoms(use_true_random=False))
def test_a_story_ends_alike_in_any_order(story: list[Event], random: Random) -> None:
    events = list(enumerate(story))
    state = State()
    for number, event in events:
        tell(state, number, event)
    shuffled = State()
    random.shuffle(events)
    for number, event in [*events, *events]:
        tell(shuffled, number, event)
    assert alive(shuffled) == alive(state)


@given(STORY, st.randoms(use_true_random=False))
def test_a_version_never_goes_back_and_nothing_is_applied_twice(story: list[Event], random: Random) -> None:
    events = list(enumerate(story)) * 2
    random.shuffle(events)
    state, applied = State(), set()
    for number, event in events:
        before = {key: held.version for key, held in state.held.items()}
        outcome = tell(state, number, event)
        if outcome is Outcome.APPLIED:
            assert number not in applied
            applied.add(number)
            assert event[1] not in before or before[event[1]] < Version(1, number + 1)
        for key, version in before.items():
            assert state.held[key].version >= version


@given(STORY, st.randoms(use_true_random=False))
def test_a_row_stands_at_one_key_at_most(story: list[Event], random: Random) -> None:
    events = list(enumerate(story))
    random.shuffle(events)
    state = State()
    for number, event in events:
        tell(state, number, event)
        holders = [held.row for held in state.held.values() if held.row is not None]
        assert len(holders) == len(set(holders))
        for row in holders:
            assert state.stands_at_home(row)
