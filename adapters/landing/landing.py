"""Records landed in one table, within an open transaction that holds the target's lock.

Rule 1: records are landed in their order.  A stretch of them is written at once, within a savepoint; where the database
        refuses it, it is undone and halved, down to the one that is refused: what is decided of the others takes no
        notice of that one.
Rule 2: of one key in one stretch the last word alone is written.
Rule 3: a right that is refused, and a statement that ran out of time (`overtime`), is a row's fault only if another row
        of the batch was written; else it is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exc

from adapters.contract import Batch, Fate, Incoming, Result
from adapters.landing.digests import LONGEST
from adapters.landing.errors import Blame, blame, is_right, reason
from adapters.landing.family import family_of
from adapters.landing.filling import Refused, Words
from adapters.landing.ledger import Ledger
from adapters.landing.overtime import Isolation, is_overtime, stuck
from adapters.landing.rules import Key, State
from adapters.landing.taking import Taking
from adapters.landing.target import Target


class Undone(Exception):
    """The database rolled the whole transaction back for one of these records, as a trigger of SQLite can."""

    def __init__(self, leaves: Sequence[int], why: Refused) -> None:
        super().__init__("undone")
        self.leaves, self.why = leaves, why


@dataclass(frozen=True, slots=True)
class Arrived:
    """A record that can be landed: its key and row in the ledger, its business key, its values; None of a delete."""

    record: Incoming
    key: Key
    row: str
    texts: tuple[str, ...]
    values: tuple[Any, ...] | None


@dataclass(slots=True)
class Landing:
    """One batch on its way into one target."""

    connection: Connection
    target: Target
    taking: Taking
    ledger: Ledger
    state: State = field(default_factory=State)
    fates: dict[int, Fate | Refused] = field(default_factory=dict)
    spots: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """The values of the target's key for each place that this batch knows."""
    standing: dict[Key, Arrived] = field(default_factory=dict)
    isolation: Isolation | None = None
    doubtful: dict[int, exc.DBAPIError] = field(default_factory=dict)
    """Records refused by what may be no fault of theirs."""
    written: bool = False

    def land(self, batch: Batch, at: datetime, known: Mapping[int, Refused], slowly: bool) -> list[Result]:
        """Land the records; return a result for each.  `known` are refused already; `slowly`: one by one."""
        arrived = self._arrive(batch, at, known)
        self._load(arrived)
        width = 1 if slowly else max(len(arrived), 1)
        for first in range(0, len(arrived), width):
            self._stretch(arrived[first:first + width])
        self._acquit()
        if self.isolation is not None:
            self.isolation.end()
        hide = self.ledger.digests.hide
        self.ledger.save(self.state, {
            key: hide(one.record.row, key.place, one.texts) for key, one in self.standing.items()
            if self.state.owners.get(key.place) == key.origin and self.state.held[key].version == one.record.version})
        return [_result(one.leaf, self.fates[one.leaf]) for one in batch.records]

    # --- records become rows --------------------------------------------------------------------------------------

    def _arrive(self, batch: Batch, at: datetime, known: Mapping[int, Refused]) -> list[Arrived]:
        """Return the records that can be landed; the others are refused."""
        standing = [one for one in batch.records if not one.delete]
        words = [_words(one, batch, at) for one in standing] if self.target.uses_words else ()
        rows = dict(zip([one.leaf for one in standing], self.target.rows(standing, words)))
        arrived = []
        for record in batch.records:
            one = known.get(record.leaf) or self._one(record, rows.get(record.leaf))
            if isinstance(one, Refused):
                self.fates[record.leaf] = one
            else:
                arrived.append(one)
        return arrived

    def _one(self, record: Incoming, values: tuple[Any, ...] | Refused | None) -> Arrived | Refused:
        """Return a record with its row, None of a delete."""
        target, digests = self.target, self.ledger.digests
        texts = target.key_texts(record)
        try:
            if len("".join(texts).encode()) > LONGEST:
                return Refused("", "主键过长", "the business key is too long")
        except UnicodeEncodeError:
            return Refused("", "主键不是有效的文本", "the business key is no valid text")
        if isinstance(values, Refused):
            return values
        spot = target.key_values(texts, record.origin) if values is None else tuple(values[at] for at in target.key)
        if isinstance(spot, Refused):
            return spot
        place = digests.place((*texts, record.origin) if target.by_origin else texts)
        self.spots[place] = spot
        return Arrived(record, Key(place, record.origin), digests.row(record.origin, record.row), texts, values)

    def _load(self, arrived: Sequence[Arrived]) -> None:
        """Learn what the ledger knows of the records, and where those stand that move."""
        self.state = self.ledger.load([one.key for one in arrived], {one.row: one.key.origin for one in arrived})
        for one in arrived:
            home = self.state.homes.get(one.row)
            hidden = self.ledger.hidden(home.key) if home is not None and home.key.place not in self.spots else None
            if home is not None and hidden is not None:
                texts = self.ledger.digests.reveal(one.record.row, home.key.place, hidden)
                spot = None if texts is None else self.target.key_values(texts, one.key.origin)
                if spot is not None and not isinstance(spot, Refused):
                    self.spots[home.key.place] = spot

    # --- rows are written -----------------------------------------------------------------------------------------

    def _stretch(self, arrived: Sequence[Arrived]) -> None:
        """Land a stretch of records; halve it where the database refuses it."""
        if not arrived:
            return
        trial = self.state.fork()
        applied = [
            trial.apply(number, one.key, one.row, one.record.version, one.record.delete)
            for number, one in enumerate(arrived)]
        try:
            if self.isolation is not None:
                self.isolation.bound(len(arrived))
            put = self._write(trial, arrived)
        except exc.DBAPIError as why:
            if not self._of_rows(why):
                raise
            if len(arrived) == 1:
                self._refuse(arrived[0].record.leaf, why)
                return
        else:
            self.state = trial
            self.written = self.written or bool(trial.places)
            self.standing.update({one.key: one for one in put})
            self.fates.update(
                (one.record.leaf, Fate.APPLIED if won else Fate.OLDER) for one, won in zip(arrived, applied))
            return
        middle = len(arrived) // 2
        self._stretch(arrived[:middle])
        self._stretch(arrived[middle:])

    def _write(self, trial: State, arrived: Sequence[Arrived]) -> list[Arrived]:
        """Put and remove what a state wants, all of it or nothing; return what was put."""
        put = [arrived[number] for number in trial.places.values() if number is not None]
        gone = [place for place, number in trial.places.items() if number is None]
        savepoint = self.connection.begin_nested()
        try:
            self.taking.remove(self.connection, [self.spots[place] for place in gone if place in self.spots])
            self.taking.put(self.connection, [one.values for one in put if one.values is not None])
            self.taking.settle(self.connection)
        except exc.DBAPIError as why:
            if self._of_rows(why):
                self._undo(savepoint, [one.record.leaf for one in arrived], why)
            raise
        savepoint.commit()
        return put

    def _of_rows(self, why: exc.DBAPIError) -> bool:
        """Return whether an error may be the fault of one of the rows."""
        family = family_of(self.connection.dialect)
        if blame(why, family) is Blame.ROW or is_right(why, family):
            return True
        return self.isolation is not None and is_overtime(why) and not self.isolation.over

    def _refuse(self, leaf: int, why: exc.DBAPIError) -> None:
        self.fates[leaf] = Refused("", *reason(why))
        if blame(why, family_of(self.connection.dialect)) is not Blame.ROW:
            self.doubtful[leaf] = why

    def guilty(self) -> dict[int, Refused]:
        """Return the records that were refused though it might have been no fault of theirs."""
        return {leaf: fate for leaf in self.doubtful if isinstance(fate := self.fates.get(leaf), Refused)}

    def _acquit(self) -> None:
        """Raise what rows were refused by if no row was written: then it is no fault of theirs."""
        if self.doubtful and not self.written:
            why = next(iter(self.doubtful.values()))
            if self.isolation is not None and is_overtime(why):
                raise stuck(self.isolation.alone)
            raise why

    @staticmethod
    def _undo(savepoint: Any, leaves: Sequence[int], why: exc.DBAPIError) -> None:
        try:
            savepoint.rollback()
        except exc.DBAPIError:  # it is gone with its transaction
            raise Undone(leaves, Refused("", *reason(why))) from None


def _result(leaf: int, fate: Fate | Refused) -> Result:
    return Result(leaf, fate) if isinstance(fate, Fate) else Result(leaf, Fate.REFUSED, *fate)


def _words(record: Incoming, batch: Batch, at: datetime) -> Words:
    epoch, n = record.version
    return {
        "now": f"{at:%Y-%m-%d %H:%M:%S}", "resource": batch.resource, "parcel": batch.parcel, "origin": record.origin,
        "row": record.row, "version": f"{epoch}.{n}", "epoch": f"{epoch}", "n": f"{n}",
    }
