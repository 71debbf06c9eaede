"""An adapter that somebody else wrote, in its own process: found by its entry point, asked, and believed no further."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.hosts import Child, Limits
from node.model import codes
from node.model.frames import FrameKind
from node.model.trouble import Code, Trouble
from tests.adapters.toy import install

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    """Give a running toy."""
    monkeypatch.setenv("PYTHONPATH", f"{install(tmp_path)}{os.pathsep}{ROOT}")
    child = Child("toy", {"password": "hunter2"}, Limits(silence=60, farewell=10))
    yield child
    child.close()


def read(child: Child, bookmark: Any = None, limit: int = 1000, **what: Any) -> list[tuple[FrameKind, Any]]:
    """Return what an act of reading gives: rows one by one, other frames parsed."""
    said: list[tuple[FrameKind, Any]] = []
    for frame in child.act("read", what=what, bookmark=bookmark, limit=limit):
        lines = frame.lines if frame.kind is FrameKind.RECORDS else [frame.body]
        said += [(frame.kind, json.loads(line)) for line in lines]
    return said


def test_it_is_checked_and_discovered_though_it_prints(toy: Child) -> None:
    assert toy.ask("check") == [{"level": "good", "zh": "可以打开", "en": "it can be opened"}]
    (table,) = toy.ask("discover")
    assert table["name"] == "人口" and table["columns"][0]["key"] is True and table["rows"] == 3


def test_rows_come_in_order_with_the_bookmark_behind_them(toy: Child) -> None:
    said = read(toy, rows=25)
    assert [one["n"] for kind, one in said if kind is FrameKind.RECORDS] == list(range(1, 26))
    marks = [(at, one) for at, (kind, one) in enumerate(said) if kind is FrameKind.BOOKMARK]
    assert marks == [(10, 10), (21, 20)] and said[-1] == (FrameKind.ANSWER, {"rows": 25, "dirty": 0, "more": False})
    again = read(toy, 20, rows=25)
    assert [one["n"] for kind, one in again if kind is FrameKind.RECORDS] == [21, 22, 23, 24, 25]


def test_reading_ends_at_the_first_bookmark_behind_the_limit(toy: Child) -> None:
    said = read(toy, limit=15, rows=1000)
    assert said[-2:] == [(FrameKind.BOOKMARK, 20), (FrameKind.ANSWER, {"rows": 20, "dirty": 0, "more": True})]


def test_what_is_to_be_read_can_be_surveyed_and_begun_without_rows(toy: Child) -> None:
    assert toy.ask("survey", what={"table": "人口"})[0]["zh"] == "人口"
    said = [frame.kind for frame in toy.act("read", what={"rows": 7}, mode="none")]
    assert said == [FrameKind.BOOKMARK, FrameKind.ANSWER]


def test_records_are_landed_and_each_has_its_fate(toy: Child) -> None:
    lines = [
        json.dumps({"leaf": leaf, "origin": "A", "version": [1, leaf], "delete": leaf == 1, "row": f"{leaf}",
                    "key": ["k"], "fields": {"坏": "x" * 4000} if leaf % 1000 == 2 else {"好": "x" * 4000}}).encode()
        for leaf in range(2000)
    ]
    told = toy.apply(lines, what={}, resource="人口", lane="a/r/live", parcel="p", token=1)
    assert len(told) == 2000 and told[1] == [1, "older"] and told[3] == [3, "applied"]
    assert [one for one in told if one[1] == "refused"] == [
        [2, "refused", "坏", "放不下", "it does not fit"], [1002, "refused", "坏", "放不下", "it does not fit"]]
    assert toy.ask("check")


def test_a_million_octets_of_rows_come_in_blocks(toy: Child) -> None:
    frames = [frame for frame in toy.act("read", what={"rows": 30_000}) if frame.kind is FrameKind.RECORDS]
    assert max(len(frame.body) for frame in frames) <= 1 << 20 and sum(len(frame.lines) for frame in frames) == 30_000


def test_every_kind_of_cell_has_one_form_and_what_has_none_is_dirty(toy: Child) -> None:
    said = read(toy, do="odd")
    (row,) = [one for kind, one in said if kind is FrameKind.RECORDS]
    assert row == {
        "姓名": "张三㐂𠮷", "号": 100, "日": "2019-02-28", "空": None, "真": True, "时": "2019-02-28T09:30:00.000500",
        "数": 0.1, "节": "00ff", "整": 10**30,
    }
    dirty = [(one["row"], one["field"]) for kind, one in said if kind is FrameKind.DIRTY]
    assert dirty == [(None, "坏"), (None, "坏"), (None, "坏"), (None, ""), ("7", "列")]
    assert said[-2] == (FrameKind.BOOKMARK, {"at": "2019"}) and said[-1][1] == {"rows": 1, "dirty": 5, "more": False}


@pytest.mark.parametrize(("do", "code"), [
    ("raise", codes.ADAPTER_FAULT), ("missing", codes.ADAPTER_FAULT),
    ("hold", codes.ADAPTER), ("down", codes.ADAPTER_DOWN),
    ("exit", codes.ADAPTER_ENDED),
])
def test_what_escapes_is_told_without_what_it_says(toy: Child, do: str, code: Code) -> None:
    with pytest.raises(Trouble) as met:
        read(toy, do=do)
    assert met.value.code is code and "hunter2" not in str(met.value) + met.value.sentence.zh
    assert "张三" not in met.value.sentence.zh and (do != "raise" or "RuntimeError" in met.value.sentence.zh)
    if do not in ("exit",):
        assert toy.ask("check")  # it goes on


@pytest.mark.parametrize(("name", "says"), [
    ("nobody", "没有安装"), ("lame", "缺少程序包missing_driver"), ("no", "不是适配器"),
])
def test_what_is_not_installed_is_told(
    name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{install(tmp_path)}{os.pathsep}{ROOT}")
    child = Child(name, {}, Limits(silence=60))
    with pytest.raises(Trouble) as met:
        child.ask("check")
    child.close()
    assert met.value.code is codes.ADAPTER and says in met.value.sentence.zh


def test_settings_are_held_to_the_schema_and_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{install(tmp_path)}{os.pathsep}{ROOT}")
    child = Child("toy", {"many": "hunter2"}, Limits(silence=60))
    with pytest.raises(Trouble) as met:
        child.ask("check")
    child.close()
    assert met.value.code is codes.ADAPTER and "many类型不对" in met.value.sentence.zh
    assert "hunter2" not in str(met.value) + met.value.sentence.zh


def test_an_answer_that_is_too_long_is_told_and_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{install(tmp_path)}{os.pathsep}{ROOT}")
    child = Child("toy", {"many": True}, Limits(silence=60))
    with pytest.raises(Trouble) as met:
        child.ask("discover")
    assert met.value.code is codes.ADAPTER_FAULT and "过长" in met.value.sentence.zh and child.ask("check")
    child.close()


def test_what_lies_where_the_node_runs_is_no_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here" / "adapters").mkdir(parents=True)
    (tmp_path / "here" / "adapters" / "child.py").write_text("open('ran', 'w')")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("PYTHONPATH", f"{install(tmp_path)}{os.pathsep}{ROOT}")
    child = Child("toy", {}, Limits(silence=60))
    assert child.ask("check")
    child.close()
    assert not (tmp_path / "here" / "ran").exists()


PARENT = '''
import sys, time
from node.hosts import Child
child = Child("toy", {})
child.ask("check")
act = child.act("read", what={"do": "wait"})
print(child.pid, flush=True)
next(act)
'''


def test_it_dies_with_its_parent_though_it_is_busy(tmp_path: Path) -> None:
    path = f"{install(tmp_path)}{os.pathsep}{ROOT}"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path})
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]
