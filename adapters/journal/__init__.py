"""A journal: a table beside a table, into which triggers write the key of every row that changes.

For: `sql_journal`, which reads it, and the command line, which prints `script` for whoever looks after the database.
Hides: how each database writes triggers, and what it takes to read a journal whose entries commit in any order.
Promises: what a script makes, `entries` reads; nothing here changes a database but `prune`, where it is asked for.
Fails: `Misconfigured`, `Unavailable`.
"""

from adapters.journal.scripts import script

__all__ = ["script"]
