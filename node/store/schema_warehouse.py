"""Tables of the warehouse: the current row of each business key, and all history in commit order.

Sealed under the storage key: lines with their evidence, verdicts, findings.  Looked up by keyed digest: (origin,
resource, business key), (origin, resource, row id), correlation, and (interface, business key) of records that are
watched.  In clear: codes, counts, instants, versions.
"""

from __future__ import annotations

from sqlalchemy import Index, MetaData

from node.store.schema import lanes, ledger, octets, rows, text, tree, whole

VERSION = 2
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
# `correlation` is NULL of a tombstone and of a record that has none, and such rows are not in its index.
current = rows(
    "current", WAREHOUSE, whole("id", key=True), whole("origin"), octets("key"), octets("holder", null=True),
    whole("epoch"), whole("n"), whole("block", null=True), whole("line", null=True), octets("correlation", null=True),
)
Index("current_key", current.c.key, unique=True)
Index("current_holder", current.c.holder)
Index("current_correlation", current.c.correlation, sqlite_where=current.c.correlation.is_not(None))

# Row ids whose key another row, or a newer tombstone, holds: where they were seen last.
displaced = tree("displaced", WAREHOUSE, octets("holder", key=True), octets("key"), whole("epoch"), whole("n"))

applied = rows("applied", WAREHOUSE, octets("parcel", key=True), octets("sealed"))

# Cases that are to be looked at: at once after a change (0), or when their time has come.  `block` changed them last.
cases = tree("cases", WAREHOUSE, octets("correlation", key=True), whole("block"), whole("due"))
Index("cases_due", cases.c.due)

# Which case is to be looked at when a record under this business key comes, changes or leaves.
watched = tree("watched", WAREHOUSE, octets("name", key=True), octets("correlation", key=True), text("interface"))
Index("watched_interface", watched.c.interface)
Index("watched_correlation", watched.c.correlation)

# A finding waits (`opened` NULL), is open, or closed.
findings = rows(
    "findings", WAREHOUSE, whole("id", key=True), octets("correlation"), text("rule"), whole("seen"),
    whole("opened", null=True), whole("closed", null=True), octets("sealed"),
)
Index("findings_unclosed", findings.c.correlation, findings.c.rule, unique=True,
      sqlite_where=findings.c.closed.is_(None))
Index("findings_rule", findings.c.rule, findings.c.id)
Index("findings_open", findings.c.rule, sqlite_where=findings.c.closed.is_(None))
Index("findings_closed", findings.c.closed, sqlite_where=findings.c.closed.is_not(None))

chain = ledger(WAREHOUSE)
