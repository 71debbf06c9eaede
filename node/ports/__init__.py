"""Everything the core asks of the outside world, on one page.

The core calls these and never learns what stands behind them: a table or a list, libcrypto or a device, a file or
a folder.  Each has one contract suite under tests/contracts/, which every implementation passes, the fakes included.
All methods are plain blocking calls.  They fail with a `Trouble` of `node.model.trouble`; anything else is a bug.

    keys      Crypto, PrivateKey, Identity, Storage, Trust, Registry, Chance, Clock
    ledger    Store, Ledger: one transaction, one store
    outbox    OutboxUnit
    inbox     InboxUnit, WarehouseUnit
    cases     CaseUnit, the part of WarehouseUnit that knows cases and findings
    world     Sink, Counter, Log

For: the rooms that decide, which must not know a database, a library or a machine.
Hides: nothing; it has no code.  Who may call: every room; only service/ chooses what stands behind a port.
Promises: what each class says, numbered where a test speaks of it.  Fails: with a `Trouble` only.
"""

from node.ports.cases import CaseUnit
from node.ports.inbox import InboxUnit, WarehouseUnit
from node.ports.keys import SM2_ID, Chance, Clock, Crypto, Identity, PrivateKey, Registry, Storage, Trust
from node.ports.ledger import Ledger, Store
from node.ports.outbox import OutboxUnit
from node.ports.world import Counter, Log, Sink

__all__ = [
    "SM2_ID",
    "CaseUnit",
    "Chance",
    "Clock",
    "Counter",
    "Crypto",
    "Identity",
    "InboxUnit",
    "Ledger",
    "Log",
    "OutboxUnit",
    "PrivateKey",
    "Registry",
    "Sink",
    "Storage",
    "Store",
    "Trust",
    "WarehouseUnit",
]
