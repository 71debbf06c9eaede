"""What the core asks of the inbox and of the warehouse: one transaction of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from node.model.instant import Instant
from node.model.parcel import Lane, Manifest, Position, Stage, Verdict
from node.model.spool import Arrival, ArrivalState, Block, Claim, Delivery, Given, Met, Received, Row
from node.ports.cases import CaseUnit
from node.ports.ledger import Ledger


class InboxUnit(Ledger, Protocol):
    """One transaction of the inbox.

    I1  A lane's head moves only by `store`, by compare-and-set, with the parcel and its receipt.
    I2  A receipt's bytes, once stored, never change, unless its key is revoked, and outlive the parcel.
    I3  Gate verdicts, once saved, never change.
    I4  Parcels of a lane are taken in order, one at a time; a parked one gives up its place, a held one keeps it.
    I5  `judge` and `finish` need the newest claim; otherwise Retry(FENCED) and nothing changes.
    """

    writes: int

    def head(self, lane: Lane) -> Position | None:
        """Return the last place taken in a receiving lane."""

    def heads(self, sender: str) -> Sequence[tuple[Lane, Position]]:
        """Return the heads of all lanes from a sender."""

    def held(self, lane: Lane) -> str | None:
        """Return why a receiving lane is held."""

    def hold_lane(self, lane: Lane, code: str | None) -> None:
        """Hold a receiving lane for a cause, or let it go on with None."""

    def at(self, lane: Lane, epoch: int, seq: int) -> str | None:
        """Return the statement digest that stands at a place, None if none or purged."""

    def by_digest(self, digest: str) -> Arrival | None:
        """Return the parcel whose statement has this digest."""

    def store(self, parcel: Received, was: Position | None) -> None:
        """Store a parcel, its receipt and archive, and move the head from `was`; Retry(FENCED) if it moved (I1)."""

    def fork(self, statement: Manifest, digest: str, manifest: bytes, at: Instant) -> None:
        """Keep the signed evidence of a second parcel at a taken place, and hold the lane."""

    def forks(self) -> Sequence[tuple[str, str, Instant]]:
        """Return (parcel, digest, when) of all kept forks."""

    def unopened(self, sender: str) -> tuple[int, int]:
        """Return how many parcels and octets of a sender wait here."""

    def take(self, now: Instant, lease: Instant) -> tuple[Claim, Arrival] | None:
        """Claim the next parcel to be opened, urgent and oldest lane first (I4)."""

    def behind(self, arrival: Arrival) -> Arrival | None:
        """Return the parcel that is to be opened next after this one in its lane; nothing is claimed."""

    def release(self, claim: Claim) -> None:
        """Give a claim back; a void one changes nothing."""

    def octets(self, parcel: str) -> tuple[bytes, bytes] | None:
        """Return manifest and payload as they were received."""

    def judge(self, claim: Claim, verdicts: Sequence[Verdict]) -> None:
        """Save the gate's verdicts: the refused records only (I3, I5)."""

    def judged(self, parcel: str) -> Sequence[Verdict] | None:
        """Return the gate's verdicts, None if not judged yet."""

    def finish(
        self, claim: Claim, state: ArrivalState, receipt: Given, refused: int, code: str | None, now: Instant
    ) -> None:
        """Close a parcel with its final receipt (I2, I5)."""

    def hold(self, claim: Claim, code: str, now: Instant) -> None:
        """The parcel waits for a change here; its lane with it (I4)."""

    def unhold(self, parcel: str) -> None:
        """A held parcel may be tried again."""

    def given(self, parcel: str) -> Sequence[Given]:
        """Return our receipts for a parcel, *accepted* first."""

    def ungiven(self, peer: str, limit: int) -> Sequence[Given]:
        """Return receipts for a peer's parcels that it has not been handed yet."""

    def gave(self, receipts: Sequence[tuple[str, Stage]]) -> None:
        """Note that receipts were handed over (they may still be asked for)."""

    def reissue(self, given: Given, now: Instant) -> None:
        """Put a receipt signed anew in the place of the one whose key was revoked; the ledger says so."""

    def archived(self, validation: str) -> bytes | None:
        """Return the chain and CRLs archived under their SM3."""

    def met(self, node: str) -> Met | None:
        """Return what we last heard of a peer."""

    def meet(self, node: str, epoch: int, boot: str, at: Instant) -> Met:
        """Note a verified hello; an earlier boot that speaks again after a later one makes `cloned` (WIRE §5)."""

    def arrival(self, parcel: str) -> Arrival | None:
        """Return one parcel."""

    def arrivals(self, state: ArrivalState | None, after: str, limit: int) -> Sequence[Arrival]:
        """Return parcels by id, for people."""

    def purge(self, done_before: Instant, receipts_before: Instant, limit: int) -> int:
        """Forget the bytes of finished parcels, and later their receipts; return how many."""

    def discard(self, parcel: str, who: str, now: Instant) -> None:
        """A named person throws a parked parcel away; the ledger says who."""


class WarehouseUnit(CaseUnit, Ledger, Protocol):
    """One transaction of the warehouse.

    W1  A record is applied only if its version is greater than the one held for (origin, resource, business key).
    W2  A delete leaves a tombstone; a row id that returns under another key leaves one at the old key.
    W3  A delivery applied once returns the same verdicts ever after; a delivery with an older token is Retry(FENCED).
    W4  History is in commit order, and holds every good record of every delivery, the older ones included.
    """

    writes: int

    def applied(self, parcel: str) -> Sequence[Verdict] | None:
        """Return the verdicts given when this parcel was applied."""

    def apply(self, delivery: Delivery, now: Instant) -> Sequence[Verdict]:
        """Apply the records by version, append them to history, return a verdict for each (W1 to W4)."""

    def history(self, resource: str, after: int, limit: int) -> Sequence[Block]:
        """Return up to `limit` deliveries of a resource after block `after`, in commit order (W4)."""

    def last(self, resource: str) -> int:
        """Return the id of the last block of a resource, 0 if none."""

    def row(self, origin: str, resource: str, key: tuple[str, ...]) -> Row | None:
        """Return the current state of one business key."""

    def rows(self, resource: str, after: int, limit: int) -> Sequence[tuple[int, Row]]:
        """Return current rows with their cursor, tombstones included, for reconciliation."""
