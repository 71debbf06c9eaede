"""What the target's database remembers of what was landed: tokens, parcels, versions.

Rule 1: everything is read and written in the transaction of the batch; the target's own row of `exn_lanes` is changed
        first, so whoever else lands in the same target waits.
Rule 2: a parcel's results are kept until `KEEP` more have come in its lane.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from adapters.contract import Fate, Misconfigured, Result, Unavailable
from adapters.landing.copying import Copying, can_copy
from adapters.landing.digests import Digests
from adapters.landing.rules import Held, Home, Key, State
from adapters.landing.statements import Statements
from adapters.landing.tables import FORM, LedgerTables
from adapters.landing.writing import Writer, writer

KEEP = 10_000
"""Parcels of a lane whose results are kept."""

_PURGE = 200
"""Parcels between two looks for older ones."""

_AT_ONCE = 500
"""Most values of one condition."""


class Ledger:
    """The ledger for one target and resource, over one connection."""

    def __init__(self, connection: Connection, tables: LedgerTables, salt: bytes, target: str, resource: str) -> None:
        self.connection, self.tables = connection, tables
        self.digests = Digests(salt, target, resource)
        self._hidden: dict[Key, str | None] = {}
        self._strayed: set[str] = set()
        columns = tuple(one.name for one in tables.versions.columns)
        said = Statements(
            connection.dialect, tables.versions.name, tables.metadata.schema, columns, ("key_digest", "origin"))
        self.versions: Writer = writer(said, True)
        if can_copy(connection):
            self.versions = Copying(said, True, self.versions)

    def prepare(self) -> None:
        """Make what the session needs, before the transaction."""
        if isinstance(self.versions, Copying):
            self.versions.prepare(self.connection)

    # --- lanes and parcels ----------------------------------------------------------------------------------------

    def enter(self, name: str) -> str:
        """Wait until this lane is ours, making it if it is new; return its digest."""
        lane, lanes = self.digests.lane(name), self.tables.lanes
        taken = update(lanes).where(lanes.c.lane == lane).values(parcels=lanes.c.parcels)
        if self.connection.execute(taken).rowcount == 0:
            self.connection.execute(insert(lanes).values(lane=lane, token=0, parcels=0, paths=None))
        return lane

    def paths(self, lane: str) -> list[str]:
        """Return the paths of fields that have come."""
        lanes = self.tables.lanes
        found = self.connection.execute(select(lanes.c.paths).where(lanes.c.lane == lane)).scalar()
        return list(json.loads(found)) if found else []

    def known_paths(self) -> list[str]:
        """Return the paths of fields that have come for the target."""
        return self.paths(self.digests.lane(""))

    def know(self, lane: str, paths: Sequence[str]) -> None:
        """Keep the paths of fields that have come."""
        lanes = self.tables.lanes
        self.connection.execute(update(lanes).where(lanes.c.lane == lane).values(paths=json.dumps(paths)))

    def fence(self, lane: str, token: int, strictly: bool) -> None:
        """Remember a token; `strictly`, raise Unavailable if a greater one was seen."""
        lanes = self.tables.lanes
        seen = self.connection.execute(select(lanes.c.token).where(lanes.c.lane == lane)).scalar_one()
        if token < seen and strictly:
            raise Unavailable("另一进程已接管此通道", "another process has taken the lane over")
        if token > seen:
            self.connection.execute(update(lanes).where(lanes.c.lane == lane).values(token=token))

    def results(self, lane: str, parcel: str) -> list[Result] | None:
        """Return the results that were given for a parcel, None if it is new."""
        parcels = self.tables.parcels
        asked = select(parcels.c.results).where(parcels.c.lane == lane, parcels.c.parcel == parcel)
        found = self.connection.execute(asked).scalar()
        return None if found is None else list(_read(json.loads(found)))

    def keep(self, lane: str, parcel: str, results: Sequence[Result]) -> None:
        """Keep the results of a parcel, and forget those of very old ones."""
        lanes, parcels = self.tables.lanes, self.tables.parcels
        place = self.connection.execute(select(lanes.c.parcels).where(lanes.c.lane == lane)).scalar_one() + 1
        self.connection.execute(update(lanes).where(lanes.c.lane == lane).values(parcels=place))
        said = json.dumps(list(_written(results)), separators=(",", ":"))
        self.connection.execute(insert(parcels).values(lane=lane, parcel=parcel, place=place, results=said))
        if place % _PURGE == 0:
            self.connection.execute(delete(parcels).where(parcels.c.lane == lane, parcels.c.place <= place - KEEP))

    # --- versions -------------------------------------------------------------------------------------------------

    def load(self, keys: Iterable[Key], rows: Mapping[str, str]) -> State:
        """Return what is known of these keys, and of the rows, whose origins are given; and who owns their places.

        A row that is found tells its key; of a key that is known, and whose own origin stands there, nothing is asked.
        """
        state, versions, strays = State(), self.tables.versions, self.tables.strays
        columns = list(versions.columns)
        self._take(state, self._among(columns, versions.c.row_digest, rows))
        unknown = {key.place for key in keys if key not in state.held or key.place not in state.owners}
        self._take(state, self._among(columns, versions.c.key_digest, unknown))
        lost = [row for row in rows if row not in state.homes]
        if lost and self.connection.execute(select(strays.c.row_digest).limit(1)).first() is None:
            lost.clear()
        for row, place, epoch, serial in self._among(list(strays.columns), strays.c.row_digest, lost):
            state.homes[row] = Home(Key(place, rows[row]), (epoch, serial))
            self._strayed.add(row)
        return state

    def _take(self, state: State, found: Iterable[Any]) -> None:
        for place, origin, epoch, serial, row, gone, hidden in found:
            key = Key(place, origin)
            state.held[key] = Held((epoch, serial), row, bool(gone))
            self._hidden[key] = hidden
            if row is not None:
                state.homes[row] = Home(key, (epoch, serial))
            if hidden is not None:
                state.owners[place] = origin

    def _among(self, columns: list[Any], column: Any, wanted: Iterable[str]) -> Iterator[Any]:
        values = list(wanted)
        if values and can_copy(self.connection):
            names = ", ".join(one.name for one in columns)
            table = self.connection.dialect.identifier_preparer.format_table(column.table)
            at_once = f"SELECT {names} FROM {table} WHERE {column.name} = ANY(%s)"
            yield from self.connection.exec_driver_sql(at_once, (values,)).fetchall()
            return
        for at in range(0, len(values), _AT_ONCE):
            asked = select(*columns).where(column.in_(bindparam("v", expanding=True)))
            yield from self.connection.execute(asked, {"v": values[at:at + _AT_ONCE]}).fetchall()

    def hidden(self, key: Key) -> str | None:
        """Return the key's texts as they were kept, None if nothing of it stands."""
        return self._hidden.get(key)

    def save(self, state: State, hidden: Mapping[Key, str]) -> None:
        """Keep what changed; `hidden` are the texts of keys that were written in this batch."""
        new: list[tuple[Any, ...]] = []
        old: list[tuple[Any, ...]] = []
        for key in sorted(state.changed):  # an index is met in its order
            held = state.held[key]
            stands = state.owners.get(key.place) == key.origin and not held.gone
            kept = (hidden.get(key) or self._hidden.get(key)) if stands else None
            row = (key.place, key.origin, *held.version, held.row, int(held.gone), kept)
            (old if key in self._hidden else new).append(row)
        self.versions.add(self.connection, new)
        self.versions.alter(self.connection, old)
        self._save_strays(state)

    def _save_strays(self, state: State) -> None:
        strays = self.tables.strays
        away = {row: state.homes[row] for row in state.moved if not state.stands_at_home(row)}
        void = [{"r": row} for row in state.moved if row in self._strayed or row in away]
        if void:
            self.connection.execute(delete(strays).where(strays.c.row_digest == bindparam("r")), void)
        if away:
            self.connection.execute(insert(strays), [
                {"row_digest": row, "key_digest": home.key.place, "epoch": home.version[0], "serial": home.version[1]}
                for row, home in away.items()])


def salt_of(connection: Connection, tables: LedgerTables) -> bytes:
    """Return the ledger's salt, made if there is none; raise Misconfigured for a ledger of another form."""
    ledger = tables.ledger
    found = connection.execute(select(ledger.c.form, ledger.c.salt)).first()
    if found is None:
        if connection.execute(select(tables.lanes.c.lane).limit(1)).first() is not None:
            raise Misconfigured(
                f"台账表{ledger.name}的一行不见了：其余各表已不可读，请恢复，或清空全部台账表重新开始",
                f"the row of {ledger.name} is gone, without which the ledger cannot be read: bring it back, or empty "
                "all of the ledger's tables and begin anew")
        made = secrets.token_bytes(32)
        connection.execute(insert(ledger).values(id=1, form=FORM, salt=made.hex()))
        connection.commit()
        return made
    if found.form != FORM:
        raise Misconfigured(f"台账的格式{found.form}不认识", f"the ledger has form {found.form}, which is not known")
    connection.rollback()
    return bytes.fromhex(found.salt)


_LETTERS = {Fate.APPLIED: "a", Fate.OLDER: "o", Fate.REFUSED: "r"}
_FATES = {letter: fate for fate, letter in _LETTERS.items()}


def _written(results: Sequence[Result]) -> Iterator[list[Any]]:
    """Yield results as they are kept: runs of one fate, and each refusal with its reason."""
    for (_, fate), run in groupby(enumerate(results), lambda one: (one[1].leaf - one[0], one[1].fate)):
        leaves = [one for _, one in run]
        if fate is Fate.REFUSED:
            yield from (["r", one.leaf, one.field, one.zh, one.en] for one in leaves)
        else:
            yield [_LETTERS[fate], leaves[0].leaf, len(leaves)]


def _read(kept: Iterable[list[Any]]) -> Iterator[Result]:
    for letter, leaf, *said in kept:
        if letter == "r":
            yield Result(leaf, Fate.REFUSED, *said)
        else:
            yield from (Result(one, _FATES[letter]) for one in range(leaf, leaf + said[0]))
