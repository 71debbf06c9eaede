"""Parcels of the outbox read back: entries, their octets, their receipts."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from node.envelope.members import manifest_of
from node.model import codes
from node.model.ids import uuid_text
from node.model.instant import Instant
from node.model.parcel import Lane, Position, Stage
from node.model.spool import Entry, EntryState, RefusedRecord, Sealed
from node.model.trouble import trouble
from node.spool.states import OWED
from node.store.transaction import Transaction, row_key

_NAMES = (
    "parcel lane epoch seq digest envelope kind count octets state created sent accepted finished attempts refused code"
)
_ENTRY = ", ".join(f"e.{name}" for name in _NAMES.split())
_SELECT = f"SELECT {_ENTRY} FROM entries e"
RARE = frozenset(EntryState) - {EntryState.DONE}
"""States so few are in that looking them up by state is quicker than passing over all the others."""


class Entries(Transaction):
    """Reading what was sealed."""

    def entry(self, parcel: str) -> Entry | None:
        """Return one entry."""
        row = self._one(f"{_SELECT} WHERE e.parcel = ?", row_key(parcel))
        return self._entry(*row) if row else None

    def entries(self, state: EntryState | None, after: str, limit: int) -> Sequence[Entry]:
        """Return entries by parcel id, for people."""
        if state is None:
            found = self._all(f"{_SELECT} WHERE e.parcel > ? ORDER BY e.parcel LIMIT ?", row_key(after), limit)
        else:
            column = "e.state" if state in RARE else "+e.state"
            found = self._all(
                f"{_SELECT} WHERE {column} = ? AND e.parcel > ? ORDER BY e.parcel LIMIT ?",
                state.value, row_key(after), limit,
            )
        return [self._entry(*row) for row in found]

    def owed(self, peer: str, before: Instant, limit: int) -> Sequence[Entry]:
        """Return entries sent or accepted before an instant whose final word is missing, oldest first.

        With them those that have it, if the peer may have lost or forgotten them since; what is to be sent again in
        the present epoch is not asked after.
        """
        found = self._all(
            f"SELECT {_ENTRY} FROM lanes l JOIN entries e ON e.lane = l.id WHERE l.receiver = ? AND e.state IN (?, ?)"
            " AND coalesce(e.accepted, e.sent) < ? ORDER BY e.parcel LIMIT ?",
            peer, *sorted(state.value for state in OWED), before, limit,
        )
        found += self._all(
            f"SELECT {_ENTRY} FROM entries e JOIN lanes l ON e.lane = l.id WHERE e.again > 0 AND e.state = 'done'"
            " AND (e.again = 2 OR e.epoch < l.epoch) AND l.receiver = ? AND e.accepted < ? ORDER BY e.parcel LIMIT ?",
            peer, before, limit - len(found),
        )
        return [self._entry(*row) for row in found]

    def _due(self, lane: int) -> Entry | None:
        """Return what stands at the lane's cursor; of several, the one that is not voided."""
        row = self._one(
            f"SELECT {_ENTRY} FROM lanes l JOIN entries e ON e.lane = l.id AND e.epoch = l.epoch AND e.seq = l.cursor"
            " WHERE l.id = ? ORDER BY e.state = 'voided', e.parcel DESC LIMIT 1", lane,
        )
        return self._entry(*row) if row else None

    def _entry(
        self, parcel: bytes, lane: int, epoch: int, seq: int, digest: bytes, envelope: bytes, kind: str, count: int,
        octets: int, state: str, created: int, sent: int | None, accepted: int | None, finished: int | None,
        attempts: int, refused: int, code: str | None,
    ) -> Entry:
        return Entry(
            uuid_text(parcel), self._lane(lane), epoch, seq, digest.hex(), envelope.hex(), kind, count, octets,
            EntryState(state), created, sent, accepted, finished, attempts, refused, code,
        )

    def accepted(self, lane: Lane) -> Position | None:
        """Return the last place of the lane's present epoch, or else an earlier one, that we hold an *accepted* for."""
        number = self._find_lane(lane)
        row = self._one("SELECT epoch, seq, digest, cursor FROM lanes WHERE id = ?", number)
        if row is None:
            return None
        epoch, seq, digest, cursor = row
        found = self._one(
            "SELECT epoch, seq, digest FROM entries WHERE lane = ? AND accepted IS NOT NULL AND again != 1"
            " AND state != 'voided' ORDER BY epoch DESC, seq DESC LIMIT 1", number,
        )
        last = (epoch, cursor - 1)
        if cursor > 1 and (found is None or found[:2] < last) and self._at(number, *last) is None:
            # What stood before the cursor was taken, and is forgotten by now; the next one names its digest.
            if cursor <= seq:
                (digest,) = self._one(
                    "SELECT prev FROM entries WHERE lane = ? AND epoch = ? AND seq = ? LIMIT 1", number, epoch, cursor
                )
            found = (*last, digest)
        return Position(found[0], found[1], found[2].hex()) if found else None

    def _at(self, number: int | None, epoch: int, seq: int) -> tuple[bytes, bytes] | None:
        """Return (parcel, digest) of what stands at a place and is not voided."""
        row: tuple[bytes, bytes] | None = self._one(
            "SELECT parcel, digest FROM entries WHERE lane = ? AND epoch = ? AND seq = ? AND state != 'voided'",
            number, epoch, seq,
        )
        return row

    def digest_at(self, lane: Lane, epoch: int, seq: int) -> str | None:
        """Return the statement digest sealed at a place, None if none or purged."""
        row = self._at(self._find_lane(lane), epoch, seq)
        return row[1].hex() if row else None

    def stood(self, lane: Lane, at: Position) -> bool:
        """Return whether we sealed this very statement for this place, also if another replaced it since."""
        return self._one(
            "SELECT 1 FROM entries WHERE lane = ? AND epoch = ? AND seq = ? AND digest = ?",
            self._find_lane(lane), at.epoch, at.seq, bytes.fromhex(at.digest),
        ) is not None

    def sealed(self, parcel: str) -> Sealed:
        """Return a kept parcel as it was sealed; raise Refused(NOT_FOUND) for any other."""
        row = self._one(
            "SELECT e.digest, o.statement, o.manifest, o.payload, o.secret FROM entries e"
            " JOIN octets o ON o.parcel = e.parcel WHERE e.parcel = ?", row_key(parcel),
        )
        if row is None:
            raise trouble(codes.NOT_FOUND)
        digest, statement, manifest, payload, secret = row
        clear = self._sealing.open("octets", row_key(parcel), secret)
        return Sealed(manifest_of(orjson.loads(statement)), digest.hex(), manifest, payload, clear)

    def receipts(self, parcel: str) -> Sequence[tuple[Stage, bytes]]:
        """Return the receipts held for a parcel, in the order they came."""
        found = self._all("SELECT stage, octets FROM receipts WHERE parcel = ? ORDER BY rowid", row_key(parcel))
        return [(Stage(stage), octets) for stage, octets in found]

    def refused(self, parcel: str) -> Sequence[RefusedRecord]:
        """Return the refused records of a processed parcel."""
        row = self._one("SELECT sealed FROM refusals WHERE parcel = ?", row_key(parcel))
        if row is None:
            return []
        listed = orjson.loads(self._sealing.open("refusals", row_key(parcel), row[0]))
        return [RefusedRecord(*one) for one in listed]
