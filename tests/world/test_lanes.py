"""One lane between two stores, against a model: whatever is delivered, doubled, late, sealed again or restored.

No keys and no clock: the sender's outbox and the receiver's inbox with the real rules between them (`exchange.greet`,
`exchange.head`, `spool.alignment`).  The model is one sentence: what was supplied and not given up arrives, the lane
never forks, and no place is taken twice.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from node.exchange import admit, greet
from node.exchange.head import Place, standing
from node.model.parcel import NOTHING, Position, Stage
from node.model.registry import Quota
from node.model.spool import Entry, EntryState, LaneState, Received, Sealed
from node.spool.alignment import START
from tests.contracts.acts import LEASE, holding, state_of
from tests.contracts.things import LANE, T0, digest, sealed, supply
from tests.fakes.inbox import MemoryInbox
from tests.fakes.outbox import MemoryOutbox, OutboxUnitInMemory
from tests.world.disk import put_back, rows


class _Peer:
    """As much of a registered peer as storing a parcel needs."""

    node, quota = LANE.sender, Quota()


PEER: Any = _Peer()
PICK = st.integers(0, 1 << 16)


class OneLane(RuleBasedStateMachine):
    """The sender on the left, the receiver on the right, and between them everything that was ever said."""

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        numbers = count(1)
        self.outbox = MemoryOutbox(lambda: self.now, lambda size: next(numbers).to_bytes(size, "big"))
        self.inbox = MemoryInbox()
        self.under_way: list[Sealed] = []
        self.receipts: list[str] = []
        self.heads: list[Position] = []
        self.lines: dict[str, tuple[bytes, ...]] = {}
        self.given_up: set[bytes] = set()
        self.lost: set[bytes] = set()
        self.copies: dict[str, tuple[Any, set[bytes]]] = {}
        self.supplied: set[bytes] = set()

    # --- the sender ---------------------------------------------------------------------------------------------

    @rule(number=st.integers(1, 3))
    def supply(self, number: int) -> None:
        """Records are put."""
        with self.outbox.unit() as unit:
            supply(unit, number, at=self.now)
            for group in unit.draw(LANE):
                self.supplied |= set(group.lines)

    @rule()
    def send(self) -> None:
        """The lane sends what it may send."""
        with self.outbox.unit() as unit:
            state = unit.lane(LANE)
            if state is None or state.held or state.head.epoch < unit.epoch():
                return
            entry = unit.due(LANE)
            if entry is not None:
                self._leaves(unit, unit.sealed(entry.parcel), entry)
            elif unit.draw(LANE):
                groups = unit.draw(LANE)
                made = sealed(state, groups, at=self.now)
                with holding(unit, now=self.now) as claim:
                    unit.place(claim, made, [group.id for group in groups], self.now)
                self.lines[made.statement.parcel] = tuple(line for group in groups for line in group.lines)
                self._leaves(unit, made, unit.due(LANE))

    def _leaves(self, unit: OutboxUnitInMemory, made: Sealed, entry: Entry | None) -> None:
        assert entry is not None and entry.state is not EntryState.VOIDED
        with holding(unit, now=self.now) as claim:
            unit.sent(claim, made.statement.parcel, self.now)
        self.under_way.append(made)

    @rule(kind=st.sampled_from(["records", "records", "void"]))
    def seal_again(self, kind: str) -> None:
        """What is sealed and not known to be accepted is sealed again, or given up."""
        with self.outbox.unit() as unit:
            entry = unit.due(LANE)
            if entry is None or entry.accepted is not None or entry.kind == "void":
                return
            said = unit.sealed(entry.parcel).statement
            root = said.supersedes or entry.digest
            made = sealed(
                state_of(unit), unit.groups(entry.parcel), kind=kind, at=self.now, instead_of=root, place=said.place
            )
            with holding(unit, now=self.now) as claim:
                unit.replace(claim, entry.parcel, made, self.now)
            self.lines[made.statement.parcel] = () if kind == "void" else self.lines[entry.parcel]
            if kind == "void":
                self.given_up |= set(self.lines[entry.parcel])

    @precondition(lambda self: self.receipts)
    @rule(pick=PICK)
    def hear(self, pick: int) -> None:
        """A receipt comes home, perhaps late, perhaps again."""
        with self.outbox.unit() as unit:
            unit.learn(self.receipts[pick % len(self.receipts)], Stage.ACCEPTED, None, b"receipt", [], self.now)

    @precondition(lambda self: self.heads)
    @rule(pick=PICK)
    def greeted_late(self, pick: int) -> None:
        """The receiver's head comes by a hello that was long under way."""
        self._steer(self.heads[pick % len(self.heads)])

    @rule()
    def greeted(self) -> None:
        """The receiver tells its head."""
        self._steer(self._head() or START)

    def _steer(self, there: Position) -> None:
        with self.outbox.unit() as unit:
            state: LaneState | None = unit.lane(LANE)
            if state is not None:
                greet.steer(unit, state, there, self.now, LEASE)

    # --- the receiver -------------------------------------------------------------------------------------------

    @precondition(lambda self: self.under_way)
    @rule(pick=PICK)
    def deliver(self, pick: int) -> None:
        """A parcel arrives, perhaps late, perhaps again."""
        self._deliver(self.under_way[pick % len(self.under_way)])

    def _deliver(self, made: Sealed) -> None:
        taken = Received(
            made.statement, made.digest, made.manifest, made.payload, self.now, made.statement.parcel.encode(),
            digest("archive"), b"archive",
        )
        with self.inbox.unit() as unit:
            found = standing(unit, made.statement, made.digest)
            assert found.place is not Place.FORK, "an honest sender never forks"
            if found.place in (Place.NEXT, Place.TOLD):
                self.receipts.append(admit.keep(unit, taken, PEER).decode())
        self.heads.append(self._head() or START)

    def _head(self) -> Position | None:
        with self.inbox.unit() as unit:
            return unit.head(LANE)

    # --- what befalls them --------------------------------------------------------------------------------------

    @rule(end=st.sampled_from(["outbox", "inbox"]))
    def crash(self, end: str) -> None:
        """A process dies and comes back."""
        getattr(self, end).reopen()

    @rule(end=st.sampled_from(["outbox", "inbox"]))
    def back_up(self, end: str) -> None:
        """A copy of a store is put aside."""
        self.copies[end] = (rows(getattr(self, end)), set(self.supplied))

    @rule(end=st.sampled_from(["outbox", "inbox"]))
    def restore(self, end: str) -> None:
        """A store is lost, and restored from its copy; what was under way is long gone by then."""
        if end not in self.copies:
            return
        copied, supplied = self.copies[end]
        store = getattr(self, end)
        put_back(store, copied)
        store.reopen()
        self.now += 10_000
        self.under_way, self.receipts, self.heads = [], [], []
        if end == "outbox":
            self.outbox.open_epoch(self.now)
            self.lost |= self.supplied - supplied

    # --- promises -----------------------------------------------------------------------------------------------

    @invariant()
    def the_chain_holds(self) -> None:
        """Each place is taken once, and each parcel names the one before."""
        with self.inbox.unit() as unit:
            arrivals = sorted(unit.arrivals(None, "", 1 << 20), key=lambda one: (one.epoch, one.seq))
        places = [(one.epoch, one.seq) for one in arrivals]
        assert len(set(places)) == len(places)
        assert all(seq == 1 or (epoch, seq - 1) in places for epoch, seq in places)

    def teardown(self) -> None:
        """Let both ends talk in peace: then everything that was supplied, and not given up, has arrived."""
        for _ in range(400):
            self.now += 1000
            self.greeted()
            self.send()
            if self.under_way:
                self._deliver(self.under_way[-1])
            if self.receipts:
                self.hear(len(self.receipts) - 1)
        with self.outbox.unit() as unit:
            state = unit.lane(LANE)
            if state is not None:
                assert (state.waiting, unit.due(LANE), state.held) == (0, None, None), state
                assert state.head.digest == (self._head() or START).digest or state.head.digest == NOTHING
        with self.inbox.unit() as unit:
            arrived = {line for one in unit.arrivals(None, "", 1 << 20) for line in self.lines[one.parcel]}
        assert self.supplied - self.lost - self.given_up <= arrived <= self.supplied


OneLane.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestOneLane = OneLane.TestCase
