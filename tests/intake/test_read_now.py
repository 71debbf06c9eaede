"""A person who has a source read is told of a read that saw what stood there when it was asked for."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from node.model.source import SourceState
from node.service.control_acts import Actor
from node.service.control_sources import run
from tests.exchange.test_read import SOURCE
from tests.stage.desk import Staged, set_up


def asked(staged: Staged, state: SourceState) -> Deferred[dict[str, object]]:
    staged.desk.sources[SOURCE.name] = state
    return Deferred.fromCoroutine(run(staged.desk, {"source": SOURCE.name}, Actor("li", 0)))


def ends(staged: Staged, state: SourceState, rows: int) -> None:
    """A read ends, as the poller tells it."""
    state.reading, state.rows, state.rounds = False, rows, state.rounds + 1
    staged.desk.bell.ring(f"read:{SOURCE.name}")
    staged.clock.advance(0)


def test_the_read_that_was_under_way_is_not_the_one_that_was_asked_for() -> None:
    staged = set_up("dept-a", ["centre"], clock=Clock())
    state = SourceState(SOURCE, reading=True)
    told = asked(staged, state)
    ends(staged, state, 1)
    assert not told.called
    ends(staged, state, 3)
    assert staged.desk.bell.count(f"source:{SOURCE.name}") == 1, "the poller was asked once"
    answer = told.result
    assert (answer["ended"], answer["rows"]) == (True, 4), "what the first of them took is told, too"


def test_of_a_source_that_rests_the_next_read_is_told() -> None:
    staged = set_up("dept-a", ["centre"], clock=Clock())
    state = SourceState(SOURCE)
    told = asked(staged, state)
    ends(staged, state, 2)
    answer = told.result
    assert (answer["ended"], answer["rows"]) == (True, 2)
