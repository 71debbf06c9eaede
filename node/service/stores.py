"""The three stores of a node, opened together below its state folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from node.model.instant import Instant
from node.ports import Chance, Clock, Counter, Crypto, Storage
from node.store import SqliteInbox, SqliteOutbox, SqliteWarehouse

NAMES = ("outbox", "inbox", "warehouse")


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


def last_written(state: Path) -> Instant | None:
    """Return when the stores of a node were last written, by its own clock then; None of a node that has none."""
    files = [file for name in NAMES for file in (state / f"{name}.db", state / f"{name}.db-wal") if file.exists()]
    return max((file.stat().st_mtime_ns // 1_000_000 for file in files), default=None)


def open_stores(
    state: Path, storage: Storage, crypto: Crypto, clock: Clock, chance: Chance = os.urandom,
    counter: Counter | None = None, writing: bool = True,
) -> Stores:
    """Return the stores; a folder is made for a new node.  Raises Retry(STORE_TAKEN) while another process writes."""
    if writing:
        _make(state, 0o700)
    outbox = SqliteOutbox(
        state / "outbox.db", storage, crypto.sm3, clock, chance, writing=writing, counter=counter
    )
    inbox = SqliteInbox(state / "inbox.db", storage, crypto.sm3, writing=writing, counter=counter)
    warehouse = SqliteWarehouse(state / "warehouse.db", storage, crypto.sm3, writing=writing, counter=counter)
    return Stores(outbox, inbox, warehouse)


def _make(folder: Path, mode: int = 0o777) -> None:
    """Make a folder that is not there, and have its name safe before anything in it is believed.

    What lies in a folder can be lost with the folder: a power cut soon after a node's first start would take the
    records it had acknowledged.  The name is synced at every start, since an earlier one may have died before.
    """
    if not folder.parent.is_dir():
        _make(folder.parent)
    folder.mkdir(mode, exist_ok=True)
    _sync_names(folder.parent)


def _sync_names(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return  # we may pass through it and not read it: then somebody else made the state folder, long ago
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
