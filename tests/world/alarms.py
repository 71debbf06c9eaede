"""Every held lane had exactly one alarm (DESIGN §4): told once for a cause, again only after the lane went on.

A log line names peer and resource, not the stream; so lanes of one peer and resource are counted together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from node.model.parcel import Lane
    from tests.world.city import City

SOON = 1.0
"""Seconds within which a hold is told, if the machine lives that long."""
_Cause = tuple[str, int, str, str, str]
"""Node, life, peer, resource, code."""


def check(city: City) -> Iterator[str]:
    """Yield every hold that was not told, and every alarm there was no hold for or that was told before."""
    told: Counter[_Cause] = Counter()
    opened: Counter[tuple[str, int, object, str]] = Counter()
    for _, node, level, event, fields in city.events:
        life = fields["life"]
        assert isinstance(life, int)
        if level == "error" and fields.get("kind") == "hold" and "resource" in fields:
            told[node, life, str(fields["peer"]), str(fields["resource"]), event] += 1
        elif level == "error" and fields.get("kind") == "hold":
            opened[node, life, fields.get("parcel"), event] += 1
    lanes: dict[_Cause, set[Lane]] = defaultdict(set)
    lasting: set[_Cause] = set()
    for at, node, life, lane, code in city.holds:
        cause = (node, life, lane.receiver, lane.resource, code)
        lanes[cause].add(lane)
        if city.deaths.get((node, life), float("inf")) > at + SOON:
            lasting.add(cause)
    for cause, often in told.items():
        most = sum(1 + city.left_here[cause[0], cause[1], lane] for lane in lanes[cause])
        if often > most:
            yield f"{cause} was told {often} times, and held {most} times at most"
    yield from (f"{cause} was held and never told" for cause in lasting - set(told) if _of_a_lane(cause))
    for what, often in opened.items():
        others = sum(count for other, count in opened.items() if other[2] == what[2] and other != what)
        if often > 1 + others:
            yield f"{what} was told {often} times"


def _of_a_lane(cause: _Cause) -> bool:
    """Return whether a hold is told with peer and resource; those of a whole node are told in words of their own."""
    return cause[4] not in ("EXN-SUPERSEDED", "EXN-CLONED", "EXN-FORK")
