"""An adapter's process as the node sees it: what it does wrong is a trouble of ours, soon, and it is gone."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node.hosts import Child, Limits
from node.model import codes
from node.model.trouble import Code, Trouble

ODD = (sys.executable, "-m", "tests.hosts.odd")


@contextmanager
def odd(name: str, limits: Limits = Limits(farewell=0.1)) -> Iterator[Child]:
    """Give an odd child; it is gone afterwards."""
    child = Child(name, {"password": "not-to-be-seen"}, limits, command=ODD)
    try:
        yield child
    finally:
        child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


@pytest.mark.parametrize(("name", "code", "says"), [
    ("ends", codes.ADAPTER_ENDED, "status 3"), ("prints", codes.ADAPTER_ENDED, "no frame"),
    ("commands", codes.ADAPTER_ENDED, "no frame"), ("huge", codes.ADAPTER_ENDED, "no frame"),
    ("half", codes.ADAPTER_ENDED, "status 0"), ("no json", codes.ADAPTER_ENDED, "ended"),
    ("hold", codes.ADAPTER, "there is no table"), ("retry", codes.ADAPTER_DOWN, "no connection"),
    ("fault", codes.ADAPTER_FAULT, "xxx"), ("empty", codes.ADAPTER_FAULT, "?"),
])
def test_what_a_process_does_wrong_is_told_by_a_code(name: str, code: Code, says: str) -> None:
    with odd(name) as child, pytest.raises(Trouble) as met:
        child.ask("check")
    assert met.value.code is code and says in met.value.sentence.en and len(met.value.sentence.en) < 600


def test_a_silent_process_is_killed_when_its_time_is_over() -> None:
    begun = time.monotonic()
    with odd("silent", Limits(silence=0.5)) as child, pytest.raises(Trouble) as met:
        child.ask("check")
    assert met.value.code is codes.ADAPTER_ENDED and "silent" in met.value.sentence.en
    assert time.monotonic() - begun < 20


def test_a_process_that_takes_too_much_memory_ends() -> None:
    with odd("gigabyte", Limits(memory=128 << 20, farewell=0.1)) as child, pytest.raises(Trouble) as met:
        child.ask("check")
    assert met.value.code is codes.ADAPTER_ENDED


def test_settings_reach_the_process_and_nothing_else_shows_them() -> None:
    with odd("settings") as child:
        assert child.ask("check") == {"password": "not-to-be-seen"}
    os.environ["EXN_SECRET"] = "of the node"
    try:
        with odd("environment") as child:
            environment, arguments = child.ask("check")
            line = Path(f"/proc/{child.pid}/cmdline").read_text(encoding="utf-8")
    finally:
        del os.environ["EXN_SECRET"]
    assert "EXN_SECRET" not in environment and "not-to-be-seen" not in str(environment) + str(arguments) + line


def test_a_process_that_failed_before_it_was_asked_has_its_reason_told() -> None:
    child = Child("sql_table", {"uri": "x"})
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(Trouble) as met:
            child.ask("check")
    finally:
        child.close()
    assert met.value.code is codes.ADAPTER and "uri is not known" in met.value.sentence.en


def test_an_act_that_is_given_up_ends_the_process() -> None:
    with odd("rows") as child:
        act = child.act("read")
        assert [line for frame in (next(act), next(act)) for line in frame.lines] == [b"{}"] * 2
        act.close()
        with pytest.raises(Trouble) as met:
            child.ask("check")
    assert met.value.code is codes.ADAPTER_ENDED


def test_rows_are_held_back_while_nobody_takes_them() -> None:
    with odd("flood") as child:
        act = child.act("read")
        next(act)
        time.sleep(0.5)
        written = int(Path(f"/proc/{child.pid}/io").read_text().partition("wchar: ")[2].split()[0])
        assert written < 4 << 20
        assert sum(1 for frame in act if frame.lines) >= 63
