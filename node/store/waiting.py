"""Records that wait in the outbox: gathered over a unit, grouped at its end, drawn from the front (O1, O3)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from node.ledger import steps
from node.model.parcel import NOTHING, Lane
from node.model.record import SpecificationId
from node.model.spool import GROUP_RECORDS, Answer, Group, Submission, Waiting
from node.spool.grouping import Kind, Run, fit
from node.store.sealing import Sealing, seal_name
from node.store.transaction import Memory, Transaction, row_key

LANE_SHIFT = 40
"""A group's number is lane · 2⁴⁰ + a running number: 10¹² groups a lane."""

_HEADER = "id, lane, kind, epoch, n, count, octets, admitted"


class Waiters(Transaction):
    """What waits, by lane; `wait` gathers, and `_gather` makes groups of it before anybody looks or the unit ends."""

    def __init__(
        self, connection: sqlite3.Connection, sealing: Sealing, sm3: Callable[[bytes], bytes], memory: Memory
    ) -> None:
        super().__init__(connection, sealing, sm3, memory)
        self._runs: list[tuple[int, Run]] = []
        self._open_runs: dict[int, Run] = {}
        self._priorities: dict[int, int] = {}
        self._digests: dict[int, tuple[bytes, bytes]] = {}
        self._macs: dict[tuple[str, str, str], bytes] = {}
        self._keyed: dict[tuple[str, str], Callable[..., bytes]] = {}
        self._counters: dict[str, int] = {}
        self._told: dict[bytes, tuple[bytes, bytes]] = {}
        self._replies: dict[str, tuple[Submission, Answer, bytes, bytes]] = {}

    def epoch(self) -> int:
        """Return the node epoch."""
        epoch = self._memory.codes.get("epoch")
        if epoch is None:
            epoch = self._memory.codes["epoch"] = int(self._fact("epoch"))
        return epoch

    def superseded(self) -> bool:
        """Return whether this node found out that it is an old copy."""
        known = self._memory.codes.get("superseded")
        if known is None:
            row = self._one("SELECT 1 FROM facts WHERE name = 'superseded'")
            known = self._memory.codes["superseded"] = int(row is not None)
        return bool(known)

    def supersede(self) -> None:
        """Note that this node is an old copy."""
        self._write("INSERT OR REPLACE INTO facts (name, value) VALUES ('superseded', '1')")
        self._memory.codes["superseded"] = 1

    def boot(self) -> str:
        """Return the boot id of the last opening for writing."""
        return self._fact("boot")

    def _fact(self, name: str) -> str:
        (value,) = self._one("SELECT value FROM facts WHERE name = ?", name)
        return str(value)

    def _new_lane(self, lane: Lane) -> dict[str, object]:
        nothing = bytes.fromhex(NOTHING)
        return {
            "priority": 5, "epoch": self.epoch(), "seq": 0, "digest": nothing, "base": nothing, "cursor": 1,
            "waiting": 0, "waiting_octets": 0, "groups": 0, "token": 0,
        }

    def wait(self, lane: Lane, waiting: Waiting) -> None:
        """Let records wait in a lane; those of one transaction and one kind share groups (O1, O3)."""
        if not waiting.lines:
            return
        number = self._number(lane)
        self._priorities[number] = waiting.priority
        run = self._open_runs.get(number)
        if run is None or not run.take(waiting):
            run = self._open_runs[number] = Run.of(waiting)
            self._runs.append((number, run))
        self.writes += 1

    def flush(self) -> None:
        """Write all that waits."""
        self._gather()

    def _gather(self) -> None:
        runs, self._runs = self._runs, []
        self._open_runs.clear()
        for number, run in runs:
            self._put(number, run)

    def _put(self, number: int, run: Run) -> None:
        kind, lane = self._kind(run.kind), self._lane(number)
        pieces = list(run.pieces())
        octets = [sum(map(len, lines)) for _, lines in pieces]
        row = self._write(
            "UPDATE lanes SET priority = ?, waiting = waiting + ?, waiting_octets = waiting_octets + ?,"
            " groups = groups + ? WHERE id = ? RETURNING groups",
            self._priorities[number], len(run.lines), sum(octets), len(pieces), number,
        ).fetchall()
        id = (number << LANE_SHIFT) + row[0][0] - len(pieces)
        for (first, lines), size in zip(pieces, octets, strict=True):
            id += 1
            sealed = self._sealing.seal_parts("bodies", id, [run.origins, *lines], soon=True)
            epoch, n = first or (None, None)
            self._write(
                f"INSERT INTO groups ({_HEADER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                id, number, kind, epoch, n, len(lines), size, run.admitted,
            )
            self._write("INSERT INTO bodies (id, sealed) VALUES (?, ?)", id, sealed)
            digest = self._sm3(seal_name(sealed)).hex()
            self.note(lane, steps.SUPPLIED, steps.group_subject(id), digest, len(lines), run.admitted)

    # --- reading back -------------------------------------------------------------------------------------------

    def front(self, lane: Lane, parcel_records: int = GROUP_RECORDS) -> Sequence[int]:
        """Return the ids of the groups that `draw` would return."""
        self._gather()
        found = self._all(
            "SELECT id, kind, count, octets FROM groups WHERE lane = ? AND parcel IS NULL ORDER BY id LIMIT ?",
            self._find_lane(lane), parcel_records,
        )
        return [id for id, *_ in found[: fit([row[1:] for row in found], parcel_records)]]

    def draw(self, lane: Lane, parcel_records: int = GROUP_RECORDS) -> Sequence[Group]:
        """Return the waiting groups of one kind at the lane's front that fit into one parcel (O3)."""
        fits = len(self.front(lane, parcel_records))
        return self._read("g.lane = ? AND g.parcel IS NULL ORDER BY g.id LIMIT ?", self._find_lane(lane), fits)

    def groups(self, parcel: str) -> Sequence[Group]:
        """Return the groups that went into a parcel, in leaf order, while they are kept."""
        return self._read("g.parcel = ? ORDER BY g.leaf", row_key(parcel))

    def _read(self, where: str, *values: object) -> list[Group]:
        return [self._group(*row) for row in self._all(
            "SELECT g.id, g.lane, g.kind, g.admitted, b.sealed FROM groups g JOIN bodies b ON b.id = g.id"
            f" WHERE {where}", *values,
        )]

    def _group(self, id: int, lane: int, number: int, admitted: int, sealed: bytes) -> Group:
        origins, *lines = self._sealing.open_parts("bodies", id, sealed)
        kind = self._memory.kinds.get(number)
        if kind is None:
            spec, version, digest, purpose, grant, routed = self._one(
                "SELECT spec, version, digest, purpose, grant_name, routed FROM kinds WHERE id = ?", number
            )
            kind = Kind(SpecificationId(spec, version, digest), purpose, grant, bool(routed))
            self._memory.kinds[number] = kind
        return Group(id, self._lane(lane), kind.spec, kind.purpose, kind.grant, lines, origins, admitted)

    def _kind(self, kind: Kind) -> int:
        number = self._memory.codes.get(kind)
        if number is None:
            values = (kind.spec.id, kind.spec.version, kind.spec.digest, kind.purpose, kind.grant, int(kind.routed))
            row = self._one(
                "SELECT id FROM kinds WHERE spec = ? AND version = ? AND digest = ? AND purpose = ? AND grant_name = ?"
                " AND routed = ?", *values,
            )
            number = row[0] if row else self._write(
                "INSERT INTO kinds (spec, version, digest, purpose, grant_name, routed) VALUES (?, ?, ?, ?, ?, ?)",
                *values,
            ).lastrowid
            assert number is not None
            self._memory.codes[kind] = number
        return number
