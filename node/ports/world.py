"""What the core asks of sinks, counters and the log."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Protocol

from node.model.parcel import Verdict
from node.model.spool import Delivery


class Sink(Protocol):
    """Whoever takes records that were opened and found good."""

    def apply(self, delivery: Delivery) -> Awaitable[Sequence[Verdict]]:
        """Apply by version and be done only when it is safe on the far side; a replay gives the same verdicts."""


class Counter(Protocol):
    """Counts for operations: names of observe's families, labels from configuration only."""

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        """Add to a counter."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""

    def timed(self, name: str, seconds: float, **labels: str) -> None:
        """Observe a duration."""


class Log(Protocol):
    """Stable events with ids, never content."""

    def __call__(self, level: str, event: str, **fields: object) -> None:
        """Write one line; `event` is an EXN code or a dotted name."""
