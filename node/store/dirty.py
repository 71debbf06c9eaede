"""Rows of sources that are no records now (O7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from node.model.instant import Instant
from node.model.record import Problem
from node.model.sentence import Sentence
from node.model.source import DirtyRow
from node.store.transaction import Transaction


class DirtyRows(Transaction):
    """What sources gave that is no record, until it is one or gone."""

    def dirty(self, source: str, after: str, limit: int) -> Sequence[DirtyRow]:
        """Return dirty rows in an order of their own, after the one with this name."""
        found = self._all(
            "SELECT name, seen, sealed FROM dirty WHERE source = ? AND name > ? ORDER BY name LIMIT ?",
            source, self._dirty_name(source, after) if after else b"", limit,
        )
        return [self._dirty_row(source, *row) for row in found]

    def dirty_count(self, source: str) -> int:
        """Return how many rows of a source are dirty."""
        (count,) = self._one("SELECT count(*) FROM dirty WHERE source = ?", source)
        return int(count)

    def dirty_among(self, source: str, names: Sequence[str]) -> set[str]:
        """Return those of the names that are dirty rows'."""
        if not self._one("SELECT 1 FROM dirty WHERE source = ? LIMIT 1", source):
            return set()
        macs = {self._dirty_name(source, name): name for name in names}
        found = "SELECT name FROM dirty WHERE source = ? AND name = ?"
        return {name for mac, name in macs.items() if self._one(found, source, mac)}

    def soil(self, source: str, rows: Sequence[DirtyRow]) -> None:
        """Note rows that are no records; what was noted of them before is replaced."""
        self._write_all(
            "INSERT OR REPLACE INTO dirty (source, name, seen, sealed) VALUES (?, ?, ?, ?)",
            [self._dirty_values(source, row) for row in rows],
        )

    def clean(self, source: str, names: Sequence[str]) -> None:
        """Forget rows that became records, or are gone."""
        known = self.dirty_among(source, names)
        if known:
            self._write_all(
                "DELETE FROM dirty WHERE source = ? AND name = ?",
                [(source, self._dirty_name(source, name)) for name in sorted(known)],
            )

    def clean_before(self, source: str, before: Instant) -> int:
        """Forget the rows that were last seen before an instant; return how many."""
        return int(self._write("DELETE FROM dirty WHERE source = ? AND seen < ?", source, before).rowcount)

    def _dirty_name(self, source: str, name: str) -> bytes:
        return self._sealing.mac(b"dirty", source.encode(), name.encode())

    def _dirty_values(self, source: str, row: DirtyRow) -> tuple[Any, ...]:
        mac = self._dirty_name(source, row.name)
        problems = [[one.field, one.rule, one.says.zh, one.says.en] for one in row.problems]
        said = orjson.dumps({"name": row.name, "row": row.row, "problems": problems})
        return source, mac, row.seen, self._sealing.seal("dirty", mac, said)

    def _dirty_row(self, source: str, mac: bytes, seen: Instant, sealed: bytes) -> DirtyRow:
        said = orjson.loads(self._sealing.open("dirty", mac, sealed))
        problems = tuple(Problem(field, rule, Sentence(zh, en)) for field, rule, zh, en in said["problems"])
        return DirtyRow(said["name"], said["row"], problems, seen)
