"""The warehouse contract over SQLite and over memory."""

from __future__ import annotations

from pathlib import Path

from node.store import SqliteWarehouse
from tests.contracts.warehouse_contract import WarehouseContract
from tests.fakes.warehouse import MemoryWarehouse
from tests.store import places


class TestSqlite(WarehouseContract):
    def open(self, folder: Path) -> SqliteWarehouse:
        self.folder = folder
        return places.warehouse(folder)

    def again(self, store: SqliteWarehouse) -> SqliteWarehouse:
        store.close()
        return places.warehouse(self.folder)


class TestMemory(WarehouseContract):
    def open(self, folder: Path) -> MemoryWarehouse:
        return MemoryWarehouse()

    def again(self, store: MemoryWarehouse) -> MemoryWarehouse:
        store.reopen()
        return store
