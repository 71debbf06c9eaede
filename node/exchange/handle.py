"""Handle: an accepted parcel is opened, validated again, judged, handed to the sink, and answered *processed*.

    stored octets ─judge─► Judgement ─(saved)─► sink.apply ─conclude─► Closing ─finish─► receipt

Rule 1: "verified" is a fact about bytes: the stored octets are checked again before they are opened.
Rule 2: gate verdicts are saved before the sink is called; the sink's own come back from `apply`, the same on a replay.
Rule 3: a record is refused alone; a parcel that cannot open is refused whole, parked, and its lane goes on.  Sealed
        to a key that is lost for good it is refused, too, and its sender seals it again to the present one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from node.envelope import (
    Attested,
    Opened,
    Origin,
    Unopened,
    Unverified,
    Verified,
    check_origins,
    evidence,
    open_parcel,
    processed,
    read_manifest,
    refused,
    seal_verdicts,
    verify_bytes,
    write,
    write_origins,
)
from node.exchange import overlap
from node.exchange.authority import attest_again, attest_given, originally, ourselves, party
from node.exchange.means import Means
from node.ledger import steps
from node.model import codes
from node.model.instant import Instant, read_stamp
from node.model.parcel import Checkpoint, Manifest, Outcome, Stage, Verdict
from node.model.record import Head, Refusal
from node.model.registry import Peer, Resource
from node.model.spool import Arrival, ArrivalState, Arriving, Claim, Delivery, Given
from node.model.trouble import Code, Hold, Refused, trouble
from node.ports import InboxUnit
from node.validate import Specification, same, split_line

_KINDS = ("records", "void")
LISTED = 8 << 20
"""About how many octets a verdict list may have: it must fit into one letter together with its receipt."""
LOST = "lost"
"""Why a parcel cannot open that was sealed to a key nobody has any more: no person can change that."""
_UNLISTED = re.compile(r"[^!#-\[\]-~]")
_FIELD = 256


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate found: `refused` has a verdict per broken rule, `delivery` the good records if there are any.

    `code` is why a parcel is refused whole, `reason` the step that failed: for our log, never for the wire.
    """

    manifest: Attested[Manifest]
    peer: Peer
    refused: Sequence[Verdict]
    delivery: Delivery | None
    code: Code | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """How a parcel ends here."""

    state: ArrivalState
    receipt: Given = field(repr=False)
    counts: dict[str, int]
    code: str | None


def judge(
    claim: Claim, octets: tuple[bytes, bytes], means: Means, now: Instant, today: date,
    saved: Sequence[Verdict] | None = None,
) -> Judgement:
    """Return the gate's findings on a stored parcel; no store is touched.

    `saved` are the verdicts found before: they stand, whatever changed since.  Raises Hold (KEY_ROLE,
    UNKNOWN_SPECIFICATION, UNREGISTERED, SUSPENDED, STORE_CORRUPT, certificates of an origin): the parcel waits for a
    change here.
    """
    verified, peer = _verified(claim, octets, means)
    manifest = verified.manifest
    if manifest.statement.kind not in _KINDS:
        return Judgement(manifest, peer, (), None, codes.UNSUPPORTED)
    try:
        opened = open_parcel(verified, means.identity.unwrap, means.crypto)
    except Unopened as refusal:
        return Judgement(manifest, peer, (), None, refusal.code, refusal.reason)
    except Hold:
        # None of its recipients is ours.  If we hold the key that the manifest names, none ever will be; nor if
        # that key is lost.
        named = manifest.statement.receiver.cert
        if not means.identity.decrypts(named) and not means.identity.lost(named):
            raise
        return Judgement(manifest, peer, (), None, codes.OPEN, LOST if means.identity.lost(named) else "recipients")
    if opened.inner is None:
        return Judgement(manifest, peer, (), None)
    return _judge(claim, peer, opened, means, now, today, saved)


def _verified(claim: Claim, octets: tuple[bytes, bytes], means: Means) -> tuple[Verified, Peer]:
    # These octets were good when they were stored; if they are not now, our disk is at fault and not the sender.
    try:
        attested, peer = attest_again(read_manifest(octets[0], means.crypto), means)
        verified = verify_bytes(attested, octets[1], means.crypto)
    except Refused:
        raise trouble(codes.STORE_CORRUPT, parcel=claim.parcel) from None
    if (attested.statement.parcel, attested.statement.lane) != (claim.parcel, claim.lane):
        raise trouble(codes.STORE_CORRUPT, parcel=claim.parcel)
    return verified, peer


def _judge(
    claim: Claim, peer: Peer, opened: Opened, means: Means, now: Instant, today: date, saved: Sequence[Verdict] | None
) -> Judgement:
    manifest = opened.manifest.statement
    specification = means.specifications.find(manifest.spec)
    found = [_split(line) for line in opened.lines]
    origins = [part[1].origin if part else peer.node for part in found]
    proven, kept = _provenance(opened, origins, peer, means, now)
    refusals: list[Verdict] = list(saved or ())
    closed = {verdict.index for verdict in refusals}
    good: list[Arriving] = []
    resource = means.registry.resource(manifest.resource) if saved is None else None
    dated = resource if resource is not None and resource.versions else None
    for leaf, part in enumerate(found):
        if leaf in closed:
            continue
        result = _record(leaf, part, proven[leaf] or saved is not None, specification, today)
        if dated is not None and isinstance(result, tuple):
            result = _outdated(leaf, result[0], str(manifest.spec), dated) or result
        if isinstance(result, list):
            refusals += result
        else:
            good.append(Arriving(leaf, result[0], result[1], opened.lines[leaf]))
    if not good:
        return Judgement(opened.manifest, peer, refusals, None)
    proof = write_origins(_evidence(opened, origins, kept, [one.leaf for one in good], means))
    purpose = opened.inner.said.purpose if opened.inner else ""
    delivery = Delivery(claim, manifest.parcel, manifest.lane, manifest.spec, purpose, good, proof)
    return Judgement(opened.manifest, peer, refusals, delivery)


def _split(line: bytes) -> tuple[bytes, Head] | None:
    try:
        return split_line(line)
    except Refused:
        return None


def _provenance(
    opened: Opened, origins: Sequence[str], peer: Peer, means: Means, now: Instant
) -> tuple[list[bool], dict[int, Origin]]:
    """Return for each line whether its origin is the sender, or the sender may pass it on and its proof holds.

    With it comes the origin entry that speaks of a line, for the lines whose entry was found good.
    """
    foreign = [leaf for leaf, origin in enumerate(origins) if origin != peer.node]
    if not foreign:
        return [True] * len(origins), {}
    said = opened.inner.said.origins if opened.inner else ()
    holders = check_origins(
        opened.lines, origins, opened.manifest.statement, said,
        lambda entry: _attest_origin(entry, means, now), means.crypto,
    )
    passes = peer.origins
    proven = [
        origin == peer.node or (holder == origin and (origin in passes or "*" in passes))
        for origin, holder in zip(origins, holders, strict=True)
    ]
    spoken = [entry for entry in said for _ in entry.at]
    fits = len(spoken) == len(foreign)
    held = {leaf: entry for leaf, entry in zip(foreign, spoken) if holders[leaf] is not None} if fits else {}
    return proven, held


def _attest_origin(entry: Unverified[Manifest], means: Means, now: Instant) -> Attested[Manifest]:
    """Return an origin's manifest found good; raise Refused, or Hold for what may yet change.

    A revoked key proves nothing and never will again, so its records are refused, and nobody else's wait behind them.
    """
    try:
        return attest_given(originally(entry, means), means, now)
    except Hold as met:
        if met.code is codes.CERT_REVOKED:
            raise trouble(codes.SIGNATURE) from met
        raise


def _evidence(
    opened: Opened, origins: Sequence[str], held: dict[int, Origin], keep: Sequence[int], means: Means
) -> Sequence[Origin]:
    """Return the evidence of the lines kept; an entry that proves nothing is left out, and so never read again."""
    assert opened.inner is not None, "only a parcel with records is judged"
    entries: dict[int, Origin] = {id(entry): entry for entry in held.values()}
    inner = replace(opened.inner, said=replace(opened.inner.said, origins=tuple(entries.values())))
    sender = opened.manifest.statement.sender.node
    spoken = [origin if leaf in held else sender for leaf, origin in enumerate(origins)]
    return evidence(replace(opened, inner=inner), spoken, keep, means.crypto)


def _record(
    leaf: int, part: tuple[bytes, Head] | None, proven: bool, specification: Specification, today: date
) -> tuple[Head, tuple[str, ...]] | list[Verdict]:
    if part is None:
        return [Verdict(leaf, Outcome.REFUSED, "line")]
    if not proven:
        return [Verdict(leaf, Outcome.REFUSED, "origin")]
    result = specification.judge_body(leaf, part[0], today)
    if isinstance(result, Refusal):
        broken = [p for p in result.problems if p.severity == "refuse"]
        return [Verdict(leaf, Outcome.REFUSED, p.rule, _UNLISTED.sub("?", p.field)[:_FIELD]) for p in broken]
    if not same(part[1], result):
        return [Verdict(leaf, Outcome.REFUSED, "head")]
    return part[1], result.key


def _outdated(leaf: int, head: Head, name: str, resource: Resource) -> list[Verdict] | None:
    """Return the refusal of a record that was admitted when its version was not taken; its field names the right one.

    What counts is when it was admitted at its origin, so that no backlog is refused for the time it had to wait.
    """
    try:
        at = read_stamp(head.admitted)
    except ValueError:
        return [Verdict(leaf, Outcome.REFUSED, "line")]
    if overlap.wrong(resource, name, at) is None:
        return None
    return [Verdict(leaf, Outcome.REFUSED, "version", overlap.right(resource, at))]


def conclude(judged: Judgement, arrival: Arrival, applied: Sequence[Verdict], means: Means) -> Closing:
    """Return the final receipt, made from both: the gate's verdicts and the sink's."""
    ours, theirs = ourselves(means), party(judged.peer)
    given = (judged.manifest, ours, theirs, arrival.received, Checkpoint(), arrival.validation)
    if judged.code is not None:
        receipt = refused(*given, judged.code)
        signed = write(receipt, means.identity.signing, means.identity.sign)
        state = ArrivalState.DONE if judged.reason == LOST else ArrivalState.PARKED
        return Closing(state, Given(arrival.parcel, Stage.REFUSED, signed), {}, judged.code.name)
    verdicts = _listed([*applied, *judged.refused])
    listed = seal_verdicts(verdicts, judged.peer.encryption, means.crypto, means.chance)
    receipt = processed(*given, verdicts, listed[1] if listed else None)
    signed = write(receipt, means.identity.signing, means.identity.sign)
    counts = dict(receipt.counts or {})
    return Closing(
        ArrivalState.DONE, Given(arrival.parcel, Stage.PROCESSED, signed, listed[0] if listed else b""), counts, None
    )


def _listed(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts whose list a letter can hold: beyond that the first broken rule of each record is told."""
    room, told, listed = LISTED, set[int](), list[Verdict]()
    for verdict in verdicts:
        room -= len(verdict.field) + len(verdict.rule) + 40
        if room >= 0 or verdict.index not in told:
            listed.append(verdict)
        told.add(verdict.index)
    return listed


def finish(unit: InboxUnit, claim: Claim, arrival: Arrival, closing: Closing, now: Instant) -> None:
    """Close the parcel with its final receipt; raise Retry(FENCED) for a void claim."""
    unit.finish(claim, closing.state, closing.receipt, closing.counts.get("refused", 0), closing.code, now)
    step = steps.REFUSED if closing.code else steps.PROCESSED
    unit.note(arrival.lane, step, arrival.parcel, arrival.digest, arrival.count, now)
