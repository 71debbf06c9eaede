"""Authority: who may say what here.  It comes from the registry; chain, dates and revocation are further conditions.

    Unverified ─recognise─► Known ─attest─► Attested

Rule 1: `recognise` costs no signature; before `attest` nothing is believed, stored or held.
Rule 2: the channel's node must be the one the statement needs; headers are never identity (WIRE §5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from node.envelope import Attested, Statement, Unverified, verify
from node.exchange.means import Means
from node.model import codes
from node.model.certificate import Certificate
from node.model.instant import Instant
from node.model.parcel import Manifest, Party
from node.model.registry import Peer
from node.model.trouble import trouble

S = TypeVar("S", bound=Statement, covariant=True)


@dataclass(frozen=True, slots=True)
class Known(Generic[S]):
    """A statement for us whose certificate the registry knows; its signature is not checked yet."""

    unverified: Unverified[S]
    peer: Peer
    certificate: Certificate


def recognise(unverified: Unverified[S], means: Means, channel: str | None) -> Known[S]:
    """Return who claims to speak; `channel` is the node the TLS peer was found to be, None without TLS (tests).

    Raises Refused(MISADDRESSED), or Hold: UNREGISTERED, SUSPENDED, NOT_ALLOWED.
    """
    said = unverified.statement
    here = means.identity
    if said.domain != here.domain or (said.receiver.node, said.receiver.org) != (here.node, here.org):
        raise trouble(codes.MISADDRESSED)
    peer = means.registry.signer(unverified.claimed)
    if peer is None or (peer.node, peer.org) != (said.sender.node, said.sender.org):
        raise trouble(codes.UNREGISTERED)
    if peer.suspended:
        raise trouble(codes.SUSPENDED, peer=peer.node)
    if channel is not None and channel != peer.node:
        raise trouble(codes.NOT_ALLOWED, peer=channel, what="speak for another node")
    certificate = next(held for held in peer.signing if held.fingerprint == unverified.claimed)
    return Known(unverified, peer, certificate)


def originally(unverified: Unverified[Manifest], means: Means) -> Known[Manifest]:
    """Return who claims to have sealed an origin's parcel, whoever it was sealed for.

    Raises Refused(MISADDRESSED) for another domain, Hold(UNREGISTERED) for a certificate not yet registered here.
    """
    said = unverified.statement
    if said.domain != means.identity.domain:
        raise trouble(codes.MISADDRESSED)
    peer = means.registry.signer(unverified.claimed)
    if peer is None or (peer.node, peer.org) != (said.sender.node, said.sender.org):
        raise trouble(codes.UNREGISTERED)
    certificate = next(held for held in peer.signing if held.fingerprint == unverified.claimed)
    return Known(unverified, peer, certificate)


def attest(known: Known[S], means: Means, at: Instant) -> Attested[S]:
    """Return the statement with its signature and its certificate found good at `at`.

    Raises Refused(SIGNATURE), or Hold: CERT_CHAIN, CERT_TIME, CERT_REVOKED, CRL_MISSING.
    """
    means.trust.check(known.certificate, at)
    return verify(known.unverified, known.certificate, means.crypto)


def attest_given(known: Known[S], means: Means, now: Instant) -> Attested[S]:
    """Return a statement given earlier, a receipt or an origin's manifest: its certificate may have ended since.

    Such octets are fixed when they are given, and good means good then (WIRE §6); judged by today's date, what a node
    signed before it renewed its certificate would be stranded for ever.  So the certificate is judged as of its last
    valid moment, now at the latest; revocation counts whenever it came.  Raises as `attest`.
    """
    return attest(known, means, min(now, known.certificate.not_after))


def attest_again(unverified: Unverified[Manifest], means: Means) -> tuple[Attested[Manifest], Peer]:
    """Return a manifest that was attested when it was accepted, and its sender as it is registered now.

    Good means good then (WIRE §6): neither trust nor the registry is asked for the certificate, which may have been
    replaced since.  Raises Refused if the stored octets are no longer those, Hold: UNREGISTERED, SUSPENDED.
    """
    if unverified.claimed != unverified.statement.sender.cert:
        raise trouble(codes.SIGNATURE)
    attested = verify(unverified, means.trust.read(unverified.signed.certificate_der), means.crypto)
    peer = means.registry.peer(attested.statement.sender.node)
    if peer is None:
        raise trouble(codes.UNREGISTERED)
    if peer.suspended:
        raise trouble(codes.SUSPENDED, peer=peer.node)
    return attested, peer


def permit(manifest: Manifest, peer: Peer, means: Means) -> None:
    """Return if the registry lets this peer send this parcel; raise Hold(NOT_ALLOWED) otherwise."""
    if manifest.kind in ("records", "void") and manifest.kind not in peer.kinds:
        raise trouble(codes.NOT_ALLOWED, peer=peer.node, what=manifest.kind)
    if manifest.resource not in peer.resources and "*" not in peer.resources:
        raise trouble(codes.NOT_ALLOWED, peer=peer.node, what=manifest.resource)
    resource = means.registry.resource(manifest.resource)
    if resource is None:
        raise trouble(codes.NOT_ALLOWED, peer=peer.node, what=manifest.resource)
    # Any version of its own interface, but no other one: a sender does not choose the rules it is judged by.
    if manifest.kind == "records" and resource.specification.partition("/")[0] != manifest.spec.id:
        raise trouble(codes.NOT_ALLOWED, peer=peer.node, what=str(manifest.spec))


def ourselves(means: Means) -> Party:
    """Return this node as the sender of a statement."""
    here = means.identity
    return Party(here.org, here.node, here.signing.fingerprint)


def party(peer: Peer) -> Party:
    """Return a peer as the receiver of a statement."""
    return Party(peer.org, peer.node, peer.encryption.fingerprint)
