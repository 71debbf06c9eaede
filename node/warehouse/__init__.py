"""Which record wins: versions, tombstones, row ids that return under another key.

For: the warehouse's store, and any other sink that keeps one row per business key.
Hides: nothing; keys and row ids are opaque octets here.
Who may call: every floor above.
Promises: W1 and W2 of the port `WarehouseUnit`; pure, so that a fake and a database decide alike.
Fails: never.
"""
