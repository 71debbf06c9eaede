"""12: a purge that runs under load touches nothing that is waiting, held, parked or unopened (PEERS §11.12).

Mirth #3474, #2178: pruning removed queued and errored messages; #3030: errored ones could not be pruned at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.deliver.sweep import DAY, Retention, Sweep
from node.model import codes
from node.model.parcel import Stage
from node.model.record import Stream
from node.model.spool import ArrivalState, EntryState
from node.workers.passage import take_receipts
from tests.exchange.acts import entry_of, receipt, sent, supplied
from tests.stage.desk import CENTRE, Staged, finish
from tests.stage.pair import Pair, lane_of

EVERY, ROUNDS = 60.0, 60
SHORT = Retention(answers=30 * DAY, done=DAY, bytes_in=DAY, receipts=2 * DAY)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.close()


def word(pair: Pair, stage: Stage, stream: Stream = Stream.LIVE) -> str:
    """Send one parcel of a stream, let the centre have said this of it, and return it."""
    lane = lane_of(stream=stream)
    supplied(pair.dept, 1, lane=lane)
    parcel = sent(pair.dept, lane=lane)
    said = receipt(parcel, pair.centre.desk.means, pair.dept.desk.means, stage)
    finish(take_receipts(pair.dept.desk, CENTRE, [said]), pair.clock)
    return parcel.entry.parcel


def kept(staged: Staged) -> dict[str, tuple[EntryState, int]]:
    """Return every entry of an outbox with its state and how many of its lines are there."""
    with staged.stores.outbox.unit() as unit:
        return {
            entry.parcel: (entry.state, sum(len(group.lines) for group in unit.groups(entry.parcel)))
            for entry in unit.entries(None, "", 10_000)
        }


def sweeping(pair: Pair, *staged: Staged) -> None:
    """Let a minute pass, with the sweeps of these nodes and one submission more."""
    supplied(pair.dept, 1, lane=lane_of("legal-entity"))
    pair.clock.advance(EVERY)
    for one in staged:
        finish(one.desk.outbox.run(lambda unit: None), pair.clock)
    for _ in range(5):
        pair.clock.advance(0)


def test_a_purge_under_load_forgets_the_finished_and_nothing_else(pair: Pair) -> None:
    dept, centre = pair.dept, pair.centre
    done = [word(pair, Stage.PROCESSED) for _ in range(20)]
    parked = [word(pair, Stage.REFUSED, Stream.RESUPPLY) for _ in range(5)]
    accepted = [word(pair, Stage.ACCEPTED, Stream.BACKFILL) for _ in range(5)]
    supplied(dept)
    pending = sent(dept).entry.parcel
    supplied(dept, 7)
    before = kept(dept)
    loops = [dept.desk.keep("sweep", Sweep(dept.desk, SHORT, EVERY).run)]
    pair.clock.advance(400 * 86_400)  # so long were they down, or so long did it wait: no clock jumped
    for _ in range(ROUNDS):
        sweeping(pair, dept)
    for loop in loops:
        loop.addErrback(lambda failure: None)
        loop.cancel()
    after = kept(dept)
    assert not set(done) & set(after), "what is finished was forgotten, or this proves nothing"
    assert [name for name in before if name not in done] == [name for name in after if name in before]
    assert all(after[name] == before[name] for name in [*parked, *accepted, pending]), "payloads and all"
    assert entry_of(dept, parked[0]).state is EntryState.PARKED
    with dept.stores.outbox.unit() as unit:
        waiting = {state.lane.resource: state.waiting for state in unit.lanes() if state.lane.stream is Stream.LIVE}
    assert waiting == {"population": 7, "legal-entity": ROUNDS}, "and nothing that was put meanwhile"
    assert "EXN-CLOCK" not in dept.journal.names() and centre.journal.names() == []
    # The error policy works too: a named person may throw a parked one away, and it is gone with its retention.
    finish(dept.desk.outbox.run(lambda unit: unit.discard(parked[0], "operator", dept.desk.now())), pair.clock)
    pair.clock.advance(3 * 86_400)
    finish(dept.desk.outbox.run(lambda unit: unit.purge(dept.desk.now() - 2 * DAY, 0, 100)), pair.clock)
    assert parked[0] not in kept(dept) and parked[1] in kept(dept)


def test_a_purge_of_the_inbox_leaves_what_is_unopened_and_held(pair: Pair) -> None:
    for stream in Stream:
        supplied(pair.dept, 1, lane=lane_of(stream=stream))
    pair.accept(pair.sealed())
    pair.opened()
    pair.accept(pair.sealed(lane_of(stream=Stream.BACKFILL)))
    pair.accept(pair.sealed(lane_of(stream=Stream.RESUPPLY)))
    inbox, now = pair.centre.desk.inbox, pair.centre.desk.now

    def take_and_hold(unit: object) -> str:
        claim, arrival = unit.take(now(), 1000)  # type: ignore[attr-defined]  # InboxUnit
        unit.hold(claim, codes.UNKNOWN_SPECIFICATION.name, now())  # type: ignore[attr-defined]
        return str(arrival.parcel)

    held = finish(inbox.run(take_and_hold), pair.clock)
    pair.clock.advance(400 * 86_400)
    purged = finish(inbox.run(lambda unit: unit.purge(now() - DAY, now() - 2 * DAY, 100)), pair.clock)
    with pair.centre.stores.inbox.unit() as unit:
        left = {one.parcel: one.state for one in unit.arrivals(None, "", 10)}
        octets = [unit.octets(parcel) for parcel in left]
    assert purged > 0 and left[held] is ArrivalState.HELD
    assert sorted(state.value for state in left.values()) == ["held", "stored"] and all(octets)
