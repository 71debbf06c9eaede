"""The inbox contract over SQLite and over memory."""

from __future__ import annotations

from pathlib import Path

from node.store import SqliteInbox
from tests.contracts.inbox_contract import InboxContract
from tests.fakes.inbox import MemoryInbox
from tests.store import places


class TestSqlite(InboxContract):
    def open(self, folder: Path) -> SqliteInbox:
        self.folder = folder
        return places.inbox(folder)

    def again(self, store: SqliteInbox) -> SqliteInbox:
        store.close()
        return places.inbox(self.folder)


class TestMemory(InboxContract):
    def open(self, folder: Path) -> MemoryInbox:
        return MemoryInbox()

    def again(self, store: MemoryInbox) -> MemoryInbox:
        store.reopen()
        return store
