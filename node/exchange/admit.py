"""Admit: a peer's parcel is checked, stored and synced, and answered *accepted* (WIRE §2 "Order of checks").

    octets ─offer─► Offer ─weigh─► Received ─keep─► the receipt

Rule 1: cheap checks first: limits, closed form, registered certificate, lane place; then signature, then octets.
Rule 2: `keep` judges the place again in its own transaction; between `offer` and it anything may have happened.
Rule 3: nothing is opened here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from node.envelope import accepted, read_manifest, verify_bytes, write
from node.exchange.authority import Known, attest, ourselves, party, permit, recognise
from node.exchange.head import Place, Standing, standing
from node.exchange.means import Means
from node.ledger import steps
from node.model import codes
from node.model.instant import Instant
from node.model.parcel import Checkpoint, Manifest, Stage
from node.model.registry import Peer
from node.model.spool import Received
from node.model.trouble import trouble
from node.ports import InboxUnit


@dataclass(frozen=True, slots=True)
class Offer:
    """A parcel from a registered certificate; its signature is not checked yet."""

    known: Known[Manifest]
    payload: bytes = field(repr=False)

    @property
    def manifest(self) -> Manifest:
        """What the parcel claims."""
        return self.known.unverified.statement


def offer(manifest: bytes, payload: bytes, means: Means, channel: str | None) -> Offer:
    """Return the parcel as claimed; raise Refused for its form or address, Hold for an unregistered certificate."""
    return Offer(recognise(read_manifest(manifest, means.crypto), means, channel), payload)


def glance(unit: InboxUnit, offered: Offer) -> bytes | None:
    """Return the stored receipt of a parcel we have; raise Retry(BEHIND) for one too far ahead (head rule 1)."""
    found = standing(unit, offered.manifest, offered.known.unverified.digest)
    if found.place is Place.BEHIND:
        raise found.trouble()
    return found.receipt or None


def weigh(offered: Offer, means: Means, now: Instant) -> Received:
    """Return the parcel found good, with its signed *accepted* receipt; no store is touched.

    Raises Refused (SIGNATURE, DIGEST) or Hold (certificates, NOT_ALLOWED, UNKNOWN_SPECIFICATION, KEY_ROLE).
    """
    manifest = offered.manifest
    attested = attest(offered.known, means, now)
    permit(manifest, offered.known.peer, means)
    if means.identity.node in manifest.via:
        raise trouble(codes.NOT_ALLOWED, peer=manifest.sender.node, what="send a parcel round in a circle")
    if manifest.kind == "records":
        means.specifications.find(manifest.spec)
    if not means.identity.decrypts(manifest.receiver.cert):
        raise trouble(codes.KEY_ROLE, name=manifest.receiver.cert, role="encrypt")
    verified = verify_bytes(attested, offered.payload, means.crypto)
    archive = means.trust.archive(attested.certificate)
    validation = means.crypto.sm3(archive).hex()
    receipt = accepted(
        attested, ourselves(means), party(offered.known.peer), now, Checkpoint(), validation
    )
    signed = write(receipt, means.identity.signing, means.identity.sign)
    return Received(manifest, attested.digest, attested.der, verified.payload, now, signed, validation, archive)


def keep(unit: InboxUnit, received: Received, peer: Peer) -> bytes:
    """Store the parcel at its place and return its receipt, or the receipt stored before.

    Raises Retry (BEHIND, PURGED, QUOTA) or Hold (FORK, SUPERSEDED); the evidence of a fork is kept by `keep_fork`.
    """
    found = standing(unit, received.statement, received.digest)
    if found.place is Place.TOLD:
        return found.receipt
    if found.place is not Place.NEXT:
        raise found.trouble()
    if unit.held(received.statement.lane) == codes.FORK.name:
        _mend(unit, received, found)
    _afford(unit, received, peer)
    unit.store(received, found.head)
    said = received.statement
    unit.note(said.lane, steps.ACCEPTED, said.parcel, received.digest, said.count, received.received_at)
    unit.gave([(said.parcel, Stage.ACCEPTED)])  # it is the answer; should that be lost, it is asked for by id
    return received.receipt


def _mend(unit: InboxUnit, received: Received, found: Standing) -> None:
    """Let a forked lane go on if its sender opens a new epoch upon our head, and so gives the other branch up.

    The evidence stays.  Raises Hold(FORK) for any other parcel.
    """
    if found.head is None or received.statement.place.epoch <= found.head.epoch:
        raise Standing(Place.FORK, found.head).trouble()
    unit.hold_lane(received.statement.lane, None)


def keep_fork(unit: InboxUnit, received: Received) -> None:
    """Keep the evidence of a well-signed second parcel at a taken place or under a known id, and hold the lane."""
    place = standing(unit, received.statement, received.digest).place
    twice = place is Place.NEXT and unit.arrival(received.statement.parcel) is not None
    if place is Place.FORK or twice:
        unit.fork(received.statement, received.digest, received.manifest, received.received_at)


def _afford(unit: InboxUnit, received: Received, peer: Peer) -> None:
    parcels, octets = unit.unopened(peer.node)
    if parcels >= peer.quota.parcels or octets + len(received.payload) > peer.quota.octets:
        raise trouble(codes.QUOTA, peer=peer.node)
