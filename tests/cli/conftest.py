"""A shell in a fresh folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.shell import Shell


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Return a shell whose person reads English and has a passphrase file."""
    made = Shell(tmp_path, capsys)
    made.secret()
    return made


@pytest.fixture
def zh(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Return a shell whose person reads Chinese and has a passphrase file."""
    made = Shell(tmp_path, capsys, "zh")
    made.secret()
    return made
