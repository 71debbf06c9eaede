"""Tables of the inbox: heads, parcels with their receipts, verdicts, evidence of forks, whom we met.

Sealed under the storage key: gate verdicts.  Payloads rest as they came, sealed to us by their senders.  In clear:
codes, counts, instants, digests of statements, statements themselves.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, MetaData
from sqlalchemy import text as sql

from node.store.schema import lanes, ledger, octets, rows, text, tree, whole

VERSION = 1
INBOX = MetaData()

# `seq` is NULL until the first parcel; `unopened` and `unopened_octets` count what waits to be opened.
lane = lanes(
    INBOX, whole("epoch", null=True), whole("seq", null=True), octets("digest", null=True), text("held", null=True),
    whole("unopened"), whole("unopened_octets"), whole("token"), whole("lease", null=True),
)
Index("lanes_sender", lane.c.sender)

# `kept` is 1 while the octets are kept.
arrivals = tree(
    "arrivals", INBOX, octets("parcel", key=True), whole("lane"), whole("epoch"), whole("seq"), octets("digest"),
    octets("envelope"), text("kind"), whole("count"), whole("octets"), octets("supersedes", null=True),
    whole("priority"), text("state"), whole("received"), whole("finished", null=True), whole("refused"),
    text("code", null=True), octets("validation"), whole("kept"),
)
Index("arrivals_place", arrivals.c.lane, arrivals.c.epoch, arrivals.c.seq)
Index("arrivals_digest", arrivals.c.digest)
# The front of each lane, and what people look for.
Index(
    "arrivals_open", arrivals.c.lane, arrivals.c.epoch, arrivals.c.seq,
    sqlite_where=sql("state IN ('stored', 'judged', 'held')"),
)
Index("arrivals_state", arrivals.c.state, arrivals.c.parcel, sqlite_where=sql("state != 'done'"))
Index("arrivals_finished", arrivals.c.kept, arrivals.c.finished, sqlite_where=sql("state = 'done'"))


def _parcel() -> Column[bytes]:
    return Column("parcel", LargeBinary, ForeignKey("arrivals.parcel", ondelete="CASCADE"), primary_key=True)


octet = rows("octets", INBOX, _parcel(), octets("manifest"), octets("payload"))
verdicts = rows("verdicts", INBOX, _parcel(), octets("sealed"))
# `given` is 1 once the sender was handed this receipt.
receipts = rows(
    "receipts", INBOX, _parcel(), text("stage", key=True), whole("lane"), octets("statement"), octets("verdicts"),
    whole("given"),
)
Index("receipts_ungiven", receipts.c.lane, receipts.c.parcel, sqlite_where=sql("given = 0"))

# Chains and CRLs under their SM3; they change seldom, and are kept as long as anything they prove.
archives = rows("archives", INBOX, octets("validation", key=True), octets("octets"))
forks = rows(
    "forks", INBOX, octets("digest", key=True), whole("lane"), octets("parcel"), octets("manifest"), whole("at")
)

# What we last heard of a peer, and every boot it spoke from in its present epoch.
peers = tree(
    "peers", INBOX, text("node", key=True), whole("epoch"), text("boot"), whole("at"), whole("cloned"), whole("since"),
)
boots = tree("boots", INBOX, text("node", key=True), text("boot", key=True))

chain = ledger(INBOX)
