"""The outbox contract over SQLite and over memory."""

from __future__ import annotations

from pathlib import Path

from node.store import SqliteOutbox
from tests.contracts.outbox_contract import OutboxContract
from tests.contracts.things import T0
from tests.fakes.outbox import MemoryOutbox
from tests.store import places


class TestSqlite(OutboxContract):
    def open(self, folder: Path) -> SqliteOutbox:
        self.folder = folder
        return places.outbox(folder)

    def again(self, store: SqliteOutbox) -> SqliteOutbox:
        store.close()
        return places.outbox(self.folder)


class TestMemory(OutboxContract):
    def open(self, folder: Path) -> MemoryOutbox:
        return MemoryOutbox(lambda: T0, places.chance)

    def again(self, store: MemoryOutbox) -> MemoryOutbox:
        store.reopen()
        return store
