"""The snapshot keeps the contract that integrators' adapters are held to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.kit import AdapterContract

pytestmark = pytest.mark.long


class TestSqlSnapshot(AdapterContract):
    """A table of SQLite without a stamp."""

    name = "sql_snapshot"
    read = {"table": "T_DMB", "page": 3}
    key, text = "ID", "XM"
    bad = ({"url": "nonsense"}, {"url": "postgresql://h/d"}, {"url": "sqlite:////nowhere/old.db"})
    missing = {"url": "sqlite:////nowhere/old.db"}
    table = "T_DMB"

    def start(self, folder: Path) -> None:
        self.path = folder / "old.db"
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = OFF")
        self.connection.execute(f"CREATE TABLE {self.table} (ID INTEGER PRIMARY KEY, XM TEXT)")
        self.settings = {"url": f"sqlite:///{self.path}"}

    def stop(self) -> None:
        self.connection.close()

    def insert(self, rows: Sequence[dict[str, Any]]) -> None:
        self.connection.execute("BEGIN")
        self.connection.executemany(f"INSERT INTO {self.table} VALUES (:ID, :XM)", rows)
        self.connection.execute("COMMIT")

    def change(self, rows: Sequence[dict[str, Any]]) -> None:
        self.connection.executemany(f"UPDATE {self.table} SET XM = :XM WHERE ID = :ID", rows)

    def delete(self, keys: Sequence[int]) -> None:
        self.connection.executemany(f"DELETE FROM {self.table} WHERE ID = ?", [(key,) for key in keys])

    def late(self, rows: Sequence[dict[str, Any]]) -> Callable[[], None]:
        return lambda: self.insert(rows)  # SQLite has one writer: what commits later was written later

    def example(self) -> Sequence[dict[str, Any]]:
        for key, cell in ((-1, "NULL"), (-2, "0.1"), (-3, "x'00ff'")):
            self.connection.execute(f"INSERT INTO {self.table} VALUES ({key}, {cell})")
        return [{"ID": -1, "XM": None}, {"ID": -2, "XM": "0.1"}, {"ID": -3, "XM": "00ff"}]
