"""What the core asks of any store: one transaction, and a chained account of its acts.

One transaction, one store.  `with store.unit() as unit:` commits on a normal exit and rolls back on an exception;
nothing may be told to anyone before the exit.  `unit.writes` counts the statements that changed something.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from node.model.instant import Instant
from node.model.parcel import Lane
from node.model.spool import LedgerEntry

U = TypeVar("U", covariant=True)


class Ledger(Protocol):
    """The chained account of a store's own acts, one chain per lane."""

    def note(self, lane: Lane, step: str, subject: str, digest: str, count: int, at: Instant) -> None:
        """Append one entry: `step` is a name of node/ledger/steps.py, `subject` a submission or parcel id."""

    def ledger(self, lane: Lane, after: int = 0, limit: int = 1000) -> Sequence[LedgerEntry]:
        """Return the chain of a lane in order."""

    def traced(self, subject: str) -> Sequence[LedgerEntry]:
        """Return every entry about a subject."""


class Store(Protocol[U]):
    """A database that survives the power: `unit` is its only door."""

    def unit(self, durable: bool = True) -> AbstractContextManager[U]:
        """Open one transaction; commit on a normal exit, roll back on an exception.

        One that is not `durable` outlives the process but not surely the power; it is on disk with the next that is,
        and never without those before it.
        """

    def close(self) -> None:
        """Close the files; no unit may be open."""
