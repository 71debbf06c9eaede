"""What several files of tests here begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.exchange import Exchange, running


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    """Give an exchange that has not been started."""
    with running(tmp_path) as found:
        yield found
