"""A node is restored from an old copy: with a new epoch the exchange goes on; without one it stops and says so."""

from __future__ import annotations

import pytest

from node.model import codes
from tests.stage.desk import CENTRE
from tests.world.city import A, B, City
from tests.world.machine import Machine
from tests.world.promises import check

SEEDS = range(6)


def busy(city: City, steps: int) -> None:
    """Let both departments submit for a while, on a wire that is not quite good."""
    city.wire.weather.lose = city.wire.weather.lose_answer = city.wire.weather.double = 0.05
    city.wire.weather.delay = 0.5
    for _ in range(steps):
        for source in city.sources.values():
            source.change()
        city.run(city.dice.uniform(0, 4))


def old(machine: Machine) -> bool:
    """Return whether a machine found out that it is an old copy.

    A department, told so by the centre it connects to, stops as a whole; the centre, told so by departments that
    connect to it, holds its lanes to them, for one of them alone must not be able to stop it.
    """
    assert machine.life is not None
    with machine.life.stores.outbox.unit() as unit:
        held = [state.lane for state in unit.lanes() if state.held == codes.SUPERSEDED.name]
        assert machine.name == CENTRE or unit.superseded() or not held
        assert machine.name != CENTRE or not unit.superseded()
        return bool(held) or unit.superseded()


@pytest.mark.parametrize("node", [A, CENTRE, B])
@pytest.mark.parametrize("city", SEEDS, indirect=True)
def test_a_restored_node_goes_on_in_a_new_epoch(city: City, node: str) -> None:
    busy(city, 8)
    machine = city.machines[node]
    copied = machine.copy()
    busy(city, 6)
    machine.restore(copied)
    busy(city, 6)
    city.calm()
    city.settle()
    assert not old(machine)
    check(city)


# A lane that the old copy of a centre never had is opened anew at a taken place: both parcels are kept as evidence, the
# department rings, and the new epoch goes on after its head.  To stop the centre as a whole on the word of one
# department, which would prevent that, was judged the greater harm (node/DECISIONS.md).
@pytest.mark.parametrize("node", [A, CENTRE])
@pytest.mark.parametrize("city", SEEDS, indirect=True)
def test_an_old_copy_that_comes_back_in_silence_stops_and_is_mended_by_a_new_epoch(city: City, node: str) -> None:
    busy(city, 8)
    city.calm()
    city.settle()
    machine = city.machines[node]
    copied = machine.copy()
    busy(city, 6)
    city.calm()
    city.settle()
    machine.restore(copied, new_epoch=False)
    city.run(120)
    assert old(machine)
    alarms = [fields for _, name, level, event, fields in city.events if event == "EXN-SUPERSEDED" and level == "error"]
    assert alarms
    for source in city.sources.values():  # what is submitted now waits with its source: it is not acknowledged
        source.change()
    city.run(30)
    machine.open_epoch()
    busy(city, 4)
    city.calm()
    city.settle()
    assert not old(machine)
    check(city, forked=node == CENTRE)
