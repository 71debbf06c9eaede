"""Receipts and the verdict list that travels encrypted beside one (WIRE §4).

Rule 1: nothing about a person stands in a receipt; which record was refused, and why, goes into the list.
Rule 2: the list begins with 32 random octets, so that its digest in the receipt cannot be guessed back.
Rule 3: nothing refused, no list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hmac import compare_digest
from typing import Any, NamedTuple

from node.envelope import canonical
from node.envelope.cms.enveloped import envelop, read_enveloped
from node.envelope.kinds import COUNT
from node.envelope.opening import Unopened, Unwrap, unwrap_one
from node.envelope.schema import Group, Many, conform, text
from node.envelope.statement import Attested
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.instant import Instant
from node.model.parcel import Checkpoint, Manifest, Outcome, Party, Receipt, Stage, Verdict, VerdictList
from node.model.trouble import Code, Refused, trouble
from node.ports import Chance, Crypto

NONCE = 32
LIMIT = 16 << 20
_LIST = Many(
    Group({"field": text(r"[!#-\[\]-~]{0,256}"), "index": COUNT, "rule": text(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")}),
    1, 1 << 20,
)


class SealedVerdicts(NamedTuple):
    """The refused verdicts as EnvelopedData octets, and what the receipt says of them."""

    envelope: bytes
    listed: VerdictList


def accepted(
    manifest: Attested[Manifest], issuer: Party, to: Party, at: Instant, checkpoint: Checkpoint, validation: str
) -> Receipt:
    """Return the receipt that says: stored and synced here at `at`."""
    return _receipt(Stage.ACCEPTED, manifest, issuer, to, at, checkpoint, validation)


def processed(
    manifest: Attested[Manifest],
    issuer: Party,
    to: Party,
    at: Instant,
    checkpoint: Checkpoint,
    validation: str,
    verdicts: Sequence[Verdict],
    listed: VerdictList | None,
) -> Receipt:
    """Return the receipt that counts the outcomes; `listed` names the list of the refused, None if there are none."""
    outcomes = [verdict.outcome for verdict in {verdict.index: verdict for verdict in verdicts}.values()]
    counts = {outcome.value: outcomes.count(outcome) for outcome in Outcome}
    return _receipt(Stage.PROCESSED, manifest, issuer, to, at, checkpoint, validation, counts=counts, verdicts=listed)


def refused(
    manifest: Attested[Manifest],
    issuer: Party,
    to: Party,
    at: Instant,
    checkpoint: Checkpoint,
    validation: str,
    code: Code,
) -> Receipt:
    """Return the receipt that says: this content can never be right, for the cause `code`."""
    return _receipt(Stage.REFUSED, manifest, issuer, to, at, checkpoint, validation, code=code.name)


def _receipt(
    stage: Stage, manifest: Attested[Manifest], issuer: Party, to: Party, at: Instant, checkpoint: Checkpoint,
    validation: str, code: str | None = None, counts: Mapping[str, int] | None = None,
    verdicts: VerdictList | None = None,
) -> Receipt:
    said = manifest.statement
    return Receipt(
        domain=said.domain, sender=issuer, receiver=to, stage=stage, parcel=said.parcel, digest=manifest.digest,
        envelope=said.envelope.digest, epoch=said.place.epoch, seq=said.place.seq, received_at=at,
        checkpoint=checkpoint, validation=validation, code=code, counts=counts, verdicts=verdicts,
    )


def seal_verdicts(
    verdicts: Sequence[Verdict], recipient: Certificate, crypto: Crypto, chance: Chance
) -> SealedVerdicts | None:
    """Return the refused verdicts as EnvelopedData to the parcel's sender and what its receipt says of them.

    None if none was refused.  Raises Hold(KEY_ROLE) for a certificate nobody may be sealed to.
    """
    entries = [
        {"field": verdict.field, "index": verdict.index, "rule": verdict.rule}
        for verdict in verdicts
        if verdict.outcome is Outcome.REFUSED
    ]
    if not entries:
        return None
    if Role.ENCRYPT not in recipient.roles:
        raise trouble(codes.KEY_ROLE, name=recipient.fingerprint, role=Role.ENCRYPT.value)
    conform(_LIST, entries, "verdicts")
    clear = chance(NONCE) + canonical.write(entries)
    key, iv = chance(16), chance(16)
    wrap = (recipient.issuer, recipient.serial, crypto.sm2_wrap(recipient.public, key))
    envelope = envelop(crypto.sm4_cbc_encrypt(key, iv, clear), iv, [wrap])
    return SealedVerdicts(envelope, VerdictList(crypto.sm3(envelope).hex(), crypto.sm3(clear).hex()))


def open_verdicts(receipt: Attested[Receipt], envelope: bytes, unwrap: Unwrap, crypto: Crypto) -> list[Verdict]:
    """Return the refused verdicts of a processed receipt.

    Raises Refused(DIGEST) for an envelope the receipt does not name, Unopened (EXN-OPEN) for any later failure: ask
    for it again.  The receipt's signature covers the envelope's digest, so nothing altered is ever decrypted.
    """
    listed = receipt.statement.verdicts
    if listed is None or not compare_digest(crypto.sm3(envelope).hex(), listed.envelope):
        raise trouble(codes.DIGEST)
    try:
        entries = _open(envelope, listed, unwrap, crypto)
    except Unopened:
        raise
    except Refused as cause:
        raise Unopened(str(cause.details.get("reason", cause.code.name))) from cause
    return [Verdict(entry["index"], Outcome.REFUSED, entry["rule"], entry["field"]) for entry in entries]


def _open(envelope: bytes, listed: VerdictList, unwrap: Unwrap, crypto: Crypto) -> list[dict[str, Any]]:
    enveloped = read_enveloped(envelope)
    clear = crypto.sm4_cbc_decrypt(unwrap_one(enveloped, unwrap), enveloped.iv, enveloped.secret)
    if not compare_digest(crypto.sm3(clear).hex(), listed.list):
        raise Unopened("list")
    entries: list[dict[str, Any]] = canonical.read(clear[NONCE:], LIMIT)
    conform(_LIST, entries, "verdicts")
    return entries
