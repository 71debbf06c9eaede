"""The oracle sees what it must: each sort of finding is provoked once; a process that dies or hangs is one too."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from node.model import codes
from node.model.trouble import trouble
from tests.fuzz import campaign
from tests.fuzz.campaign import Campaign
from tests.fuzz.engine import Tally, mutations, replay
from tests.fuzz.judge import judge
from tests.fuzz.mutate import octets
from tests.fuzz.target import MARKER, Target


def target(run: Callable[[bytes], Hashable], **given: object) -> Target:
    """Return a target that does what a test wants."""
    made = Target("made-up", "for a test", lambda: [b"seed"], run, octets)
    return replace(made, **given)  # type: ignore[arg-type]  # of any sort


def kind(run: Callable[[bytes], Hashable], data: bytes = b"x", **given: object) -> str:
    """Return what sort of finding an input is, empty if it is none."""
    found = judge(target(run, **given), data).finding
    return found.kind if found else ""


def refuse(**details: object) -> Callable[[bytes], Hashable]:
    """Return a parser that refuses everything."""

    def run(data: bytes) -> Hashable:
        raise trouble(codes.STATEMENT, **details)

    return run


def burn(data: bytes) -> Hashable:
    """Use more processor time than is allowed."""
    until = time.thread_time() + 0.3
    while time.thread_time() < until:
        pass
    return None


def test_a_documented_refusal_is_no_finding() -> None:
    assert kind(refuse(reason="not JSON")) == ""
    assert kind(lambda data: int(data), refusals=(ValueError,)) == ""


@pytest.mark.parametrize(("run", "wanted"), [
    (lambda data: [][1], "IndexError"), (lambda data: int(data), "ValueError"), (refuse(), "KeyError"),
    (lambda data: len(bytearray(400 << 20)), "memory"),
])
def test_everything_else_is_one(run: Callable[[bytes], Hashable], wanted: str) -> None:
    assert kind(run) == wanted


def test_too_much_processor_time_is_one() -> None:
    assert kind(burn, seconds=0.2) == "time" and kind(burn) == ""


def test_content_in_a_refusal_is_a_leak() -> None:
    told = refuse(reason=f"unknown member {MARKER.decode()}")
    assert kind(told, b"x" + MARKER) == "leak"
    assert kind(told) == "", "what was not in the input cannot have come from it"


def test_a_fault_is_reported_once_and_its_input_is_kept() -> None:
    tally = Tally("made-up")
    made = target(lambda data: 1 // (len(data) % 3))
    pool = replay(made, made.seeds(), tally)
    mutations(made, pool, 200, Random(1), tally)
    (finding, data), = tally.findings.values()
    assert finding.kind == "ZeroDivisionError" and len(data) % 3 == 0
    assert tally.executions == 201 and tally.features == {("taken", 0), ("taken", 1)}


def test_a_process_that_dies_or_hangs_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "HANG", 5.0)
    runs = Campaign(tmp_path, "own", 1).run(["broken-dies", "broken-hangs", "broken-not"], 9.0)
    assert [len(run.findings) for run in runs] == [1, 1, 0], runs
    assert Path(runs[0].findings[0]["input"]).read_bytes() == b"dies"
    assert Path(runs[1].findings[0]["input"]).read_bytes() == b"hangs"
    assert runs[2].executions > 100
