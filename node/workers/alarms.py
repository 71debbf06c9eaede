"""One alarm per hold: a lane that is let go, tries again and is held again for the same cause tells nothing new.

Neither does one that is held for two causes in turn: each was told once, and only a lane that goes on ends them.
"""

from __future__ import annotations

from node.model.parcel import Lane


class Alarms:
    """Remembers what was told of each lane in this run of the process."""

    def __init__(self) -> None:
        self._told: dict[Lane, set[str]] = {}

    def rings(self, lane: Lane, code: str) -> bool:
        """Return whether the hold of a lane for `code` is news, and note that it was told."""
        told = self._told.setdefault(lane, set())
        news = code not in told
        told.add(code)
        return news

    def end(self, lane: Lane) -> None:
        """The lane goes on: its next hold is news."""
        self._told.pop(lane, None)
