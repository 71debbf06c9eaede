"""The life of a parcel in the outbox and in the inbox, as two tables.

Rule 1: every change of state is a row here.  What is not here cannot happen.
Rule 2: knowledge only grows: sent < accepted < processed | refused; a final word is taken in any state (WIRE §4).
Rule 3: this file knows no clock, no disk and no network.

Outbox.  SEALED and SENT stand at the lane's cursor; ACCEPTED waits for the final word; DONE has it.  PARKED waits for
a person: refused by the receiver, or set aside here.  VOIDED gave up its place or its epoch; when its receipt comes
late, it was accepted after all and has its place back.

Inbox.  STORED is on our disk, JUDGED has its gate verdicts saved.  HELD keeps its place and stops its lane until
something here changes; PARKED gives it up and waits for a person.
"""

from __future__ import annotations

from enum import Enum

from node.model import codes
from node.model.parcel import Stage
from node.model.spool import ArrivalState, EntryState


class EntryEvent(Enum):
    """What can happen to a parcel in the outbox."""

    SENT = "sent"
    ACCEPTED = "accepted"
    PROCESSED = "processed"
    REFUSED = "refused"
    UNOPENED = "unopened"  # refused, for the receiver has not the key (any more): whatever it said before is forgotten
    PARK = "park"  # a person or a rule sets it aside
    VOID = "void"  # another parcel takes its place, its epoch ends, or a person gives it up unaccepted
    DISCARD = "discard"  # a person throws away what the receiver had anyway
    RESUPPLY = "resupply"  # what the receiver had and refused goes again, in another parcel


class ArrivalEvent(Enum):
    """What can happen to a parcel in the inbox."""

    JUDGE = "judge"
    HOLD = "hold"
    UNHOLD = "unhold"
    FINISH = "finish"
    PARK = "park"
    DISCARD = "discard"


_S, _E = EntryState, EntryEvent
ENTRY: dict[tuple[EntryState, EntryEvent], EntryState] = {
    (_S.SEALED, _E.SENT): _S.SENT,
    (_S.SEALED, _E.ACCEPTED): _S.ACCEPTED,  # the peer had it from a run we do not remember
    (_S.SEALED, _E.PROCESSED): _S.DONE,
    (_S.SEALED, _E.REFUSED): _S.PARKED,
    (_S.SEALED, _E.UNOPENED): _S.PARKED,
    (_S.SEALED, _E.PARK): _S.PARKED,
    (_S.SEALED, _E.VOID): _S.VOIDED,
    (_S.SENT, _E.SENT): _S.SENT,
    (_S.SENT, _E.ACCEPTED): _S.ACCEPTED,
    (_S.SENT, _E.PROCESSED): _S.DONE,
    (_S.SENT, _E.REFUSED): _S.PARKED,
    (_S.SENT, _E.UNOPENED): _S.PARKED,
    (_S.SENT, _E.PARK): _S.PARKED,
    (_S.SENT, _E.VOID): _S.VOIDED,
    (_S.ACCEPTED, _E.SENT): _S.ACCEPTED,  # the peer lost it and is sent it again
    (_S.ACCEPTED, _E.ACCEPTED): _S.ACCEPTED,
    (_S.ACCEPTED, _E.PROCESSED): _S.DONE,
    (_S.ACCEPTED, _E.REFUSED): _S.PARKED,
    (_S.ACCEPTED, _E.UNOPENED): _S.PARKED,
    (_S.ACCEPTED, _E.PARK): _S.PARKED,
    (_S.ACCEPTED, _E.VOID): _S.VOIDED,  # only when the peer's head shows that it was lost there
    (_S.DONE, _E.SENT): _S.DONE,
    (_S.DONE, _E.ACCEPTED): _S.DONE,
    (_S.DONE, _E.PROCESSED): _S.DONE,
    (_S.DONE, _E.REFUSED): _S.DONE,  # the first final word stands
    (_S.DONE, _E.UNOPENED): _S.PARKED,  # not where another copy of the receiver said it, or a life it has forgotten
    (_S.PARKED, _E.SENT): _S.PARKED,
    (_S.PARKED, _E.ACCEPTED): _S.PARKED,
    (_S.PARKED, _E.PROCESSED): _S.DONE,
    (_S.PARKED, _E.REFUSED): _S.PARKED,
    (_S.PARKED, _E.UNOPENED): _S.PARKED,
    (_S.PARKED, _E.PARK): _S.PARKED,
    (_S.PARKED, _E.VOID): _S.VOIDED,
    (_S.PARKED, _E.DISCARD): _S.DONE,
    (_S.PARKED, _E.RESUPPLY): _S.DONE,
    (_S.VOIDED, _E.ACCEPTED): _S.ACCEPTED,
    (_S.VOIDED, _E.PROCESSED): _S.DONE,
    (_S.VOIDED, _E.REFUSED): _S.PARKED,
    (_S.VOIDED, _E.UNOPENED): _S.PARKED,
    (_S.VOIDED, _E.VOID): _S.VOIDED,
}

WORDS = {Stage.ACCEPTED: _E.ACCEPTED, Stage.PROCESSED: _E.PROCESSED, Stage.REFUSED: _E.REFUSED}
"""What a receipt of each stage does to its parcel."""

FINISHED = frozenset({_S.DONE, _S.VOIDED})
"""What `purge` may forget; PARKED belongs to a person."""

OWED = frozenset({_S.SENT, _S.ACCEPTED})
"""What a receiver owes a final word for."""

_A, _V = ArrivalState, ArrivalEvent
ARRIVAL: dict[tuple[ArrivalState, ArrivalEvent], ArrivalState] = {
    (_A.STORED, _V.JUDGE): _A.JUDGED,
    (_A.STORED, _V.HOLD): _A.HELD,
    (_A.STORED, _V.FINISH): _A.DONE,  # a void, or a heartbeat: nothing to judge
    (_A.STORED, _V.PARK): _A.PARKED,
    (_A.JUDGED, _V.JUDGE): _A.JUDGED,
    (_A.JUDGED, _V.HOLD): _A.HELD,
    (_A.JUDGED, _V.FINISH): _A.DONE,
    (_A.JUDGED, _V.PARK): _A.PARKED,
    (_A.HELD, _V.UNHOLD): _A.STORED,  # and JUDGED again at once if its verdicts are saved
    (_A.PARKED, _V.DISCARD): _A.DONE,
}

OPEN = frozenset({_A.STORED, _A.JUDGED, _A.HELD})
"""What waits to be opened, counts against the sender's quota, and keeps its place in the lane."""


def entry_hears(state: EntryState, why: str | None, stage: Stage, code: str | None) -> EntryEvent | None:
    """Return what a receipt does to its parcel; None if that is nothing.

    `why` is the code a parked entry has, `code` the receipt's.  Who says that it cannot open a parcel has not its
    records, whatever another copy of it said, before or after.
    """
    if stage is Stage.REFUSED and code == codes.OPEN.name:
        return EntryEvent.UNOPENED
    unopened = state is EntryState.PARKED and why == codes.OPEN.name
    return None if unopened and stage is Stage.PROCESSED else WORDS[stage]


def entry_after(state: EntryState, event: EntryEvent) -> EntryState | None:
    """Return the state that follows, None if the event cannot happen there."""
    return ENTRY.get((state, event))


def arrival_after(state: ArrivalState, event: ArrivalEvent) -> ArrivalState | None:
    """Return the state that follows, None if the event cannot happen there."""
    return ARRIVAL.get((state, event))
