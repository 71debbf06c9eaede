"""What happens to parcels of the outbox: placed, sent, learned of, voided, parked, purged (O3 to O6)."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from node.envelope.members import members
from node.ledger import steps
from node.model import codes
from node.model.ids import uuid_bytes, uuid_text
from node.model.instant import Instant
from node.model.parcel import NOTHING, Position, Stage
from node.model.spool import Claim, Entry, EntryState, RefusedRecord, Sealed
from node.model.trouble import trouble
from node.spool.states import EntryEvent, entry_after, entry_hears
from node.store.sending import SendingLanes
from node.store.transaction import row_key


class Parcels(SendingLanes):
    """Moving what was sealed; every change of state goes through `_after`."""

    # --- sealed and sent ----------------------------------------------------------------------------------------

    def place(self, claim: Claim, sealed: Sealed, groups: Sequence[int], now: Instant) -> None:
        """Save a sealed parcel at the lane's next place and its groups as gone into it (O5)."""
        self._gather()
        number, place = self._claimed(claim), sealed.statement.place
        epoch, seq, digest = self._one("SELECT epoch, seq, digest FROM lanes WHERE id = ?", number)
        front = self._all(
            "SELECT id, count, octets FROM groups WHERE lane = ? AND parcel IS NULL ORDER BY id LIMIT ?",
            number, len(groups),
        )
        # Groups leave whole and from the front (O3): anything else was drawn before somebody else's change.
        ours = (epoch, seq + 1, digest.hex())
        if (place.epoch, place.seq, place.prev) != ours or [id for id, *_ in front] != [*groups]:
            raise trouble(codes.FENCED)
        self._save(number, sealed, now)
        leaf, gone = 0, []
        for id, count, _ in front:
            gone.append((uuid_bytes(sealed.statement.parcel), leaf, id))
            leaf += count
        if gone:
            self._write_all("UPDATE groups SET parcel = ?, leaf = ? WHERE id = ?", gone)
        self._write(
            "UPDATE lanes SET seq = ?, digest = ?, waiting = waiting - ?, waiting_octets = waiting_octets - ?"
            " WHERE id = ?",
            place.seq, bytes.fromhex(sealed.digest), leaf, sum(size for *_, size in front), number,
        )

    def _save(self, number: int, sealed: Sealed, now: Instant) -> None:
        said, parcel = sealed.statement, uuid_bytes(sealed.statement.parcel)
        self._write(
            "INSERT INTO entries (parcel, lane, epoch, seq, digest, prev, envelope, kind, count, octets, state,"
            " created, attempts, refused, again) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'sealed', ?, 0, 0, 0)",
            parcel, number, said.place.epoch, said.place.seq, bytes.fromhex(sealed.digest),
            bytes.fromhex(said.place.prev), bytes.fromhex(said.envelope.digest), said.kind, said.count,
            len(sealed.manifest) + len(sealed.payload), now,
        )
        self._write(
            "INSERT INTO octets (parcel, statement, manifest, payload, secret) VALUES (?, ?, ?, ?, ?)",
            parcel, orjson.dumps(members(said)), sealed.manifest, sealed.payload,
            self._sealing.seal("octets", parcel, sealed.secret),
        )

    def sent(self, claim: Claim, parcel: str, now: Instant) -> None:
        """Note an attempt to send (O5)."""
        number, entry = self._claimed(claim), self.entry(parcel)
        state = entry_after(entry.state, EntryEvent.SENT) if entry else None
        if entry is None or state is None or self._find_lane(entry.lane) != number:
            raise trouble(codes.FENCED)
        self._write(
            "UPDATE entries SET state = ?, sent = ?, attempts = attempts + 1 WHERE parcel = ?",
            state.value, now, row_key(parcel),
        )

    # --- learned ------------------------------------------------------------------------------------------------

    def learn(
        self, parcel: str, stage: Stage, code: str | None, receipt: bytes, refused: Sequence[RefusedRecord],
        now: Instant,
    ) -> Entry | None:
        """Take a verified receipt: move the entry (O4) and the cursor; None for an unknown parcel.

        `parcel` is the one the receipt names, also when that was sealed again since: the peer has it then, and not
        what replaced it.
        """
        entry, key = self.entry(parcel), row_key(parcel)
        if entry is None:
            return None
        news = self._write(
            "INSERT OR IGNORE INTO receipts (parcel, stage, octets) VALUES (?, ?, ?)", key, stage.value, receipt
        ).rowcount
        if news:
            self._hear(entry, stage, code, refused, now)
        self._write(
            # What is sent again though it was done is asked after until its final word is there again.
            "UPDATE entries SET again = CASE WHEN ? AND state = 'done' THEN 2 ELSE 0 END"
            " WHERE parcel = ? AND again > 0", stage is Stage.ACCEPTED, key,
        )
        self._advance(entry)
        return self.entry(parcel)

    def _hear(
        self, entry: Entry, stage: Stage, code: str | None, refused: Sequence[RefusedRecord], now: Instant
    ) -> None:
        if entry.state is EntryState.VOIDED and not self._give_back(entry, now):
            return
        event = entry_hears(entry.state, entry.code, stage, code)
        if event is None:
            return
        state, key = self._after(entry, event), row_key(entry.parcel)
        if event is EntryEvent.UNOPENED or stage is not Stage.ACCEPTED and entry.state is not EntryState.DONE:
            self._finish(key, state, code, refused, now)
            return
        self._write(
            "UPDATE entries SET state = ?, accepted = coalesce(accepted, ?) WHERE parcel = ?", state.value, now, key
        )

    def _finish(
        self, key: bytes, state: EntryState, code: str | None, refused: Sequence[RefusedRecord], now: Instant
    ) -> None:
        self._write(
            "UPDATE entries SET state = ?1, accepted = coalesce(accepted, ?2), finished = ?2, code = ?3, refused = ?4"
            " WHERE parcel = ?5",
            state.value, now, code, len({one.leaf for one in refused}), key,
        )
        if refused:
            listed = orjson.dumps([[one.leaf, one.row, one.rule, one.field] for one in refused])
            self._write(
                "INSERT OR REPLACE INTO refusals (parcel, sealed) VALUES (?, ?)",
                key, self._sealing.seal("refusals", key, listed),
            )

    def _advance(self, entry: Entry) -> None:
        """Move the cursor of the entry's lane past all that the peer is known to have."""
        number = self._find_lane(entry.lane)
        epoch, cursor = self._one("SELECT epoch, cursor FROM lanes WHERE id = ?", number)
        at = cursor
        while entry.epoch == epoch and self._one(
            "SELECT 1 FROM entries WHERE lane = ? AND epoch = ? AND seq = ? AND accepted IS NOT NULL AND again != 1"
            " AND state != 'voided'", number, epoch, at,
        ):
            at += 1
        if at != cursor:
            self._write("UPDATE lanes SET cursor = ? WHERE id = ?", at, number)

    def _give_back(self, entry: Entry, now: Instant) -> bool:
        """Give a voided parcel that was accepted after all its place back: the peer never took what replaced it.

        The chain goes on from its digest, and the groups that were sealed again are those it carried.  Return False
        if the peer says that it accepted both, which no honest one can.
        """
        number = self._find_lane(entry.lane)
        other = self._at(number, entry.epoch, entry.seq)
        if other is not None:
            usurper = self.entry(uuid_text(other[0]))
            if usurper is None or usurper.accepted is not None:
                return False
            self._void(usurper, now)
            self._write("UPDATE groups SET parcel = ? WHERE parcel = ?", row_key(entry.parcel), other[0])
        self._write("UPDATE entries SET finished = NULL WHERE parcel = ?", row_key(entry.parcel))
        self._write(
            "UPDATE lanes SET digest = ? WHERE id = ? AND epoch = ? AND seq = ?",
            bytes.fromhex(entry.digest), number, entry.epoch, entry.seq,
        )
        return True

    # --- again --------------------------------------------------------------------------------------------------

    def rewind(self, claim: Claim, position: Position) -> None:
        """The peer's head is `position`: send again what follows it; Retry(PURGED) if not kept (O5).

        A head of another epoch means that the peer has nothing of the present one.
        """
        number = self._claimed(claim)
        epoch, seq = self._one("SELECT epoch, seq FROM lanes WHERE id = ?", number)
        start = position.seq if position.epoch == epoch else 0
        (kept,) = self._one(
            "SELECT count(*) FROM entries WHERE lane = ? AND epoch = ? AND seq > ? AND state != 'voided'",
            number, epoch, start,
        )
        if start > seq or kept != seq - start:
            raise trouble(codes.PURGED)
        self._write(
            "UPDATE entries SET again = 1 WHERE lane = ? AND epoch = ? AND seq > ? AND accepted IS NOT NULL",
            number, epoch, start,
        )
        self._write("UPDATE lanes SET cursor = ? WHERE id = ?", start + 1, number)

    def reopen(self, claim: Claim, epoch: int, there: Position, now: Instant) -> None:
        """Open a new lane epoch after `there`; entries not accepted are voided and their groups wait again (O5).

        Where `there` is a place of ours, the peer has what stands up to it, receipt or not, and has lost what follows,
        accepted or not: that is sent again.  A place we do not know is of a life we have forgotten when we were
        restored, and that opens the node's own epoch: what was accepted up to it the peer has, whatever else stood
        there is sent again.  It may have lost that, too, and told a life we have forgotten: what we hold for done is
        asked after again.  Otherwise it lies before all that we kept.  Raises ValueError for an epoch that does not
        grow.
        """
        self._gather()
        number = self._claimed(claim)
        was, seq, digest = self._one("SELECT epoch, seq, digest FROM lanes WHERE id = ?", number)
        if epoch <= was:
            raise ValueError("a lane's epoch only grows")
        known = (was, seq) if digest.hex() == there.digest else self._place_of(number, there.digest)
        if known is None and (there.digest == NOTHING or epoch > self.epoch()):
            known = (0, 0)
        for entry in self._lost(number, known or (there.epoch, there.seq), ours=known is not None):
            self._wait_again(number, entry)
            if entry.state is not EntryState.DONE:
                self._void(entry, now)
        if known is None:
            self._write(
                "UPDATE entries SET again = 1 WHERE lane = ? AND state = 'done' AND code IS NULL", number
            )
        base = bytes.fromhex(there.digest)
        self._write(
            "UPDATE lanes SET epoch = ?, seq = 0, digest = ?, base = ?, cursor = 1 WHERE id = ?",
            epoch, base, base, number,
        )

    def lost(self, parcel: str, now: Instant) -> None:
        """The peer does not have what it accepted in an epoch that is over: its groups wait again (O5)."""
        entry = self._known(parcel)
        number = self._find_lane(entry.lane)
        (epoch,) = self._one("SELECT epoch FROM lanes WHERE id = ?", number)
        if number is None or entry.epoch == epoch:
            return  # the next hello rewinds the lane
        self._gather()
        self._write("UPDATE entries SET again = 0 WHERE parcel = ?", row_key(parcel))
        self._wait_again(number, entry)
        if entry.state is not EntryState.DONE:
            self._void(entry, now)

    def doubt(self, peer: str) -> None:
        """The peer may have forgotten what it finished: all of it that is kept is asked after again (`owed`)."""
        self._write(
            "UPDATE entries SET again = 2 WHERE state = 'done' AND code IS NULL AND again = 0"
            " AND lane IN (SELECT id FROM lanes WHERE receiver = ?)", peer,
        )

    def _place_of(self, number: int, digest: str) -> tuple[int, int] | None:
        row: tuple[int, int] | None = self._one(
            "SELECT epoch, seq FROM entries WHERE lane = ? AND digest = ? AND state != 'voided'",
            number, bytes.fromhex(digest),
        )
        return row

    def _lost(self, number: int, there: tuple[int, int], ours: bool) -> list[Entry]:
        """Return what a peer does not have whose head is at `there`; `ours` says whether what stands there is."""
        found = self._all(
            "SELECT parcel, epoch, seq, accepted, state FROM entries WHERE lane = ? AND state != 'voided'"
            " ORDER BY epoch, seq", number,
        )
        lost = []
        for parcel, epoch, seq, accepted, state in found:
            beyond = (epoch, seq) > there
            # What was refused for good is not sent again.
            again = beyond and state != EntryState.PARKED.value
            if again if accepted is not None else beyond or not ours or state == EntryState.SEALED.value:
                lost.append(self._known(uuid_text(parcel)))
        return lost

    def _wait_again(self, number: int, entry: Entry) -> None:
        key = row_key(entry.parcel)
        count, octets = self._one(
            "SELECT coalesce(sum(count), 0), coalesce(sum(octets), 0) FROM groups WHERE parcel = ?", key
        )
        self._write("UPDATE groups SET parcel = NULL, leaf = NULL WHERE parcel = ?", key)
        self._write(
            "UPDATE lanes SET waiting = waiting + ?, waiting_octets = waiting_octets + ? WHERE id = ?",
            count, octets, number,
        )

    def replace(self, claim: Claim, parcel: str, sealed: Sealed, now: Instant) -> None:
        """Put a re-sealed parcel (supersedes) or a void at the same seq as the unaccepted `parcel` (O5).

        The groups go over to a re-sealed parcel; under a void they stay with the parcel that was given up.
        """
        number, entry = self._claimed(claim), self.entry(parcel)
        said = sealed.statement
        if entry is None or self._find_lane(entry.lane) != number or entry.accepted is not None:
            raise trouble(codes.FENCED)
        epoch, seq, prev = self._one(
            "SELECT l.epoch, l.seq, e.prev FROM lanes l JOIN entries e ON e.lane = l.id WHERE e.parcel = ?",
            row_key(parcel),
        )
        ours, there = (epoch, entry.seq, prev.hex()), self._at(number, epoch, entry.seq)
        if entry.epoch != epoch or (said.place.epoch, said.place.seq, said.place.prev) != ours:
            raise trouble(codes.FENCED)
        if there is not None and there[0] != row_key(parcel):
            raise trouble(codes.FENCED)  # it was replaced already
        self._void(entry, now)
        self._save(number, sealed, now)
        if said.kind != "void":
            self._write(
                "UPDATE groups SET parcel = ? WHERE parcel = ?", uuid_bytes(said.parcel), row_key(parcel)
            )
        if entry.seq == seq:
            self._write("UPDATE lanes SET digest = ? WHERE id = ?", bytes.fromhex(sealed.digest), number)

    def _void(self, entry: Entry, now: Instant) -> None:
        state = self._after(entry, EntryEvent.VOID)
        self._write(
            "UPDATE entries SET state = ?, finished = coalesce(finished, ?) WHERE parcel = ?",
            state.value, now, row_key(entry.parcel),
        )
        if entry.state is not EntryState.VOIDED:
            self.note(entry.lane, steps.VOIDED, entry.parcel, entry.digest, entry.count, now)

    # --- set aside and forgotten --------------------------------------------------------------------------------

    def park(self, parcel: str, code: str, now: Instant) -> Entry:
        """A person or rule sets an entry aside (O4); raise Refused (NOT_FOUND, STATE)."""
        entry = self._known(parcel)
        state = self._after(entry, EntryEvent.PARK)
        self._write("UPDATE entries SET state = ?, code = ? WHERE parcel = ?", state.value, code, row_key(parcel))
        return self._known(parcel)

    def resupply(self, parcel: str, now: Instant) -> None:
        """The records of a parked entry wait again, to go in a new parcel.

        One that the peer never accepted leaves a place behind that a void must take: `due` shows it, voided.
        Raises Refused (NOT_FOUND, STATE).
        """
        entry = self._parked(parcel)
        number = self._find_lane(entry.lane)
        assert number is not None, "an entry's lane is there"
        self._gather()
        self._wait_again(number, entry)
        if self._close(entry, EntryEvent.RESUPPLY, now):
            self.note(entry.lane, steps.VOIDED, parcel, entry.digest, entry.count, now)

    def discard(self, parcel: str, who: str, now: Instant) -> None:
        """A named person throws a parked entry away; the ledger says who.

        One that the peer never accepted leaves a place behind that a void must take: `due` shows it, voided.
        Raises Refused (NOT_FOUND, STATE).
        """
        entry = self._parked(parcel)
        self._close(entry, EntryEvent.DISCARD, now)
        self.note(entry.lane, steps.by(steps.DISCARDED, who), parcel, entry.digest, entry.count, now)

    def _close(self, entry: Entry, event: EntryEvent, now: Instant) -> bool:
        """End a parked entry; return whether the peer has it, so that no void must take its place."""
        if entry.accepted is None:
            self._void(entry, now)
            return False
        state = self._after(entry, event)
        self._write(
            "UPDATE entries SET state = ?, finished = ? WHERE parcel = ?", state.value, now, row_key(entry.parcel)
        )
        return True

    def _parked(self, parcel: str) -> Entry:
        entry = self._known(parcel)
        if entry.state is not EntryState.PARKED:
            raise trouble(codes.STATE, parcel=parcel, state=entry.state.value)
        return entry

    def _forget_entries(self, before: Instant, limit: int, silent: Sequence[str]) -> int:
        """Forget entries finished before an instant, oldest first, but those to silent peers; return how many (O6)."""
        marks = ", ".join("?" * len(silent))
        heard = f" AND e.lane NOT IN (SELECT id FROM lanes WHERE receiver IN ({marks}))" if silent else ""
        gone = self._all(
            # The place a lane has still to fill is not finished business, voided or not.
            "SELECT e.parcel FROM entries e WHERE e.state IN ('done', 'voided') AND e.finished < ? AND NOT EXISTS"
            " (SELECT 1 FROM lanes l WHERE l.id = e.lane AND l.epoch = e.epoch AND l.cursor <= e.seq)"
            f"{heard} ORDER BY e.finished, e.parcel LIMIT ?", before, *silent, limit,
        )
        if gone:
            self._write_all("DELETE FROM entries WHERE parcel = ?", gone)  # groups, octets and receipts go with it
        return len(gone)

    def _known(self, parcel: str) -> Entry:
        entry = self.entry(parcel)
        if entry is None:
            raise trouble(codes.NOT_FOUND)
        return entry

    def _after(self, entry: Entry, event: EntryEvent) -> EntryState:
        state = entry_after(entry.state, event)
        if state is None:
            raise trouble(codes.STATE, parcel=entry.parcel, state=entry.state.value)
        return state
