"""The next parcel of a lane, judged while an adapter lands the one before it.

Rule 1: what was judged so claims nothing and promises nothing: it is a judgement in memory, used at that parcel's own
        turn if the means are the same then and it is not old.
Rule 2: what prevents it is met again, and told, when it is that parcel's turn.
Rule 3: no more are kept than lanes are handled side by side, and none of a large parcel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from twisted.internet.defer import Deferred, succeed

from node.exchange import handle
from node.exchange.handle import Judgement
from node.exchange.means import Means
from node.model.instant import day
from node.model.parcel import Lane
from node.model.spool import GROUP_OCTETS, Arrival, ArrivalState, Claim
from node.ports import InboxUnit
from node.workers import Desk

OLD = 5.0
"""Seconds after which a judgement is made anew: certificates and grants end."""
LARGE = 2 * GROUP_OCTETS
"""Octets of a parcel that is not kept in memory before its turn."""


@dataclass(frozen=True, slots=True)
class _Foreseen:
    parcel: str
    means: Means
    at: float
    judged: Judgement


class Foresight:
    """Keeps what was judged before its turn, one parcel a lane."""

    def __init__(self, desk: Desk, most: int) -> None:
        """Keep at most `most` parcels."""
        self._desk, self._most = desk, most
        self._ahead: dict[Lane, Deferred[_Foreseen | None]] = {}

    def look(self, arrival: Arrival) -> None:
        """Begin to judge what comes behind `arrival` in its lane; not at each of its tries."""
        if arrival.lane in self._ahead:
            return
        if len(self._ahead) >= self._most:
            self._ahead.clear()  # lanes that did not come to use theirs: they were held
        self._ahead[arrival.lane] = Deferred.fromCoroutine(self._foresee(arrival))

    async def judged(self, claim: Claim) -> Judgement | None:
        """Return what was judged of the claimed parcel, None if nothing was that holds now."""
        desk, ahead = self._desk, self._ahead.pop(claim.lane, None)
        found = await ahead if ahead is not None else None
        if found is None or found.means is not desk.means or desk.reactor.seconds() - found.at > OLD:
            return None
        if found.parcel != claim.parcel:
            self._ahead[claim.lane] = succeed(found)  # the one before it comes again
            return None
        delivery = found.judged.delivery
        return replace(found.judged, delivery=replace(delivery, claim=claim) if delivery else None)

    async def _foresee(self, arrival: Arrival) -> _Foreseen | None:
        desk = self._desk
        try:
            found = await desk.inbox.run(lambda unit: _behind(unit, arrival), durable=False)
            if found is None:
                return None
            following, octets = found
            means, claim = desk.means, Claim(following.lane, 0, following.parcel)
            judged = await desk.workers.run_block(
                len(octets[1]), handle.judge, claim, octets, means, desk.now(), day(following.received), None)
        except Exception:  # rule 2; nothing was changed
            return None
        return _Foreseen(following.parcel, means, desk.reactor.seconds(), judged)


def _behind(unit: InboxUnit, arrival: Arrival) -> tuple[Arrival, tuple[bytes, bytes]] | None:
    """Return the next parcel with its octets, unless it is large, or was judged already."""
    following = unit.behind(arrival)
    if following is None or following.state is not ArrivalState.STORED or following.octets > LARGE:
        return None
    octets = unit.octets(following.parcel)
    return None if octets is None else (following, octets)
