"""What the core asks of the outbox: one transaction of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from node.model.instant import Instant
from node.model.parcel import Lane, Position, Stage
from node.model.record import Version
from node.model.source import DirtyRow
from node.model.spool import (
    GROUP_RECORDS,
    Answer,
    Claim,
    Entry,
    EntryState,
    Group,
    LaneState,
    RefusedRecord,
    Rest,
    Sealed,
    Span,
    Submission,
    Waiting,
)
from node.ports.ledger import Ledger


class OutboxUnit(Ledger, Protocol):
    """One transaction of the outbox.

    O1  What was put is there after a crash: records, refusals, bookmark and answer together or not at all.
    O2  Versions of (this node, resource) only grow, over all streams.
    O3  Groups leave a lane in the order they were put, whole.
    O4  An entry moves only as node/spool/states.py allows; knowledge only grows; a final word is taken in any state.
    O5  `place`, `sent`, `rewind`, `reopen` need the lane's newest claim; otherwise Retry(FENCED), nothing changes.
    O6  Nothing is forgotten except by `purge`, which takes only finished entries.
    O7  A row noted as dirty is told until it is cleaned; one name of a source stands once.
    """

    writes: int

    def epoch(self) -> int:
        """Return the node epoch, opened by `init` or restore."""

    def superseded(self) -> bool:
        """Return whether this node found out that it is an old copy; only a new node epoch ends that (WIRE §3)."""

    def supersede(self) -> None:
        """Note that this node is an old copy."""

    def boot(self) -> str:
        """Return the boot id drawn when this outbox was opened for writing."""

    def answered(self, caller: str, resource: str, key: str, body: bytes) -> Answer | None:
        """Return the answer stored under the idempotency key; Refused(KEY_REUSED) if the body differed."""

    def answer(self, submission: Submission, key: str, body: bytes, answer: Answer) -> None:
        """Store a submission and its answer under (caller, resource, key); `body` is as received."""

    def submission(self, id: str) -> tuple[Submission, Answer] | None:
        """Return a submission and what its caller was told."""

    def spans(self, submission: Submission) -> Sequence[Span]:
        """Return where its records are now, for each receiver, in version order."""

    def allot(self, resource: str, count: int) -> Version:
        """Reserve `count` versions of this origin's resource; return the first (O2)."""

    def wait(self, lane: Lane, waiting: Waiting) -> None:
        """Let records wait in a lane; those of one transaction and one kind share groups (O1, O3)."""

    def bookmark(self, reader: str) -> str | None:
        """Return how far `reader` has read."""

    def mark(self, reader: str, was: str | None, now: str) -> None:
        """Move a bookmark by compare-and-set; raise Retry(FENCED) if it was not `was`."""

    def dirty(self, source: str, after: str, limit: int) -> Sequence[DirtyRow]:
        """Return a source's rows that are no records, in an order of their own, after the one with this name."""

    def dirty_count(self, source: str) -> int:
        """Return how many rows of a source are dirty."""

    def dirty_among(self, source: str, names: Sequence[str]) -> set[str]:
        """Return those of the names that are dirty rows'."""

    def soil(self, source: str, rows: Sequence[DirtyRow]) -> None:
        """Note rows that are no records; what was noted of them before is replaced (O7)."""

    def clean(self, source: str, names: Sequence[str]) -> None:
        """Forget rows that became records, or are gone."""

    def clean_before(self, source: str, before: Instant) -> int:
        """Forget the rows of a source that were last seen before an instant; return how many."""

    def lanes(self, receiver: str | None = None) -> Sequence[LaneState]:
        """Return all sending lanes, or those to one receiver."""

    def lane(self, lane: Lane) -> LaneState | None:
        """Return one sending lane."""

    def accepted(self, lane: Lane) -> Position | None:
        """Return the last place of the lane's present epoch, or else an earlier one, that we hold an *accepted* for."""

    def digest_at(self, lane: Lane, epoch: int, seq: int) -> str | None:
        """Return the statement digest sealed at a place, None if none or purged."""

    def stood(self, lane: Lane, at: Position) -> bool:
        """Return whether we sealed this very statement for this place, also if another replaced it since."""

    def ready(self, receiver: str) -> Sequence[LaneState]:
        """Return the lanes to `receiver` that are not held and have something to send, urgent and oldest first."""

    def claim(self, lane: Lane, now: Instant, lease: Instant) -> Claim | None:
        """Take a lane until `now + lease`; None while another claim stands.  The token grows."""

    def release(self, claim: Claim) -> None:
        """Give a claim back; a void one changes nothing."""

    def front(self, lane: Lane, parcel_records: int = GROUP_RECORDS) -> Sequence[int]:
        """Return the ids of the groups that `draw` would return."""

    def draw(self, lane: Lane, parcel_records: int = GROUP_RECORDS) -> Sequence[Group]:
        """Return the waiting groups of one kind at the lane's front that fit into one parcel (O3).

        They hold at most `parcel_records` records together, unless the first holds more by itself.
        """

    def place(self, claim: Claim, sealed: Sealed, groups: Sequence[int], now: Instant) -> None:
        """Save a sealed parcel at the lane's next place and its groups as gone into it (O5)."""

    def due(self, lane: Lane) -> Entry | None:
        """Return the entry at the lane's cursor, or None when all that is sealed was taken by the peer."""

    def sealed(self, parcel: str) -> Sealed:
        """Return a kept parcel as it was sealed; raise Refused(NOT_FOUND) for any other."""

    def groups(self, parcel: str) -> Sequence[Group]:
        """Return the groups that went into a parcel, in leaf order, while they are kept."""

    def sent(self, claim: Claim, parcel: str, now: Instant) -> None:
        """Note an attempt to send (O5)."""

    def learn(
        self,
        parcel: str,
        stage: Stage,
        code: str | None,
        receipt: bytes,
        refused: Sequence[RefusedRecord],
        now: Instant,
    ) -> Entry | None:
        """Take a verified receipt: move the entry (O4) and the cursor; None for an unknown parcel."""

    def refused(self, parcel: str) -> Sequence[RefusedRecord]:
        """Return the refused records of a processed parcel."""

    def receipts(self, parcel: str) -> Sequence[tuple[Stage, bytes]]:
        """Return the receipts held for a parcel."""

    def rewind(self, claim: Claim, position: Position) -> None:
        """The peer's head is `position`: send again what follows it; Retry(PURGED) if not kept (O5)."""

    def reopen(self, claim: Claim, epoch: int, there: Position, now: Instant) -> None:
        """Open a new lane epoch after `there`, the peer's head (O5).

        Entries not accepted are voided and their groups wait again, with what was accepted and lost.
        """

    def lost(self, parcel: str, now: Instant) -> None:
        """The peer does not have what it accepted: in an epoch that is over, its groups wait again (O5)."""

    def doubt(self, peer: str) -> None:
        """The peer may have forgotten what it finished: all of it that is kept is asked after again (`owed`)."""

    def replace(self, claim: Claim, parcel: str, sealed: Sealed, now: Instant) -> None:
        """Put a re-sealed parcel (supersedes) or a void at the same seq as the unaccepted `parcel` (O5)."""

    def hold(self, lane: Lane, code: str | None) -> None:
        """Hold a lane for a cause, or let it go on with None."""

    def rest(self, peer: str) -> Rest:
        """Return the back-off of a peer."""

    def set_rest(self, peer: str, rest: Rest) -> None:
        """Save the back-off of a peer."""

    def owed(self, peer: str, before: Instant, limit: int) -> Sequence[Entry]:
        """Return entries sent or accepted before an instant whose final word is missing, oldest first."""

    def entry(self, parcel: str) -> Entry | None:
        """Return one entry."""

    def entries(self, state: EntryState | None, after: str, limit: int) -> Sequence[Entry]:
        """Return entries by parcel id, for people."""

    def park(self, parcel: str, code: str, now: Instant) -> Entry:
        """A person or rule sets an entry aside (O4)."""

    def purge(self, done_before: Instant, answers_before: Instant, limit: int, silent: Sequence[str] = ()) -> int:
        """Forget at most `limit` finished entries, and answers, older than the instants; return how many (O6).

        Entries to `silent` receivers are kept.

        An answer is as old as the youngest of those stored before it: a clock that was behind dates it too early.
        """

    def resupply(self, parcel: str, now: Instant) -> None:
        """The records of a parked entry wait again, to go in a new parcel; raise Refused (NOT_FOUND, STATE)."""

    def discard(self, parcel: str, who: str, now: Instant) -> None:
        """A named person throws a parked entry away; the ledger says who."""
