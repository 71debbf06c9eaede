"""The outbox in SQLite: submissions, what waits, lanes, parcels and their receipts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from node.model.instant import Instant
from node.ports import Chance, Clock, Counter, OutboxUnit, Storage, Store
from node.store.dirty import DirtyRows
from node.store.engine import SqliteStore
from node.store.parcels import Parcels
from node.store.schema_outbox import OUTBOX, VERSION
from node.store.submissions import Submissions
from node.store.upgrade import know_dirty_rows

BOOT = 16


class OutboxTransaction(Submissions, DirtyRows, Parcels):
    """One transaction of the outbox (port `OutboxUnit`)."""

    def purge(self, done_before: Instant, answers_before: Instant, limit: int, silent: Sequence[str] = ()) -> int:
        """Forget at most `limit` finished entries, and answers, older than the instants; return how many (O6)."""
        entries = self._forget_entries(done_before, limit, silent)
        return entries + self._forget_answers(answers_before, limit - entries)


class SqliteOutbox(SqliteStore[OutboxTransaction]):
    """The outbox of one node; opened for writing it draws a boot id, voids all claims, and has a node epoch.

    `clock` and `chance` are used then, and at no other time.
    """

    name = "outbox"
    tables = OUTBOX
    version = VERSION

    def __init__(
        self, path: Path, storage: Storage, sm3: Callable[[bytes], bytes], clock: Clock, chance: Chance, *,
        writing: bool = True, counter: Counter | None = None,
    ) -> None:
        super().__init__(path, storage, sm3, writing=writing, counter=counter)
        if writing:
            self._start(clock(), chance(BOOT).hex())

    def _upgrade(self, connection: sqlite3.Connection, found: int) -> None:
        know_dirty_rows(connection)

    def open_epoch(self, now: Instant) -> int:
        """Open a new node epoch, max(stored + 1, UTC seconds): by `init` and restore, never a restart (WIRE §3)."""
        with self.unit() as unit:
            epoch = max(unit.epoch() + 1, now // 1000)
            self._set("epoch", str(epoch))
            self._connection.execute("DELETE FROM facts WHERE name = 'superseded'")
            self.memory.forget()
        return epoch

    def _start(self, now: Instant, boot: str) -> None:
        with self.unit():
            self._connection.execute(
                "INSERT OR IGNORE INTO facts (name, value) VALUES ('epoch', ?)", (str(max(1, now // 1000)),)
            )
            self._set("boot", boot)
            self._connection.execute("UPDATE lanes SET lease = NULL")

    def _set(self, name: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, value))

    def _begin(self) -> OutboxTransaction:
        return OutboxTransaction(self._connection, self.sealing, self._sm3, self.memory)


_: type[Store[OutboxUnit]] = SqliteOutbox
