"""The tables of states against a small model of what is known of a parcel."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from node.model import codes
from node.model.parcel import Stage
from node.model.spool import ArrivalState, EntryState
from node.spool.states import (
    ARRIVAL,
    ENTRY,
    FINISHED,
    OPEN,
    WORDS,
    ArrivalEvent,
    EntryEvent,
    arrival_after,
    entry_after,
    entry_hears,
)

S, E = EntryState, EntryEvent
A, V = ArrivalState, ArrivalEvent


def knowledge(state: EntryState) -> int:
    """Return how much the peer has told: nothing, accepted, or its final word."""
    return {S.SEALED: 0, S.SENT: 0, S.ACCEPTED: 1, S.DONE: 2}.get(state, 0)


def test_every_state_takes_every_word_of_the_peer() -> None:
    for state in EntryState:
        for stage in Stage:
            assert entry_after(state, WORDS[stage]) is not None, (state, stage)


def test_a_final_word_ends_it_and_the_first_one_stands() -> None:
    for state in EntryState:
        assert entry_after(state, E.PROCESSED) is S.DONE
        assert entry_after(state, E.REFUSED) is (S.DONE if state is S.DONE else S.PARKED)


@given(st.lists(st.sampled_from(list(EntryEvent))))
def test_knowledge_only_grows_but_where_the_peer_lost_it(events: list[EntryEvent]) -> None:
    state = S.SEALED
    for event in events:
        after = entry_after(state, event)
        if after is None:
            continue
        if after not in (S.PARKED, S.VOIDED) and state is not S.PARKED:
            assert knowledge(after) >= knowledge(state), (state, event)
        assert state is not S.DONE or after is S.DONE or event is E.UNOPENED
        state = after


def test_who_cannot_open_a_parcel_has_not_its_records_whatever_another_copy_of_it_says() -> None:
    for state in EntryState:
        event = entry_hears(state, None, Stage.REFUSED, codes.OPEN.name)
        assert event is E.UNOPENED and entry_after(state, event) is S.PARKED
        assert entry_hears(state, None, Stage.REFUSED, codes.UNSUPPORTED.name) is E.REFUSED
        assert entry_hears(state, None, Stage.PROCESSED, None) is E.PROCESSED
    assert entry_hears(S.PARKED, codes.OPEN.name, Stage.PROCESSED, None) is None
    assert entry_hears(S.PARKED, codes.OPEN.name, Stage.ACCEPTED, None) is E.ACCEPTED
    assert entry_hears(S.PARKED, codes.UNSUPPORTED.name, Stage.PROCESSED, None) is E.PROCESSED
    assert {state for state in S if entry_after(state, E.RESUPPLY)} == {S.PARKED}


def test_what_is_voided_is_not_sent_and_what_is_parked_is_a_persons() -> None:
    assert entry_after(S.VOIDED, E.SENT) is None
    assert entry_after(S.VOIDED, E.PARK) is None and entry_after(S.DONE, E.PARK) is None
    assert {state for state in S if entry_after(state, E.DISCARD)} == {S.PARKED}
    assert S.PARKED not in FINISHED


def test_every_state_is_reached_and_every_event_happens_somewhere() -> None:
    assert {*ENTRY.values(), S.SEALED} == set(S) and {event for _, event in ENTRY} == set(E)
    assert {*ARRIVAL.values(), A.STORED} == set(A) and {event for _, event in ARRIVAL} == set(V)


@given(st.lists(st.sampled_from(list(ArrivalEvent))))
def test_an_arrival_is_judged_before_it_is_told_and_never_opens_again(events: list[ArrivalEvent]) -> None:
    state, ended = A.STORED, False
    for event in events:
        after = arrival_after(state, event)
        if after is None:
            continue
        assert not (ended and after in OPEN), "what gave up its place does not come back"
        ended = ended or after not in OPEN
        assert state is not A.HELD or event is V.UNHOLD, "a held parcel is tried again first"
        state = after


def test_only_parked_arrivals_are_discarded() -> None:
    assert {state for state in A if arrival_after(state, V.DISCARD)} == {A.PARKED}
