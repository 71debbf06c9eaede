"""Receipts on their way to a peer: as they were given, or signed anew if their key was revoked since."""

from __future__ import annotations

from collections.abc import Sequence

from node.envelope import read_receipt
from node.exchange.reissue import reissue, revoked
from node.model.instant import Instant
from node.model.spool import Given
from node.model.trouble import Trouble
from node.ports import InboxUnit
from node.workers.desk import Desk


async def again(desk: Desk, receipt: bytes) -> bytes:
    """Return a stored receipt that is given once more."""
    means = desk.means
    if means.identity.signing.fingerprint.encode("ascii") in receipt:
        return receipt
    said = read_receipt(receipt, means.crypto).statement
    found = await current(desk, [Given(said.parcel, said.stage, receipt)])
    return found[0].statement if found else receipt


async def current(desk: Desk, given: Sequence[Given]) -> Sequence[Given]:
    """Return the receipts as they may be handed over; what was signed anew is kept before it leaves."""
    means = desk.means
    old = revoked(given, means, desk.now())
    if not old:
        return given
    try:
        fresh = [reissue(one, means) for one in old]
    except Trouble as met:  # we cannot sign now: they will be asked for again
        desk.log("error", met.code.name, at="reissue")
        return [one for one in given if one not in old]

    def keep(unit: InboxUnit) -> list[Given]:
        return [_keep(unit, was, anew, desk.now()) for was, anew in zip(old, fresh, strict=True)]

    kept = await desk.inbox.run(keep)
    desk.log("warning", "receipts.reissued", count=len(kept))
    new = {(one.parcel, one.stage): one for one in kept}
    return [new.get((one.parcel, one.stage), one) for one in given]


def _keep(unit: InboxUnit, was: Given, anew: Given, now: Instant) -> Given:
    """Put the receipt in the place of the old one, unless another caller did meanwhile: then return that one.

    A peer may hold what was handed over first, so its octets stay.
    """
    for one in unit.given(was.parcel):
        if one.stage is was.stage and one.statement != was.statement:
            return one
    unit.reissue(anew, now)
    return anew
