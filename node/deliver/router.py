"""The router: reads the warehouse's history through each grant and lets it wait for its receiver (DESIGN §3)."""

from __future__ import annotations

from collections.abc import Sequence

from node.exchange import route
from node.model.registry import Grant
from node.model.spool import GROUP_OCTETS
from node.model.trouble import Trouble
from node.ports import OutboxUnit
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
        for grant, after in await self._hungry():
            try:
                fed = await self._feed(grant, after) or fed
                self._told.pop(grant.name, None)
            except Trouble as met:  # one grant must not starve the others
                self._fail(grant, met)
        if not fed:
            await desk.bell.wait(("warehouse", "settled"), seen, desk.timers.idle)

    async def _hungry(self) -> Sequence[tuple[Grant, int]]:
        """Return the grants that can be fed, each with the block it has read to.

        Two units for all of them, however many there are: most rings of the bell are news to few grants.
        """
        desk = self._desk
        grants = desk.means.registry.grants()
        if not grants:
            return []
        wanting, failed = await desk.outbox.run(lambda unit: self._wanting(unit, grants))
        for grant, met in failed:
            self._fail(grant, met)
        resources = {grant.resource for grant, _ in wanting}
        if not resources:
            return []
        last = await desk.warehouse.run(lambda unit: {resource: unit.last(resource) for resource in resources})
        return [(grant, after) for grant, after in wanting if after < last[grant.resource]]

    def _wanting(
        self, unit: OutboxUnit, grants: Sequence[Grant]
    ) -> tuple[list[tuple[Grant, int]], list[tuple[Grant, Trouble]]]:
        desk = self._desk
        wanting, failed = [], []
        for grant in grants:
            try:
                after = route.hungry(unit, grant, desk.means, desk.now())
            except Trouble as met:
                failed.append((grant, met))
                continue
            if after is not None:
                wanting.append((grant, after))
        return wanting, failed

    def _fail(self, grant: Grant, met: Trouble) -> None:
        if self._told.get(grant.name) != met.code.name:
            self._desk.log("error", met.code.name, at="router", peer=grant.receiver, resource=grant.resource)
        self._told[grant.name] = met.code.name

    async def _feed(self, grant: Grant, after: int) -> bool:
        desk = self._desk
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
