"""The router: reads the warehouse's history through each grant and lets it wait for its receiver (DESIGN §3)."""

from __future__ import annotations

from node.exchange import route
from node.model.registry import Grant
from node.model.spool import GROUP_OCTETS
from node.model.trouble import Trouble
from node.workers import Desk

BLOCKS = 16
"""Most blocks read at once; fewer where the last ones were large, about a parcel's worth."""


class Router:
    """Feeds the lanes of all grants."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._most: dict[str, int] = {}
        self._told: dict[str, str] = {}

    async def run(self) -> None:
        """Feed every hungry lane once; wait for news when none was."""
        desk = self._desk
        seen = desk.bell.count("warehouse", "settled")
        fed = False
        for grant in desk.means.registry.grants():
            try:
                fed = await self._feed(grant) or fed
                self._told.pop(grant.name, None)
            except Trouble as met:  # one grant must not starve the others
                if self._told.get(grant.name) != met.code.name:
                    desk.log("error", met.code.name, at="router", peer=grant.receiver, resource=grant.resource)
                self._told[grant.name] = met.code.name
        if not fed:
            await desk.bell.wait(("warehouse", "settled"), seen, desk.timers.idle)

    async def _feed(self, grant: Grant) -> bool:
        desk = self._desk
        after = await desk.outbox.run(lambda unit: route.hungry(unit, grant, desk.means, desk.now()))
        if after is None:
            return False
        most = self._most.get(grant.name, 1)
        blocks = await desk.warehouse.run(lambda unit: unit.history(grant.resource, after, most))
        if not blocks:
            return False
        octets = sum(len(line) for block in blocks for line in block.lines)
        self._most[grant.name] = max(1, min(BLOCKS, GROUP_OCTETS * len(blocks) // max(1, octets), most * 2))
        put = await desk.outbox.run(lambda unit: route.route(unit, grant, after, blocks, desk.means, desk.now()))
        desk.counter.count("central_routed", put, resource=grant.resource, subscriber=grant.receiver, outcome="put")
        desk.bell.ring(f"outbox:{grant.receiver}")
        return True
