"""Where tests keep stores: the storage key, and how each kind of store is opened and opened again."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from node.crypto.openssl import OpenSslCrypto
from node.crypto.storage import StorageKey, new_secret
from node.store import SqliteInbox, SqliteOutbox, SqliteWarehouse
from tests.contracts.things import T0

CRYPTO = OpenSslCrypto()
STORAGE = StorageKey(CRYPTO, [new_secret(os.urandom)], os.urandom)
_boots = count(1)


def chance(size: int) -> bytes:
    """Return octets that never come again, and are the same in each run."""
    return next(_boots).to_bytes(size, "big")


def outbox(folder: Path, kind: type[SqliteOutbox] = SqliteOutbox, *, writing: bool = True) -> SqliteOutbox:
    """Open the outbox in a folder."""
    return kind(folder / "outbox.db", STORAGE, CRYPTO.sm3, lambda: T0, chance, writing=writing)


def inbox(folder: Path, kind: type[SqliteInbox] = SqliteInbox) -> SqliteInbox:
    """Open the inbox in a folder."""
    return kind(folder / "inbox.db", STORAGE, CRYPTO.sm3)


def warehouse(folder: Path, kind: type[SqliteWarehouse] = SqliteWarehouse) -> SqliteWarehouse:
    """Open the warehouse in a folder."""
    return kind(folder / "warehouse.db", STORAGE, CRYPTO.sm3)
