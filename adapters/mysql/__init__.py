"""The binary log of MySQL and MariaDB: its events decoded, the server's place in it, what a statement in it means.

For: `mysql_binlog`.
Hides: the protocol of replicas and the forms of rows, which differ between servers and versions.
Promises: what cannot be read for certain is said to be so (`Malformed`, `Unknown`), never guessed.
Fails: `Misconfigured`, `Unavailable`; `Malformed` inside the room.
"""
