"""What can be asked of a node's stores: how it stands, its queues, and one parcel of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from node.model import codes
from node.model.ids import UUID_FORM
from node.model.parcel import Lane, Position
from node.model.spool import ArrivalState, EntryState
from node.model.trouble import trouble
from node.ports import InboxUnit, OutboxUnit
from node.service import control_view as view
from node.service.control_steps import Reading, inbox, outbox
from node.service.control_view import View

COUNTED = 1000
"""States are counted up to here: a person needs to know that it is many."""
PAGE = 1000
UNFINISHED = (EntryState.SEALED, EntryState.SENT, EntryState.ACCEPTED, EntryState.PARKED)
UNOPENED = (ArrivalState.STORED, ArrivalState.JUDGED, ArrivalState.HELD, ArrivalState.PARKED)
OUTBOX, INBOX = "outbox", "inbox"

Arguments = Mapping[str, Any]
Answer = dict[str, Any]


def text(given: Arguments, name: str, most: int = 128) -> str:
    """Return an argument that is a short printable text; raise Refused(BAD_REQUEST)."""
    found = given.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= most or not found.isprintable():
        raise trouble(codes.BAD_REQUEST, reason=name)
    return found


def identifier(given: Arguments, name: str = "id") -> str:
    """Return an argument that is a UUIDv7; raise Refused(BAD_REQUEST)."""
    found = text(given, name)
    if not UUID_FORM.fullmatch(found):
        raise trouble(codes.BAD_REQUEST, reason=name)
    return found


def queue(given: Arguments) -> str:
    """Return which queue is meant; raise Refused(BAD_REQUEST)."""
    found = given.get("queue", OUTBOX)
    if found not in (OUTBOX, INBOX):
        raise trouble(codes.BAD_REQUEST, reason="queue")
    return str(found)


def status(here: View, given: Arguments) -> Reading[Answer]:
    """Tell how the node stands: lanes both ways, what is parked, held or waits, which peers rest."""
    epoch, boot = yield from outbox(lambda unit: (unit.epoch(), unit.boot()))
    lanes = yield from outbox(lambda unit: unit.lanes())
    peers = [peer.node for peer in here.registry.peers()]
    rests = yield from outbox(lambda unit: [(peer, unit.rest(peer)) for peer in peers])
    sent, came = {}, {}
    for state in UNFINISHED:
        sent[state.value] = yield from outbox(partial(_entries_in, state=state))
    for stage in UNOPENED:
        came[stage.value] = yield from inbox(partial(_arrivals_in, state=stage))
    heads = yield from inbox(lambda unit: _heads(unit, peers))
    met = yield from inbox(lambda unit: [unit.met(peer) for peer in peers])
    return {
        "node": here.node, "domain": here.domain, "at": view.when(here.now()), "epoch": epoch, "boot": boot,
        "waiting": sum(lane.waiting for lane in lanes), "octets": sum(lane.waiting_octets for lane in lanes),
        "outbox": sent, "inbox": came,
        "sending": [view.sending(lane) for lane in lanes],
        "receiving": [
            {"lane": view.lane_name(lane, lane.sender), "epoch": at.epoch, "seq": at.seq, "held": view.code(held)}
            for lane, at, held in heads
        ],
        "peers": [
            {"peer": peer, "failures": rest.attempts, "rests_until": view.when(rest.until) if rest.attempts else None,
             "heard": view.when(seen.at) if seen else None, "cloned": bool(seen and seen.cloned)}
            for (peer, rest), seen in zip(rests, met)
        ],
    }


def _entries_in(unit: OutboxUnit, state: EntryState) -> int:
    return len(unit.entries(state, "", COUNTED))


def _arrivals_in(unit: InboxUnit, state: ArrivalState) -> int:
    return len(unit.arrivals(state, "", COUNTED))


def _heads(unit: InboxUnit, peers: Sequence[str]) -> list[tuple[Lane, Position, str | None]]:
    return [(lane, at, unit.held(lane)) for peer in peers for lane, at in unit.heads(peer)]


def queue_list(here: View, given: Arguments) -> Reading[Answer]:
    """List parcels of a queue by id: of one `state` or all, after an id, at most `limit`."""
    which, after, limit, state = queue(given), given.get("after") or "", given.get("limit", 100), given.get("state")
    if not isinstance(limit, int) or not 1 <= limit <= PAGE:
        raise trouble(codes.BAD_REQUEST, reason="limit")
    if after:
        identifier(given, "after")
    if which == OUTBOX:
        wanted = _state(EntryState, state)
        entries = yield from outbox(lambda unit: unit.entries(wanted, after, limit))
        return {"queue": which, "parcels": [view.entry(one) for one in entries]}
    waiting = _state(ArrivalState, state)
    arrivals = yield from inbox(lambda unit: unit.arrivals(waiting, after, limit))
    return {"queue": which, "parcels": [view.arrival(one) for one in arrivals]}


def _state(kind: Callable[[str], Any], given: Any) -> Any:
    if given is None:
        return None
    try:
        return kind(given)
    except ValueError:
        raise trouble(codes.BAD_REQUEST, reason="state") from None


def queue_show(here: View, given: Arguments) -> Reading[Answer]:
    """Tell one parcel of a queue, with its receipts, its refused records by row id and its ledger."""
    which, id = queue(given), identifier(given)
    found = yield from (sent(here, id) if which == OUTBOX else received(here, id))
    if found is None:
        raise trouble(codes.NOT_FOUND)
    return {"queue": which, **found}


def sent(here: View, parcel: str) -> Reading[Answer | None]:
    """Tell a parcel as the outbox knows it, None if it does not."""

    def look(unit: OutboxUnit) -> Answer | None:
        one = unit.entry(parcel)
        if one is None:
            return None
        refused = [{"leaf": each.leaf, "key": each.row, "rule": each.rule, "field": each.field}
                   for each in unit.refused(parcel)]
        return {
            "entry": view.entry(one), "refused": refused,
            "ledger": [view.ledger(OUTBOX, each) for each in unit.traced(parcel)],
            "octets": [octets for _, octets in unit.receipts(parcel)],
        }

    found = yield from outbox(look)
    if found is not None:
        found["receipts"] = [view.receipt(octets, here) for octets in found.pop("octets")]
    return found


def received(here: View, parcel: str) -> Reading[Answer | None]:
    """Tell a parcel as the inbox knows it, None if it does not."""

    def look(unit: InboxUnit) -> Answer | None:
        one = unit.arrival(parcel)
        given = unit.given(parcel)
        if one is None and not given:
            return None
        judged = unit.judged(parcel) or ()
        return {
            "arrival": view.arrival(one) if one is not None else None,
            "refused": [{"leaf": each.index, "rule": each.rule, "field": each.field} for each in judged],
            "ledger": [view.ledger(INBOX, each) for each in unit.traced(parcel)],
            "octets": [each.statement for each in given],
        }

    found = yield from inbox(look)
    if found is not None:
        found["receipts"] = [view.receipt(octets, here) for octets in found.pop("octets")]
    return found
