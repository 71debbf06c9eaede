"""The three stores of a node, opened together below its state folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from node.ports import Chance, Clock, Counter, Crypto, Storage
from node.store import SqliteInbox, SqliteOutbox, SqliteWarehouse


@dataclass(frozen=True, slots=True)
class Stores:
    """Outbox, inbox and warehouse."""

    outbox: SqliteOutbox
    inbox: SqliteInbox
    warehouse: SqliteWarehouse

    def close(self) -> None:
        """Close all three."""
        for store in (self.warehouse, self.inbox, self.outbox):
            store.close()


def open_stores(
    state: Path, storage: Storage, crypto: Crypto, clock: Clock, chance: Chance = os.urandom,
    counter: Counter | None = None, writing: bool = True,
) -> Stores:
    """Return the stores; a folder is made for a new node.  Raises Retry(STORE_TAKEN) while another process writes."""
    if writing:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
    outbox = SqliteOutbox(
        state / "outbox.db", storage, crypto.sm3, clock, chance, writing=writing, counter=counter
    )
    inbox = SqliteInbox(state / "inbox.db", storage, crypto.sm3, writing=writing, counter=counter)
    warehouse = SqliteWarehouse(state / "warehouse.db", storage, crypto.sm3, writing=writing, counter=counter)
    return Stores(outbox, inbox, warehouse)
