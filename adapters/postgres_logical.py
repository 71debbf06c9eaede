"""A table of PostgreSQL, read from the server's own log: every insert, update and delete, in the order of commits.

    [adapter.read.what]
    table = "t_hukou"
    publication = "exnode"        # CREATE PUBLICATION exnode FOR TABLE public.t_hukou
    slot = "exnode_hukou"         # SELECT pg_create_logical_replication_slot('exnode_hukou', 'pgoutput')

`survey` tells what of this is missing, with the statement that makes it.  One slot serves one read.

Rule 1: a bookmark stands only behind a commit, and the slot is moved on only when a read begins, up to the bookmark
        that was kept: whatever is killed, nothing is lost, and a change may be given twice.
Rule 2: a change of key is the old key gone, then the row.
Rule 3: a cell that the log does not hold (a large value left as it was, a computed column, one added later) makes the
        row be read from the table as it is now; if it is gone there, the log tells so further on.
Rule 4: a table that was emptied, and a log with a gap, are Misconfigured: a whole read is needed.  Nothing is passed
        over in silence, but for `truncate = "ignore"`.
Rule 5: NEW without a bookmark gives the whole table first, from a place taken before.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection

from adapters import sql
from adapters.contract import GONE, Adapter, Bookmark, Dirty, Finding, Misconfigured, Mode, Order, Row, Table
from adapters.postgres import cells as postgres_cells
from adapters.postgres import slots
from adapters.postgres.pgoutput import (
    CUT,
    UNCHANGED,
    Absent,
    Begin,
    Cells,
    Change,
    Commit,
    Decoder,
    Malformed,
    Message,
    Relation,
    Truncate,
)
from adapters.postgres.slots import Here, Slot
from adapters.postgres.survey import ready, survey
from adapters.sql.log_table import LogTable
from adapters.sql.pages import PAGE

DECODED = 20_000
"""Changes that the server decodes at first; twice as many each further time of one read."""
_MOST = (1 << 31) - 1
_STRETCH = 1 << 20
"""Octets of the log without a change of the table behind which a bookmark is worth its while."""
_PATIENCE = 2.0
"""Seconds in which those who are writing just now may end, before the slot's own place is taken instead."""


class PostgresLogical(Adapter):
    """Reads the changes of tables of PostgreSQL 13 or newer."""

    settings = {
        "type": "object",
        "properties": {
            "url": {"type": "string", "pattern": r"^postgresql\+psycopg://"},
            "password": {"type": "string", "x-secret": True},
            "seconds": {"type": "integer", "minimum": 1, "maximum": 86_400, "default": 600},
        },
        "required": ["url"],
        "additionalProperties": False,
    }
    reads = {
        "type": "object",
        "properties": {
            "table": {"type": "string", "minLength": 1}, "schema": {"type": "string", "default": "public"},
            "publication": {"type": "string", "minLength": 1, "maxLength": 63},
            "slot": {"type": "string", "pattern": "^[a-z0-9_]{1,63}$"},
            "key": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "columns": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "truncate": {"enum": ["hold", "ignore"], "default": "hold"},
            "page": {"type": "integer", "minimum": 1, "maximum": 100_000, "default": PAGE},
        },
        "required": ["table", "publication", "slot"],
        "additionalProperties": False,
    }
    deletes = True

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._engine = sql.connect(settings["url"], settings.get("password"), settings.get("seconds", 600))
        self._table: LogTable | None = None

    def check(self) -> Iterable[Finding]:
        """Connect, and look whether the server can tell its changes to this account."""
        with sql.reading(self._engine) as connection:
            yield from ready(connection)

    def discover(self) -> Iterable[Table]:
        """Describe every table and view."""
        with sql.reading(self._engine) as connection:
            yield from sql.tables(connection, None)

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Tell what is missing for this table, and the statement that makes it."""
        with sql.reading(self._engine) as connection:
            yield from ready(connection)
            yield from survey(connection, what)

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give the changes behind the bookmark, or everything."""
        with sql.reading(self._engine) as connection:
            reader = _Reader(connection, order.what)
            self._table = reader.table
            if order.mode is Mode.WHOLE:
                yield from reader.table.whole(order.bookmark)
            elif order.mode is Mode.NONE:
                yield Bookmark(_said(reader.begin()))
            else:
                yield from reader.increment(order)

    def named(self) -> str | None:
        """Return the name of the row that was yielded last."""
        return None if self._table is None else self._table.named()

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()


class _Reader:
    """One read of one table."""

    def __init__(self, connection: Connection, what: Mapping[str, Any]) -> None:
        self.connection, self.what = connection, what
        self.schema, self.name = what.get("schema", "public"), what["table"]
        self.table = LogTable(connection, {**what, "schema": self.schema})

    def begin(self) -> Here:
        """Return a place behind which nothing is that a whole read beginning now may miss.

        A commit in the log is seen by others a moment later: those who were writing to the table are waited for.  While
        some do not end, the place is the slot's own, which gives a few changes again.
        """
        slot, at = slots.find(self.connection, self.what["slot"]), slots.here(self.connection)
        quoted = ".".join('"' + name.replace('"', '""') + '"' for name in (self.schema, self.name))
        waited, until = slots.writers(self.connection, quoted), monotonic() + _PATIENCE
        while waited and monotonic() < until:
            sleep(0.02)
            waited &= slots.writers(self.connection, quoted)
        return Here(at.system, at.line, slot.at) if waited else at

    def increment(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what changed behind the bookmark; without one the whole table first."""
        if order.bookmark is None or isinstance(order.bookmark, dict) and "after" in order.bookmark:
            yield from self._whole(order)
        else:
            yield from self._changes(order, _mark(order.bookmark))

    def _whole(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        begun = _mark(order.bookmark) if order.bookmark else self.begin()
        after = {name: value for name, value in order.bookmark.items() if name not in _said(begun)} if (
            order.bookmark) else None
        for one in self.table.whole(after):
            yield Bookmark({**_said(begun), **(one.at or {})}) if isinstance(one, Bookmark) else one

    def _changes(self, order: Order, mark: Here) -> Iterator[Row | Bookmark | Dirty]:
        slot, now = slots.find(self.connection, self.what["slot"]), slots.here(self.connection)
        slots.hold(slot, mark, now)
        slots.advance(self.connection, slot, mark.lsn)
        yield from _Log(self, slot, mark, now, order.limit).read()


class _Log:
    """One read of the log."""

    def __init__(self, reader: _Reader, slot: Slot, mark: Here, now: Here, limit: int) -> None:
        self.reader, self.slot, self.now = reader, slot, now
        self.done, self.limit = mark.lsn, limit
        self.given = self.open = 0
        self.page = min(limit, reader.what.get("page", PAGE))
        self.shape: _Shape | None = None

    def read(self) -> Iterator[Row | Bookmark | Dirty]:
        """Give the changes; the server is asked for twice as many while there are more."""
        many, begun = DECODED, self.done
        while True:
            seen = 0
            with closing(self._messages(many)) as messages:
                for message in messages:
                    seen += 1
                    if message is not None:
                        yield from self._take(message)
                    if self.given >= self.limit and not self.open:
                        return
            if seen < many:
                break
            many = min(many * 2, _MOST)
        self.done = max(self.done, self.now.lsn)
        if self.open or self.done - begun > _STRETCH:
            yield self._bookmark()

    def _messages(self, many: int) -> Generator[Message | None, None, None]:
        decoder, passed = Decoder(self.reader.schema, self.reader.name), False
        asked = slots.peek(
            self.reader.connection, self.slot.name, self.reader.what["publication"], self.now.lsn, many)
        with closing(asked):
            for octets, cut in asked:
                message = _decoded(decoder, octets, cut)
                if isinstance(message, Begin):
                    passed = message.at < self.done
                yield message if not passed or isinstance(message, Relation) else None

    def _take(self, message: Message) -> Iterator[Row | Bookmark | Dirty]:
        if isinstance(message, Commit):
            self.done = message.end
            if self.open >= min(self.page, self.limit - self.given + self.open):
                yield self._bookmark()
        elif isinstance(message, Relation):
            self.shape = _Shape(self.reader, message)
        elif isinstance(message, Truncate):
            self._emptied()
        elif isinstance(message, Change):
            assert self.shape is not None
            for row in self.shape.rows(message):
                self.given += 1
                self.open += 1
                yield row

    def _bookmark(self) -> Bookmark:
        self.open = 0
        return Bookmark(_said(Here(self.now.system, self.now.line, self.done)))

    def _emptied(self) -> None:
        if self.reader.what.get("truncate", "hold") == "ignore":
            return
        raise Misconfigured(
            f'{self.reader.name}被整表清空（TRUNCATE），须整表重读；若不必理会可设truncate = "ignore"',
            f'{self.reader.name} was emptied (TRUNCATE); a whole read is needed, or truncate = "ignore"')


class _Shape:
    """How a table's rows in the log become rows, by the columns that the table had when they were written."""

    def __init__(self, reader: _Reader, relation: Relation) -> None:
        self._reader = reader
        loaders = postgres_cells.loaders(reader.connection, [one.kind for one in relation.attributes])
        places = {one.name: at for at, one in enumerate(relation.attributes)}
        self._wanted: list[tuple[str, int, Callable[[bytes], Any]]] = []
        self._lacks = False
        for name in reader.table.names:
            if name in places:
                self._wanted.append((name, places[name], loaders[places[name]]))
            else:
                self._lacks = True
        missing = [name for name in reader.table.key if name not in places]
        if missing:
            raise Misconfigured(f"日志中没有主键列{'、'.join(missing)}", f"the log has no key column {', '.join(missing)}")
        self._key = [(name, places[name], loaders[places[name]]) for name in reader.table.key]
        self._known = all(relation.attributes[at].key for _, at, _ in self._key)

    def rows(self, change: Change) -> Iterator[Row]:
        """Yield what a change is: a row gone, a row, or both."""
        old, new = change.old, change.new
        if not change.insert:
            self._hold()
        if new is None:
            assert old is not None
            yield {**self._key_of(old), GONE: True}
            return
        if old is not None:
            if any(old[at] != new[at] and new[at] is not UNCHANGED for _, at, _ in self._key):
                yield {**self._key_of(old), GONE: True}
            new = tuple(was if cell is UNCHANGED and was is not None else cell for was, cell in zip(old, new))
        key = self._key_of(new)
        self._reader.table.give(key)
        row = self._row(new) or self._reader.table.present(key)
        if row is not None:
            yield row

    def _row(self, cells: Cells) -> Row | None:
        """Return a row as the log has it, None if it lacks a cell."""
        if self._lacks:
            return None
        row: dict[str, Any] = {}
        for name, at, load in self._wanted:
            cell = cells[at]
            if isinstance(cell, Absent):
                return None
            row[name] = None if cell is None else load(cell)
        return row

    def _key_of(self, cells: Cells) -> dict[str, Any]:
        key: dict[str, Any] = {}
        for name, at, load in self._key:
            cell = cells[at]
            if cell is CUT or cell is UNCHANGED:
                raise Misconfigured(f"行过大，读不到其主键列{name}；须整表重读",
                                    f"a row is too large for its key column {name} to be read; a whole read is needed")
            key[name] = None if cell is None else load(cell)  # type: ignore[arg-type]  # a loader of texts takes octets
        return key

    def _hold(self) -> None:
        if not self._known:
            name = f'"{self._reader.schema}"."{self._reader.name}"'
            statement = f"ALTER TABLE {name} REPLICA IDENTITY FULL"
            raise Misconfigured(f"日志不含旧主键，请执行 {statement}，再整表重读",
                                f"the log lacks the old key: {statement}, then a whole read is needed")


def _decoded(decoder: Decoder, octets: bytes, cut: bool) -> Message | None:
    try:
        return decoder.decode(octets, cut)
    except Malformed:
        raise Misconfigured("日志不合pgoutput协议第1版", "the log is not of pgoutput's protocol version 1") from None


def _said(at: Here) -> dict[str, Any]:
    return {"system": at.system, "line": at.line, "lsn": slots.write_lsn(at.lsn)}


def _mark(bookmark: Any) -> Here:
    try:
        return Here(bookmark["system"], bookmark["line"], slots.read_lsn(bookmark["lsn"]))
    except (KeyError, TypeError):
        raise Misconfigured("断点无法识别，须整表重读", "the bookmark cannot be read; a whole read is needed") from None
