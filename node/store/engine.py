"""One SQLite file, opened by one process for writing or by any for reading, and its transactions.

Rule 1: a durable unit is told done only after COMMIT returned with `synchronous=FULL`: the log was synced.  The others
        (claims, what a peer will tell again) are in the log, which the next sync takes whole and in order.
Rule 2: one process writes: it holds a lock on a file beside the database from opening to closing.
Rule 3: what is remembered between units (numbers of lanes, ends of chains) is forgotten at a rollback.
Rule 4: a library's error leaves as one of our codes; its text stays here.
Rule 5: a unit for writing opens only while database and log stand where they were opened: SQLite goes on writing to a
    file that was moved or removed, and what was acknowledged then would be gone at the next start.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import ClassVar, Generic, TypeVar

from sqlalchemy import MetaData

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.ports import Counter, Storage
from node.store.schema import statements
from node.store.sealing import Sealing
from node.store.transaction import Memory, Transaction

U = TypeVar("U", bound=Transaction)

PAGE = 4096
LOG = 8 << 20
"""Octets of log (WAL) after which it is checkpointed: small enough to reopen at once after a crash."""
BUSY = 0.25
"""Seconds to wait for a reader that happens to checkpoint; there is no other writer to wait for."""
CACHE = 16 << 20
LOOK = 0.1
"""Seconds between two looks whether the files are in their place."""

_SYNCHRONOUS = {True: "PRAGMA synchronous = FULL", False: "PRAGMA synchronous = NORMAL"}
_FULL = {sqlite3.SQLITE_FULL}
_WORLD = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM,
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class SqliteStore(ABC, Generic[U]):
    """A store in one SQLite file; a subclass says which tables and which unit.

    `sm3` digests ledger entries; `counter` gets the duration of each commit.  With `writing` false the file must be
    there and nothing can be changed.  Raises Retry(STORE_TAKEN) while another process has it open for writing,
    Hold(STORE_NEWER) for a file of a later schema, Hold(STORE_DAMAGED) for one that is no database; each unit
    Retry(STORE_GONE) while the file is not in its place.
    """

    name: ClassVar[str]
    tables: ClassVar[MetaData]
    version: ClassVar[int]

    def __init__(
        self, path: Path, storage: Storage, sm3: Callable[[bytes], bytes], *, writing: bool = True,
        counter: Counter | None = None,
    ) -> None:
        self._path, self._storage, self._sm3, self._counter = path, storage, sm3, counter
        self.writing = writing
        self.sealing = Sealing(storage, self.name)
        self.memory = Memory()
        self._names = (str(path), f"{path}-wal")
        self._places: list[tuple[int, int] | None] = [None, None]
        self._good_until = 0.0
        self._durable = True
        self._lock = self._take_lock() if writing else None
        try:
            self._connection = self._open()
        except BaseException:
            self._release_lock()
            raise

    @abstractmethod
    def _begin(self) -> U:
        """Return a fresh unit."""

    @contextmanager
    def unit(self, durable: bool = True) -> Iterator[U]:
        """Open one transaction; commit on a normal exit, roll back on an exception."""
        connection = self._connection
        assert not connection.in_transaction, f"a unit of the {self.name} is open"
        try:
            if self.writing:
                self._in_place()
            if durable is not self._durable and self.writing:
                connection.execute(_SYNCHRONOUS[durable])
                self._durable = durable
            connection.execute("BEGIN IMMEDIATE" if self.writing else "BEGIN")
            unit = self._begin()
            yield unit
            unit.flush()
            self._commit(unit)
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise self._told(error) from None
            raise

    def close(self) -> None:
        """Close the file and let another process have it; no unit may be open."""
        self._connection.close()
        self._release_lock()

    def _commit(self, unit: U) -> None:
        if self._counter is None or not unit.writes:
            self._connection.execute("COMMIT")
            return
        start = perf_counter()
        self._connection.execute("COMMIT")
        self._counter.timed("commit", perf_counter() - start, store=self.name)

    def _roll_back(self) -> None:
        self.memory.forget()
        if self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                # A failing disk may refuse even this; closing rolls back for certain, and the log decides.
                self._connection.close()
                self._connection, self._durable = self._connect(), True
                self._places[1] = None  # the last to close a database removes its log

    def _in_place(self) -> None:
        """Raise Retry(STORE_GONE) while a file we have open is not found under its name; looked at now and then."""
        now = perf_counter()
        if now < self._good_until:
            return
        for index, name in enumerate(self._names):
            try:
                found = os.stat(name)
            except OSError:
                found = None
            was, place = self._places[index], found and (found.st_dev, found.st_ino)
            if was is None:
                self._places[index] = place  # the log is made by the first transaction
            elif place != was:
                raise trouble(codes.STORE_GONE, name=self.name)
        self._good_until = now + LOOK

    def _told(self, error: sqlite3.Error) -> BaseException:
        """Return a library's error as ours; one that only a bug can cause stays as it is."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _FULL:
            return trouble(codes.DISK, what=self.name)
        if code in _WORLD:
            return trouble(codes.STORE_BUSY, name=self.name)
        return trouble(codes.STORE_DAMAGED, name=self.name) if code in _DAMAGED else error

    # --- opening ------------------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        try:
            connection = self._connect()
        except sqlite3.Error as error:
            raise self._told(error) from None
        try:
            self._bring_up(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise self._told(error) from None
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        if self.writing:
            # Made here with its mode, which SQLite's log and index files then take over.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        mode = "rw" if self.writing else "ro"
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY,
            cached_statements=512,
        )
        connection.execute(f"PRAGMA cache_size = -{CACHE >> 10}")
        connection.execute("PRAGMA temp_store = MEMORY")
        if self.writing:
            connection.execute(f"PRAGMA page_size = {PAGE}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_SYNCHRONOUS[True])
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG // PAGE}")
            connection.execute(f"PRAGMA journal_size_limit = {2 * LOG}")
            connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _bring_up(self, connection: sqlite3.Connection) -> None:
        """Create the tables of a new file, upgrade one of an earlier version; refuse one of a later version."""
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found > self.version:
            raise trouble(codes.STORE_NEWER, name=self.name)
        if found == 0 and self.writing:
            connection.execute("BEGIN IMMEDIATE")
            for statement in statements(self.tables):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {self.version}")
            connection.execute("COMMIT")
        elif found < self.version and self.writing:
            connection.execute("BEGIN IMMEDIATE")
            self._upgrade(connection, found)
            connection.execute(f"PRAGMA user_version = {self.version}")
            connection.execute("COMMIT")
        elif found < self.version:  # the node that writes has not made or upgraded it yet
            raise trouble(codes.STORE_BUSY, name=self.name)

    def _upgrade(self, connection: sqlite3.Connection, found: int) -> None:
        """Make a file of version `found` one of this version, in the transaction that is open."""
        raise AssertionError(f"{self.name} has had one version only")

    def _take_lock(self) -> int:
        try:
            lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            raise self._busy() from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise trouble(codes.STORE_TAKEN, name=self.name) from None
        return lock

    def _release_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _busy(self) -> Trouble:
        return trouble(codes.STORE_BUSY, name=self.name)
