"""The listening VFS, for every test of this room."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.powercut.vfs import Shim, library


@pytest.fixture(scope="module")
def shim() -> Iterator[Shim]:
    """The VFS, listening; where Python has SQLite built in nobody can listen, which in CI is a failure."""
    sqlite = library()
    if sqlite is None:
        why = "Python's sqlite3 has its library built in: its files cannot be listened to"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    with Shim(sqlite).listening() as shim:
        yield shim
