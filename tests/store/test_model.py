"""Whatever is done, in whatever order, SQLite and memory answer alike, over restarts and lost units too."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from node.model.parcel import NOTHING, Position, Stage
from node.model.record import Version
from node.model.spool import Answer, Claim, EntryState, RefusedRecord, Sealed, Submission
from node.model.trouble import Trouble
from node.ports import OutboxUnit
from node.spool.states import FINISHED
from tests.contracts.things import BACKFILL, LANE, NEXT_SPEC, OTHER, SPEC, T0, THERE, fresh_id, lines, sealed, waiting
from tests.fakes.outbox import MemoryOutbox
from tests.store import places

LANES = st.sampled_from([LANE, BACKFILL, OTHER])
PICK = st.integers(0, 99)
KEYS = st.sampled_from(["k0", "k1", "k2"])
Act = Callable[[OutboxUnit], object]


class OutboxModel(RuleBasedStateMachine):
    """Two outboxes side by side; `both` does a thing to each and compares what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.now = T0
        self.claims: list[Claim] = []
        self.parcels: list[str] = []
        self.submissions: list[Submission] = []
        self.real = places.outbox(self.folder)
        self.fake = MemoryOutbox(lambda: T0, places.chance)

    def teardown(self) -> None:
        """Throw the files away."""
        self.real.close()
        shutil.rmtree(self.folder)

    def both(self, act: Act) -> Any:
        """Return what both say, a value or the code of a trouble; a trouble undoes the unit."""
        told: list[object] = []
        for store in (self.real, self.fake):
            try:
                with store.unit() as unit:
                    said = act(unit)
                told.append(list(said) if isinstance(said, (list, tuple)) else said)
            except Trouble as trouble:
                told.append(trouble.code.name)
        assert told[0] == told[1]
        return told[1]

    def pick(self, things: list[Any], number: int) -> Any:
        """Return one of the things; often a late one."""
        return things[-1 - number % len(things)] if things else None

    def right_to(self, lane: Any, number: int) -> Claim | None:
        """Return a claim on a lane: mostly a new one, now and then one of long ago or of another lane."""
        if number % 5 == 0 and self.claims:
            return self.claims[-1 - number % len(self.claims)]
        self.now += 6000
        claim: Claim | None = self.both(lambda unit: unit.claim(lane, self.now, 5000))
        if claim is not None:
            self.claims.append(claim)
        return claim

    # --- callers ------------------------------------------------------------------------------------------------

    @rule(lane=LANES, key=KEYS, number=st.integers(0, 4), body=st.binary(max_size=1))
    def submit(self, lane: Any, key: str, number: int, body: bytes) -> None:
        id, now = fresh_id(self.now), self.now

        def act(unit: OutboxUnit) -> object:
            told = unit.answered("app", lane.resource, key, body)
            if told is not None:
                return told.submission
            first = unit.allot(lane.resource, number)
            for one in (lane, lane._replace(receiver="third")):
                unit.wait(one, waiting(lines(number, f"v{first.n}"), first, now))
            submission = Submission(id, "app", lane.resource, lane.stream, first, number, 0, now)
            unit.answer(submission, key, body, Answer(id, 202, b"{}"))
            return submission

        said = self.both(act)
        if isinstance(said, Submission):
            self.submissions.append(said)

    @rule(
        lane=LANES, counts=st.lists(st.sampled_from([1, 3, 600]), max_size=3),
        spec=st.sampled_from([SPEC, NEXT_SPEC]), origins=st.sampled_from([b"", b"[]"]),
    )
    def route(self, lane: Any, counts: list[int], spec: Any, origins: bytes) -> None:
        def act(unit: OutboxUnit) -> object:
            was = unit.bookmark("router")
            for count in counts:
                unit.wait(lane, waiting(lines(count), None, self.now, spec)._replace(origins=origins, grant="g"))
            unit.mark("router", was, str(int(was or 0) + 1))
            return was

        self.both(act)

    @rule(lane=LANES)
    def a_unit_is_lost(self, lane: Any) -> None:
        class _Lost(Exception):
            pass

        for store in (self.real, self.fake):
            try:
                with store.unit() as unit:
                    unit.wait(lane, waiting(lines(2), Version(1, unit.allot(lane.resource, 2).n)))
                    unit.draw(lane)
                    unit.hold(lane, "EXN-LOST")
                    raise _Lost
            except _Lost:
                pass

    @rule()
    def restart(self) -> None:
        self.real.close()
        self.real = places.outbox(self.folder)
        self.fake.reopen()

    @rule(by=st.sampled_from([1, 1000, 100_000]))
    def tick(self, by: int) -> None:
        self.now += by

    # --- lanes --------------------------------------------------------------------------------------------------

    @rule(lane=LANES, number=PICK)
    def release(self, lane: Any, number: int) -> None:
        claim = self.right_to(lane, number)
        if claim is not None:
            self.both(lambda unit: unit.release(claim))

    @rule(lane=LANES, code=st.sampled_from([None, "EXN-X"]))
    def hold(self, lane: Any, code: str | None) -> None:
        self.both(lambda unit: unit.hold(lane, code))

    @rule(lane=LANES, number=PICK, of=st.sampled_from(["records", "void"]))
    def place(self, lane: Any, number: int, of: str) -> None:
        claim = self.right_to(lane, number)
        if claim is None:
            return
        with self.fake.unit() as unit:
            state, groups = unit.lane(claim.lane), unit.draw(claim.lane) if of == "records" else []
        if state is not None and (groups or of == "void"):
            made = sealed(state, groups, kind=of, at=self.now)
            self.parcels.append(made.statement.parcel)
            self.both(lambda unit: unit.place(claim, made, [group.id for group in groups], self.now))

    @rule(lane=LANES, number=PICK)
    def send(self, lane: Any, number: int) -> None:
        claim = self.right_to(lane, number)
        if claim is None:
            return

        def act(unit: OutboxUnit) -> object:
            entry = unit.due(claim.lane)
            if entry is not None:
                unit.sent(claim, entry.parcel, self.now)
            return entry

        self.both(act)

    @rule(lane=LANES, number=PICK, back=st.integers(0, 3), other=st.booleans())
    def rewind(self, lane: Any, number: int, back: int, other: bool) -> None:
        claim = self.right_to(lane, number)
        if claim is None:
            return
        with self.fake.unit() as unit:
            head = (state := unit.lane(claim.lane)) and state.head
        if head:
            there = Position(head.epoch - other, max(0, head.seq + 1 - back), head.digest)
            self.both(lambda unit: unit.rewind(claim, there))

    @rule(lane=LANES, number=PICK, which=st.sampled_from(["head", "nothing", "known", "unknown"]), parcel=PICK,
          other=st.integers(0, 1), back=st.integers(0, 3))
    def reopen(self, lane: Any, number: int, which: str, parcel: int, other: int, back: int) -> None:
        claim = self.right_to(lane, number)
        if claim is None:
            return
        with self.fake.unit() as unit:
            state = unit.lane(claim.lane)
            entry = unit.entry(self.pick(self.parcels, parcel) or "")
        if state is not None:
            known = entry.digest if entry is not None else NOTHING
            prev = {"head": state.head.digest, "nothing": NOTHING, "known": known, "unknown": "ef" * 32}[which]
            there = Position(state.head.epoch - other, back, prev)
            self.both(lambda unit: unit.reopen(claim, state.head.epoch + 1, there, self.now))

    @precondition(lambda self: self.parcels)
    @rule(parcel=PICK)
    def lose(self, parcel: int) -> None:
        one = self.pick(self.parcels, parcel)
        with self.fake.unit() as unit:
            entry = unit.entry(one)
        if entry is not None and entry.state in (EntryState.SENT, EntryState.ACCEPTED, EntryState.DONE):
            self.both(lambda unit: unit.lost(one, self.now))

    @precondition(lambda self: self.parcels)
    @rule(lane=LANES, number=PICK, parcel=PICK, kind=st.sampled_from(["records", "void"]))
    def replace(self, lane: Any, number: int, parcel: int, kind: str) -> None:
        old = self.pick(self.parcels, parcel)
        with self.fake.unit() as unit:
            at = unit.entry(old)
        claim = self.right_to(at.lane if at is not None and number % 7 else lane, number)
        if claim is None:
            return
        with self.fake.unit() as unit:
            state, entry, groups = unit.lane(claim.lane), unit.entry(old), unit.groups(old)
            made: Sealed | None = None
            if state is not None and entry is not None:
                place = unit.sealed(old).statement.place
                made = sealed(state, groups, kind=kind, at=self.now, instead_of=entry.digest, place=place)
        if made is not None:
            self.parcels.append(made.statement.parcel)
            self.both(lambda unit: unit.replace(claim, old, made, self.now))

    # --- parcels ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.parcels)
    @rule(
        number=PICK, stage=st.sampled_from(list(Stage)), bad=st.integers(0, 2),
        why=st.sampled_from(["EXN-OPEN", "EXN-UNSUPPORTED"]),
    )
    def learn(self, number: int, stage: Stage, bad: int, why: str) -> None:
        parcel = self.pick(self.parcels, number)
        refused = [RefusedRecord(leaf, f"r{leaf}", "rule", "field") for leaf in range(bad)]
        code = why if stage is Stage.REFUSED else None
        with self.fake.unit() as unit:
            before = unit.entry(parcel)
        after = self.both(lambda unit: unit.learn(parcel, stage, code, stage.value.encode(), refused, self.now))
        assert (after is None) == (before is None)
        if before is not None and before.state is EntryState.DONE and code != "EXN-OPEN":
            assert after == before, "the first final word stands"

    @precondition(lambda self: self.parcels)
    @rule(number=PICK, what=st.sampled_from(["park", "discard", "resupply"]))
    def by_hand(self, number: int, what: str) -> None:
        parcel = self.pick(self.parcels, number)
        if what == "park":
            self.both(lambda unit: unit.park(parcel, "EXN-X", self.now))
        elif what == "resupply":
            self.both(lambda unit: unit.resupply(parcel, self.now))
        else:
            self.both(lambda unit: unit.discard(parcel, "wang", self.now))

    @rule()
    def the_peer_may_have_forgotten(self) -> None:
        self.both(lambda unit: unit.doubt(THERE))

    @rule(ago=st.sampled_from([200_000, 30_000, 0]), limit=st.integers(0, 5))
    def purge(self, ago: int, limit: int) -> None:
        with self.fake.unit() as unit:
            before = {entry.parcel: entry for entry in unit.entries(None, "", 1000)}
        gone = self.both(lambda unit: unit.purge(self.now - ago, self.now - ago, limit))
        assert gone <= limit
        with self.fake.unit() as unit:
            left = {entry.parcel for entry in unit.entries(None, "", 1000)}
        assert all(before[parcel].state in FINISHED for parcel in before.keys() - left)

    # --- alike --------------------------------------------------------------------------------------------------

    @invariant()
    def all_that_can_be_asked_is_answered_alike(self) -> None:
        self.both(lambda unit: unit.lanes())
        self.both(lambda unit: unit.ready(THERE))
        entries = self.both(lambda unit: unit.entries(None, "", 1000))
        self.both(lambda unit: unit.owed(THERE, self.now, 1000))
        for lane in (LANE, BACKFILL, OTHER):
            self.both(lambda unit: [unit.due(lane), unit.accepted(lane)])
            self.both(lambda unit: [(e.size, e.step, e.subject, e.count, e.at) for e in unit.ledger(lane)])
            groups = self.both(lambda unit: [replace(group, lines=list(group.lines)) for group in unit.draw(lane)])
            assert [group.id for group in groups] == sorted(group.id for group in groups)
        for entry in entries[-3:]:
            self.both(lambda unit: [group.id for group in unit.groups(entry.parcel)])
            self.both(lambda unit: unit.receipts(entry.parcel))
            self.both(lambda unit: unit.refused(entry.parcel))
            self.both(lambda unit: unit.digest_at(entry.lane, entry.epoch, entry.seq))
        for submission in self.submissions[-2:]:
            self.both(lambda unit: unit.spans(submission))

    @invariant()
    def nothing_is_forgotten_and_nothing_is_twice(self) -> None:
        """Each record that was put waits, or is in one kept parcel, or went with a purged one (O1, O6)."""
        with self.fake.unit() as unit:
            kept = [group.id for entry in unit.entries(None, "", 1000) for group in unit.groups(entry.parcel)]
            for state in unit.lanes():
                assert state.cursor <= state.head.seq + 1
                places = [
                    (entry.epoch, entry.seq) for entry in unit.entries(None, "", 1000)
                    if entry.lane == state.lane and entry.state is not EntryState.VOIDED
                ]
                assert len(places) == len(set(places)), "two parcels at one place"
                supplied = sum(entry.count for entry in unit.ledger(state.lane) if entry.step == "supplied")
                assert state.waiting <= supplied
        assert len(kept) == len(set(kept))


OutboxModel.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestOutboxModel = OutboxModel.TestCase
