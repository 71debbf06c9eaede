"""Meeting a peer: which life of it speaks, and what becomes doubtful when it is a new one (WIRE §3, §5)."""

from __future__ import annotations

from node.exchange import greet
from node.model.parcel import Collect, Probe
from node.model.spool import Met
from node.ports import InboxUnit
from node.workers.desk import Desk


async def meet(desk: Desk, node: str, said: Probe | Collect) -> tuple[Met | None, Met]:
    """Note the life of a peer that a good statement tells; return what was known before, and what is now.

    A peer that begins a new node epoch was restored, or is one of two no more: what it knew between is forgotten.
    What we hold for done there is asked after again, and that is noted first: power lost in between costs nothing.
    Raises Hold(SUPERSEDED).
    """
    def note(unit: InboxUnit) -> tuple[Met | None, Met | None]:
        before = unit.met(node)
        if before is not None and said.epoch > before.epoch:
            return before, None
        return before, greet.meet(unit, node, said.epoch, said.boot, desk.now())

    before, met = await desk.inbox.run(note)
    if met is None:
        await desk.outbox.run(lambda unit: unit.doubt(node))
        met = await desk.inbox.run(lambda unit: greet.meet(unit, node, said.epoch, said.boot, desk.now()))
    return before, met
