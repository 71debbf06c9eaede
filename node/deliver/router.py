"""The router: reads the warehouse's history through each grant and lets it wait for its receiver (DESIGN §3)."""

from __future__ import annotations

from node.exchange import route
from node.model.registry import Grant
from node.workers import Desk

BLOCKS = 16


class Router:
    """Feeds the lanes of all grants."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def run(self) -> None:
        """Feed every hungry lane once; wait for news when none was."""
        desk = self._desk
        seen = desk.bell.count("warehouse", "settled")
        fed = False
        for grant in desk.means.registry.grants():
            fed = await self._feed(grant) or fed
        if not fed:
            await desk.bell.wait(("warehouse", "settled"), seen, desk.timers.idle)

    async def _feed(self, grant: Grant) -> bool:
        desk, means = self._desk, self._desk.means
        after = await desk.outbox.run(lambda unit: route.hungry(unit, grant, means, desk.now()))
        if after is None:
            return False
        blocks = await desk.warehouse.run(lambda unit: unit.history(grant.resource, after, BLOCKS))
        if not blocks:
            return False
        put = await desk.outbox.run(lambda unit: route.route(unit, grant, after, blocks, means, desk.now()))
        desk.counter.count("central_routed", put, resource=grant.resource, subscriber=grant.receiver, outcome="put")
        desk.bell.ring(f"outbox:{grant.receiver}")
        return True
