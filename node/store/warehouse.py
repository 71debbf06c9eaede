"""The warehouse in SQLite: deliveries applied by version (W1 to W4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from node.ledger import steps
from node.model import codes
from node.model.ids import uuid_bytes
from node.model.instant import Instant
from node.model.parcel import Outcome, Verdict
from node.model.record import Version
from node.model.spool import Delivery
from node.model.trouble import trouble
from node.ports import Store, WarehouseUnit
from node.store.cases import Cases
from node.store.engine import SqliteStore
from node.store.history import ROW_SHIFT, read_leaves, scope, write_leaves
from node.store.schema_warehouse import VERSION, WAREHOUSE
from node.store.sealing import seal_name
from node.store.transaction import row_key
from node.store.upgrade import know_cases
from node.warehouse.rules import Held, Home, State

_OUTCOMES = (Outcome.APPLIED, Outcome.OLDER)
Numbers = dict[bytes, tuple[int, bytes | None, bytes | None]]
"""The number, the present holder and the present case of each key that has a row."""


class WarehouseTransaction(Cases):
    """One transaction of the warehouse (port `WarehouseUnit`)."""

    def _new_lane(self, lane: object) -> dict[str, object]:
        return {"token": 0}

    def applied(self, parcel: str) -> Sequence[Verdict] | None:
        """Return the verdicts given when this parcel was applied."""
        key = row_key(parcel)
        row = self._one("SELECT sealed FROM applied WHERE parcel = ?", key)
        if row is None:
            return None
        leaves, outcomes = self._sealing.open_parts("applied", key, row[0])
        return [
            Verdict(leaf, _OUTCOMES[outcome]) for leaf, outcome in zip(read_leaves(leaves), outcomes, strict=True)
        ]

    def apply(self, delivery: Delivery, now: Instant) -> Sequence[Verdict]:
        """Apply the records by version, append them to history, return a verdict for each (W1 to W4)."""
        before = self.applied(delivery.parcel)
        if before is not None:
            return before
        number = self._number(delivery.lane)
        self._fence(number, delivery.claim.token)
        leaves = write_leaves([record.leaf for record in delivery.records])
        outcomes: list[Outcome] = []
        if delivery.records:
            resource = self._enter("resources", delivery.lane.resource)
            block = self._append(delivery, number, resource, leaves, now)
            outcomes = self._settle(delivery, resource, block)
        parcel = uuid_bytes(delivery.parcel)
        told = self._sealing.seal_parts("applied", parcel, [leaves, bytes(map(_OUTCOMES.index, outcomes))])
        self._write("INSERT INTO applied (parcel, sealed) VALUES (?, ?)", parcel, told)
        return [Verdict(record.leaf, outcome) for record, outcome in zip(delivery.records, outcomes, strict=True)]

    def _fence(self, number: int, token: int) -> None:
        (newest,) = self._one("SELECT token FROM lanes WHERE id = ?", number)
        if token < newest:
            raise trouble(codes.FENCED)
        if token > newest:
            self._write("UPDATE lanes SET token = ? WHERE id = ?", token, number)

    def _append(self, delivery: Delivery, lane: int, resource: int, leaves: bytes, now: Instant) -> int:
        """Add the delivery to history; return its block."""
        (last,) = self._one("SELECT coalesce(max(id), 0) FROM blocks")
        block: int = last + 1
        sealed = self._sealing.seal_parts(
            "blocks", block, [delivery.evidence, leaves, *(record.line for record in delivery.records)]
        )
        spec = delivery.spec
        self._write(
            "INSERT INTO blocks (id, resource, parcel, lane, spec, version, digest, at, sealed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            block, resource, uuid_bytes(delivery.parcel), lane, spec.id, spec.version, spec.digest, now, sealed,
        )
        count, digest = len(delivery.records), self._sm3(seal_name(sealed)).hex()
        self._note(lane, steps.DELIVERED, delivery.parcel, digest, count, now)
        return block

    # --- current rows -------------------------------------------------------------------------------------------

    def _settle(self, delivery: Delivery, resource: int, block: int) -> list[Outcome]:
        """Let each record win or lose, and write what changed."""
        records, resource_code = delivery.records, delivery.lane.resource
        scopes = {origin: scope(origin, resource_code) for origin in {record.head.origin for record in records}}
        key_of = {origin: self._sealing.macs(b"key", one) for origin, one in scopes.items()}
        row_of = {origin: self._sealing.macs(b"row", one) for origin, one in scopes.items()}
        keys = [key_of[one.head.origin](*map(str.encode, one.key)) for one in records]
        rows = [row_of[one.head.origin](one.head.row.encode()) for one in records]
        state, numbers, strayed = self._load(keys, rows)
        outcomes = [
            state.apply(number, key, row, record.head.version, record.head.operation)
            for number, (key, row, record) in enumerate(zip(keys, rows, records, strict=True))
        ]
        cases = self._cases(state, delivery)
        self._save(state, numbers, cases, delivery, keys, resource, block)
        won = (records[number].key for number in state.wins.values() if number is not None)
        touched = self._watching(delivery.spec.id, won)
        touched.update(cases.values(), _left(state, numbers))
        self._touch(touched, block)
        self._save_homes(state, strayed)
        return outcomes

    def _load(self, keys: Sequence[bytes], rows: Sequence[bytes]) -> tuple[State, Numbers, set[bytes]]:
        """Return what is known of keys and rows, where the keys are, and which rows do not stand at home."""
        state = State()
        numbers: Numbers = {}
        strayed: set[bytes] = set()
        columns = "SELECT id, key, holder, epoch, n, line IS NULL, correlation FROM current WHERE"
        for wanted, column in ((rows, "holder"), (keys, "key")):
            missing = wanted if column == "holder" else [key for key in wanted if key not in numbers]
            for id, key, holder, epoch, n, gone, case in self._among(f"{columns} {column}", missing):
                version = Version(epoch, n)
                state.held[key], numbers[key] = Held(version, holder, bool(gone)), (id, holder, case)
                if holder is not None:
                    state.homes[holder] = Home(key, version)
        strays = [row for row in rows if row not in state.homes] if self._one("SELECT 1 FROM displaced LIMIT 1") else []
        for row, key, epoch, n in self._among("SELECT holder, key, epoch, n FROM displaced WHERE holder", strays):
            state.homes[row] = Home(key, Version(epoch, n))
            strayed.add(row)
        return state, numbers, strayed

    def _cases(self, state: State, delivery: Delivery) -> dict[bytes, bytes]:
        """Return the case of each changed key whose record has one: the keyed digest of its correlation."""
        records = delivery.records
        if not any(record.head.correlation is not None for record in records):
            return {}
        mac = self._sealing.macs(b"case")
        return {
            key: mac(said.encode()) for key, number in state.wins.items()
            if number is not None and (said := records[number].head.correlation) is not None
            and not state.held[key].gone
        }

    def _save(
        self, state: State, numbers: Numbers, cases: dict[bytes, bytes], delivery: Delivery, keys: Sequence[bytes],
        resource: int, block: int,
    ) -> None:
        old: list[tuple[object, ...]] = []
        handed: list[tuple[object, ...]] = []
        moved: list[tuple[object, ...]] = []
        case_of = cases.get
        new: list[tuple[bytes, tuple[object, ...]]] = []
        for key, number in state.wins.items():
            held = state.held[key]
            where = (None, None) if held.gone else (block, number)
            values = (*held.version, *where)
            if key not in numbers:
                new.append((key, (held.row, *values, case_of(key))))
                continue
            id, holder, case = numbers[key]
            old.append((*values, id))
            if holder != held.row:
                handed.append((held.row, id))
            if case is not case_of(key) and case != case_of(key):
                moved.append((case_of(key), id))
        if old:
            self._write_all("UPDATE current SET epoch = ?, n = ?, block = ?, line = ? WHERE id = ?", old)
        if handed:  # apart, for an indexed column that is set is indexed anew, changed or not
            self._write_all("UPDATE current SET holder = ? WHERE id = ?", handed)
        if moved:
            self._write_all("UPDATE current SET correlation = ? WHERE id = ?", moved)
        if new:
            (rows,) = self._one("SELECT rows FROM resources WHERE id = ?", resource)
            self._write("UPDATE resources SET rows = rows + ? WHERE id = ?", len(new), resource)
            origins = self._origins(delivery, keys)
            first = (resource << ROW_SHIFT) + rows + 1
            self._write_all(
                "INSERT INTO current (id, key, origin, holder, epoch, n, block, line, correlation)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(id, key, origins[key], *values) for id, (key, values) in enumerate(new, first)],
            )

    def _origins(self, delivery: Delivery, keys: Sequence[bytes]) -> dict[bytes, int]:
        """Return the number of the origin of each key of a delivery."""
        codes_of = {record.head.origin for record in delivery.records}
        numbers = {code: self._enter("origins", code) for code in codes_of}
        return {key: numbers[record.head.origin] for key, record in zip(keys, delivery.records, strict=True)}

    def _save_homes(self, state: State, strayed: set[bytes]) -> None:
        back = [(row,) for row in state.moved if row in strayed and state.stands_at_home(row)]
        gone = [
            (row, home.key, home.version.epoch, home.version.n)
            for row, home in ((row, state.homes[row]) for row in state.moved if not state.stands_at_home(row))
        ]
        if back:
            self._write_all("DELETE FROM displaced WHERE holder = ?", back)
        if gone:
            self._write_all("INSERT OR REPLACE INTO displaced (holder, key, epoch, n) VALUES (?, ?, ?, ?)", gone)

    def _enter(self, table: str, code: str) -> int:
        """Return the number of a resource or origin, which is entered if it is new."""
        kind = table.rstrip("s")
        number = self._memory.codes.get((kind, code))
        if number is None:
            row = self._one(f"SELECT id FROM {table} WHERE code = ?", code)
            own = "(code, rows) VALUES (?, 0)" if table == "resources" else "(code) VALUES (?)"
            number = row[0] if row else self._write(f"INSERT INTO {table} {own}", code).lastrowid
            assert number is not None
            self._memory.codes[kind, code] = number
        return number


def _left(state: State, numbers: Numbers) -> set[bytes]:
    """Return the cases to which the changed keys belonged before."""
    had = {key: case for key, (_, _, case) in numbers.items() if case is not None}
    return {case for key, case in had.items() if key in state.wins}


class SqliteWarehouse(SqliteStore[WarehouseTransaction]):
    """The warehouse of one node."""

    name = "warehouse"
    tables = WAREHOUSE
    version = VERSION

    def _upgrade(self, connection: sqlite3.Connection, found: int) -> None:
        know_cases(connection, self.sealing)

    def _begin(self) -> WarehouseTransaction:
        return WarehouseTransaction(self._connection, self.sealing, self._sm3, self.memory)


_: type[Store[WarehouseUnit]] = SqliteWarehouse
