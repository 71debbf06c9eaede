"""The three databases: outbox, inbox and warehouse, each one SQLite file behind the port `Store`.

For: what must survive the power; everything else may be forgotten.
Hides: SQL, schemas, sealing under the storage key, grouping, file locks.
Who may call: the floors above, through the ports; only `service` and `cli` name `SqliteOutbox`, `SqliteInbox` and
`SqliteWarehouse`.  A store belongs to the thread that opened it, and has one unit open at a time.
Promises: O1 to O6, I1 to I5 and W1 to W4 of the ports; nothing about a person rests in clear (tables: schema_*.py).
Fails: Retry (DISK, STORE_BUSY, STORE_TAKEN, FENCED), Hold (STORE_NEWER, STORE_DAMAGED, KEY_FILE); after any failure
the unit is rolled back whole and the store can be used on.
"""

from node.store.inbox import SqliteInbox
from node.store.outbox import SqliteOutbox
from node.store.warehouse import SqliteWarehouse

__all__ = ["SqliteInbox", "SqliteOutbox", "SqliteWarehouse"]
