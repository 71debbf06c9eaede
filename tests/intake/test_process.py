"""The process of a configured adapter: kept between acts, started anew after it was ended, and gone when killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from node.hosts import Child
from node.intake.process import RESTING, AdapterProcess
from node.model import codes
from node.model.source import Instance
from node.model.trouble import Trouble
from node.workers import InlineWorkers
from tests.adapters.toy import install

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[AdapterProcess]:
    monkeypatch.setenv("PYTHONPATH", f"{install(tmp_path)}{os.pathsep}{ROOT}")
    made = AdapterProcess(Instance("mine", "toy", {}, str(tmp_path), 512 << 20, 60_000), InlineWorkers(), clock)
    yield made
    made.kill()


def got(process: AdapterProcess, function: Any) -> Any:
    """Return what came of a use, or raise what it failed with."""
    found: list[Any] = []
    process.use(function).addBoth(found.append)
    if hasattr(found[0], "raiseException"):
        found[0].raiseException()
    return found[0]


def test_one_process_serves_one_act_after_another(process: AdapterProcess) -> None:
    assert got(process, lambda child: child.pid) == got(process, lambda child: child.pid)


def test_after_a_read_that_was_ended_at_its_time_the_next_begins_anew(process: AdapterProcess) -> None:
    def broken_off(child: Child) -> int:
        act = child.act("read", what={"rows": 1_000_000})
        next(act)
        act.close()
        return child.pid

    first = got(process, broken_off)
    again, said = got(process, lambda child: (child.pid, child.ask("check")))
    assert again != first and said[0]["level"] == "good"


def test_after_a_trouble_the_next_begins_anew_and_the_trouble_names_the_instance(process: AdapterProcess) -> None:
    first = got(process, lambda child: child.pid)
    with pytest.raises(Trouble) as met:
        got(process, lambda child: list(child.act("read", what={"do": "hold"})))
    assert met.value.code is codes.ADAPTER and "mine" in met.value.sentence.zh
    assert got(process, lambda child: child.pid) != first


def test_one_that_nobody_needs_is_ended(process: AdapterProcess, clock: Clock) -> None:
    pid = got(process, lambda child: child.pid)
    clock.advance(RESTING + 1)
    assert not Path(f"/proc/{pid}").exists()
    assert got(process, lambda child: child.ask("check"))


def test_one_that_was_killed_stays_so(process: AdapterProcess) -> None:
    pid = got(process, lambda child: child.pid)
    process.kill()
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(Trouble) as met:
        got(process, lambda child: child.ask("check"))
    assert met.value.code is codes.ADAPTER_ENDED
