"""The inbox in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from node.crypto.symmetric import sm3 as real_sm3
from node.ledger import steps
from node.model import codes
from node.model.instant import Instant
from node.model.parcel import Lane, Manifest, Position, Stage, Verdict
from node.model.spool import Arrival, ArrivalState, Claim, Given, LedgerEntry, Met, Received
from node.model.trouble import trouble
from node.ports import InboxUnit, Store
from node.spool.boots import hear
from node.spool.states import OPEN, ArrivalEvent, arrival_after
from tests.fakes.memory import Failing, Journal, MemoryStore, MemoryUnit, Table

_ENDS = {ArrivalState.DONE: ArrivalEvent.FINISH, ArrivalState.PARKED: ArrivalEvent.PARK}


@dataclass(frozen=True)
class LaneRow:
    """A receiving lane."""

    head: Position | None = None
    held: str | None = None
    token: int = 0
    lease: Instant | None = None


@dataclass(frozen=True)
class ArrivalRow:
    """A parcel with its octets, None once they were purged."""

    arrival: Arrival
    priority: int
    octets: tuple[bytes, bytes] | None
    verdicts: tuple[Verdict, ...] | None = None


class InboxTables:
    """What an inbox keeps."""

    def __init__(self, journal: Journal) -> None:
        self.lanes: Table[Lane, LaneRow] = Table(journal)
        self.arrivals: Table[str, ArrivalRow] = Table(journal)
        self.receipts: Table[tuple[str, Stage], tuple[Given, str, bool]] = Table(journal)
        self.archives: Table[str, bytes] = Table(journal)
        self.forks: Table[str, tuple[str, bytes, Instant]] = Table(journal)
        self.peers: Table[str, tuple[Met, frozenset[str]]] = Table(journal)


class ReceivingUnit(MemoryUnit):
    """Heads, receipts, peers."""

    def __init__(
        self, tables: InboxTables, chains: Table[Lane, tuple[LedgerEntry, ...]], sm3: Callable[[bytes], bytes]
    ) -> None:
        super().__init__(chains, sm3)
        self._tables = tables

    def head(self, lane: Lane) -> Position | None:
        return self._lane(lane).head

    def heads(self, sender: str) -> Sequence[tuple[Lane, Position]]:
        return [(lane, row.head) for lane, row in self._tables.lanes.items() if lane.sender == sender and row.head]

    def held(self, lane: Lane) -> str | None:
        return self._lane(lane).held

    def hold_lane(self, lane: Lane, code: str | None) -> None:
        self._set_lane(lane, held=code)

    def _lane(self, lane: Lane) -> LaneRow:
        return self._tables.lanes.get(lane) or LaneRow()

    def _set_lane(self, lane: Lane, **changes: object) -> None:
        self._tables.lanes[lane] = replace(self._lane(lane), **changes)  # type: ignore[arg-type]  # names of LaneRow
        self.writes += 1

    def unopened(self, sender: str) -> tuple[int, int]:
        waiting = [
            row.arrival.octets for row in self._tables.arrivals.values()
            if row.arrival.lane.sender == sender and row.arrival.state in OPEN
        ]
        return len(waiting), sum(waiting)

    def store(self, parcel: Received, was: Position | None) -> None:
        said, lane = parcel.statement, parcel.statement.lane
        if self.head(lane) != was:
            raise trouble(codes.FENCED)
        if said.parcel in self._tables.arrivals:
            raise trouble(codes.FORK)
        size = len(parcel.manifest) + len(parcel.payload)
        self._tables.arrivals[said.parcel] = ArrivalRow(
            Arrival(
                said.parcel, lane, said.place.epoch, said.place.seq, parcel.digest, said.envelope.digest, said.kind,
                said.count, size, ArrivalState.STORED, parcel.received_at, None, 0, None, parcel.validation,
                said.supersedes,
            ), said.priority, (parcel.manifest, parcel.payload),
        )
        self._tables.archives[parcel.validation] = parcel.archive
        self._give(Given(said.parcel, Stage.ACCEPTED, parcel.receipt), lane.sender)
        self._set_lane(lane, head=Position(said.place.epoch, said.place.seq, parcel.digest))

    def fork(self, statement: Manifest, digest: str, manifest: bytes, at: Instant) -> None:
        if digest not in self._tables.forks:
            self._tables.forks[digest] = (statement.parcel, manifest, at)
            self.note(statement.lane, steps.FORKED, statement.parcel, digest, statement.count, at)
        self._set_lane(statement.lane, held=codes.FORK.name)

    def forks(self) -> Sequence[tuple[str, str, Instant]]:
        return [(parcel, digest, at) for digest, (parcel, _, at) in self._tables.forks.items()]

    def archived(self, validation: str) -> bytes | None:
        return self._tables.archives.get(validation)

    def _give(self, given: Given, sender: str) -> None:
        if (given.parcel, given.stage) not in self._tables.receipts:
            self._tables.receipts[given.parcel, given.stage] = (given, sender, False)
            self.writes += 1

    def given(self, parcel: str) -> Sequence[Given]:
        found = (self._tables.receipts.get((parcel, stage)) for stage in Stage)
        return [row[0] for row in found if row is not None]

    def ungiven(self, peer: str, limit: int) -> Sequence[Given]:
        found = self._tables.receipts.values()
        return [given for given, sender, handed in found if sender == peer and not handed][:limit]

    def reissue(self, given: Given, now: Instant) -> None:
        _, sender, _ = self._tables.receipts[given.parcel, given.stage]
        self._tables.receipts[given.parcel, given.stage] = (given, sender, False)
        arrival = self._known(given.parcel)
        self.note(arrival.lane, steps.REISSUED, given.parcel, arrival.digest, arrival.count, now)
        self.writes += 1

    def gave(self, receipts: Sequence[tuple[str, Stage]]) -> None:
        for name in receipts:
            row = self._tables.receipts.get(name)
            if row is not None:
                self._tables.receipts[name] = (row[0], row[1], True)
                self.writes += 1

    def met(self, node: str) -> Met | None:
        row = self._tables.peers.get(node)
        return row[0] if row else None

    def meet(self, node: str, epoch: int, boot: str, at: Instant) -> Met:
        known, boots = self._tables.peers.get(node) or (None, frozenset())
        if known is not None and epoch > known.epoch:
            boots = frozenset()
        met = hear(known, node, epoch, boot, at, boot in boots)
        self._tables.peers[node] = (met, boots | {boot} if epoch == met.epoch else boots)
        self.writes += 1
        return met


class InboxUnitInMemory(ReceivingUnit):
    """One transaction of the inbox."""

    def arrival(self, parcel: str) -> Arrival | None:
        row = self._tables.arrivals.get(parcel)
        return row.arrival if row else None

    def arrivals(self, state: ArrivalState | None, after: str, limit: int) -> Sequence[Arrival]:
        found = [row.arrival for parcel, row in sorted(self._tables.arrivals.items(), key=lambda one: one[0])
                 if parcel > after]
        return [arrival for arrival in found if state in (None, arrival.state)][:limit]

    def by_digest(self, digest: str) -> Arrival | None:
        return next((row.arrival for row in self._tables.arrivals.values() if row.arrival.digest == digest), None)

    def at(self, lane: Lane, epoch: int, seq: int) -> str | None:
        for row in self._tables.arrivals.values():
            if (row.arrival.lane, row.arrival.epoch, row.arrival.seq) == (lane, epoch, seq):
                return row.arrival.digest
        return None

    def behind(self, arrival: Arrival) -> Arrival | None:
        found = [row.arrival for row in self._tables.arrivals.values() if row.arrival.lane == arrival.lane]
        later = [one for one in found if one.state in OPEN and (one.epoch, one.seq) > (arrival.epoch, arrival.seq)]
        return min(later, key=lambda one: (one.epoch, one.seq), default=None)

    def take(self, now: Instant, lease: Instant) -> tuple[Claim, Arrival] | None:
        fronts: dict[Lane, ArrivalRow] = {}
        for row in self._tables.arrivals.values():
            arrival = row.arrival
            known = fronts.get(arrival.lane)
            place = (arrival.epoch, arrival.seq)
            if arrival.state in OPEN and (known is None or place < (known.arrival.epoch, known.arrival.seq)):
                fronts[arrival.lane] = row
        free = [
            row for lane, row in fronts.items()
            if row.arrival.state is not ArrivalState.HELD and self._lane(lane).held is None
            and (self._lane(lane).lease or 0) <= now
        ]
        if not free:
            return None
        arrival = min(free, key=lambda row: (row.priority, row.arrival.received, row.arrival.parcel)).arrival
        token = max(self._lane(arrival.lane).token + 1, now)
        self._set_lane(arrival.lane, token=token, lease=now + lease)
        return Claim(arrival.lane, token, arrival.parcel), arrival

    def release(self, claim: Claim) -> None:
        if self._lane(claim.lane).token == claim.token:
            self._set_lane(claim.lane, lease=None)

    def _claimed(self, claim: Claim) -> Arrival:
        lane, arrival = self._lane(claim.lane), self.arrival(claim.parcel or "")
        if lane.lease is None or lane.token != claim.token or arrival is None or arrival.lane != claim.lane:
            raise trouble(codes.FENCED)
        return arrival

    def octets(self, parcel: str) -> tuple[bytes, bytes] | None:
        row = self._tables.arrivals.get(parcel)
        return row.octets if row else None

    def judge(self, claim: Claim, verdicts: Sequence[Verdict]) -> None:
        arrival = self._claimed(claim)
        self._move(arrival, ArrivalEvent.JUDGE)
        row = self._tables.arrivals[arrival.parcel]
        if row.verdicts is None:
            self._tables.arrivals[arrival.parcel] = replace(row, verdicts=tuple(verdicts))

    def judged(self, parcel: str) -> Sequence[Verdict] | None:
        row = self._tables.arrivals.get(parcel)
        return row.verdicts if row else None

    def finish(
        self, claim: Claim, state: ArrivalState, receipt: Given, refused: int, code: str | None, now: Instant
    ) -> None:
        if state not in _ENDS:
            raise ValueError("a parcel ends done or parked")
        arrival = self._claimed(claim)
        self._move(arrival, _ENDS[state], finished=now, refused=refused, code=code)
        self._give(receipt, arrival.lane.sender)
        self.release(claim)

    def hold(self, claim: Claim, code: str, now: Instant) -> None:
        self._move(self._claimed(claim), ArrivalEvent.HOLD, code=code)
        self.release(claim)

    def unhold(self, parcel: str) -> None:
        self._move(self._known(parcel), ArrivalEvent.UNHOLD, code=None)
        if self.judged(parcel) is not None:
            self._move(self._known(parcel), ArrivalEvent.JUDGE)

    def _move(self, arrival: Arrival, event: ArrivalEvent, **changes: object) -> None:
        state = arrival_after(arrival.state, event)
        if state is None:
            raise trouble(codes.STATE, parcel=arrival.parcel, state=arrival.state.value)
        moved = replace(arrival, state=state, **changes)  # type: ignore[arg-type]  # names of Arrival
        self._tables.arrivals[arrival.parcel] = replace(self._tables.arrivals[arrival.parcel], arrival=moved)
        self.writes += 1

    def _known(self, parcel: str) -> Arrival:
        arrival = self.arrival(parcel)
        if arrival is None:
            raise trouble(codes.NOT_FOUND)
        return arrival

    def purge(self, done_before: Instant, receipts_before: Instant, limit: int) -> int:
        done = sorted(
            (row for row in self._tables.arrivals.values() if row.arrival.state is ArrivalState.DONE),
            key=lambda row: (row.arrival.finished or 0, row.arrival.parcel),
        )
        bare = [row for row in done if row.octets is not None and (row.arrival.finished or 0) < done_before][:limit]
        for row in bare:
            self._tables.arrivals[row.arrival.parcel] = replace(row, octets=None, verdicts=None)
        names = [row.arrival.parcel for row in bare]
        gone = [
            row.arrival.parcel for row in done
            if (row.octets is None or row in bare) and (row.arrival.finished or 0) < receipts_before
        ][: limit - len(bare)]
        for parcel in gone:
            del self._tables.arrivals[parcel]
            for stage in Stage:
                if (parcel, stage) in self._tables.receipts:
                    del self._tables.receipts[parcel, stage]
        self.writes += len(bare) + len(gone)
        return len({*names, *gone})

    def discard(self, parcel: str, who: str, now: Instant) -> None:
        arrival = self._known(parcel)
        self._move(arrival, ArrivalEvent.DISCARD, finished=now)
        self.note(arrival.lane, steps.by(steps.DISCARDED, who), parcel, arrival.digest, arrival.count, now)


class MemoryInbox(Failing[InboxUnitInMemory], MemoryStore[InboxUnitInMemory]):
    """The inbox of a node that has no disk."""

    def __init__(self, sm3: Callable[[bytes], bytes] = real_sm3) -> None:
        super().__init__(sm3)
        self.tables = InboxTables(self._journal)

    def _start(self) -> None:
        for lane, row in self.tables.lanes.items():
            self.tables.lanes[lane] = replace(row, lease=None)

    def _begin(self) -> InboxUnitInMemory:
        return InboxUnitInMemory(self.tables, self.chains, self._sm3)


_: type[Store[InboxUnit]] = MemoryInbox
