"""Tables of the outbox: who was answered what, what waits, what was sealed, how far each lane came.

Sealed under the storage key (value = `Storage.seal`): answers with their callers, bookmarks, waiting lines, S of each
parcel, refused row ids.  Looked up by keyed digest: idempotency keys and bodies.  In clear: codes, counts, instants,
digests of statements, statements themselves.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, MetaData
from sqlalchemy import text as sql

from node.store.schema import INT, lanes, ledger, octets, rows, text, tree, whole

VERSION = 2
OUTBOX = MetaData()

# One row per fact about the whole store: `epoch` (node epoch), `boot` (drawn when last opened for writing).
facts = tree("facts", OUTBOX, text("name", key=True), text("value"))

# The last version given out per resource of this origin.
counters = tree("counters", OUTBOX, text("resource", key=True), whole("n"))

# `base` is the prev of seq 1; `groups` counts all that ever waited, so that group numbers are never used again;
# `lease` is NULL while nobody has the lane.
lane = lanes(
    OUTBOX, whole("priority"), whole("epoch"), whole("seq"), octets("digest"), octets("base"), whole("cursor"),
    whole("waiting"), whole("waiting_octets"), whole("groups"), text("held", null=True), whole("token"),
    whole("lease", null=True),
)
Index("lanes_receiver", lane.c.receiver)

# What a parcel never mixes; `routed` says whether the records carry origins.
kinds = rows(
    "kinds", OUTBOX, whole("id", key=True), text("spec"), text("version"), text("digest"), text("purpose"),
    text("grant_name"), whole("routed"),
)

# `mac` names the submission's row in `answers`; its caller, status and body are part `part` of the replies `reply`.
submissions = tree(
    "submissions", OUTBOX, octets("id", key=True), text("resource"), text("stream"), whole("epoch"), whole("n"),
    whole("count"), whole("refused"), whole("created"), octets("mac"), whole("reply"), whole("part"),
)
# What the callers of one unit were told, sealed together; `live` counts the submissions that still point here.
# `written` never falls: what a clock dated too early is kept as long as what came before it.
replies = rows("replies", OUTBOX, whole("id", key=True), whole("live"), whole("written"), octets("sealed"))
# Keyed digests of (caller, resource, key) and of SHA-256 of the body; random, so the row is as small as it can be.
answers = tree("answers", OUTBOX, octets("mac", key=True), octets("body"), octets("submission"))

# Rows of sources that are no records now: `name` is a keyed digest of what tells the row from others.
dirty = tree(
    "dirty", OUTBOX, text("source", key=True), octets("name", key=True), whole("seen"), octets("sealed"),
)
Index("dirty_seen", dirty.c.source, dirty.c.seen)

bookmarks = tree("bookmarks", OUTBOX, text("reader", key=True), octets("sealed"))
rests = tree("rests", OUTBOX, text("peer", key=True), whole("until"), whole("attempts"))

# `accepted` is when the first word of the peer came; `again` is 1 while the peer has lost what it accepted, 2
# while it may have forgotten what it finished.
entries = tree(
    "entries", OUTBOX, octets("parcel", key=True), whole("lane"), whole("epoch"), whole("seq"), octets("digest"),
    octets("prev"), octets("envelope"), text("kind"), whole("count"), whole("octets"), text("state"),
    whole("created"), whole("sent", null=True), whole("accepted", null=True), whole("finished", null=True),
    whole("attempts"), whole("refused"), text("code", null=True), whole("again"),
)
Index("entries_place", entries.c.lane, entries.c.epoch, entries.c.seq)
Index("entries_state", entries.c.state, entries.c.lane, entries.c.parcel)
Index("entries_again", entries.c.parcel, sqlite_where=sql("again > 0"))
Index("entries_finished", entries.c.finished, sqlite_where=sql("state IN ('done', 'voided')"))


def _parcel(key: bool = True) -> Column[bytes]:
    return Column("parcel", LargeBinary, ForeignKey("entries.parcel", ondelete="CASCADE"), primary_key=key)


octet = rows("octets", OUTBOX, _parcel(), octets("statement"), octets("manifest"), octets("payload"), octets("secret"))
receipts = rows("receipts", OUTBOX, _parcel(), text("stage", key=True), octets("octets"))
refusals = rows("refusals", OUTBOX, _parcel(), octets("sealed"))

# The number is lane · 2⁴⁰ + the lane's running number: numbers of a lane grow in the order of `wait`, which is the
# order of leaving, also for groups that wait again.  `parcel` is NULL while it waits, `leaf` its first leaf there.
groups = rows(
    "groups", OUTBOX, whole("id", key=True), whole("lane"), whole("kind"), whole("epoch", null=True),
    whole("n", null=True), whole("count"), whole("octets"), whole("admitted"),
    Column("parcel", LargeBinary, ForeignKey("entries.parcel", ondelete="CASCADE"), nullable=True),
    whole("leaf", null=True),
)
Index("groups_waiting", groups.c.lane, groups.c.id, sqlite_where=sql("parcel IS NULL"))
Index("groups_parcel", groups.c.parcel, sqlite_where=sql("parcel IS NOT NULL"))
Index("groups_version", groups.c.lane, groups.c.epoch, groups.c.n, sqlite_where=sql("n IS NOT NULL"))
bodies = rows(
    "bodies", OUTBOX,
    Column("id", INT, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    octets("sealed"),
)

chain = ledger(OUTBOX)
