"""Which record wins at a target: the rules of the node's own warehouse, over what the ledger knows.

Rule 1: a record is applied only if its version is greater than the one its key holds; arrival decides nothing.  Of two
        rows of a batch with one key, an older one that comes first is applied and then overwritten; one that comes
        behind a newer one is older.
Rule 2: a delete leaves a tombstone with its version.
Rule 3: a row that returns under another key leaves a tombstone at its old key, with the version that stood there,
        unless another row has taken that key in the meantime.
Rule 4: a row that comes late, after it was seen under another key with a greater version, had left: its key gets that
        tombstone, unless something newer stands there.
Rule 5: keys of two origins are two keys.  Where they are one place at the target, it belongs to who wrote it last, and
        what another says of it later than its own last word removes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

Version = tuple[int, int]


class Key(NamedTuple):
    """A business key of one origin: the digest of its place at the target, and the origin."""

    place: str
    origin: str


class Held(NamedTuple):
    """What a key holds: the row whose record stands there, None after that row left."""

    version: Version
    row: str | None
    gone: bool


class Home(NamedTuple):
    """Where a row was seen last: under which key, with which version."""

    key: Key
    version: Version


@dataclass(slots=True)
class State:
    """What is known of the keys and rows of a batch, and what changed.

    `held` must know every key of the batch, of all origins, and every key at which one of its rows stands; `homes`
    every row.  `owners` says whose record stands at a place of the target; `places` what is to be done there: the
    number of the record to be written, None to remove what stands there.
    """

    held: dict[Key, Held] = field(default_factory=dict)
    homes: dict[str, Home] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    changed: set[Key] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    places: dict[str, int | None] = field(default_factory=dict)

    def fork(self) -> State:
        """Return a state that can be thrown away, in which nothing is to be done at the target yet."""
        return State(
            dict(self.held), dict(self.homes), dict(self.owners), set(self.changed), set(self.moved))

    def apply(self, number: int, key: Key, row: str, version: Version, delete: bool) -> bool:
        """Apply a record; return whether it is applied, or something newer stands there."""
        home = self.homes.get(row)
        if home is not None and home.version >= version:
            if home.key != key:
                self._leave_late(key, version)
            return False
        if home is not None and home.key != key and self._stands(home.key, row):
            self._put(home.key, Held(self.held[home.key].version, None, True), None)
        self.homes[row] = Home(key, version)
        self.moved.add(row)
        there = self.held.get(key)
        if there is not None and there.version >= version:
            return False
        if there is not None and there.row is not None and there.row != row:
            self._displace(there.row, key, there.version)
        self._put(key, Held(version, row, delete), None if delete else number)
        return True

    def stands_at_home(self, row: str) -> bool:
        """Return whether the row's last record is what its key holds."""
        return self._stands(self.homes[row].key, row)

    def _leave_late(self, key: Key, came: Version) -> None:
        there = self.held.get(key)
        if there is not None and there.version >= came:
            return
        if there is not None and there.row is not None:
            self._displace(there.row, key, there.version)
        self._put(key, Held(came, None, True), None)

    def _displace(self, row: str, key: Key, version: Version) -> None:
        self.homes.setdefault(row, Home(key, version))
        self.moved.add(row)

    def _stands(self, key: Key, row: str) -> bool:
        there = self.held.get(key)
        return there is not None and there.row == row

    def _put(self, key: Key, held: Held, number: int | None) -> None:
        self.held[key] = held
        self.changed.add(key)
        owner = self.owners.get(key.place)
        if number is not None:
            if owner is not None and owner != key.origin:
                self.changed.add(Key(key.place, owner))
            self.owners[key.place] = key.origin
        elif owner is None or owner == key.origin:
            self.owners.pop(key.place, None)
        else:
            return
        self.places[key.place] = number
