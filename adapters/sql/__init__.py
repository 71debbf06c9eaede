"""Tables of a database, read: what is new, everything, or what differs from before.

For: `sql_table`, `sql_snapshot`, `sql_journal`, and the logs of MySQL and PostgreSQL for the table behind them.
Hides: SQLAlchemy, the dialects and what their drivers make of old dates and padded texts; pages, places, windows.
Promises: reads alone, holds no lock, and tells of a database's error its code and never its text; nothing is given
    twice for a reason of ours but behind a bookmark that was not kept.
Fails: `Misconfigured`, `Unavailable`.

    engine ─► pages (a statement each) ─► reader: progress · window        snapshot: keys, buckets of digests
"""

from adapters.sql.engine import behind, below, clock, columns, connect, is_at, own, reading, source, tables, told, up_to

__all__ = [
    "behind", "below", "clock", "columns", "connect", "is_at", "own", "reading", "source", "tables", "told", "up_to",
]
