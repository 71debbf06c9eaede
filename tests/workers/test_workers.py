"""Threads and their stand-in: where work runs, and how its end comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.python.failure import Failure

from node.model import codes
from node.model.trouble import Refused, trouble
from node.workers import BLOCK, InlineWorkers, Runs, Workers


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(reactor, threads=2)  # type: ignore[arg-type]  # the module stands for the reactor
    made.start()
    yield made
    made.stop()


def refuse() -> None:
    raise trouble(codes.NOT_FOUND)


@pytest_twisted.ensureDeferred
async def test_work_runs_in_a_thread_and_its_result_comes_back(workers: Workers) -> None:
    here = threading.get_ident()
    there, back = await workers.run(threading.get_ident), threading.get_ident()
    assert there != here == back


@pytest_twisted.ensureDeferred
async def test_trouble_of_a_thread_reaches_the_caller(workers: Workers) -> None:
    with pytest.raises(Refused):
        await workers.run(refuse)


@pytest_twisted.ensureDeferred
async def test_two_threads_work_at_once(workers: Workers) -> None:
    meeting = threading.Barrier(2, timeout=10)
    first, second = workers.run(meeting.wait), workers.run(meeting.wait)
    assert {await first, await second} == {0, 1}


@pytest_twisted.ensureDeferred
async def test_only_large_blocks_are_worth_a_thread(workers: Workers) -> None:
    here = threading.get_ident()
    assert await workers.run_block(BLOCK - 1, threading.get_ident) == here
    assert await workers.run_block(BLOCK, threading.get_ident) != here


def test_the_inline_stand_in_is_done_at_once() -> None:
    runs: Runs = InlineWorkers()
    told: list[object] = []
    runs.run(max, 1, 2).addCallback(told.append)
    runs.run_block(BLOCK, max, 3, 4).addCallback(told.append)
    failures: list[Failure] = []
    runs.run(refuse).addErrback(failures.append)
    assert told == [2, 4] and failures[0].check(Refused)
