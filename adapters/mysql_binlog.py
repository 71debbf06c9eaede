"""A table of MySQL or MariaDB, read from the server's binary log: every insert, update and delete, in their order.

    [adapter.read.what]
    table = "T_HUKOU"

`survey` tells what the server must be set to (`binlog_format = ROW`, `binlog_row_metadata = FULL`), and what it lacks.

Rule 1: a bookmark stands only behind a transaction; whatever is killed, nothing is lost, and a change may come twice.
Rule 2: a change of key is the old key gone, then the row.
Rule 3: columns are known by their names in the log.  A cell that the log does not hold, or that a select would give
        otherwise, makes the row be selected as it is now; if it is gone there, the log tells so further on.
Rule 4: what takes rows away and is not told row by row is Misconfigured, for a whole read is needed: a table emptied or
        replaced (`truncate = "ignore"` passes it over), rows changed by a statement, a log purged or of another server.
Rule 5: NEW without a bookmark gives the whole table first, from a place taken before.
Rule 6: reading ends at the end the log had when it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Engine, text

from adapters import sql
from adapters.contract import GONE, Adapter, Bookmark, Dirty, Finding, Misconfigured, Mode, Order, Row, Table
from adapters.mysql import server_log
from adapters.mysql.binlog import Described, Event, Format, Kind, Malformed, Prepared, Query, Rotate, Rows, Unknown
from adapters.mysql.cells import DOUBT, Cells
from adapters.mysql.server_log import Clock, Place, Stream, whole_read
from adapters.mysql.statements import Meaning, meaning
from adapters.mysql.survey import cascades, ready, stored, survey
from adapters.sql.log_table import LogTable
from adapters.sql.pages import PAGE

_STRETCH = 1 << 20
"""Octets of the log without a change of the table behind which a bookmark is worth its while."""

_CHARSETS = text("SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL")
_MORE_CHARSETS = text("SELECT ID, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY")
_COLUMNS = text("""
    SELECT COLUMN_NAME, DATA_TYPE, NUMERIC_SCALE FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = :schema AND TABLE_NAME = :table""")
_ODD = frozenset(["uuid", "inet4", "inet6", "vector", "xmltype"])
"""Types whose cells in the log are not what a select gives."""


class MysqlBinlog(Adapter):
    """Reads the changes of tables of MySQL 8 and MariaDB 10.5, or newer."""

    settings = {
        "type": "object",
        "properties": {
            "url": {"type": "string", "pattern": r"^(mysql|mariadb)\+pymysql://"},
            "password": {"type": "string", "x-secret": True},
            "seconds": {"type": "integer", "minimum": 1, "maximum": 3600, "default": 60},
            "server_id": {"type": "integer", "minimum": 1, "maximum": 4_294_967_295},
        },
        "required": ["url"],
        "additionalProperties": False,
    }
    reads = {
        "type": "object",
        "properties": {
            "table": {"type": "string", "minLength": 1}, "schema": {"type": "string", "minLength": 1},
            "key": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "columns": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "truncate": {"enum": ["hold", "ignore"], "default": "hold"},
            "cascade": {"enum": ["hold", "ignore"], "default": "hold"},
            "page": {"type": "integer", "minimum": 1, "maximum": 100_000, "default": PAGE},
        },
        "required": ["table"],
        "additionalProperties": False,
    }
    deletes = True

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._engine = sql.connect(settings["url"], settings.get("password"), settings.get("seconds", 60))
        self._table: LogTable | None = None

    def check(self) -> Iterable[Finding]:
        """Connect, and look whether the server logs what is needed."""
        with sql.reading(self._engine) as connection:
            yield from ready(connection)

    def discover(self) -> Iterable[Table]:
        """Describe every table and view."""
        with sql.reading(self._engine) as connection:
            yield from sql.tables(connection, None)

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Tell what is missing for this table, and the statement that mends it."""
        with sql.reading(self._engine) as connection:
            yield from ready(connection)
            yield from survey(connection, what)
            place = server_log.end(connection)
            reader = _Reader(self._engine, connection, what, self._number(what))
            with closing(reader.stream(place)) as stream:
                next(stream.events(), None)
            yield Finding("good", "账号可以读取日志", "the account may read the log")

    def _number(self, what: Mapping[str, Any]) -> int:
        """Return the number under which this read is known to the server, and no other replica or read should be."""
        if "server_id" in self.given:
            return int(self.given["server_id"])
        said = "\0".join((self.given["url"], what.get("schema", ""), what["table"]))
        return int.from_bytes(sha256(said.encode()).digest()[:4], "big") | 1 << 31

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give the changes behind the bookmark, or everything."""
        with sql.reading(self._engine) as connection:
            reader = _Reader(self._engine, connection, order.what, self._number(order.what))
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

    def __init__(self, engine: Engine, connection: Connection, what: Mapping[str, Any], number: int) -> None:
        self.engine, self.connection, self.what, self.number = engine, connection, what, number
        self.schema, self.name = stored(connection, what)
        self.table = LogTable(connection, {**what, "schema": self.schema, "table": self.name})
        cascades(connection, what, self.schema, self.name)

    def stream(self, place: Place) -> Stream:
        """Return the log behind a place."""
        return Stream(self.engine, self.number, place.file, place.at, self.schema, self.name)

    def begin(self) -> Place:
        """Return a place behind which nothing is that a whole read beginning now may miss."""
        place = server_log.seen(self.connection)
        with closing(self.stream(place)) as stream:
            for event in stream.events():
                if isinstance(event, Format):
                    return Place(place.file, place.at, event.made)
        raise whole_read("二进制日志无法识别", "the binary log cannot be understood")

    def increment(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what changed behind the bookmark; without one the whole table first."""
        if order.bookmark is None or isinstance(order.bookmark, dict) and "after" in order.bookmark:
            yield from self._whole(order.bookmark)
        else:
            yield from _Log(self, _place(order.bookmark), order.limit).read()

    def _whole(self, bookmark: Any) -> Iterator[Row | Bookmark | Dirty]:
        begun = _said(_place(bookmark) if bookmark else self.begin())
        after = {name: value for name, value in bookmark.items() if name not in begun} if bookmark else None
        for one in self.table.whole(after):
            yield Bookmark({**begun, **(one.at or {})}) if isinstance(one, Bookmark) else one


class _Log:
    """One read of the log."""

    def __init__(self, reader: _Reader, mark: Place, limit: int) -> None:
        self.reader, self.done, self.limit = reader, mark, limit
        self.given = self.open = self.inside = 0
        """Rows given in all, behind the last bookmark, and of the transaction that has not ended."""
        self.begun = False
        self.page = min(limit, reader.what.get("page", PAGE))
        self.shapes = _Shapes(reader)

    def read(self) -> Iterator[Row | Bookmark | Dirty]:
        """Give the changes."""
        mark, until = self.done, server_log.end(self.reader.connection)
        with closing(self.reader.stream(mark)) as stream:
            for event in stream.events():
                if isinstance(event, Rows):
                    yield from self._rows(event)
                elif self._ends(event, stream):
                    if self.open >= min(self.page, self.limit - self.given + self.open):
                        yield self._bookmark()
                        if self.given >= self.limit:
                            return
                    if self.done.order >= until.order:
                        break
        if self.open or self.done.file != mark.file or self.done.at - mark.at > _STRETCH:
            yield self._bookmark()

    def _bookmark(self) -> Bookmark:
        self.open = 0
        return Bookmark(_said(self.done))

    def _rows(self, event: Rows) -> Iterator[Row]:
        for row in self.shapes.rows(event):
            self.given += 1
            self.open += 1
            self.inside += 1
            yield row

    def _ends(self, event: Event, stream: Stream) -> bool:
        """Take an event that is no row; return whether what was told so far stands."""
        if isinstance(event, Format):
            self._opened(event, stream)
            return False
        if isinstance(event, Rotate) or isinstance(event, Query) and not self._over(event):
            return False
        if isinstance(event, Unknown):
            raise whole_read(f"日志中有不能识别的事件（{event.number}），如压缩的事务或部分更新",
                             f"the log has an event that is not known ({event.number}), as a packed transaction")
        if isinstance(event, Prepared) and self.inside:
            raise whole_read("此表由分布式事务（XA）修改", "the table was changed by a distributed transaction (XA)")
        self.begun, self.inside = False, 0
        if not stream.too_far:
            self.done = stream.place
        return not stream.too_far

    def _opened(self, event: Format, stream: Stream) -> None:
        """Take the beginning of a file: at first, that of the bookmark's own."""
        if self.inside:
            raise whole_read("服务器曾在写日志时崩溃", "the server broke down while it wrote its log")
        if stream.place.file == self.done.file:
            if event.made != self.done.made:
                raise whole_read("二进制日志属于另一台服务器，或已重新开始", "the log is another server's, or was begun anew")
        else:
            self.done = Place(stream.place.file, 4, event.made)
        self.begun = False

    def _over(self, event: Query) -> bool:
        """Take a statement; return whether a transaction is over with it."""
        means = meaning(event.text, event.schema, self.reader.schema, self.reader.name)
        if means is Meaning.BEGIN:
            self.begun = True
        elif means is Meaning.ROLLBACK and self.inside:
            raise whole_read("日志中有已记入又回退的变更", "the log has changes that were taken back")
        elif means is Meaning.CHANGED:
            raise whole_read("此表被一条语句修改，日志未按行记录（binlog_format须为ROW）",
                             "the table was changed by a statement, not row by row (binlog_format must be ROW)")
        elif means is Meaning.EMPTIED and self.reader.what.get("truncate", "hold") == "hold":
            raise whole_read('此表被清空、替换或更名；若不必理会可设truncate = "ignore"',
                             'the table was emptied, replaced or renamed; or truncate = "ignore"')
        return means in (Meaning.COMMIT, Meaning.ROLLBACK) or not self.begun


class _Shapes:
    """How rows of the log become rows, by the columns that the table had when they were written."""

    def __init__(self, reader: _Reader) -> None:
        self._table, connection = reader.table, reader.connection
        self._charsets = {int(one): str(name) for asked in (_CHARSETS, _MORE_CHARSETS)
                          for one, name in _answered(connection, asked)}
        found = list(connection.execute(_COLUMNS, {"schema": reader.schema, "table": reader.name}))
        self._scales = {name: scale for name, kind, scale in found if kind in ("float", "double")}
        self._odd = {name for name, kind, _ in found if kind in _ODD}
        self._clock = Clock(connection)
        self._converters = connection.connection.driver_connection.decoders  # type: ignore[union-attr]  # it is open
        self._last: tuple[Described, Cells, list[tuple[str, int]], list[tuple[str, int]], bool] | None = None

    def rows(self, event: Rows) -> Iterator[Row]:
        """Yield what an event tells: rows, and keys that are gone."""
        cells, wanted, key, lacks = self._shape(event.table)
        at, octets = 0, event.octets
        before: dict[int, Any] = {}
        try:
            while at < len(octets):
                if event.kind is not Kind.INSERT:
                    before, at = cells.row(octets, at, event.before)
                if event.kind is Kind.DELETE:
                    yield {**self._key(before, {}, key), GONE: True}
                    continue
                after, at = cells.row(octets, at, event.after)
                yield from self._told(before if event.kind is Kind.UPDATE else {}, after, wanted, key, lacks)
        except Malformed:
            raise whole_read("二进制日志无法识别", "the binary log cannot be understood") from None

    def _told(
        self, before: Mapping[int, Any], after: Mapping[int, Any], wanted: list[tuple[str, int]],
        key: list[tuple[str, int]], lacks: bool,
    ) -> Iterator[Row]:
        if any(at in after and before.get(at, DOUBT) != after[at] for _, at in key) and before:
            yield {**self._key(before, {}, key), GONE: True}
        found = self._key(after, before, key)
        self._table.give(found)
        logged = {name: after.get(at, DOUBT) for name, at in wanted}
        row = self._table.present(found) if lacks or DOUBT in logged.values() else logged
        if row is not None:
            yield row

    def _key(
        self, cells: Mapping[int, Any], other: Mapping[int, Any], key: list[tuple[str, int]]
    ) -> dict[str, Any]:
        found = {name: cells.get(at, other.get(at, DOUBT)) for name, at in key}
        doubtful = [name for name, cell in found.items() if cell is DOUBT or name in self._odd]
        if doubtful:
            raise Misconfigured(
                f"日志中的主键列{'、'.join(doubtful)}不可用（binlog_row_image须为FULL，类型须为数字、文本或时间）",
                f"the log has no use of key column {', '.join(doubtful)} (binlog_row_image must be FULL, a plain type)")
        return found

    def _shape(self, table: Described) -> tuple[Cells, list[tuple[str, int]], list[tuple[str, int]], bool]:
        if self._last is None or self._last[0] != table:
            places = {name: at for at, name in enumerate(table.names)}
            if not places:
                raise whole_read("日志不含列名，请执行 SET GLOBAL binlog_row_metadata = FULL",
                                 "the log lacks names of columns: SET GLOBAL binlog_row_metadata = FULL")
            missing = [name for name in self._table.key if name not in places]
            if missing:
                raise whole_read(f"日志中没有主键列{'、'.join(missing)}", f"the log has no key column {', '.join(missing)}")
            cells = Cells(table, self._charsets, self._scales, self._clock, self._converters)
            wanted = [(name, places[name]) for name in self._table.names if name in places]
            lacks = len(wanted) < len(self._table.names) or bool(self._odd & set(self._table.names))
            self._last = table, cells, wanted, [(name, places[name]) for name in self._table.key], lacks
        return self._last[1:]


def _answered(connection: Connection, asked: Any) -> Iterable[tuple[int, str]]:
    try:
        return [(one, name) for one, name in connection.execute(asked) if one is not None]
    except Exception as why:
        if "1054" not in str(getattr(getattr(why, "orig", why), "args", ("",))[0]):
            raise
        return ()  # MySQL tells all in the first place, and has no such column in the second


def _said(place: Place) -> dict[str, Any]:
    return {"file": place.file, "at": place.at, "made": place.made}


def _place(bookmark: Any) -> Place:
    try:
        found = Place(bookmark["file"], bookmark["at"], bookmark["made"])
    except (KeyError, TypeError):
        found = Place("", 0, 0)
    if not (isinstance(found.file, str) and 0 < len(found.file) < 512 and type(found.at) is int
            and 4 <= found.at < 1 << 32 and type(found.made) is int):
        raise whole_read("断点无法识别", "the bookmark cannot be read")
    return found
