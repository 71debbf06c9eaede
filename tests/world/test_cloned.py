"""A copy of a node that speaks beside it: both are stopped, by their heads or by their boots, and a new epoch mends it.

What is promised while both speak (WIRE §3, §5), whoever of the two is first:

1.  A place of a lane is taken once.  The parcel of the copy that comes second to it is kept as evidence of a fork, its
    lane is held, and nothing in it is believed: no *accepted* is given for it.
2.  A copy whose heads are behind what the peer took from the other is told so by the next hello and stops as a whole:
    it seals nothing and takes no submission.  A copy of the node that others connect to holds its lanes to whoever
    told it so.
3.  Heads that agree stop nobody: copies that have nothing to send are found by their boots.  The earlier boot, heard
    again more than `ECHO` after the later one, makes the peer refuse hello and collect of both, each time it is asked:
    with one alarm here, one at each copy, and every lane to the peer held.  A parcel that is on its way then, or comes
    before a copy's next hello, is taken by rule 1.
4.  What either copy was given an *accepted* for is at the peer, and what one of them collected and took away with it is
    handed to the one that stays: it is asked for, or shown by the heads, before the sender forgets it.
5.  A new epoch of the one that stays ends all of it.
"""

from __future__ import annotations

import pytest

from node.model import codes
from node.spool.boots import ECHO
from tests.stage.desk import CENTRE
from tests.world.city import A, B, City
from tests.world.machine import Machine
from tests.world.promises import check

SEEDS = range(4)


def busy(city: City, steps: int) -> None:
    """Let both departments submit for a while."""
    for _ in range(steps):
        for source in city.sources.values():
            source.change()
        city.run(city.dice.uniform(0, 4))


def codes_held(machine: Machine) -> set[str | None]:
    """Return why the lanes of a machine are held, None among them if one is not."""
    assert machine.life is not None
    with machine.life.stores.outbox.unit() as unit:
        return {state.held for state in unit.lanes()}


def alarms(city: City, code: str) -> list[tuple[str, object]]:
    """Return who raised an alarm, and in which life."""
    return [(node, said["life"]) for _, node, level, event, said in city.events if (level, event) == ("error", code)]


@pytest.mark.parametrize("node", [A, CENTRE, B])
@pytest.mark.parametrize("city", SEEDS, indirect=True)
def test_a_clone_that_spoke_for_a_while_is_mended_by_a_new_epoch(city: City, node: str) -> None:
    busy(city, 4)
    city.clone(node)
    busy(city, 8)
    city.mend_clone(node)
    busy(city, 4)
    city.calm()
    city.settle()
    check(city)


@pytest.mark.parametrize("city", [0, 5, 102], indirect=True)
def test_what_the_copies_of_both_ends_told_each_other_is_not_lost(city: City) -> None:
    """A department took a place from one copy of the centre, and its own copy took that place from the other.

    Before a receiver that connects to its sender could say *unknown*, the centre asked for ever (seeds 0 and 5), and
    the department never had a record (seed 102).
    """
    busy(city, 2)
    for name in (A, B, CENTRE):
        city.clone(name)
    busy(city, 8)
    city.calm()
    city.settle()
    check(city)


@pytest.mark.parametrize("node", [A, B])
@pytest.mark.parametrize("city", SEEDS, indirect=True)
def test_copies_with_nothing_to_say_are_found_by_their_boots_and_both_stop(city: City, node: str) -> None:
    busy(city, 4)
    city.settle()
    city.clone(node)
    clone = city.clones[node]
    city.run(ECHO / 1000 - 30)
    assert not alarms(city, codes.CLONED.name)
    city.run(100)
    both = [(node, city.machines[node].lives), (node, clone.lives)]
    assert sorted(alarms(city, codes.CLONED.name)) == sorted([(CENTRE, 1), *both])
    assert codes_held(city.machines[node]) == codes_held(clone) == {codes.CLONED.name}
    city.mend_clone(node)
    busy(city, 4)
    city.calm()
    city.settle()
    check(city)


@pytest.mark.parametrize("node", [A, B])
@pytest.mark.parametrize("city", SEEDS, indirect=True)
def test_a_copy_that_is_behind_the_other_is_told_so_and_stops_as_a_whole(city: City, node: str) -> None:
    busy(city, 4)
    city.settle()
    city.clone(node)
    clone, source = city.clones[node], city.sources[node]
    source.change()  # to the original alone, which sends at once
    city.run(2 * city.timers.hello)
    assert clone.life is not None
    with clone.life.stores.outbox.unit() as unit:
        assert unit.superseded()
    assert set(alarms(city, codes.SUPERSEDED.name)) == {(node, clone.lives)}
    sent = sum(often for (name, life, _), often in city.left_here.items() if (name, life) == (node, clone.lives))
    assert not sent and codes_held(city.machines[node]) == {None}
    city.mend_clone(node)
    city.calm()
    city.settle()
    check(city)


@pytest.mark.parametrize("city", SEEDS, indirect=True)
def test_what_a_copy_collected_is_handed_to_the_one_that_stays(city: City) -> None:
    busy(city, 4)
    city.settle()
    city.machines[A].stall(40)
    city.clone(A)
    city.sources[B].change()
    city.run(30)
    taken = [said for said in city.manifests.values() if said.receiver.node == A]
    clone, stays = city.clones[A], city.machines[A]
    assert clone.life is not None and stays.life is not None
    with clone.life.stores.inbox.unit() as theirs, stays.life.stores.inbox.unit() as ours:
        gone = [said.parcel for said in taken if theirs.arrival(said.parcel) and not ours.arrival(said.parcel)]
    assert gone
    city.mend_clone(A)
    city.calm()
    city.settle()
    check(city)
