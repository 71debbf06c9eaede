"""A small table or view without a stamp: read whole each time, and compared with what was given; sees deletes.

    [[adapter.read]]
    what = { table = "T_DMB", key = ["DM"] }

| Member of `what` | Means |
|---|---|
| `table`, `schema`, `key`, `columns`, `where`, `page` | as `sql_table` has them |
| `most_deletes` | so many rows may be gone between two reads; else a fifth of them, or 100, whichever is more |

Rule 1: the bookmark holds every key and digests of the rows (`snapshot`): a row that is gone is told by its key.
Rule 2: a table whose keys do not fit into a bookmark is refused before its first row is given.
Rule 3: more rows gone than `most_deletes`, or all of ten or more, is Misconfigured: a view that failed, a table that is
        being loaded.  Rows that are new or changed are given and kept before that.
Rule 4: a row that changes while the table is read is given as it was or as it is; the next read sees what it became.
        What was not met is asked for by its key before it is told to be gone.
Rule 5: where nothing differs nothing is said, and the node keeps the bookmark it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import or_

from adapters import sql
from adapters.contract import (
    GONE,
    Bookmark,
    Dirty,
    Finding,
    Misconfigured,
    Mode,
    Order,
    Row,
    fault,
    good,
    warning,
)
from adapters.sql.dialects import fetch
from adapters.sql.pages import Pages
from adapters.sql.places import Place
from adapters.sql.snapshot import ROOM, Bucket, Comparison, Given, Known, digest
from adapters.sql.whole import Whole
from adapters.sql_table import SqlTable

SHARE = 0.2
"""So much of a table may be gone between two reads,"""
ROWS = 100
"""or so many rows, whichever is more;"""
ALL = 10
"""but not all, if there were so many."""

ASKED = 50
"""Keys that are asked for in one statement."""


class SqlSnapshot(SqlTable):
    """Reads small tables of any database that SQLAlchemy knows, deletes included."""

    reads = {
        "type": "object",
        "properties": {
            **{name: SqlTable.reads["properties"][name]
               for name in ("table", "schema", "key", "columns", "where", "page")},
            "most_deletes": {"type": "integer", "minimum": 0},
        },
        "required": ["table"],
        "additionalProperties": False,
    }
    writes = None  # type: ignore[assignment]  # sql_table lands records, this kind only reads
    deletes = True

    _snapshot: _Snapshot | None = None

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Tell the statements that will be run, and how full the bookmark will be."""
        yield from (one for one in super().survey(what) if "cursor" not in one.en)
        with sql.reading(self._engine) as connection:
            yield _Snapshot(self._pages(connection, what), None).size()

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what differs from the bookmark, everything, or only where to go on from."""
        with sql.reading(self._engine) as connection:
            reader = self._snapshot = _Snapshot(self._pages(connection, order.what), order.what.get("most_deletes"))
            if order.mode is Mode.WHOLE:
                yield from reader.read(order.bookmark)
            elif order.mode is Mode.NONE:
                yield Bookmark(reader.present().write())
            else:
                yield from reader.increment(order.bookmark)

    def named(self) -> str | None:
        """Return the name of the row that was yielded last."""
        return None if self._snapshot is None else self._snapshot.named()


class _Snapshot(Whole):
    """One read of one table."""

    def __init__(self, pages: Pages, most_deletes: int | None) -> None:
        super().__init__(pages)
        self.most_deletes = most_deletes

    def present(self) -> Known:
        """Return what the table is now."""
        known = Known(self.by)
        for key, row in self.rows():
            known.keys.append(key)
            known.buckets.append(Bucket(1, self._sum(key, row)))
        return known

    def _sum(self, key: Place, row: Row | Dirty) -> int:
        return digest(row if not isinstance(row, Dirty) else {**dict(zip(self.by, key)), row.field: row.en})

    def increment(self, bookmark: Any) -> Iterator[Row | Bookmark | Dirty]:
        """Give what differs from what was given, then what is gone."""
        if bookmark is None:
            self._keys().write()
        known = Known(self.by) if bookmark is None else Known.read(bookmark, self.by)
        comparison, open_, ever = Comparison(known), 0, False
        for one in self._compared(comparison):
            if one is not None:
                self.last = one.key
                yield one.row
                open_, ever = open_ + 1, True
            elif open_ >= self.pages.page:
                yield Bookmark(comparison.known().write())
                open_ = 0
        missed = comparison.gone()
        gone = self._absent(missed)
        refused = self._refused(len(known.keys), len(gone), comparison.rows)
        if refused is None:
            for self.last in gone:
                yield {**dict(zip(self.by, self.last)), GONE: True}
            comparison.forget(gone)
        if open_ or missed and (refused is None or len(gone) < len(missed)) or bookmark is None and not ever:
            yield Bookmark(comparison.known().write())
        if refused is not None:
            raise refused

    def _compared(self, comparison: Comparison) -> Iterator[Given | None]:
        """Yield what is to be given of the table as it is now; None where a bookmark may stand."""
        for key, row in self.rows():
            yield from comparison.until(key)
            if comparison.between:
                yield None
            yield from comparison.take(key, row, self._sum(key, row))
        yield from comparison.end()

    def _absent(self, keys: Sequence[Place]) -> list[Place]:
        """Return which of these keys the table does not have."""
        columns, found = self.pages.columns(self.by), set[Place]()
        for at in range(0, len(keys), ASKED):
            some = or_(*(sql.is_at(columns, key) for key in keys[at:at + ASKED]))
            found.update(fetch(self.pages.connection, self.pages.query(self.by, self.by, most=2 * ASKED).where(some)))
        return [key for key in keys if key not in found]

    def _refused(self, rows: int, gone: int, left: int) -> Misconfigured | None:
        """Return why so many rows are not told to be gone; None if they are."""
        most = self.most_deletes
        if most is None:
            most = 0 if left == 0 and gone >= ALL else max(ROWS, int(rows * SHARE))
        if gone <= most:
            return None
        return Misconfigured(
            f"{rows}行中有{gone}行不见了，现有{left}行；若确已删除，请设most_deletes = {gone}",
            f"of {rows} rows {gone} are gone, {left} are there; if they were deleted, set most_deletes = {gone}")

    def _keys(self) -> Known:
        """Return the keys of the table without their rows."""
        keys = [key for page in self.pages.read(self.by, self.by) for key in page.rows]
        return Known(self.by, keys, [Bucket(1, 0) for _ in keys])

    def size(self) -> Finding:
        """Tell how many rows there are, and how much of a bookmark they will fill."""
        known = self._keys()
        rows = len(known.keys)
        try:
            share = known.least() * 100 // ROOM
        except Misconfigured as why:
            return fault(why.zh, why.en)
        said = (f"{rows}行，断点将用去{share}%", f"{rows} rows, which fill {share} % of a bookmark")
        return warning(*said) if share > 80 else good(*said)
