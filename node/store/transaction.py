"""One transaction of a store, as all its parts share it: statements, numbers of lanes, the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from node.ledger import chain
from node.model.ids import uuid_bytes
from node.model.instant import Instant
from node.model.parcel import Lane
from node.model.record import Stream
from node.model.spool import LedgerEntry
from node.spool.grouping import Kind
from node.store.sealing import Sealing

Row = tuple[Any, ...]

_LANE = "domain = ? AND sender = ? AND receiver = ? AND resource = ? AND stream = ?"
_LEDGER = "l.lane, l.size, l.head, l.step, l.subject, l.digest, l.count, l.at FROM ledger l"


class Memory:
    """What a store remembers between units, all of it also on disk: it saves looking up, and is lost at a rollback."""

    def __init__(self) -> None:
        self.numbers: dict[Lane, int] = {}
        self.lanes: dict[int, Lane] = {}
        self.chains: dict[int, tuple[int, bytes, bytes]] = {}  # size, head, the lane's octets
        self.codes: dict[object, int] = {}  # numbers of kinds, origins, resources; the node epoch
        self.kinds: dict[int, Kind] = {}

    def forget(self) -> None:
        """Forget all: after a rollback some of it may never have been."""
        for known in (self.numbers, self.lanes, self.chains, self.codes, self.kinds):
            known.clear()


def row_key(id: str) -> bytes:
    """Return the octets of an id, or octets that name no row."""
    try:
        return uuid_bytes(id)
    except ValueError:
        return b""


class Transaction:
    """What every unit can do; a store's own parts inherit from it."""

    def __init__(
        self, connection: sqlite3.Connection, sealing: Sealing, sm3: Callable[[bytes], bytes], memory: Memory
    ) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._sealing, self._sm3, self._memory = sealing, sm3, memory
        self.writes = 0

    def flush(self) -> None:
        """Write what was gathered; called once before COMMIT."""

    # --- statements ---------------------------------------------------------------------------------------------

    def _write(self, sql: str, *values: object) -> sqlite3.Cursor:
        self.writes += 1
        return self._execute(sql, values)

    def _write_all(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        self.writes += 1
        self._executemany(sql, rows)

    def _one(self, sql: str, *values: object) -> Any:
        return self._execute(sql, values).fetchone()

    def _all(self, sql: str, *values: object) -> list[Any]:
        return self._execute(sql, values).fetchall()

    # --- lanes --------------------------------------------------------------------------------------------------

    def _find_lane(self, lane: Lane) -> int | None:
        """Return the number of a lane, None if it has none here."""
        number = self._memory.numbers.get(lane)
        if number is None:
            names = (lane.domain, lane.sender, lane.receiver, lane.resource, lane.stream.value)
            row = self._one(f"SELECT id FROM lanes WHERE {_LANE}", *names)
            if row is None:
                return None
            number = self._memory.numbers[lane] = int(row[0])
        return number

    def _number(self, lane: Lane) -> int:
        """Return the number of a lane, which is entered if it is new."""
        number = self._find_lane(lane)
        if number is None:
            names = (lane.domain, lane.sender, lane.receiver, lane.resource, lane.stream.value)
            own = self._new_lane(lane)
            columns = ", ".join(("domain, sender, receiver, resource, stream", *own))
            marks = ", ".join("?" * (5 + len(own)))
            cursor = self._write(f"INSERT INTO lanes ({columns}) VALUES ({marks})", *names, *own.values())
            assert cursor.lastrowid is not None
            number = self._memory.numbers[lane] = cursor.lastrowid
        return number

    def _new_lane(self, lane: Lane) -> dict[str, object]:
        """Return a store's own columns of a new lane."""
        return {}

    def _lane(self, number: int) -> Lane:
        """Return the lane of a number."""
        lane = self._memory.lanes.get(number)
        if lane is None:
            domain, sender, receiver, resource, stream = self._one(
                "SELECT domain, sender, receiver, resource, stream FROM lanes WHERE id = ?", number
            )
            lane = self._memory.lanes[number] = Lane(domain, sender, receiver, resource, Stream(stream))
        return lane

    # --- ledger -------------------------------------------------------------------------------------------------

    def note(self, lane: Lane, step: str, subject: str, digest: str, count: int, at: Instant) -> None:
        """Append one entry to the lane's chain."""
        self._note(self._number(lane), step, subject, digest, count, at)

    def _note(self, number: int, step: str, subject: str, digest: str, count: int, at: Instant) -> None:
        size, head, lane = self._end(number)
        size += 1
        head = chain.grow(self._sm3, head, chain.entry_octets(lane, size, step, subject, digest, count, at))
        self._write(
            "INSERT INTO ledger (lane, size, head, step, subject, digest, count, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            number, size, head, step, subject, bytes.fromhex(digest), count, at,
        )
        self._memory.chains[number] = (size, head, lane)

    def _end(self, number: int) -> tuple[int, bytes, bytes]:
        end = self._memory.chains.get(number)
        if end is None:
            row = self._one("SELECT size, head FROM ledger WHERE lane = ? ORDER BY size DESC LIMIT 1", number)
            end = (*(row or (0, chain.START)), chain.lane_octets(self._lane(number)))
        return end

    def ledger(self, lane: Lane, after: int = 0, limit: int = 1000) -> Sequence[LedgerEntry]:
        """Return the chain of a lane in order, after its first `after` entries."""
        number = self._find_lane(lane)
        return self._listed(
            f"SELECT {_LEDGER} WHERE l.lane = ? AND l.size > ? ORDER BY l.size LIMIT ?", number, after, limit
        )

    def traced(self, subject: str) -> Sequence[LedgerEntry]:
        """Return every entry about a subject."""
        return self._listed(f"SELECT {_LEDGER} WHERE l.subject = ? ORDER BY l.at, l.lane, l.size", subject)

    def _listed(self, sql: str, *values: object) -> list[LedgerEntry]:
        return [
            LedgerEntry(self._lane(number), size, head.hex(), step, subject, digest.hex(), count, at)
            for number, size, head, step, subject, digest, count, at in self._all(sql, *values)
        ]
