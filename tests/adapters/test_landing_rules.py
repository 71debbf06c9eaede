"""Which record wins at a target is what wins in the node's own warehouse; and what it makes of the target's rows."""

from __future__ import annotations

from random import Random

import pytest

from adapters.landing.digests import Digests
from adapters.landing.rules import Key, State
from node.model.parcel import Outcome
from node.model.record import Operation, Version
from node.warehouse.rules import State as Warehouse
from tests.adapters.tried import seeds


@pytest.mark.parametrize("seed", seeds(50, 200))
def test_the_rules_are_those_of_the_warehouse(seed: int) -> None:
    dice = Random(seed)
    ours, theirs = State(), Warehouse()
    for number in range(60):
        key, row = f"k{dice.randrange(5)}", f"r{dice.randrange(5)}"
        version, delete = (1, dice.randrange(1000)), dice.random() < 0.2
        won = ours.apply(number, Key(key, "A"), row, version, delete)
        said = theirs.apply(
            number, key.encode(), row.encode(), Version(*version), Operation.DELETE if delete else Operation.UPSERT)
        assert won == (said is Outcome.APPLIED)
        assert {(k.place, held) for k, held in ours.held.items()} == {
            (k.decode(), ((*held.version,), held.row.decode() if held.row else None, held.gone))
            for k, held in theirs.held.items()}
        assert {(r, home.key.place, home.version) for r, home in ours.homes.items()} == {
            (r.decode(), home.key.decode(), (*home.version,)) for r, home in theirs.homes.items()}
        stands = {k.decode() for k, held in theirs.held.items() if not held.gone}
        assert set(ours.owners) == stands, "a row stands at the target exactly where a record stands in the warehouse"


def test_a_fork_leaves_what_it_came_from_alone() -> None:
    state = State()
    state.apply(0, Key("k", "A"), "r", (1, 1), False)
    fork = state.fork()
    assert fork.apply(1, Key("k", "A"), "r", (1, 2), True) and fork.places == {"k": None}
    assert state.held[Key("k", "A")].version == (1, 1) and state.owners == {"k": "A"}


def test_a_place_of_two_origins_is_whose_that_wrote_last_and_the_other_removes_nothing() -> None:
    state = State()
    a, b = Key("k", "A"), Key("k", "B")
    state.apply(0, a, "ra", (1, 1), False)
    state.apply(1, b, "rb", (1, 1), False)
    assert state.owners == {"k": "B"} and state.places == {"k": 1}
    assert state.apply(2, a, "ra", (1, 2), True) and state.places == {"k": 1}, "A deletes what is no more A's"
    assert state.apply(3, b, "rb", (1, 2), True) and state.places == {"k": None} and not state.owners


def test_a_key_is_found_again_by_its_own_row_alone_and_stands_nowhere_in_clear() -> None:
    one, other = Digests(b"s" * 32, "rk", "population"), Digests(b"t" * 32, "rk", "population")
    key = ("11010119900307" + "0134", "张三|3:x")
    place = one.place(key)
    kept = one.hide("row-1", place, key)
    assert one.reveal("row-1", place, kept) == key and "110101" not in kept
    assert one.reveal("row-2", place, kept) != key and other.reveal("row-1", place, kept) != key
    assert other.place(key) != place and Digests(b"s" * 32, "rk", "legal").place(key) != place
    assert one.place(("ab", "c")) != one.place(("a", "bc")) and one.row("A", "B") != one.row("AB", "")
