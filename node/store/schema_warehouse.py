"""Tables of the warehouse: the current row of each business key, and all history in commit order.

Sealed under the storage key: lines with their evidence, verdicts.  Looked up by keyed digest: (origin, resource,
business key) and (origin, resource, row id).  In clear: codes, counts, instants, versions.
"""

from __future__ import annotations

from sqlalchemy import Index, MetaData

from node.store.schema import lanes, ledger, octets, rows, text, tree, whole

VERSION = 1
WAREHOUSE = MetaData()

# `token` is the greatest claim that delivered in a lane (W3).
lane = lanes(WAREHOUSE, whole("token"))

# `rows` counts the keys a resource ever had, for their numbers.
resources = rows("resources", WAREHOUSE, whole("id", key=True), text("code"), whole("rows"))
origins = rows("origins", WAREHOUSE, whole("id", key=True), text("code"))

# One delivery; its number is its place in commit order (W4).
blocks = rows(
    "blocks", WAREHOUSE, whole("id", key=True), whole("resource"), octets("parcel"), whole("lane"), text("spec"),
    text("version"), text("digest"), whole("at"), octets("sealed"),
)
Index("blocks_resource", blocks.c.resource, blocks.c.id)

# The number is resource · 2⁴⁰ + a running number, the cursor of reconciliation.  `holder` is the digest of the row id
# that stands at the key, NULL after it left; the body is line `line` of block `block`, both NULL of a tombstone.
current = rows(
    "current", WAREHOUSE, whole("id", key=True), whole("origin"), octets("key"), octets("holder", null=True),
    whole("epoch"), whole("n"), whole("block", null=True), whole("line", null=True),
)
Index("current_key", current.c.key, unique=True)
Index("current_holder", current.c.holder)

# Row ids whose key another row, or a newer tombstone, holds: where they were seen last.
displaced = tree("displaced", WAREHOUSE, octets("holder", key=True), octets("key"), whole("epoch"), whole("n"))

applied = rows("applied", WAREHOUSE, octets("parcel", key=True), octets("sealed"))

chain = ledger(WAREHOUSE)
