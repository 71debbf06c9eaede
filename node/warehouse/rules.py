"""Which record wins, over what is known of its business key and of its row id (DESIGN §3 "Versions decide").

Rule 1: a record is applied only if its version is greater than the one its key holds; arrival decides nothing (W1).
Rule 2: a delete leaves a tombstone with its version.
Rule 3: a row id that returns under another key leaves a tombstone at its old key, unless another row has taken that
    key in the meantime (W2).  The tombstone keeps the version of the record that stood there: what another row says
    of that key later than that record still counts, whenever it comes.
Rule 4: a row id that comes late, after it was seen under another key with a greater version, had left: its key gets
    that tombstone, unless something newer than the record stands there.  So history cannot raise a ghost.
So a key ends alike in whatever order its records came: its greatest version stands, unless that deletes, or its row
has gone to another key since.
Rule 5: versions of one origin and resource are never equal for two records; an equal one is the same record again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from node.model.parcel import Outcome
from node.model.record import Operation, Version


@dataclass(slots=True)
class Held:
    """What a business key holds: the row id whose record stands there, None after that row left."""

    version: Version
    row: bytes | None
    gone: bool


@dataclass(slots=True)
class Home:
    """Where a row id was seen last: under which key, with which version."""

    key: bytes
    version: Version


@dataclass(slots=True)
class State:
    """All that the records of one delivery touch: what is known before, and what changed.

    `held` must know every key of the delivery, and every key at which one of its rows stands; `homes` every row of the
    delivery.  `wins` maps a changed key to the number of the record that stands there, None for the tombstone of a row
    that left; `moved` names the rows whose home changed, or who lost their key to another row.
    """

    held: dict[bytes, Held] = field(default_factory=dict)
    homes: dict[bytes, Home] = field(default_factory=dict)
    wins: dict[bytes, int | None] = field(default_factory=dict)
    moved: set[bytes] = field(default_factory=set)

    def apply(self, number: int, key: bytes, row: bytes, version: Version, operation: Operation) -> Outcome:
        """Apply record `number` of the delivery; return APPLIED, or OLDER if something newer stands there."""
        home = self.homes.get(row)
        if home is not None and home.version >= version:
            if home.key != key:
                self._leave_late(key, version)
            return Outcome.OLDER
        if home is not None and home.key != key and self._stands(home.key, row):
            self._put(home.key, Held(self.held[home.key].version, None, True), None)
        self.homes[row] = Home(key, version)
        self.moved.add(row)
        there = self.held.get(key)
        if there is not None and there.version >= version:
            return Outcome.OLDER
        if there is not None and there.row is not None and there.row != row:
            self._displace(there.row, key, there.version)
        self._put(key, Held(version, row, operation is Operation.DELETE), number)
        return Outcome.APPLIED

    def _leave_late(self, key: bytes, came: Version) -> None:
        there = self.held.get(key)
        if there is not None and there.version >= came:
            return
        if there is not None and there.row is not None:
            self._displace(there.row, key, there.version)
        self._put(key, Held(came, None, True), None)

    def _displace(self, row: bytes, key: bytes, version: Version) -> None:
        self.homes.setdefault(row, Home(key, version))
        self.moved.add(row)

    def stands_at_home(self, row: bytes) -> bool:
        """Return whether the row's last record is what its key holds."""
        return self._stands(self.homes[row].key, row)

    def _stands(self, key: bytes, row: bytes) -> bool:
        there = self.held.get(key)
        return there is not None and there.row == row

    def _put(self, key: bytes, held: Held, number: int | None) -> None:
        self.held[key] = held
        self.wins[key] = number
