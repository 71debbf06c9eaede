"""Receiving lanes: heads, holds, what is stored in them, and the receipts we give (I1, I2)."""

from __future__ import annotations

from collections.abc import Sequence

from node.ledger import steps
from node.model import codes
from node.model.ids import uuid_bytes, uuid_text
from node.model.instant import Instant
from node.model.parcel import Lane, Manifest, Position, Stage
from node.model.spool import Given, Met, Received
from node.model.trouble import trouble
from node.spool.boots import hear
from node.store.transaction import Transaction, row_key


class ReceivingLanes(Transaction):
    """Every lane this node receives in, and every peer it heard of."""

    def _new_lane(self, lane: Lane) -> dict[str, object]:
        return {"unopened": 0, "unopened_octets": 0, "token": 0}

    # --- heads --------------------------------------------------------------------------------------------------

    def head(self, lane: Lane) -> Position | None:
        """Return the last place taken in a receiving lane."""
        row = self._one(
            "SELECT epoch, seq, digest FROM lanes WHERE id = ? AND seq IS NOT NULL", self._find_lane(lane)
        )
        return Position(row[0], row[1], row[2].hex()) if row else None

    def heads(self, sender: str) -> Sequence[tuple[Lane, Position]]:
        """Return the heads of all lanes from a sender."""
        found = self._all(
            "SELECT id, epoch, seq, digest FROM lanes WHERE sender = ? AND seq IS NOT NULL ORDER BY id", sender
        )
        return [(self._lane(number), Position(epoch, seq, digest.hex())) for number, epoch, seq, digest in found]

    def held(self, lane: Lane) -> str | None:
        """Return why a receiving lane is held."""
        row = self._one("SELECT held FROM lanes WHERE id = ?", self._find_lane(lane))
        return row[0] if row else None

    def hold_lane(self, lane: Lane, code: str | None) -> None:
        """Hold a receiving lane for a cause, or let it go on with None; what waits in a held lane is not taken."""
        self._write("UPDATE lanes SET held = ? WHERE id = ?", code, self._number(lane))

    def unopened(self, sender: str) -> tuple[int, int]:
        """Return how many parcels and octets of a sender wait here."""
        row = self._one(
            "SELECT coalesce(sum(unopened), 0), coalesce(sum(unopened_octets), 0) FROM lanes WHERE sender = ?", sender
        )
        return row[0], row[1]

    # --- stored -------------------------------------------------------------------------------------------------

    def store(self, parcel: Received, was: Position | None) -> None:
        """Store a parcel, its receipt and archive, and move the head from `was`; Retry(FENCED) if it moved (I1).

        Raises Hold(FORK) if another parcel has this id.
        """
        said, lane = parcel.statement, parcel.statement.lane
        if self.head(lane) != was:
            raise trouble(codes.FENCED)
        number, key = self._number(lane), uuid_bytes(said.parcel)
        if self._one("SELECT 1 FROM arrivals WHERE parcel = ?", key):
            raise trouble(codes.FORK)
        size = len(parcel.manifest) + len(parcel.payload)
        self._write(
            "INSERT INTO arrivals (parcel, lane, epoch, seq, digest, envelope, kind, count, octets, supersedes,"
            " priority, state, received, refused, validation, kept)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'stored', ?, 0, ?, 1)",
            key, number, said.place.epoch, said.place.seq, bytes.fromhex(parcel.digest),
            bytes.fromhex(said.envelope.digest), said.kind, said.count, size,
            bytes.fromhex(said.supersedes) if said.supersedes else None, said.priority, parcel.received_at,
            bytes.fromhex(parcel.validation),
        )
        self._write(
            "INSERT INTO octets (parcel, manifest, payload) VALUES (?, ?, ?)", key, parcel.manifest, parcel.payload
        )
        self._write(
            "INSERT OR IGNORE INTO archives (validation, octets) VALUES (?, ?)",
            bytes.fromhex(parcel.validation), parcel.archive,
        )
        self._give(number, Given(said.parcel, Stage.ACCEPTED, parcel.receipt))
        self._write(
            "UPDATE lanes SET epoch = ?, seq = ?, digest = ?, unopened = unopened + 1,"
            " unopened_octets = unopened_octets + ? WHERE id = ?",
            said.place.epoch, said.place.seq, bytes.fromhex(parcel.digest), size, number,
        )

    def fork(self, statement: Manifest, digest: str, manifest: bytes, at: Instant) -> None:
        """Keep the signed evidence of a second parcel at a taken place, and hold the lane."""
        number = self._number(statement.lane)
        kept = self._write(
            "INSERT OR IGNORE INTO forks (digest, lane, parcel, manifest, at) VALUES (?, ?, ?, ?, ?)",
            bytes.fromhex(digest), number, uuid_bytes(statement.parcel), manifest, at,
        )
        if kept.rowcount:
            self.note(statement.lane, steps.FORKED, statement.parcel, digest, statement.count, at)
        self._write("UPDATE lanes SET held = ? WHERE id = ?", codes.FORK.name, number)

    def forks(self) -> Sequence[tuple[str, str, Instant]]:
        """Return (parcel, digest, when) of all kept forks."""
        found = self._all("SELECT parcel, digest, at FROM forks ORDER BY rowid")
        return [(uuid_text(parcel), digest.hex(), at) for parcel, digest, at in found]

    def archived(self, validation: str) -> bytes | None:
        """Return the chain and CRLs archived under their SM3."""
        row = self._one("SELECT octets FROM archives WHERE validation = ?", bytes.fromhex(validation))
        return row[0] if row else None

    # --- receipts -----------------------------------------------------------------------------------------------

    def _give(self, number: int, given: Given) -> None:
        # OR IGNORE: a receipt's bytes, once stored, never change (I2).
        self._write(
            "INSERT OR IGNORE INTO receipts (parcel, stage, lane, statement, verdicts, given)"
            " VALUES (?, ?, ?, ?, ?, 0)",
            uuid_bytes(given.parcel), given.stage.value, number, given.statement, given.verdicts,
        )

    def given(self, parcel: str) -> Sequence[Given]:
        """Return our receipts for a parcel, *accepted* first."""
        found = self._all(
            "SELECT stage, statement, verdicts FROM receipts WHERE parcel = ? ORDER BY rowid", row_key(parcel)
        )
        return [Given(parcel, Stage(stage), statement, verdicts) for stage, statement, verdicts in found]

    def ungiven(self, peer: str, limit: int) -> Sequence[Given]:
        """Return receipts for a peer's parcels that it has not been handed yet, oldest first."""
        found = self._all(
            "SELECT r.parcel, r.stage, r.statement, r.verdicts FROM lanes l JOIN receipts r ON r.lane = l.id"
            " WHERE l.sender = ? AND r.given = 0 ORDER BY r.rowid LIMIT ?", peer, limit,
        )
        return [
            Given(uuid_text(parcel), Stage(stage), statement, verdicts) for parcel, stage, statement, verdicts in found
        ]

    def gave(self, receipts: Sequence[tuple[str, Stage]]) -> None:
        """Note that receipts were handed over (they may still be asked for)."""
        self._write_all(
            "UPDATE receipts SET given = 1 WHERE parcel = ? AND stage = ?",
            [(row_key(parcel), stage.value) for parcel, stage in receipts],
        )

    # --- peers --------------------------------------------------------------------------------------------------

    def met(self, node: str) -> Met | None:
        """Return what we last heard of a peer."""
        row = self._one("SELECT epoch, boot, at, cloned, since FROM peers WHERE node = ?", node)
        return Met(node, row[0], row[1], row[2], bool(row[3]), row[4]) if row else None

    def meet(self, node: str, epoch: int, boot: str, at: Instant) -> Met:
        """Note a verified hello; the rules are those of `node.spool.boots` (WIRE §5)."""
        known = self.met(node)
        if known is not None and epoch > known.epoch:
            self._write("DELETE FROM boots WHERE node = ?", node)
        before = self._one("SELECT 1 FROM boots WHERE node = ? AND boot = ?", node, boot)
        met = hear(known, node, epoch, boot, at, bool(before))
        if epoch == met.epoch and not before:
            self._write("INSERT INTO boots (node, boot) VALUES (?, ?)", node, boot)
        self._write(
            "INSERT OR REPLACE INTO peers (node, epoch, boot, at, cloned, since) VALUES (?, ?, ?, ?, ?, ?)",
            node, met.epoch, met.boot, met.at, int(met.cloned), met.since,
        )
        return met
