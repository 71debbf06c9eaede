"""Sending lanes: their heads, cursors, claims and holds, and the rest of a peer (O5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node.model import codes
from node.model.instant import Instant
from node.model.parcel import Lane, Position
from node.model.spool import Claim, Entry, EntryState, LaneState, Rest
from node.model.trouble import trouble
from node.store.entries import Entries
from node.store.waiting import Waiters

_STATE = "id, priority, epoch, seq, digest, base, cursor, waiting, waiting_octets, held, token"


class SendingLanes(Entries, Waiters):
    """Every lane this node sends in."""

    def due(self, lane: Lane) -> Entry | None:
        """Return the entry at the lane's cursor, or None when all that is sealed was taken by the peer."""
        number = self._find_lane(lane)
        return None if number is None else self._due(number)

    def lanes(self, receiver: str | None = None) -> Sequence[LaneState]:
        """Return all sending lanes, or those to one receiver."""
        self._gather()
        where = "" if receiver is None else "WHERE receiver = ?"
        rows = self._all(f"SELECT {_STATE} FROM lanes {where} ORDER BY id", *(() if receiver is None else (receiver,)))
        return [self._state(*row) for row in rows]

    def lane(self, lane: Lane) -> LaneState | None:
        """Return one sending lane."""
        self._gather()
        number = self._find_lane(lane)
        row = self._one(f"SELECT {_STATE} FROM lanes WHERE id = ?", number)
        return self._state(*row) if row else None

    def ready(self, receiver: str) -> Sequence[LaneState]:
        """Return the lanes to `receiver` that are not held and have something to send, urgent and oldest first."""
        self._gather()
        found: list[tuple[int, Instant, LaneState]] = []
        for row in self._all(
            f"SELECT {_STATE} FROM lanes WHERE receiver = ? AND held IS NULL AND (waiting > 0 OR cursor <= seq)",
            receiver,
        ):
            state = self._state(*row)
            entry = self._due(row[0]) if state.cursor <= state.head.seq else None
            if entry is None or entry.state is not EntryState.PARKED:
                found.append((state.priority, entry.created if entry else state.oldest or 0, state))
        return [state for *_, state in sorted(found, key=lambda one: one[:2])]

    def _state(self, number: int, priority: int, epoch: int, seq: int, digest: bytes, *rest: Any) -> LaneState:
        base, cursor, waiting, waiting_octets, held, token = rest
        oldest = self._one(
            "SELECT admitted FROM groups WHERE lane = ? AND parcel IS NULL ORDER BY id LIMIT 1", number
        ) if waiting else None
        return LaneState(
            self._lane(number), priority, Position(epoch, seq, digest.hex()), base.hex(), cursor, waiting,
            waiting_octets, oldest[0] if oldest else None, held, token,
        )

    def hold(self, lane: Lane, code: str | None) -> None:
        """Hold a lane for a cause, or let it go on with None."""
        self._write("UPDATE lanes SET held = ? WHERE id = ?", code, self._find_lane(lane))

    # --- claims -------------------------------------------------------------------------------------------------

    def claim(self, lane: Lane, now: Instant, lease: Instant) -> Claim | None:
        """Take a lane until `now + lease`; None while another claim stands.  The token grows."""
        row = self._write(
            # Never below the clock: a store restored from a backup gives out no token a second time.
            "UPDATE lanes SET token = max(token + 1, ?1), lease = ?1 + ?2 WHERE id = ?3"
            " AND (lease IS NULL OR lease <= ?1) RETURNING token",
            now, lease, self._find_lane(lane),
        ).fetchone()
        return Claim(lane, row[0]) if row else None

    def release(self, claim: Claim) -> None:
        """Give a claim back; a void one changes nothing."""
        self._write(
            "UPDATE lanes SET lease = NULL WHERE id = ? AND token = ?", self._find_lane(claim.lane), claim.token
        )

    def _claimed(self, claim: Claim) -> int:
        """Return the number of the claim's lane; raise Retry(FENCED) unless it is the newest and not released."""
        number = self._find_lane(claim.lane)
        row = self._one("SELECT token FROM lanes WHERE id = ? AND lease IS NOT NULL", number)
        if number is None or row is None or row[0] != claim.token:
            raise trouble(codes.FENCED)
        return number

    # --- the rest of a peer -------------------------------------------------------------------------------------

    def rest(self, peer: str) -> Rest:
        """Return the back-off of a peer."""
        row = self._one("SELECT until, attempts FROM rests WHERE peer = ?", peer)
        return Rest(*row) if row else Rest()

    def set_rest(self, peer: str, rest: Rest) -> None:
        """Save the back-off of a peer."""
        self._write(
            "INSERT OR REPLACE INTO rests (peer, until, attempts) VALUES (?, ?, ?)", peer, rest.until, rest.attempts
        )
