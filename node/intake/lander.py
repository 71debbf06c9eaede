"""The lander: the sink that is a department's own database or folder, written by an adapter.

Rule 1: a parcel goes as one batch, which the adapter lands in one transaction; one that comes again is told the same.
Rule 2: a target that cannot be reached is tried again a few times here; after that its lanes wait, with one alarm, and
        are tried now and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from node.hosts import Child
from node.intake.process import AdapterProcess
from node.model import codes
from node.model.parcel import Outcome, Verdict
from node.model.record import Operation
from node.model.source import Target
from node.model.spool import Arriving, Delivery
from node.model.trouble import Retry, trouble
from node.validate import split_line
from node.workers import Desk

RULE = "target"
"""The rule a record breaks that the target refuses."""
TRIES = (1.0, 3.0)
"""Seconds to wait before each further try at once."""


class Lander:
    """Lands the records of one resource (port `Sink`)."""

    def __init__(self, desk: Desk, process: AdapterProcess, target: Target) -> None:
        self._desk, self._process, self.target = desk, process, target

    async def apply(self, delivery: Delivery) -> Sequence[Verdict]:
        """Land a delivery; raise Hold(ADAPTER) for what a person must mend, Retry for a target that is not there."""
        desk = self._desk
        for wait in TRIES:
            try:
                return await self._once(delivery)
            except Retry as met:
                desk.counter.count("adapter_failures", source=self.target.adapter, code=met.code.name)
                await desk.sleep(wait)
        return await self._once(delivery)

    async def _once(self, delivery: Delivery) -> Sequence[Verdict]:
        lock = self._process.lock
        await lock.acquire()
        try:
            return await self._process.use(lambda child: self._land(child, delivery))
        finally:
            lock.release()

    def _land(self, child: Child, delivery: Delivery) -> Sequence[Verdict]:
        lane = delivery.lane
        told = child.apply(
            [_line(one) for one in delivery.records], what=self.target.what, resource=lane.resource,
            lane=f"{lane.domain}/{lane.sender}/{lane.resource}/{lane.stream.value}", parcel=delivery.parcel,
            token=delivery.claim.token,
        )
        try:
            return _verdicts(delivery, told)
        except (ValueError, TypeError, LookupError):
            raise trouble(codes.ADAPTER_FRAME, reason="ANSWER") from None


def _line(one: Arriving) -> bytes:
    """Return a record as an adapter takes it."""
    body, head = split_line(one.line)
    said = orjson.dumps({
        "leaf": one.leaf, "origin": head.origin, "version": [*head.version], "row": head.row, "key": list(one.key),
        "delete": head.operation is Operation.DELETE,
    })
    return said[:-1] + b',"fields":' + body + b"}"


def _verdicts(delivery: Delivery, told: Any) -> list[Verdict]:
    """Return what the adapter said of each record, in order; raise ValueError unless it spoke of each once."""
    found = {}
    for leaf, fate, *why in told:
        outcome = Outcome(fate)
        found[leaf] = Verdict(leaf, outcome, RULE, str(why[0])[:256]) if why else Verdict(leaf, outcome)
    leaves = [one.leaf for one in delivery.records]
    if len(told) != len(leaves) or found.keys() != set(leaves):
        raise ValueError("a record was left out, or told twice")
    return [found[leaf] for leaf in leaves]
