"""One alarm per hold: a lane that is let go, tries again and is held again for the same cause tells nothing new."""

from __future__ import annotations

from node.model.parcel import Lane


class Alarms:
    """Remembers what was told of each lane in this run of the process."""

    def __init__(self) -> None:
        self._told: dict[Lane, str] = {}

    def rings(self, lane: Lane, code: str) -> bool:
        """Return whether the hold of a lane for `code` is news, and note that it was told."""
        news = self._told.get(lane) != code
        self._told[lane] = code
        return news

    def end(self, lane: Lane) -> None:
        """The lane goes on: its next hold is news."""
        self._told.pop(lane, None)
