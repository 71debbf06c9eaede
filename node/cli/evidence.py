"""From what this node holds to a proof file: a parcel opened again, its receipts, and the archives they rely on.

Rule 1: nothing is opened before signature, digest and bind are good, however old and however well known the parcel.
Rule 2: an archive goes in only if the checker can use it: that of the signer must be the one the receipts name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from node.crypto.certificates import parse
from node.envelope import (
    Attested,
    Beside,
    open_parcel,
    prove,
    prove_origin,
    read_manifest,
    read_origins,
    read_receipt,
    unframe,
    verify,
    verify_bytes,
)
from node.model import codes
from node.model.certificate import Certificate
from node.model.ids import UUID_FORM
from node.model.parcel import Manifest
from node.model.spool import Block
from node.model.trouble import Trouble, trouble
from node.ports import InboxUnit, OutboxUnit
from node.service.control_search import delivery
from node.service.control_steps import drive_stores
from node.service.papers import Papers
from node.service.stores import Stores


@dataclass(frozen=True, slots=True)
class Whole:
    """A parcel with all its lines and its secret S at hand."""

    manifest: Attested[Manifest]
    secret: bytes = field(repr=False)
    lines: Sequence[bytes] = field(repr=False)

    def prove(self, index: int, beside: Beside, papers: Papers) -> bytes:
        """Return the proof of one line."""
        return prove(self.manifest, self.secret, self.lines, index, beside, papers.crypto)


def open_file(data: bytes, papers: Papers) -> Whole:
    """Return a framed parcel sealed to us by a registered peer; raise Refused, or Hold: UNREGISTERED, KEY_ROLE."""
    manifest, payload = unframe(data)
    return _open(manifest, payload, papers, _registered(manifest, papers))


def _registered(manifest: bytes, papers: Papers) -> Certificate:
    claimed = read_manifest(manifest, papers.crypto).claimed
    peer = papers.registry.signer(claimed)
    if peer is None:
        raise trouble(codes.UNREGISTERED)
    return next(one for one in peer.signing if one.fingerprint == claimed)


def _enclosed(manifest: bytes, papers: Papers) -> Certificate:
    """Return the certificate a stored statement brings: it was judged when it was stored."""
    return parse(read_manifest(manifest, papers.crypto).signed.certificate_der, papers.crypto.sm3)


def _open(manifest: bytes, payload: bytes, papers: Papers, certificate: Certificate) -> Whole:
    attested = verify(read_manifest(manifest, papers.crypto), certificate, papers.crypto)
    identity = papers.keyring.identity("", "", "")  # only to unwrap; who we are plays no part
    opened = open_parcel(verify_bytes(attested, payload, papers.crypto), identity.unwrap, papers.crypto)
    return Whole(attested, opened.secret, opened.lines)


def prove_stored(stores: Stores, parcel: str, index: int, papers: Papers) -> bytes:
    """Return the proof of a record from the stores; raise Refused(NOT_FOUND) if too little is kept of its parcel."""
    with stores.outbox.unit() as outbox:
        whole = _sent(outbox, parcel, papers)
    if whole is None:
        with stores.inbox.unit() as inbox:
            whole = _received(inbox, parcel, papers)
    if whole is not None:
        return whole.prove(index, beside(stores, whole.manifest, papers), papers)
    if not UUID_FORM.fullmatch(parcel):
        raise trouble(codes.NOT_FOUND)
    block = drive_stores(delivery(parcel, [one.code for one in papers.registry.resources()]), stores)
    if block is None:
        raise trouble(codes.NOT_FOUND)
    return _prove_block(stores, block, index, papers)


def _sent(unit: OutboxUnit, parcel: str, papers: Papers) -> Whole | None:
    entry = unit.entry(parcel)
    groups = unit.groups(parcel) if entry is not None else ()
    if not groups:
        return None
    sealed = unit.sealed(parcel)
    unverified = read_manifest(sealed.manifest, papers.crypto)
    attested = verify(unverified, _enclosed(sealed.manifest, papers), papers.crypto)
    return Whole(attested, sealed.secret, [line for group in groups for line in group.lines])


def _received(unit: InboxUnit, parcel: str, papers: Papers) -> Whole | None:
    octets = unit.octets(parcel)
    return None if octets is None else _open(*octets, papers, _enclosed(octets[0], papers))


def _prove_block(stores: Stores, block: Block, index: int, papers: Papers) -> bytes:
    if index not in block.leaves:
        raise trouble(codes.NOT_FOUND)
    wanted, start = list(block.leaves).index(index), 0
    for entry in read_origins(block.evidence):
        if wanted < start + len(entry.at):
            lines = block.lines[start : start + len(entry.at)]
            unverified = read_manifest(entry.manifest, papers.crypto)
            attested = verify(unverified, _enclosed(entry.manifest, papers), papers.crypto)
            held = beside(stores, attested, papers)
            return prove_origin(entry, lines, wanted - start, held, papers.crypto)
        start += len(entry.at)
    raise trouble(codes.NOT_FOUND)


def beside(stores: Stores, manifest: Attested[Manifest], papers: Papers) -> Beside:
    """Return the receipts held for a parcel, given or taken, and the archives they rely on."""
    parcel = manifest.statement.parcel
    with stores.outbox.unit() as outbox:
        receipts = [octets for _, octets in outbox.receipts(parcel)]
    with stores.inbox.unit() as inbox:
        receipts += [given.statement for given in inbox.given(parcel)]
        named = {read_receipt(octets, papers.crypto).statement.validation for octets in receipts}
        archives = {}
        if len(named) == 1:
            kept = inbox.archived(next(iter(named))) or _archive(manifest.certificate, papers)
            if kept is not None and papers.crypto.sm3(kept).hex() in named:
                archives[manifest.certificate.fingerprint] = kept
    for octets in receipts:
        signer = parse(read_receipt(octets, papers.crypto).signed.certificate_der, papers.crypto.sm3)
        found = _archive(signer, papers)
        if found is not None:
            archives.setdefault(signer.fingerprint, found)
    return Beside(receipts, archives)


def _archive(certificate: Certificate, papers: Papers) -> bytes | None:
    """Return what shows the certificate's chain by the authorities and lists held today, None if nothing does."""
    try:
        return papers.trust.archive(certificate)
    except Trouble:
        return None
