"""The inbox in SQLite: heads, parcels, verdicts, the receipts we gave, the peers we met."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from node.ports import Counter, InboxUnit, Storage, Store
from node.store.arrivals import Arrivals
from node.store.engine import SqliteStore
from node.store.schema_inbox import INBOX, VERSION


class InboxTransaction(Arrivals):
    """One transaction of the inbox (port `InboxUnit`)."""


class SqliteInbox(SqliteStore[InboxTransaction]):
    """The inbox of one node; opening it for writing voids all claims."""

    name = "inbox"
    tables = INBOX
    version = VERSION

    def __init__(
        self, path: Path, storage: Storage, sm3: Callable[[bytes], bytes], *, writing: bool = True,
        counter: Counter | None = None,
    ) -> None:
        super().__init__(path, storage, sm3, writing=writing, counter=counter)
        if writing:
            with self.unit():
                self._connection.execute("UPDATE lanes SET lease = NULL")

    def _begin(self) -> InboxTransaction:
        return InboxTransaction(self._connection, self.sealing, self._sm3, self.memory)


_: type[Store[InboxUnit]] = SqliteInbox
