"""Admission: the one way a parcel comes in, whether it was posted to us or collected by us."""

from __future__ import annotations

from node.exchange import admit
from node.model import codes
from node.model.spool import Received
from node.model.trouble import Trouble
from node.ports import InboxUnit
from node.spool.shortage import Shortage
from node.workers import Desk
from node.workers.handed import again


async def admit_parcel(desk: Desk, manifest: bytes, payload: bytes, channel: str | None) -> bytes:
    """Return our *accepted* receipt for a parcel, new or known; it is on disk when this returns.

    Raises the trouble of `node.exchange.admit`, and Retry(DISK, DRAINING).
    """
    means = desk.means
    offered = admit.offer(manifest, payload, means, channel)
    known = await desk.inbox.run(lambda unit: admit.glance(unit, offered))
    if known is not None:
        return await again(desk, known)
    desk.afford(Shortage.INTAKE)
    received = await desk.workers.run_block(len(payload), admit.weigh, offered, means, desk.now())
    try:
        receipt = await desk.inbox.run(lambda unit: admit.keep(unit, received, offered.known.peer))
    except Trouble as met:
        if met.code is codes.FORK:
            await _keep_fork(desk, received)
        raise
    desk.counter.count("central_parcels", node=offered.known.peer.node, outcome="accepted")
    desk.bell.ring("inbox")
    return receipt


async def _keep_fork(desk: Desk, received: Received) -> None:
    said = received.statement
    kept = await desk.inbox.run(lambda unit: _fork_once(unit, received))
    if kept:
        desk.log("error", codes.FORK.name, peer=said.sender.node, resource=said.resource, parcel=said.parcel)


def _fork_once(unit: InboxUnit, received: Received) -> bool:
    before = unit.held(received.statement.lane)
    admit.keep_fork(unit, received)
    return before is None
