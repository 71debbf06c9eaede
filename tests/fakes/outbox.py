"""The outbox in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from node.crypto.symmetric import sm3 as real_sm3
from node.ledger import steps
from node.model import codes
from node.model.instant import Instant
from node.model.parcel import NOTHING, Lane, Position, Stage
from node.model.spool import Claim, Entry, EntryState, RefusedRecord, Sealed
from node.model.trouble import trouble
from node.ports import Chance, Clock, OutboxUnit, Store
from node.spool.states import FINISHED, EntryEvent, entry_after, entry_hears
from tests.fakes.memory import Failing, MemoryStore
from tests.fakes.sending import SendingUnit
from tests.fakes.submissions import EntryRow, OutboxTables


class OutboxUnitInMemory(SendingUnit):
    """One transaction of the outbox."""

    def place(self, claim: Claim, sealed: Sealed, groups: Sequence[int], now: Instant) -> None:
        self.flush()
        state, place, lane = self._claimed(claim), sealed.statement.place, claim.lane
        waiting = self._tables.waiting.get(lane) or ()
        ours = (state.head.epoch, state.head.seq + 1, state.head.digest)
        if (place.epoch, place.seq, place.prev) != ours or waiting[: len(groups)] != tuple(groups):
            raise trouble(codes.FENCED)
        leaf = 0
        for id in groups:
            held = self._tables.groups[id]
            self._tables.groups[id] = replace(held, parcel=sealed.statement.parcel, leaf=leaf)
            leaf += len(held.group.lines)
        self._tables.waiting[lane] = waiting[len(groups):]
        self._tables.carried[sealed.statement.parcel] = tuple(groups)
        self._save(lane, sealed, now)
        self._change(lane, head=Position(place.epoch, place.seq, sealed.digest))

    def _save(self, lane: Lane, sealed: Sealed, now: Instant) -> None:
        said = sealed.statement
        assert said.parcel not in self._tables.entries, "placed twice"
        self._tables.entries[said.parcel] = EntryRow(Entry(
            said.parcel, lane, said.place.epoch, said.place.seq, sealed.digest, said.envelope.digest, said.kind,
            said.count, len(sealed.manifest) + len(sealed.payload), EntryState.SEALED, now, None, None, None, 0, 0,
            None,
        ), sealed)
        self.writes += 1

    def _set(self, parcel: str, **changes: object) -> Entry:
        held = self._tables.entries[parcel]
        entry = replace(held.entry, **changes)  # type: ignore[arg-type]  # names of Entry
        self._tables.entries[parcel] = replace(held, entry=entry)
        self.writes += 1
        return entry

    def sent(self, claim: Claim, parcel: str, now: Instant) -> None:
        self._claimed(claim)
        entry = self.entry(parcel)
        state = entry_after(entry.state, EntryEvent.SENT) if entry else None
        if entry is None or state is None or entry.lane != claim.lane:
            raise trouble(codes.FENCED)
        self._set(parcel, state=state, sent=now, attempts=entry.attempts + 1)

    def learn(
        self, parcel: str, stage: Stage, code: str | None, receipt: bytes, refused: Sequence[RefusedRecord],
        now: Instant,
    ) -> Entry | None:
        held = self._tables.entries.get(parcel)
        if held is None:
            return None
        self.writes += 1
        if stage not in dict(held.receipts):
            receipts = (*held.receipts, (stage, receipt))
            self._tables.entries[parcel] = replace(held, receipts=receipts)
            self._hear(held.entry, stage, code, tuple(refused), now)
        held = self._tables.entries[parcel]
        asked = held.again and stage is Stage.ACCEPTED and held.entry.state is EntryState.DONE
        self._tables.entries[parcel] = replace(held, again=2 if asked else 0)
        self._advance(held.entry.lane)
        return self.entry(parcel)

    def _hear(
        self, entry: Entry, stage: Stage, code: str | None, refused: tuple[RefusedRecord, ...], now: Instant
    ) -> None:
        if entry.state is EntryState.VOIDED:
            other = self._at(entry.lane, entry.epoch, entry.seq)
            if other is not None and other.accepted is not None:
                return
            self._give_back(entry, other, now)
        event = entry_hears(entry.state, entry.code, stage, code)
        if event is None:
            return
        state = entry_after(entry.state, event)
        self._set(entry.parcel, state=state, accepted=now if entry.accepted is None else entry.accepted)
        if event is EntryEvent.UNOPENED or stage is not Stage.ACCEPTED and entry.state is not EntryState.DONE:
            self._set(entry.parcel, finished=now, code=code, refused=len({one.leaf for one in refused}))
            if refused:
                self._tables.entries[entry.parcel] = replace(self._tables.entries[entry.parcel], refused=refused)

    def _give_back(self, entry: Entry, other: Entry | None, now: Instant) -> None:
        if other is not None:
            self._void(other, now)
            moved = self._tables.carried.get(other.parcel) or ()
            self._carry(moved, entry.parcel)
            self._tables.carried[other.parcel] = ()
            self._tables.carried[entry.parcel] = (*(self._tables.carried.get(entry.parcel) or ()), *moved)
        self._set(entry.parcel, finished=None)
        head = self._tables.lanes[entry.lane].state.head
        if (head.epoch, head.seq) == (entry.epoch, entry.seq):
            self._change(entry.lane, head=replace(head, digest=entry.digest))

    def _carry(self, groups: Sequence[int], parcel: str | None) -> None:
        for id in groups:
            held = self._tables.groups[id]
            self._tables.groups[id] = replace(held, parcel=parcel, leaf=held.leaf if parcel else 0)

    def _advance(self, lane: Lane) -> None:
        state = self._tables.lanes[lane].state
        cursor, taken = state.cursor, {
            held.entry.seq for held in self._standing(lane)
            if held.entry.epoch == state.head.epoch and held.entry.accepted is not None and held.again != 1
        }
        while cursor in taken:
            cursor += 1
        self._change(lane, cursor=cursor)

    def rewind(self, claim: Claim, position: Position) -> None:
        head = self._claimed(claim).head
        start = position.seq if position.epoch == head.epoch else 0
        kept = [
            held for held in self._standing(claim.lane)
            if held.entry.epoch == head.epoch and held.entry.seq > start
        ]
        if start > head.seq or len(kept) != head.seq - start:
            raise trouble(codes.PURGED)
        for held in kept:
            self._tables.entries[held.entry.parcel] = replace(held, again=int(held.entry.accepted is not None))
        self._change(claim.lane, cursor=start + 1)
        self.writes += 1

    def reopen(self, claim: Claim, epoch: int, there: Position, now: Instant) -> None:
        self.flush()
        lane, head = claim.lane, self._claimed(claim).head
        if epoch <= head.epoch:
            raise ValueError("a lane's epoch only grows")
        known = {held.entry.digest: (held.entry.epoch, held.entry.seq) for held in self._standing(lane)}
        known = {NOTHING: (0, 0), **known, head.digest: (head.epoch, head.seq)}
        ours = known.get(there.digest) or ((0, 0) if epoch > self.epoch() else None)
        back: list[int] = []
        for held in self._standing(lane):
            entry = held.entry
            beyond = (entry.epoch, entry.seq) > (ours or (there.epoch, there.seq))
            if entry.accepted is not None:
                lost = beyond and entry.state is not EntryState.PARKED
            else:
                lost = beyond or ours is None or entry.state is EntryState.SEALED
            if lost:
                back += self._tables.carried.get(entry.parcel) or ()
                self._carry(self._tables.carried.get(entry.parcel) or (), None)
                self._tables.carried[entry.parcel] = ()
                if entry.state is not EntryState.DONE:
                    self._void(entry, now)
            elif ours is None and entry.state is EntryState.DONE and entry.code is None:
                self._tables.entries[entry.parcel] = replace(held, again=1)
        self._tables.waiting[lane] = tuple(sorted((*back, *(self._tables.waiting.get(lane) or ()))))
        self._change(lane, head=Position(epoch, 0, there.digest), base=there.digest, cursor=1)
        self.writes += 1

    def lost(self, parcel: str, now: Instant) -> None:
        entry = self._known(parcel)
        if entry.epoch == self._tables.lanes[entry.lane].state.head.epoch:
            return
        self.flush()
        self._tables.entries[parcel] = replace(self._tables.entries[parcel], again=0)
        back = self._tables.carried.get(parcel) or ()
        self._carry(back, None)
        self._tables.carried[parcel] = ()
        if entry.state is not EntryState.DONE:
            self._void(entry, now)
        self._tables.waiting[entry.lane] = tuple(sorted((*back, *(self._tables.waiting.get(entry.lane) or ()))))
        self.writes += 1

    def doubt(self, peer: str) -> None:
        for parcel, held in list(self._tables.entries.items()):
            entry = held.entry
            if entry.lane.receiver == peer and entry.state is EntryState.DONE and not entry.code and not held.again:
                self._tables.entries[parcel] = replace(held, again=2)
        self.writes += 1

    def replace(self, claim: Claim, parcel: str, sealed: Sealed, now: Instant) -> None:
        head, entry, said = self._claimed(claim).head, self.entry(parcel), sealed.statement
        if entry is None or entry.lane != claim.lane or entry.accepted is not None or entry.epoch != head.epoch:
            raise trouble(codes.FENCED)
        ours = (entry.epoch, entry.seq, self._tables.entries[parcel].sealed.statement.place.prev)
        there = self._at(claim.lane, entry.epoch, entry.seq)
        if (said.place.epoch, said.place.seq, said.place.prev) != ours or there not in (None, entry):
            raise trouble(codes.FENCED)
        self._void(entry, now)
        self._save(claim.lane, sealed, now)
        if said.kind != "void":
            moved = self._tables.carried.get(parcel) or ()
            self._carry(moved, said.parcel)
            self._tables.carried[parcel], self._tables.carried[said.parcel] = (), moved
        if entry.seq == head.seq:
            self._change(claim.lane, head=replace(head, digest=sealed.digest))

    def _void(self, entry: Entry, now: Instant) -> None:
        self._set(entry.parcel, state=EntryState.VOIDED, finished=now if entry.finished is None else entry.finished)
        if entry.state is not EntryState.VOIDED:
            self.note(entry.lane, steps.VOIDED, entry.parcel, entry.digest, entry.count, now)

    def park(self, parcel: str, code: str, now: Instant) -> Entry:
        entry = self._known(parcel)
        state = entry_after(entry.state, EntryEvent.PARK)
        if state is None:
            raise trouble(codes.STATE, parcel=parcel, state=entry.state.value)
        return self._set(parcel, state=state, code=code)

    def resupply(self, parcel: str, now: Instant) -> None:
        entry = self._known(parcel)
        if entry.state is not EntryState.PARKED:
            raise trouble(codes.STATE, parcel=parcel, state=entry.state.value)
        self.flush()
        back = self._tables.carried.get(parcel) or ()
        self._carry(back, None)
        self._tables.carried[parcel] = ()
        if entry.accepted is None:
            self._void(entry, now)
        else:
            self._set(parcel, state=EntryState.DONE, finished=now)
            self.note(entry.lane, steps.VOIDED, parcel, entry.digest, entry.count, now)
        self._tables.waiting[entry.lane] = tuple(sorted((*back, *(self._tables.waiting.get(entry.lane) or ()))))
        self.writes += 1

    def discard(self, parcel: str, who: str, now: Instant) -> None:
        entry = self._known(parcel)
        if entry.state is not EntryState.PARKED:
            raise trouble(codes.STATE, parcel=parcel, state=entry.state.value)
        if entry.accepted is None:
            self._void(entry, now)
        else:
            self._set(parcel, state=EntryState.DONE, finished=now)
        self.note(entry.lane, steps.by(steps.DISCARDED, who), parcel, entry.digest, entry.count, now)

    def _known(self, parcel: str) -> Entry:
        entry = self.entry(parcel)
        if entry is None:
            raise trouble(codes.NOT_FOUND)
        return entry

    def purge(self, done_before: Instant, answers_before: Instant, limit: int, silent: Sequence[str] = ()) -> int:
        old = [held.entry for held in self._tables.entries.values()]
        old = [one for one in old if one.state in FINISHED and (one.finished or 0) < done_before]
        old = [one for one in old if one.lane.receiver not in silent]
        heads = {lane: held.state for lane, held in self._tables.lanes.items()}
        old = [one for one in old if one.epoch != heads[one.lane].head.epoch or one.seq < heads[one.lane].cursor]
        old = sorted(old, key=lambda one: (one.finished or 0, one.parcel))[:limit]
        for entry in old:
            for id in self._tables.carried.get(entry.parcel) or ():
                del self._tables.groups[id]
            self._tables.carried[entry.parcel] = ()
            del self._tables.entries[entry.parcel]
        written, latest = {}, self.epoch() * 1000
        for id, held in self._tables.submissions.items():  # as they came
            written[id] = latest = max(latest, held.submission.created)
        first = sorted(self._tables.submissions.items(), key=lambda one: one[0])[: limit - len(old)]
        answers = [held for id, held in first if written[id] < answers_before]
        for held in answers:
            del self._tables.keys[held.key]
            del self._tables.submissions[held.submission.id]
        self.writes += len(old) + len(answers)
        return len(old) + len(answers)


class MemoryOutbox(Failing["OutboxUnitInMemory"], MemoryStore["OutboxUnitInMemory"]):
    """The outbox of a node that has no disk."""

    def __init__(self, clock: Clock, chance: Chance, sm3: Callable[[bytes], bytes] = real_sm3) -> None:
        super().__init__(sm3)
        self._clock, self._chance = clock, chance
        self.tables = OutboxTables(self._journal)
        self._start()
        self._journal.clear()

    def open_epoch(self, now: Instant) -> int:
        """Open a new node epoch."""
        with self.unit() as unit:
            epoch = max(unit.epoch() + 1, now // 1000)
            self.tables.facts["epoch"] = str(epoch)
            if "superseded" in self.tables.facts:
                del self.tables.facts["superseded"]
        return epoch

    def _start(self) -> None:
        now = self._clock()
        if "epoch" not in self.tables.facts:
            self.tables.facts["epoch"] = str(max(1, now // 1000))
        self.tables.facts["boot"] = self._chance(16).hex()
        for lane, held in self.tables.lanes.items():
            self.tables.lanes[lane] = replace(held, lease=None)

    def _begin(self) -> OutboxUnitInMemory:
        return OutboxUnitInMemory(self.tables, self.chains, self._sm3)


_: type[Store[OutboxUnit]] = MemoryOutbox
