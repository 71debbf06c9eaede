"""One alarm per hold, whatever its causes do in between."""

from __future__ import annotations

from node.workers import Alarms
from tests.stage.pair import lane_of


def test_a_cause_rings_once_until_the_lane_goes_on() -> None:
    """Two causes in turn rang without end (seed 941345 of `tests/world`)."""
    alarms, lane, other = Alarms(), lane_of(), lane_of()._replace(resource="another")
    heard = [alarms.rings(lane, code) for code in ("EXN-GRANT", "EXN-GRANT", "EXN-CERT-TIME", "EXN-GRANT")]
    assert heard == [True, False, True, False]
    assert alarms.rings(other, "EXN-GRANT")
    alarms.end(lane)
    alarms.end(lane)
    assert alarms.rings(lane, "EXN-GRANT") and not alarms.rings(other, "EXN-GRANT")
