"""Settle: a receipt comes home and its entry moves; refused records are told by the row ids of the source (WIRE §4).

    octets ─hear─► Heard ─settle─► Moved

Rule 1: only a receipt bearing the entry's digest, or the one it supersedes, advances or finishes it.
Rule 2: knowledge only grows, and every state takes a final word.
Rule 3: the verdict list comes under the receipt's signature; a bad list is asked for again, the cause stays here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from node.envelope import Attested, open_verdicts, read_receipt
from node.exchange.authority import attest_given, recognise
from node.exchange.means import Means
from node.ledger import steps
from node.model import codes
from node.model.instant import Instant
from node.model.parcel import Outcome, Receipt, Stage, Verdict
from node.model.spool import Entry, EntryState, Group, RefusedRecord
from node.model.trouble import Hold, trouble
from node.ports import OutboxUnit
from node.validate import split_line

UNREAD = "list-unread"
"""The rule told for a record whose refusal was in a list we cannot read any more."""
_STEPS = {Stage.ACCEPTED: steps.ACCEPTED, Stage.PROCESSED: steps.PROCESSED, Stage.REFUSED: steps.REFUSED}


@dataclass(frozen=True, slots=True)
class Heard:
    """A verified receipt and its verdicts, opened."""

    receipt: Attested[Receipt]
    verdicts: Sequence[Verdict] = field(repr=False)
    unread: int = 0
    """How many records were refused by a list that was sealed to a key we lost for good: which, nobody can tell."""


def hear(statement: bytes, listed: bytes, means: Means, channel: str | None, now: Instant) -> Heard:
    """Return a receipt found good; no store is touched.

    Raises Refused (form, address, signature, a list that does not open) or Hold (certificates).
    """
    receipt = attest_given(recognise(read_receipt(statement, means.crypto), means, channel), means, now)
    if receipt.statement.verdicts is None:
        return Heard(receipt, ())
    try:
        return Heard(receipt, open_verdicts(receipt, listed, means.identity.unwrap, means.crypto))
    except Hold:
        if not means.identity.lost(receipt.statement.receiver.cert):
            raise
        return Heard(receipt, (), (receipt.statement.counts or {}).get(Outcome.REFUSED.value, 0))


class Moved(NamedTuple):
    """The entry a receipt speaks of as it stands now, and whether its state is another than before."""

    entry: Entry
    changed: bool


def settle(unit: OutboxUnit, heard: Heard, now: Instant) -> Moved | None:
    """Move the entry a receipt speaks of, and return it; None for a parcel we do not know.

    Raises Refused(MISADDRESSED) when the receipt is not from the lane's receiver or bears another digest.
    """
    said = heard.receipt.statement
    entry = unit.entry(said.parcel)
    if entry is None:
        return None
    if entry.lane.receiver != said.sender.node or (entry.digest, entry.envelope) != (said.digest, said.envelope):
        raise trouble(codes.MISADDRESSED)
    refused = _at_home(unit, entry, heard.verdicts) or _unread(heard.unread)
    known = {stage for stage, _ in unit.receipts(entry.parcel)}
    moved = unit.learn(said.parcel, said.stage, said.code, heard.receipt.der, refused, now)
    if said.stage not in known:
        unit.note(entry.lane, _STEPS[said.stage], entry.parcel, entry.digest, entry.count, now)
    return Moved(moved, moved.state is not entry.state) if moved is not None else None


def _at_home(unit: OutboxUnit, entry: Entry, verdicts: Sequence[Verdict]) -> list[RefusedRecord]:
    """Return the refused records by our own row ids; a leaf index we never sealed is left out.

    Where the lines are not at hand any more the row id is empty: a refusal is never lost.
    """
    if not verdicts:
        return []
    lines = [line for group in _groups(unit, entry) for line in group.lines]
    return [
        RefusedRecord(verdict.index, _row(lines, verdict.index), verdict.rule, verdict.field)
        for verdict in verdicts
        if verdict.index < entry.count
    ]


def _unread(count: int) -> list[RefusedRecord]:
    """Return refusals of which only the number is known, each under a leaf index that no record has."""
    return [RefusedRecord(-nth, "", UNREAD, "") for nth in range(1, count + 1)]


def _groups(unit: OutboxUnit, entry: Entry) -> Sequence[Group]:
    """Return the groups of an entry; those sealed again are with what stands in its place now."""
    groups = unit.groups(entry.parcel)
    if groups or entry.state is not EntryState.VOIDED:
        return groups
    other = unit.due(entry.lane)
    same = other is not None and (other.epoch, other.seq) == (entry.epoch, entry.seq)
    return unit.groups(other.parcel) if other is not None and same else groups


def _row(lines: Sequence[bytes], leaf: int) -> str:
    return split_line(lines[leaf])[1].row if leaf < len(lines) else ""
