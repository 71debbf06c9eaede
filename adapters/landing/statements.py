"""The statements that write a table, in the words of each database.

Rule 1: values are always parameters, names always quoted as the database wants it.
Rule 2: `INSERT ... ON CONFLICT` and its kin are used only where they look at the key alone: MySQL's looks at every
        unique index, and would change another row than the one that is meant.
Rule 3: what has no such statement, or that we cannot try, is updated first, and inserted where nothing was there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Dialect

from adapters.landing.family import family_of

_PLACES = {"qmark": "?", "format": "%s", "pyformat": "%s"}


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one table; rows come as tuples in the order of `columns`, keys in the order of `key`."""

    dialect: Dialect
    table: str
    schema: str | None
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def quote(self, name: str) -> str:
        """Return a name as it is written."""
        return self.dialect.identifier_preparer.quote(name)

    @property
    def name(self) -> str:
        """The table as it is written."""
        return f"{self.quote(self.schema)}.{self.quote(self.table)}" if self.schema else self.quote(self.table)

    @property
    def rest(self) -> tuple[str, ...]:
        """The columns beside the key."""
        return tuple(one for one in self.columns if one not in self.key)

    def list(self, names: Sequence[str], before: str = "") -> str:
        """Return names as they are listed."""
        return ", ".join(before + self.quote(one) for one in names)

    def insert(self) -> str:
        """Return what inserts a row."""
        return f"INSERT INTO {self.name} ({self.list(self.columns)}) VALUES ({self._places(len(self.columns))})"

    def upsert(self) -> str | None:
        """Return what inserts a row or updates the one with its key, None where it is done in two steps."""
        kind = family_of(self.dialect)
        if kind in ("postgresql", "sqlite"):
            return f"{self.insert()} {self.on_conflict()}"
        if kind == "mysql":
            said = ", ".join(f"{self.quote(one)} = VALUES({self.quote(one)})" for one in self.rest or self.key)
            return f"{self.insert()} ON DUPLICATE KEY UPDATE {said}"
        if kind == "firebird":
            return f"UPDATE OR {self.insert()} MATCHING ({self.list(self.key)})"
        return None

    def on_conflict(self) -> str:
        """Return what an insert does where the key stands already."""
        said = ", ".join(f"{self.quote(one)} = excluded.{self.quote(one)}" for one in self.rest)
        return f"ON CONFLICT ({self.list(self.key)}) DO " + (f"UPDATE SET {said}" if said else "NOTHING")

    def update(self) -> str:
        """Return what updates the row of a key; its parameters are the rest and then the key."""
        return self.change(self.rest or self.key)

    def change(self, names: Sequence[str]) -> str:
        """Return what sets these columns in the row of a key."""
        said = ", ".join(f"{self.quote(one)} = {self.place(at)}" for at, one in enumerate(names))
        return f"UPDATE {self.name} SET {said} WHERE {self._where(len(names))}"

    def delete(self) -> str:
        """Return what deletes the row of a key."""
        return f"DELETE FROM {self.name} WHERE {self._where(0)}"

    def _where(self, first: int) -> str:
        return " AND ".join(f"{self.quote(one)} = {self.place(at)}" for at, one in enumerate(self.key, first))

    def place(self, at: int) -> str:
        """Return how a parameter is written, the first being 0."""
        return _PLACES.get(self.dialect.paramstyle) or f":{at + 1}"

    def _places(self, many: int) -> str:
        return ", ".join(self.place(at) for at in range(many))


def picked(rows: Sequence[Sequence[Any]], order: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return the rows with their values in another order."""
    return [tuple(row[at] for at in order) for row in rows]
