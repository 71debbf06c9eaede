"""The journal keeps the contract that integrators' adapters are held to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.journal import script
from adapters.sql_journal import SqlJournal
from tests.adapters.test_sql_snapshot_kit import TestSqlSnapshot as SnapshotContract

pytestmark = pytest.mark.long


class TestSqlJournal(SnapshotContract):
    """A table of SQLite with a journal."""

    name = "sql_journal"
    read = {"table": "T_HUKOU", "page": 3}
    table = "T_HUKOU"

    def start(self, folder: Path) -> None:
        super().start(folder)
        adapter: Any = SqlJournal(self.settings)
        self.connection.executescript(script({"table": self.table}, adapter._engine))
        adapter.close()

    def ahead(self, bookmark: Any) -> Any:
        return {**bookmark, "seq": 1 << 40}


del SnapshotContract
