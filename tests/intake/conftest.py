"""The local API of dept-a, its stores in a folder of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.intake.api import Api


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    """Return the local API of dept-a."""
    made = Api.at(tmp_path / "dept-a")
    yield made
    made.close()
