"""The outbox in memory: lanes, claims, entries read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from node.model import codes
from node.model.instant import Instant
from node.model.parcel import Lane, Position, Stage
from node.model.spool import GROUP_RECORDS, Claim, Entry, EntryState, Group, LaneState, RefusedRecord, Rest, Sealed
from node.model.trouble import trouble
from node.spool.grouping import fit
from node.spool.states import OWED
from tests.fakes.submissions import EntryRow, SubmissionsUnit


class SendingUnit(SubmissionsUnit):
    """Lanes, claims, and entries read back."""

    def lanes(self, receiver: str | None = None) -> Sequence[LaneState]:
        self.flush()
        return [
            self._told(held.state) for lane, held in self._tables.lanes.items() if receiver in (None, lane.receiver)
        ]

    def lane(self, lane: Lane) -> LaneState | None:
        self.flush()
        held = self._tables.lanes.get(lane)
        return self._told(held.state) if held else None

    def _told(self, state: LaneState) -> LaneState:
        waiting = self._tables.waiting.get(state.lane)
        if not waiting and not state.waiting:
            return state
        groups = [self._tables.groups[id] for id in waiting or ()]
        return replace(
            state, waiting=sum(len(held.group.lines) for held in groups),
            waiting_octets=sum(held.octets for held in groups), oldest=groups[0].group.admitted if groups else None,
        )

    def ready(self, receiver: str) -> Sequence[LaneState]:
        found = []
        for state in self.lanes(receiver):
            entry = self.due(state.lane)
            if state.held or not (state.waiting or entry) or entry and entry.state is EntryState.PARKED:
                continue
            found.append((state.priority, entry.created if entry else state.oldest or 0, state))
        return [state for *_, state in sorted(found, key=lambda one: one[:2])]

    def hold(self, lane: Lane, code: str | None) -> None:
        self.flush()
        if lane in self._tables.lanes:
            self._change(lane, held=code)
            self.writes += 1

    def _change(self, lane: Lane, **changes: object) -> None:
        held = self._tables.lanes[lane]
        state = replace(held.state, **changes)  # type: ignore[arg-type]  # names of LaneState
        self._tables.lanes[lane] = replace(held, state=state)

    def claim(self, lane: Lane, now: Instant, lease: Instant) -> Claim | None:
        self.flush()
        held = self._tables.lanes.get(lane)
        if held is None or held.lease is not None and held.lease > now:
            return None
        token = max(held.state.token + 1, now)
        self._tables.lanes[lane] = replace(held, state=replace(held.state, token=token), lease=now + lease)
        self.writes += 1
        return Claim(lane, token)

    def release(self, claim: Claim) -> None:
        held = self._tables.lanes.get(claim.lane)
        if held is not None and held.state.token == claim.token:
            self._tables.lanes[claim.lane] = replace(held, lease=None)
            self.writes += 1

    def _claimed(self, claim: Claim) -> LaneState:
        held = self._tables.lanes.get(claim.lane)
        if held is None or held.lease is None or held.state.token != claim.token:
            raise trouble(codes.FENCED)
        return held.state

    def rest(self, peer: str) -> Rest:
        return self._tables.rests.get(peer) or Rest()

    def set_rest(self, peer: str, rest: Rest) -> None:
        self._tables.rests[peer] = rest
        self.writes += 1

    def front(self, lane: Lane, parcel_records: int = GROUP_RECORDS) -> Sequence[int]:
        return [group.id for group in self.draw(lane, parcel_records)]

    def draw(self, lane: Lane, parcel_records: int = GROUP_RECORDS) -> Sequence[Group]:
        self.flush()
        groups = [self._tables.groups[id] for id in (self._tables.waiting.get(lane) or ())[:GROUP_RECORDS]]
        front = [
            ((g.group.spec, g.group.purpose, g.group.grant, g.routed), len(g.group.lines), g.octets) for g in groups
        ]
        taken = fit(front, parcel_records)
        return [held.group for held in groups[:taken]]

    def groups(self, parcel: str) -> Sequence[Group]:
        return [self._tables.groups[id].group for id in self._tables.carried.get(parcel) or ()]

    # --- entries ------------------------------------------------------------------------------------------------

    def entry(self, parcel: str) -> Entry | None:
        held = self._tables.entries.get(parcel)
        return held.entry if held else None

    def entries(self, state: EntryState | None, after: str, limit: int) -> Sequence[Entry]:
        found = [held.entry for parcel, held in sorted(self._tables.entries.items()) if parcel > after]
        return [entry for entry in found if state in (None, entry.state)][:limit]

    def owed(self, peer: str, before: Instant, limit: int) -> Sequence[Entry]:
        found = [held for _, held in sorted(self._tables.entries.items(), key=lambda one: one[0])]
        owed = [
            held.entry for held in found
            if held.entry.lane.receiver == peer and held.entry.state in OWED
            and (held.entry.sent or 0 if held.entry.accepted is None else held.entry.accepted) < before
        ]
        doubted = [
            held.entry for held in found
            if held.entry.lane.receiver == peer and held.again and held.entry.state is EntryState.DONE
            and (held.again == 2 or held.entry.epoch < self._tables.lanes[held.entry.lane].state.head.epoch)
            and (held.entry.accepted or 0) < before
        ]
        return [*owed, *doubted][:limit]

    def due(self, lane: Lane) -> Entry | None:
        held = self._tables.lanes.get(lane)
        if held is None:
            return None
        there = [
            one.entry for one in self._in(lane) if (one.entry.epoch, one.entry.seq) == (
                held.state.head.epoch, held.state.cursor)
        ]
        there.sort(key=lambda entry: (entry.state is not EntryState.VOIDED, entry.parcel))
        return there[-1] if there else None

    def _in(self, lane: Lane) -> list[EntryRow]:
        found = [held for held in self._tables.entries.values() if held.entry.lane == lane]
        return sorted(found, key=lambda held: (held.entry.epoch, held.entry.seq))

    def _standing(self, lane: Lane) -> list[EntryRow]:
        return [held for held in self._in(lane) if held.entry.state is not EntryState.VOIDED]

    def _at(self, lane: Lane, epoch: int, seq: int) -> Entry | None:
        places = [held.entry for held in self._standing(lane)]
        return next((entry for entry in places if (entry.epoch, entry.seq) == (epoch, seq)), None)

    def digest_at(self, lane: Lane, epoch: int, seq: int) -> str | None:
        entry = self._at(lane, epoch, seq)
        return entry.digest if entry else None

    def stood(self, lane: Lane, at: Position) -> bool:
        places = [held.entry for held in self._in(lane)]
        return any(Position(entry.epoch, entry.seq, entry.digest) == at for entry in places)

    def accepted(self, lane: Lane) -> Position | None:
        held = self._tables.lanes.get(lane)
        if held is None:
            return None
        head, before = held.state.head, held.state.cursor - 1
        known = [
            Position(one.entry.epoch, one.entry.seq, one.entry.digest) for one in self._standing(lane)
            if one.entry.accepted is not None and one.again != 1
        ]
        last = known[-1] if known else None
        if before < 1 or last and (last.epoch, last.seq) >= (head.epoch, before):
            return last
        if self._at(lane, head.epoch, before) is not None:
            return last
        following = next(
            (one for one in self._in(lane) if (one.entry.epoch, one.entry.seq) == (head.epoch, before + 1)), None
        )
        return Position(head.epoch, before, following.sealed.statement.place.prev if following else head.digest)

    def sealed(self, parcel: str) -> Sealed:
        held = self._tables.entries.get(parcel)
        if held is None:
            raise trouble(codes.NOT_FOUND)
        return held.sealed

    def receipts(self, parcel: str) -> Sequence[tuple[Stage, bytes]]:
        held = self._tables.entries.get(parcel)
        return held.receipts if held else ()

    def refused(self, parcel: str) -> Sequence[RefusedRecord]:
        held = self._tables.entries.get(parcel)
        return held.refused if held else ()
