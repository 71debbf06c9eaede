"""How a command looks into three stores: as a row of steps, each one transaction of one store.

    lanes = yield from outbox(lambda unit: unit.lanes())

A reading is a generator of such steps, so that the same one is driven in the running node, where every step is a unit
of the committer and nothing else has to wait for more than one, and over files opened read-only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from node.model.trouble import Trouble
from node.ports import InboxUnit, OutboxUnit, WarehouseUnit
from node.service.stores import Stores
from node.workers import Desk

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """One function to be run in one unit of a store: `outbox`, `inbox` or `warehouse`."""

    store: str
    function: Callable[[Any], Any]


Reading = Generator[Step, Any, T]


def outbox(function: Callable[[OutboxUnit], T]) -> Reading[T]:
    """Return what `function` finds in the outbox."""
    found: T = yield Step("outbox", function)
    return found


def inbox(function: Callable[[InboxUnit], T]) -> Reading[T]:
    """Return what `function` finds in the inbox."""
    found: T = yield Step("inbox", function)
    return found


def warehouse(function: Callable[[WarehouseUnit], T]) -> Reading[T]:
    """Return what `function` finds in the warehouse."""
    found: T = yield Step("warehouse", function)
    return found


async def drive(reading: Reading[T], desk: Desk) -> T:
    """Run a reading in the running node; a trouble of a step is raised where the reading asked for it."""
    try:
        step = next(reading)
        while True:
            try:
                found = await getattr(desk, step.store).run(step.function)
            except Trouble as met:
                step = reading.throw(met)
            else:
                step = reading.send(found)
    except StopIteration as end:
        result: T = end.value
        return result


def drive_stores(reading: Reading[T], stores: Stores) -> T:
    """Run a reading over stores opened read-only."""
    try:
        step = next(reading)
        while True:
            try:
                with getattr(stores, step.store).unit() as unit:
                    found = step.function(unit)
            except Trouble as met:
                step = reading.throw(met)
            else:
                step = reading.send(found)
    except StopIteration as end:
        result: T = end.value
        return result
