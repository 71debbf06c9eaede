"""The entries of a journal in their order, a page at a time, each with the row it is about as the row is now.

Rule 1: entries are read first, and the rows after them, in a statement of its own: a row is never older than its entry,
        whatever a database thinks of what one statement sees.
Rule 2: of several entries of one key in a slice the row comes once; a key that the table has no more is gone.
Rule 3: a slice is small where rows are large: about 8 MiB are held at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, exc, func, inspect, literal_column, select, union_all

from adapters import sql
from adapters.contract import GONE, Dirty, Misconfigured, Row
from adapters.journal.shape import Shape
from adapters.sql.dialects import fetch
from adapters.sql.pages import HELD, Pages, places
from adapters.sql.places import Place
from adapters.sql.refusals import is_of_a_cell, meant

COUNTED = 50
"""Stretches that are counted in one statement."""

BEGUN = 64
"""Rows of the first slice of a read; each further one has twice as many while they are small."""


class Given(NamedTuple):
    """A row as it is now, or that it is gone or cannot be given, and its key."""

    key: Place
    row: Row | Dirty


class Slice(NamedTuple):
    """Entries by their places, in order, and what they are about; whether `more` entries stand behind them."""

    places: list[Place]
    given: list[Given]
    more: bool


class Entries:
    """The journal of one table."""

    def __init__(self, pages: Pages, shape: Shape) -> None:
        self.pages, self.shape, self.connection = pages, shape, pages.connection
        order, at, op = shape.order, shape.column("at"), shape.column("op")
        name, keys = shape.name("table"), pages.key
        lacking = {order, at, op, *keys} - self._columns(name)
        if lacking:
            raise Misconfigured(f"变更日志{name}没有列{'、'.join(sorted(lacking))}，请按survey（adapter script）给出的脚本重建",
                                f"the journal {name} lacks {', '.join(sorted(lacking))}; make it as survey "
                                "(adapter script) says")
        self.table = sql.source(name, shape.schema, [order, at, op, *keys])
        self.number, self.at, self.op = self.table.c[order], self.table.c[at], self.table.c[op]
        self.keys = [self.table.c[one] for one in keys]
        self.places = [self.number, *self.keys] if shape.family == "postgresql" else [self.number]
        self._most = BEGUN
        self._by_rows = shape.family == "postgresql"

    def _columns(self, name: str) -> set[str]:
        try:
            found = {one.name for one in sql.columns(inspect(self.connection), name, self.shape.schema)}
        except exc.NoSuchTableError:
            found = set()
        except exc.DBAPIError as why:  # MySQL tells whoever has no right on a table as much, be it there or not
            if not isinstance(meant(why.orig, self.shape.family), Misconfigured):
                raise
            found = set()
        if not found:
            raise Misconfigured(f"没有变更日志表{name}，或无权读取；survey（adapter script）给出建立它的脚本",
                                f"there is no journal {name}, or no right to read it; survey (adapter script) gives "
                                "the script")
        return found

    def first(self) -> tuple[int, str]:
        """Return number and mark of the first entry, which tells this journal from any other."""
        found = next(iter(fetch(self.connection, select(self.number, self.op).order_by(self.number).limit(1))), None)
        if found is None or not str(found[1]).startswith("B"):
            raise Misconfigured("变更日志的首条记录不见了，其后的变更是否齐全无从得知；请重建日志并整表重读",
                                "the journal's first entry is gone, what came after may be too; make it anew, read all")
        return int(found[0]), str(found[1]).strip()

    def top(self) -> int:
        """Return the greatest number there is."""
        return int(next(iter(fetch(self.connection, select(func.max(self.number)))))[0])

    def newest(self, below: int | None = None) -> list[tuple[Any, ...]]:
        """Return number and time of the last entries, the newest first; below a number, if one is given."""
        asked = select(self.number, self.at).order_by(self.number.desc()).limit(self.pages.page)
        return list(fetch(self.connection, asked if below is None else asked.where(sql.below(self.number, below))))

    def oldest(self, after: int, below: int) -> list[tuple[Any, ...]]:
        """Return number and time of the first entries between two numbers."""
        asked = select(self.number, self.at).where(sql.behind([self.number], (after,)), sql.below(self.number, below))
        return list(fetch(self.connection, asked.order_by(self.number).limit(self.pages.page)))

    def counts(self, stretches: Sequence[tuple[int, int]]) -> list[int]:
        """Return how many entries there are in each stretch from a number to a number."""
        found: dict[int, int] = {}
        for begun in range(0, len(stretches), COUNTED):
            asked: list[Any] = [
                select(literal_column(str(at)), func.count()).select_from(self.table).where(
                    self._between((low - 1,), (high,)))
                for at, (low, high) in enumerate(stretches[begun:begun + COUNTED], begun)]
            together: Any = union_all(*asked) if len(asked) > 1 else asked[0]
            found.update((int(at), int(count)) for at, count in fetch(self.connection, together))
        return [found[at] for at in range(len(stretches))]

    def _between(self, after: Place, last: Place | None, below: int | None = None) -> Any:
        conditions = [sql.behind(self.places[:len(after)], after, self._by_rows)]
        if last is not None:
            conditions.append(sql.up_to(self.places, last))
        if below is not None:
            conditions.append(sql.below(self.number, below))
        return and_(*conditions)

    def slices(self, after: Place, last: Place | None = None, below: int | None = None) -> Iterator[Slice]:
        """Yield the entries after a place, up to another, their number less than `below`."""
        wide = len(self.places)
        while True:
            asked = select(*self.places, *self.keys).where(self._between(after, last, below))
            found = list(fetch(self.connection, asked.order_by(*self.places).limit(self.pages.page)))
            full, at = len(found) == self.pages.page, 0
            while at < len(found):
                some = found[at:at + self._most]
                at += len(some)
                passed = [one[:wide] for one in some]
                given = self._given(after, passed[-1], [one[wide:] for one in some])
                yield Slice(passed, given, full or at < len(found))
                after = passed[-1]
            if not full:
                return

    def _given(self, after: Place, last: Place, keys: Sequence[Place]) -> list[Given]:
        wanted = [key for key in dict.fromkeys(keys) if None not in key]
        try:
            rows = self._rows(after, last)
        except Exception as why:
            if not is_of_a_cell(why):
                raise
            return [Given(key, self._alone(key)) for key in wanted]
        self._measure(rows)
        return [Given(key, rows[key] if key in rows else self._gone(key)) for key in wanted]

    def _rows(self, after: Place, last: Place) -> Mapping[Place, Row]:
        """Return the rows, by their keys, that entries after one place up to another are about."""
        named = [one.label(f"exn_k{at}") for at, one in enumerate(self.keys)]
        keys = select(*named).where(self._between(after, last)).distinct().subquery("exn_k")
        asked = self._asked().where(*(
            one == keys.c[f"exn_k{at}"] for at, one in enumerate(self.pages.columns(self.pages.key))))
        told = self.pages.told(self.pages.key)
        place_of, names = places(told, self.pages.key), self.pages.names
        return {place_of(row): dict(zip(names, row)) for row in fetch(self.connection, asked)}

    def _asked(self) -> Select[Any]:
        """Return the statement of all rows that are wanted, in no order."""
        by = self.pages.key
        return self.pages.query(by, self.pages.told(by)).order_by(None).limit(None)

    def _alone(self, key: Place) -> Row | Dirty:
        """Return one row as it is now, of those whose cells cannot all be read."""
        try:
            at = sql.is_at(self.pages.columns(self.pages.key), key)
            found = list(fetch(self.connection, self._asked().where(at)))
        except Exception as why:
            if not is_of_a_cell(why):
                raise
            return Dirty(self.pages.name(self.pages.key, key), "", "此行的内容无法读取，或不合所声明的字符集",
                         "a cell of the row cannot be read, or is not in the declared charset")
        return dict(zip(self.pages.names, found[0])) if found else self._gone(key)

    def _gone(self, key: Place) -> Row:
        return {**dict(zip(self.pages.key, key)), GONE: True}

    def _measure(self, rows: Mapping[Place, Row]) -> None:
        held = sum(len(cell) for row in rows.values() for cell in row.values() if isinstance(cell, str | bytes))
        self._most = max(1, self._most * HELD // held) if held > HELD else min(self.pages.page, self._most * 2)
