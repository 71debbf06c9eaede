"""What the memory stores share: tables whose changes can be undone, one unit at a time, a power cut at a commit.

Values in a table are never changed in place, so undoing is putting the old one back, and a unit costs only what it
changes.  What was not committed is gone after a rollback or a cut; `reopen` is the next start of the process.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from node.crypto.symmetric import sm3 as real_sm3
from node.ledger import chain
from node.model.instant import Instant
from node.model.parcel import Lane
from node.model.spool import LedgerEntry

K = TypeVar("K")
V = TypeVar("V")
U = TypeVar("U", bound="MemoryUnit")
Journal = list[Callable[[], None]]


class PowerCut(Exception):
    """The process is dead; only `reopen` brings the store back."""


class Failing(ABC, Generic[U]):
    """A store that can be cut off at a commit; mixed in before any store that commits by `_commit`."""

    _countdown = 0
    _after = False
    dead = False
    commits = 0
    """How many units were committed that had written."""

    def fail_at(self, commit: int, *, after: bool = False) -> None:
        """Cut the power at the `commit`th commit of writes from now, before or after it took effect."""
        self._countdown, self._after = commit, after

    def _commit(self, unit: Any) -> None:
        if unit.writes:
            self._countdown -= 1
            if self._countdown == 0 and not self._after:
                self.dead = True
                raise PowerCut
        super()._commit(unit)  # type: ignore[misc]  # the store this is mixed into
        if unit.writes:
            self.commits += 1
            if self._countdown == 0:
                self.dead = True
                raise PowerCut


class Table(Generic[K, V]):
    """A dictionary of immutable values that a journal can undo."""

    def __init__(self, journal: Journal) -> None:
        self._rows: dict[K, V] = {}
        self._journal = journal

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._rows))

    def __getitem__(self, key: K) -> V:
        return self._rows[key]

    def __setitem__(self, key: K, value: V) -> None:
        rows, journal = self._rows, self._journal
        if key in rows:
            was = rows[key]
            journal.append(lambda: rows.__setitem__(key, was))
        else:
            journal.append(lambda: rows.__delitem__(key))
        rows[key] = value

    def __delitem__(self, key: K) -> None:
        rows = self._rows
        before = dict(rows)  # a removed key would come back at the end otherwise, and order is part of the promise

        def undo() -> None:
            rows.clear()
            rows.update(before)

        self._journal.append(undo)
        del rows[key]

    def get(self, key: K) -> V | None:
        """Return the value of a key, None if it has none."""
        return self._rows.get(key)

    def values(self) -> Sequence[V]:
        """Return all values, first entered first."""
        return list(self._rows.values())

    def items(self) -> Sequence[tuple[K, V]]:
        """Return all pairs, first entered first."""
        return list(self._rows.items())


class MemoryUnit:
    """One transaction: the ledger that every store has."""

    def __init__(self, chains: Table[Lane, tuple[LedgerEntry, ...]], sm3: Callable[[bytes], bytes]) -> None:
        self._chains, self._sm3 = chains, sm3
        self.writes = 0

    def flush(self) -> None:
        """Write what was gathered; called once before the commit."""

    def note(self, lane: Lane, step: str, subject: str, digest: str, count: int, at: Instant) -> None:
        """Append one entry to the lane's chain."""
        told = self._chains.get(lane) or ()
        head = bytes.fromhex(told[-1].head) if told else chain.START
        octets = chain.entry_octets(chain.lane_octets(lane), len(told) + 1, step, subject, digest, count, at)
        entry = LedgerEntry(
            lane, len(told) + 1, chain.grow(self._sm3, head, octets).hex(), step, subject, digest, count, at
        )
        self._chains[lane] = (*told, entry)
        self.writes += 1

    def ledger(self, lane: Lane, after: int = 0, limit: int = 1000) -> Sequence[LedgerEntry]:
        """Return the chain of a lane in order, after its first `after` entries."""
        return (self._chains.get(lane) or ())[after : after + limit]

    def traced(self, subject: str) -> Sequence[LedgerEntry]:
        """Return every entry about a subject."""
        return [entry for told in self._chains.values() for entry in told if entry.subject == subject]


class MemoryStore(ABC, Generic[U]):
    """A store whose committed state outlives `reopen` and nothing else."""

    def __init__(self, sm3: Callable[[bytes], bytes] = real_sm3) -> None:
        self._journal: Journal = []
        self._unsynced: Journal = []
        self._durable = True
        self._sm3 = sm3
        self._busy = False
        self.chains: Table[Lane, tuple[LedgerEntry, ...]] = Table(self._journal)

    @abstractmethod
    def _begin(self) -> U:
        """Return a fresh unit."""

    def _start(self) -> None:
        """Do what opening for writing does."""

    def reopen(self) -> None:
        """Start again after a close or a cut: claims are void."""
        self.dead = self._busy = False
        self._undo()
        while self._unsynced:
            self._unsynced.pop()()
        self._start()
        self._journal.clear()

    def forget_unsynced(self) -> None:
        """Undo nothing any more: what the store holds was put there from outside."""
        self._unsynced.clear()

    @contextmanager
    def unit(self, durable: bool = True) -> Iterator[U]:
        """Open one transaction; commit on a normal exit, roll back on an exception.

        What was not durable is lost with the next cut, unless a durable unit came after it.
        """
        if getattr(self, "dead", False):
            raise PowerCut
        assert not self._busy, "a unit is open"
        self._busy, self._durable = True, durable
        try:
            unit = self._begin()
            yield unit
            unit.flush()
            self._commit(unit)
        except BaseException:
            self._undo()
            raise
        finally:
            self._busy = False

    def close(self) -> None:
        """Close; `reopen` opens again."""
        assert not self._busy, "a unit is open"

    def _commit(self, unit: U) -> None:
        if not self._durable:
            self._unsynced += self._journal
        elif unit.writes:  # one that wrote nothing syncs nothing
            self._unsynced.clear()
        self._journal.clear()

    def _undo(self) -> None:
        while self._journal:
            self._journal.pop()()
