"""What group commit gains: records into an outbox one per transaction, and a thousand per transaction, on one disk.

Both go through the store itself, sealing and ledger included, `synchronous=FULL`; only how many share a commit differs.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from node.config import load
from node.model.parcel import Lane
from node.model.record import SpecificationId, Stream, Version
from node.model.spool import Waiting
from node.service.papers import read_papers
from node.store import SqliteOutbox

LANE = Lane("bench", "here", "there", "population", Stream.LIVE)
SPECIFICATION = SpecificationId("population-basic", "1.0", "0" * 64)
TOGETHER = 1000


@dataclass(slots=True)
class Commits:
    """An outbox of its own beside the nodes' and the records to fill it with, over and over."""

    outbox: SqliteOutbox
    lines: list[bytes]
    given: int = 0

    @classmethod
    def open(cls, folder: Path, config: Path, lines: list[bytes]) -> Commits:
        """Return an outbox in `folder` under the storage key of a node's configuration."""
        papers = read_papers(load(config), lambda said: None)
        storage, sm3 = papers.keyring.storage(), papers.crypto.sm3
        return cls(SqliteOutbox(folder / "commits.db", storage, sm3, lambda: 0, os.urandom), lines)

    def rate(self, per_unit: int, seconds: float) -> float:
        """Return records per second with so many in each transaction."""
        begun, before = time.perf_counter(), self.given
        while time.perf_counter() - begun < seconds:
            with self.outbox.unit() as unit:
                for _ in range(per_unit):
                    line = self.lines[self.given % len(self.lines)]
                    self.given += 1
                    unit.wait(LANE, Waiting(SPECIFICATION, [line], 0, Version(1, self.given)))
        return (self.given - before) / (time.perf_counter() - begun)
