"""`trace`: everything this node knows about a submission, a parcel or a record, by its id alone."""

from __future__ import annotations

from collections.abc import Sequence

from node.exchange.fate import fate
from node.ledger.steps import group_subject
from node.model import codes
from node.model.parcel import Verdict
from node.model.record import Head
from node.model.trouble import trouble
from node.ports import OutboxUnit, WarehouseUnit
from node.service import control_view as view
from node.service.control_read import Answer, Arguments, identifier, received, sent
from node.service.control_search import spots
from node.service.control_steps import Reading, outbox, warehouse
from node.service.control_view import View

MOST = 64
"""How many parcels of one submission are told in full."""


def trace(here: View, given: Arguments) -> Reading[Answer]:
    """Tell what an id means here: its submission, its record, and every parcel they are in; raise NOT_FOUND."""
    id = identifier(given)
    submission = yield from outbox(lambda unit: fate(unit, id, None))
    answer: Answer = {"id": id, "submission": submission, "record": None, "parcels": [], "more": 0}
    names = [id]
    if submission is not None:
        names = [name for each in submission["receivers"].values() for name in each["parcels"]]
    parcels = yield from _parcels(here, names[:MOST])
    if submission is None and not parcels:
        places = yield from spots(id, [one.code for one in here.registry.resources()])
        if not places:
            raise trouble(codes.NOT_FOUND)
        answer["record"] = {**_head(places[0].head), "at": [
            {"store": spot.store, "parcel": spot.parcel, "leaf": spot.leaf, "lane": spot.lane} for spot in places
        ]}
        names = list(dict.fromkeys(spot.parcel for spot in places if spot.parcel is not None))
        parcels = yield from _parcels(here, names[:MOST])
    answer["parcels"], answer["more"] = parcels, max(0, len(names) - MOST)
    return answer


def _head(head: Head) -> Answer:
    return {
        "record": head.record, "key": head.row, "origin": head.origin, "version": list(head.version),
        "operation": head.operation.value, "admitted": head.admitted, "captured": head.captured,
    }


def _parcels(here: View, names: list[str]) -> Reading[list[Answer]]:
    told = []
    for name in names:
        found = yield from _parcel(here, name)
        if found is not None:
            told.append(found)
    return told


def _parcel(here: View, parcel: str) -> Reading[Answer | None]:
    out = yield from sent(here, parcel)
    into = yield from received(here, parcel)
    if out is not None:
        out["ledger"] = (yield from outbox(lambda unit: _supplied(unit, parcel))) + out["ledger"]
    stored = yield from warehouse(lambda unit: _applied(unit, parcel))
    if out is None and into is None and stored is None:
        return None
    return {"parcel": parcel, "outbox": out, "inbox": into, "warehouse": stored}


def _supplied(unit: OutboxUnit, parcel: str) -> list[Answer]:
    """Tell the steps of the groups that went into a parcel."""
    groups = unit.groups(parcel)
    return [view.ledger("outbox", each) for group in groups for each in unit.traced(group_subject(group.id))]


def _applied(unit: WarehouseUnit, parcel: str) -> Answer | None:
    verdicts, steps = unit.applied(parcel), unit.traced(parcel)
    if verdicts is None and not steps:
        return None
    return {"outcomes": _outcomes(verdicts or ()), "ledger": [view.ledger("warehouse", each) for each in steps]}


def _outcomes(verdicts: Sequence[Verdict]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for verdict in verdicts:
        counts[verdict.outcome.value] = counts.get(verdict.outcome.value, 0) + 1
    return counts
