"""How stored things are told to people and programs: ids, counts, times and codes, never content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from node.crypto.certificates import parse
from node.envelope import Unverified, read_receipt, verify
from node.exchange.means import Means
from node.model.certificate import Certificate
from node.model.codes import TABLE
from node.model.instant import Instant, stamp
from node.model.parcel import Lane, Receipt
from node.model.spool import Arrival, Entry, LaneState, LedgerEntry
from node.model.trouble import Trouble
from node.ports import Clock, Crypto, Registry, Trust
from node.service.papers import Papers
from node.validate.between import Betweens


@dataclass(frozen=True, slots=True)
class View:
    """What a reading knows beside the stores; `own` is the fingerprint we sign with."""

    node: str
    domain: str
    own: str
    crypto: Crypto
    registry: Registry
    trust: Trust
    now: Clock
    rules: Betweens = Betweens()


def view_of(means: Means, now: Clock) -> View:
    """Return the view of a running node."""
    here = means.identity
    return View(
        here.node, here.domain, here.signing.fingerprint, means.crypto, means.registry, means.trust, now,
        means.betweens,
    )


def view_of_papers(papers: Papers, node: str, domain: str, now: Clock, rules: Betweens = Betweens()) -> View:
    """Return the view of a node that does not run; `rules` are only needed to tell findings."""
    own = papers.keyring.identity(domain, node, "").signing.fingerprint
    return View(node, domain, own, papers.crypto, papers.registry, papers.trust, now, rules)


def when(at: Instant | None) -> str | None:
    """Return a time as it is written."""
    return None if at is None else stamp(at)


def lane_name(lane: Lane, peer: str) -> str:
    """Return `peer/resource/stream`, by which a person names a lane."""
    return f"{peer}/{lane.resource}/{lane.stream.value}"


def code(name: str | None) -> dict[str, str] | None:
    """Return a code with its sentences."""
    if name is None:
        return None
    found = TABLE.get(name)
    return {"code": name, "zh": found.says.zh if found else name, "en": found.says.en if found else name}


def sending(state: LaneState) -> dict[str, Any]:
    """Tell a sending lane."""
    return {
        "lane": lane_name(state.lane, state.lane.receiver), "waiting": state.waiting, "octets": state.waiting_octets,
        "oldest": when(state.oldest), "epoch": state.head.epoch, "seq": state.head.seq, "cursor": state.cursor,
        "unaccepted": state.head.seq - state.cursor + 1, "held": code(state.held),
    }


def entry(one: Entry) -> dict[str, Any]:
    """Tell a parcel of the outbox."""
    return {
        "parcel": one.parcel, "lane": lane_name(one.lane, one.lane.receiver), "kind": one.kind, "epoch": one.epoch,
        "seq": one.seq, "state": one.state.value, "records": one.count, "octets": one.octets, "refused": one.refused,
        "attempts": one.attempts, "created": when(one.created), "sent": when(one.sent),
        "accepted": when(one.accepted), "finished": when(one.finished), "digest": one.digest, "cause": code(one.code),
    }


def arrival(one: Arrival) -> dict[str, Any]:
    """Tell a parcel of the inbox."""
    return {
        "parcel": one.parcel, "lane": lane_name(one.lane, one.lane.sender), "kind": one.kind, "epoch": one.epoch,
        "seq": one.seq, "state": one.state.value, "records": one.count, "octets": one.octets, "refused": one.refused,
        "received": when(one.received), "finished": when(one.finished), "digest": one.digest, "cause": code(one.code),
    }


def ledger(store: str, one: LedgerEntry) -> dict[str, Any]:
    """Tell a step of a chain."""
    lane = one.lane
    return {
        "store": store, "at": stamp(one.at), "step": one.step, "subject": one.subject, "records": one.count,
        "lane": f"{lane.sender}/{lane.receiver}/{lane.resource}/{lane.stream.value}", "size": one.size,
        "digest": one.digest, "head": one.head,
    }


def receipt(der: bytes, view: View) -> dict[str, Any]:
    """Tell a receipt and what verifies of it now: signature, registration, and trust in its certificate."""
    try:
        unverified = read_receipt(der, view.crypto)
        certificate = parse(unverified.signed.certificate_der, view.crypto.sm3)
    except Trouble as met:
        return {"readable": False, "cause": code(met.code.name)}
    said = unverified.statement
    return {
        "readable": True, "stage": said.stage.value, "from": said.sender.node, "received": stamp(said.received_at),
        "counts": dict(said.counts) if said.counts is not None else None, "cause": code(said.code),
        "digest": unverified.digest, "of": said.digest, "certificate": unverified.claimed,
        **_judged(unverified, certificate, view),
    }


def _judged(unverified: Unverified[Receipt], certificate: Certificate, view: View) -> dict[str, Any]:
    peer = view.registry.signer(unverified.claimed)
    ours = unverified.claimed == view.own and unverified.statement.sender.node == view.node
    return {
        "signature": _holds(lambda: verify(unverified, certificate, view.crypto)) is None,
        "registered": ours or peer is not None and peer.node == unverified.statement.sender.node,
        "distrust": code(_holds(lambda: view.trust.check(certificate, view.now()))),
    }


def _holds(check: Callable[[], object]) -> str | None:
    """Return the code of what a check raised, None if it holds."""
    try:
        check()
    except Trouble as met:
        return met.code.name
    return None
