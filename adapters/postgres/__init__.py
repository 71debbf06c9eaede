"""The logical log of PostgreSQL: its messages (pgoutput) decoded, its slots looked at and moved on.

For: `postgres_logical`.
Hides: messages, log positions, timelines, what a slot keeps of the log.
Promises: a slot is moved on only to where a bookmark was kept.
Fails: `Misconfigured`, `Unavailable`.
"""
