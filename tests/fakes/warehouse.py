"""The warehouse in memory: the rules over one big dictionary."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from node.crypto.symmetric import sm3 as real_sm3
from node.ledger import steps
from node.model import codes
from node.model.finding import CaseRow
from node.model.instant import Instant
from node.model.parcel import Lane, Verdict
from node.model.record import SpecificationId
from node.model.spool import Block, Delivery, LedgerEntry, Row
from node.model.trouble import trouble
from node.ports import Store, WarehouseUnit
from node.warehouse.rules import Held, Home, State
from tests.fakes.cases import CasesInMemory, CaseTables
from tests.fakes.memory import Failing, Journal, MemoryStore, MemoryUnit, Table


@dataclass(frozen=True)
class CurrentRow:
    """What a key holds; `line` is None of a tombstone."""

    id: int
    resource: str
    origin: str
    held: Held
    line: bytes | None
    spec: SpecificationId
    key: tuple[str, ...]
    case: bytes | None


class WarehouseTables:
    """What a warehouse keeps."""

    def __init__(self, journal: Journal) -> None:
        self.tokens: Table[Lane, int] = Table(journal)
        self.blocks: Table[int, Block] = Table(journal)
        self.current: Table[bytes, CurrentRow] = Table(journal)
        self.homes: Table[bytes, Home] = Table(journal)
        self.applied: Table[str, tuple[Verdict, ...]] = Table(journal)
        self.cases = CaseTables(journal)


class WarehouseUnitInMemory(CasesInMemory, MemoryUnit):
    """One transaction of the warehouse."""

    def __init__(
        self, tables: WarehouseTables, chains: Table[Lane, tuple[LedgerEntry, ...]], sm3: Callable[[bytes], bytes]
    ) -> None:
        super().__init__(chains, sm3)
        self._tables, self._cases = tables, tables.cases

    def applied(self, parcel: str) -> Sequence[Verdict] | None:
        return self._tables.applied.get(parcel)

    def apply(self, delivery: Delivery, now: Instant) -> Sequence[Verdict]:
        before = self.applied(delivery.parcel)
        if before is not None:
            return before
        lane, records, token = delivery.lane, delivery.records, delivery.claim.token
        if token < (self._tables.tokens.get(lane) or 0):
            raise trouble(codes.FENCED)
        self._tables.tokens[lane] = token
        keys = [_name("key", record.head.origin, lane.resource, *record.key) for record in records]
        rows = [_name("row", record.head.origin, lane.resource, record.head.row) for record in records]
        state = self._state(keys, rows)
        verdicts = tuple(
            Verdict(record.leaf, state.apply(n, keys[n], rows[n], record.head.version, record.head.operation))
            for n, record in enumerate(records)
        )
        block = 1 + len(self._tables.blocks.values())
        for key, number in state.wins.items():
            before_it = self._tables.current.get(key)
            self._keep(key, number, delivery, state.held[key], keys)
            stands = self._tables.current[key]
            self.touch([one.case for one in (before_it, stands) if one is not None and one.case is not None], block)
            if number is not None:
                self.touch_watching(delivery.spec.id, records[number].key, block)
        for row in state.moved:
            self._tables.homes[row] = state.homes[row]
        if records:
            self._append(delivery, now)
        self._tables.applied[delivery.parcel] = verdicts
        self.writes += 1
        return verdicts

    def _state(self, keys: Sequence[bytes], rows: Sequence[bytes]) -> State:
        """Return copies of what is known: the rules change them in place."""
        homes = {row: home for row in rows if (home := self._tables.homes.get(row)) is not None}
        known = ((key, self._tables.current.get(key)) for key in (*keys, *(home.key for home in homes.values())))
        return State({key: row.held for key, row in known if row is not None}, homes)

    def _keep(self, key: bytes, number: int | None, delivery: Delivery, held: Held, keys: Sequence[bytes]) -> None:
        was = self._tables.current.get(key)
        line = None if number is None or held.gone else delivery.records[number].line
        if was is not None:
            id, resource, origin = was.id, was.resource, was.origin
        else:
            resource, origin = delivery.lane.resource, delivery.records[keys.index(key)].head.origin
            id = 1 + sum(1 for row in self._tables.current.values() if row.resource == resource)
        correlation = None if number is None or held.gone else delivery.records[number].head.correlation
        business = () if number is None else delivery.records[number].key
        case = None if correlation is None else correlation.encode()
        self._tables.current[key] = CurrentRow(id, resource, origin, held, line, delivery.spec, business, case)

    def _append(self, delivery: Delivery, now: Instant) -> None:
        lane, lines = delivery.lane, tuple(record.line for record in delivery.records)
        id = 1 + len(self._tables.blocks.values())
        self._tables.blocks[id] = Block(
            id, lane.resource, delivery.parcel, lane.sender, lane.stream, delivery.spec, now,
            tuple(record.leaf for record in delivery.records), lines, delivery.evidence,
        )
        digest = self._sm3(b"".join(lines)).hex()
        self.note(lane, steps.DELIVERED, delivery.parcel, digest, len(lines), now)

    def history(self, resource: str, after: int, limit: int) -> Sequence[Block]:
        blocks = self._tables.blocks.values()
        return [block for block in blocks if block.resource == resource and block.id > after][:limit]

    def last(self, resource: str) -> int:
        return max((block.id for block in self._tables.blocks.values() if block.resource == resource), default=0)

    def case_rows(self, digest: bytes, after: int, limit: int) -> Sequence[CaseRow]:
        found = [
            CaseRow(number, row.resource, row.spec, row.line)
            for number, row in enumerate(self._tables.current.values(), 1)
            if row.case == digest and number > after and row.line is not None
        ]
        return found[:limit]

    def wake_every(self, after: bytes, limit: int) -> bytes | None:
        cases = {row.case for row in self._tables.current.values() if row.case is not None and row.case > after}
        found = sorted(cases)[:limit]
        for case in found:
            block, _ = self._cases.due.get(case) or (0, 0)
            self._cases.due[case] = (block, 0)
            self.writes += 1
        return found[-1] if len(found) == limit else None

    def stands(self, resources: Collection[str], key: str) -> bool:
        return any(
            row.resource in resources and row.key == (key,) and row.line is not None
            for row in self._tables.current.values()
        )

    def row(self, origin: str, resource: str, key: tuple[str, ...]) -> Row | None:
        row = self._tables.current.get(_name("key", origin, resource, *key))
        return Row(row.origin, row.held.version, row.line) if row else None

    def rows(self, resource: str, after: int, limit: int) -> Sequence[tuple[int, Row]]:
        found = [row for row in self._tables.current.values() if row.resource == resource and row.id > after]
        found.sort(key=lambda row: row.id)
        return [(row.id, Row(row.origin, row.held.version, row.line)) for row in found[:limit]]


def _name(*parts: str) -> bytes:
    return "\0".join(parts).encode()


class MemoryWarehouse(Failing[WarehouseUnitInMemory], MemoryStore[WarehouseUnitInMemory]):
    """The warehouse of a node that has no disk."""

    def __init__(self, sm3: Callable[[bytes], bytes] = real_sm3) -> None:
        super().__init__(sm3)
        self.tables = WarehouseTables(self._journal)

    def _begin(self) -> WarehouseUnitInMemory:
        return WarehouseUnitInMemory(self.tables, self.chains, self._sm3)


_: type[Store[WarehouseUnit]] = MemoryWarehouse
