"""Where a run of all tests keeps its files, and that what a killed run left is cleared away."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from tests import memory


def test_only_memory_with_room_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not memory.fits(tmp_path, 0), "it is nothing mounted"
    assert not memory.fits(tmp_path / "nowhere", 0)
    assert not memory.fits(memory.SHARED, 1 << 60)
    monkeypatch.setattr(memory, "available", lambda: 0)
    assert not memory.fits(memory.SHARED, 1)


def test_a_run_has_one_folder_that_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SHARED", tmp_path)
    monkeypatch.setattr(memory, "fits", lambda: True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    left, other = tmp_path / f"{memory.PREFIX}left", tmp_path / "other"
    left.mkdir()
    other.mkdir()
    with memory.kept() as told:
        (folder,) = tmp_path.glob(f"{memory.PREFIX}*")
        assert told == {"TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "",
                        "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
        memory.clear_away(tmp_path)
        assert folder.exists(), "it is held"
    assert list(tmp_path.iterdir()) == [other]


def test_without_room_files_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "fits", lambda: False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    with memory.kept() as told:
        assert told == {}


def test_a_held_folder_is_let_go_with_its_process(tmp_path: Path) -> None:
    left = tmp_path / f"{memory.PREFIX}left"
    left.mkdir()
    held = os.open(left, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    memory.clear_away(tmp_path)
    assert left.exists()
    os.close(held)
    memory.clear_away(tmp_path)
    assert not left.exists()
