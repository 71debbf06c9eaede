"""The census: gauges counted when somebody looks, from the stores themselves."""

from __future__ import annotations

from node.model.certificate import Certificate
from node.ports import Counter, OutboxUnit
from node.workers import Desk


async def census(desk: Desk) -> None:
    """Set the gauges of queues, receipts, peers and certificates."""
    now, overdue = desk.now(), desk.timers.overdue_ms
    means = desk.means
    peers = [peer.node for peer in means.registry.peers()]
    await desk.outbox.run(lambda unit: _outbox(unit, desk.counter, peers, now, overdue))
    _certificate(desk.counter, means.identity.node, means.identity.signing, "sign")
    _certificate(desk.counter, means.identity.node, means.identity.encryption, "encrypt")
    for peer in means.registry.peers():
        for certificate in peer.signing[:1]:
            _certificate(desk.counter, peer.node, certificate, "sign")
        _certificate(desk.counter, peer.node, peer.encryption, "encrypt")
    desk.counter.gauge("catalogue_resources", len(means.registry.resources()), status="published")


def _outbox(unit: OutboxUnit, counter: Counter, peers: list[str], now: int, overdue: int) -> None:
    lanes = unit.lanes()
    counter.gauge("queue_records", sum(state.waiting for state in lanes), queue="outbox")
    counter.gauge("queue_bytes", sum(state.waiting_octets for state in lanes), queue="outbox")
    oldest = [state.oldest for state in lanes if state.oldest is not None]
    counter.gauge("queue_oldest", min(oldest, default=0) / 1000, queue="outbox")
    for peer in peers:
        owed = unit.owed(peer, now + 1, 1000)
        counter.gauge("receipts_outstanding", len(owed), peer=peer)
        counter.gauge("receipts_overdue", sum((entry.sent or now) < now - overdue for entry in owed), peer=peer)


def _certificate(counter: Counter, owner: str, certificate: Certificate, usage: str) -> None:
    counter.gauge("certificate_not_after", certificate.not_after / 1000, owner=owner, usage=usage)
