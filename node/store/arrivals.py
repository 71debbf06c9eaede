"""Parcels of the inbox: stored, taken, judged, finished, purged (I1 to I5)."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from node.ledger import steps
from node.model import codes
from node.model.ids import uuid_text
from node.model.instant import Instant
from node.model.parcel import Lane, Outcome, Verdict
from node.model.spool import Arrival, ArrivalState, Claim, Given
from node.model.trouble import trouble
from node.spool.states import OPEN, ArrivalEvent, arrival_after
from node.store.receiving import ReceivingLanes
from node.store.transaction import row_key

_NAMES = (
    "parcel lane epoch seq digest envelope kind count octets state received finished refused code validation"
    " supersedes"
)
_ARRIVAL = ", ".join(f"a.{name}" for name in _NAMES.split())
_SELECT = f"SELECT {_ARRIVAL} FROM arrivals a"
_OPEN = "state IN ('stored', 'judged', 'held')"
ENDS = {ArrivalState.DONE: ArrivalEvent.FINISH, ArrivalState.PARKED: ArrivalEvent.PARK}
"""How an arrival may be finished."""


class Arrivals(ReceivingLanes):
    """What was accepted, from its place on our disk to its final receipt."""

    def arrival(self, parcel: str) -> Arrival | None:
        """Return one parcel."""
        row = self._one(f"{_SELECT} WHERE a.parcel = ?", row_key(parcel))
        return self._arrival(*row) if row else None

    def arrivals(self, state: ArrivalState | None, after: str, limit: int) -> Sequence[Arrival]:
        """Return parcels by id, for people."""
        where, values = ("", ()) if state is None else ("a.state = ? AND", (state.value,))
        rare = "a.state != 'done' AND" if state not in (None, ArrivalState.DONE) else ""
        found = self._all(
            f"{_SELECT} WHERE {rare} {where} a.parcel > ? ORDER BY a.parcel LIMIT ?", *values, row_key(after), limit
        )
        return [self._arrival(*row) for row in found]

    def by_digest(self, digest: str) -> Arrival | None:
        """Return the parcel whose statement has this digest."""
        row = self._one(f"{_SELECT} WHERE a.digest = ?", bytes.fromhex(digest))
        return self._arrival(*row) if row else None

    def _arrival(
        self, parcel: bytes, lane: int, epoch: int, seq: int, digest: bytes, envelope: bytes, kind: str, count: int,
        octets: int, state: str, received: int, finished: int | None, refused: int, code: str | None,
        validation: bytes, supersedes: bytes | None,
    ) -> Arrival:
        return Arrival(
            uuid_text(parcel), self._lane(lane), epoch, seq, digest.hex(), envelope.hex(), kind, count, octets,
            ArrivalState(state), received, finished, refused, code, validation.hex(),
            supersedes.hex() if supersedes else None,
        )

    # --- taken --------------------------------------------------------------------------------------------------

    def take(self, now: Instant, lease: Instant) -> tuple[Claim, Arrival] | None:
        """Claim the next parcel to be opened, urgent and oldest lane first (I4)."""
        front = self._one(
            "SELECT a.parcel, a.lane FROM lanes l JOIN arrivals a ON a.parcel = ("
            f"SELECT parcel FROM arrivals WHERE lane = l.id AND {_OPEN} ORDER BY epoch, seq LIMIT 1)"
            " WHERE l.unopened > 0 AND l.held IS NULL AND (l.lease IS NULL OR l.lease <= ?) AND a.state != 'held'"
            " ORDER BY a.priority, a.received, a.parcel LIMIT 1", now,
        )
        if front is None:
            return None
        parcel, number = front
        (token,) = self._write(
            # Never below the clock: a store restored from a backup gives out no token a second time.
            "UPDATE lanes SET token = max(token + 1, ?1), lease = ?1 + ?2 WHERE id = ?3 RETURNING token",
            now, lease, number,
        ).fetchone()
        arrival = self._known(uuid_text(parcel))
        return Claim(arrival.lane, token, arrival.parcel), arrival

    def behind(self, arrival: Arrival) -> Arrival | None:
        """Return the parcel that is to be opened next after this one in its lane; nothing is claimed."""
        row = self._one(
            f"{_SELECT} WHERE a.lane = ? AND a.{_OPEN} AND (a.epoch, a.seq) > (?, ?) ORDER BY a.epoch, a.seq LIMIT 1",
            self._find_lane(arrival.lane), arrival.epoch, arrival.seq,
        )
        return self._arrival(*row) if row else None

    def release(self, claim: Claim) -> None:
        """Give a claim back; a void one changes nothing."""
        self._write(
            "UPDATE lanes SET lease = NULL WHERE id = ? AND token = ?", self._find_lane(claim.lane), claim.token
        )

    def _claimed(self, claim: Claim) -> Arrival:
        """Return what the claim is for; raise Retry(FENCED) unless it is its lane's newest and was not given back."""
        row = self._one("SELECT token FROM lanes WHERE id = ? AND lease IS NOT NULL", self._find_lane(claim.lane))
        arrival = self.arrival(claim.parcel or "")
        if row is None or row[0] != claim.token or arrival is None or arrival.lane != claim.lane:
            raise trouble(codes.FENCED)
        return arrival

    def octets(self, parcel: str) -> tuple[bytes, bytes] | None:
        """Return manifest and payload as they were received."""
        found: tuple[bytes, bytes] | None = self._one(
            "SELECT manifest, payload FROM octets WHERE parcel = ?", row_key(parcel)
        )
        return found

    # --- judged and finished ------------------------------------------------------------------------------------

    def judge(self, claim: Claim, verdicts: Sequence[Verdict]) -> None:
        """Save the gate's verdicts: the refused records only (I3, I5); those saved before stand."""
        arrival = self._claimed(claim)
        key = row_key(arrival.parcel)
        listed = orjson.dumps([[one.index, one.outcome.value, one.rule, one.field] for one in verdicts])
        self._write(
            "INSERT OR IGNORE INTO verdicts (parcel, sealed) VALUES (?, ?)",
            key, self._sealing.seal("verdicts", key, listed),
        )
        self._move(arrival, ArrivalEvent.JUDGE)

    def judged(self, parcel: str) -> Sequence[Verdict] | None:
        """Return the gate's verdicts, None if not judged yet."""
        key = row_key(parcel)
        row = self._one("SELECT sealed FROM verdicts WHERE parcel = ?", key)
        if row is None:
            return None
        listed = orjson.loads(self._sealing.open("verdicts", key, row[0]))
        return [Verdict(index, Outcome(outcome), rule, field) for index, outcome, rule, field in listed]

    def finish(
        self, claim: Claim, state: ArrivalState, receipt: Given, refused: int, code: str | None, now: Instant
    ) -> None:
        """Close a parcel with its final receipt (I2, I5); raise ValueError for a state that is no end."""
        if state not in ENDS:
            raise ValueError("a parcel ends done or parked")
        arrival = self._claimed(claim)
        self._move(arrival, ENDS[state], finished=now, refused=refused, code=code)
        self._give(self._number(arrival.lane), receipt)
        self.release(claim)

    def hold(self, claim: Claim, code: str, now: Instant) -> None:
        """The parcel waits for a change here; its lane with it (I4)."""
        arrival = self._claimed(claim)
        self._move(arrival, ArrivalEvent.HOLD, code=code)
        self.release(claim)

    def unhold(self, parcel: str) -> None:
        """A held parcel may be tried again; raise Refused (NOT_FOUND, STATE)."""
        arrival = self._known(parcel)
        self._move(arrival, ArrivalEvent.UNHOLD, code=None)
        if self.judged(parcel) is not None:
            self._move(self._known(parcel), ArrivalEvent.JUDGE)

    def _move(self, arrival: Arrival, event: ArrivalEvent, **columns: object) -> None:
        """Move an arrival by an event, and set further columns of it with its state."""
        state = arrival_after(arrival.state, event)
        if state is None:
            raise trouble(codes.STATE, parcel=arrival.parcel, state=arrival.state.value)
        named = "".join(f", {name} = ?" for name in columns)
        self._write(
            f"UPDATE arrivals SET state = ?{named} WHERE parcel = ?",
            state.value, *columns.values(), row_key(arrival.parcel),
        )
        if arrival.state in OPEN and state not in OPEN:
            self._write(
                "UPDATE lanes SET unopened = unopened - 1, unopened_octets = unopened_octets - ? WHERE id = ?",
                arrival.octets, self._find_lane(arrival.lane),
            )

    # --- forgotten ----------------------------------------------------------------------------------------------

    def reissue(self, given: Given, now: Instant) -> None:
        """Put a receipt signed anew in the place of the one whose key was revoked; the ledger says so."""
        self._write(
            "UPDATE receipts SET statement = ?, given = 0 WHERE parcel = ? AND stage = ?",
            given.statement, row_key(given.parcel), given.stage.value,
        )
        arrival = self.arrival(given.parcel)
        if arrival is not None:
            self.note(arrival.lane, steps.REISSUED, given.parcel, arrival.digest, arrival.count, now)

    def purge(self, done_before: Instant, receipts_before: Instant, limit: int) -> int:
        """Forget the bytes of finished parcels, and later their receipts; return how many parcels were touched."""
        done = (
            "SELECT parcel FROM arrivals WHERE state = 'done' AND kept = ? AND finished < ?"
            " ORDER BY finished, parcel LIMIT ?"
        )
        bare = self._all(done, 1, done_before, limit)
        if bare:
            self._write_all("UPDATE arrivals SET kept = 0 WHERE parcel = ?", bare)
            self._write_all("DELETE FROM octets WHERE parcel = ?", bare)
            self._write_all("DELETE FROM verdicts WHERE parcel = ?", bare)
        gone = self._all(done, 0, receipts_before, limit - len(bare))
        if gone:
            self._write_all("DELETE FROM arrivals WHERE parcel = ?", gone)  # its receipts go with it
        return len({*bare, *gone})

    def discard(self, parcel: str, who: str, now: Instant) -> None:
        """A named person throws a parked parcel away; the ledger says who; raise Refused (NOT_FOUND, STATE)."""
        arrival = self._known(parcel)
        if arrival.state is not ArrivalState.PARKED:
            raise trouble(codes.STATE, parcel=parcel, state=arrival.state.value)
        self._move(arrival, ArrivalEvent.DISCARD, finished=now)
        self.note(arrival.lane, steps.by(steps.DISCARDED, who), parcel, arrival.digest, arrival.count, now)

    def at(self, lane: Lane, epoch: int, seq: int) -> str | None:
        """Return the statement digest that stands at a place, None if none or purged."""
        row = self._one(
            "SELECT digest FROM arrivals WHERE lane = ? AND epoch = ? AND seq = ?", self._find_lane(lane), epoch, seq
        )
        return row[0].hex() if row else None

    def _known(self, parcel: str) -> Arrival:
        arrival = self.arrival(parcel)
        if arrival is None:
            raise trouble(codes.NOT_FOUND)
        return arrival
