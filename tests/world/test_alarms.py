"""A parcel that is held when it is opened is told of once, however often it is tried again."""

from __future__ import annotations

from node.model.record import Stream
from tests.stage.desk import CENTRE
from tests.world.city import A, B, City
from tests.world.promises import check
from tests.world.source import region


def test_an_accepted_parcel_that_waits_for_a_registration_rings_once() -> None:
    """A subscriber was not told of an origin's new key: seed 237 of `tests/world` then."""
    city = City(7)
    city.start()
    try:
        for name in (A, CENTRE):
            city.machines[name].reload(generations={A: 1})
        city.run(5)
        city.sources[A].supply("region-code", Stream.LIVE, [region("r1", "110101", "one", False)])
        city.run(120)  # it is tried again with each hello
        rung = [event for _, node, level, event, fields in city.events if node == B and level == "error"]
        assert rung == ["EXN-UNREGISTERED"]
        city.machines[B].reload(generations={A: 1})
        city.settle()
        check(city)
    finally:
        city.end()
