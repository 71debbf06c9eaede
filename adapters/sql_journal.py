"""A table whose changes triggers write into a journal beside it: every insert, update and delete, on any old database.

    [[adapter.read]]
    what = { table = "T_HUKOU" }

| Member of `what` | Means |
|---|---|
| `table`, `schema`, `key`, `columns`, `where`, `page` | as `sql_table` has them |
| `journal` | the journal's name; else `EXN_J_` and the table's |
| `lag` | seconds in which a transaction may stay open; 3600.  SQLite and PostgreSQL need none |
| `prune` | days after which entries that were read are deleted; else none are |

`survey` tells whether the journal is there and, if not, gives the script; `exchange-node adapter script` prints it.

Rule 1: an entry tells a key, the table tells the row: what is given is as new as its entry, or newer.
Rule 2: a key the table, or the part of it that is wanted, has no more is given as gone.
Rule 3: what commits late is read late, and not lost (`horizon`).
Rule 4: a journal without its first entry, made anew, restored, or whose triggers are gone, is Misconfigured.
Rule 5: NEW without a bookmark gives the whole table first, from an end of the journal taken before.
Rule 6: nothing is written but the DELETE of `prune`, over a connection of its own; of what the node has not kept
        nothing is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exc

from adapters import sql
from adapters.contract import Bookmark, Dirty, Finding, Misconfigured, Mode, Order, Row, fault, good, warning
from adapters.journal.entries import Entries
from adapters.journal.horizon import Horizon, Numbered, Transacted, age
from adapters.journal.scripts import script, written
from adapters.journal.shape import shape_of
from adapters.journal.watch import hold, watched
from adapters.landing.engine import open_writing
from adapters.sql import survey
from adapters.sql.dialects import family
from adapters.sql.refusals import code_of, meant
from adapters.sql.whole import Whole, strange
from adapters.sql_table import SqlTable

LAG = 3600
DAY = 86_400

BATCHES = 50
"""Most statements that delete old entries after one read, each of a page."""

_LATE = 600
"""Seconds an entry may wait for an older transaction before `survey` says so."""


class SqlJournal(SqlTable):
    """Reads journals of any database for which there is a script."""

    reads = {
        "type": "object",
        "properties": {
            **{name: SqlTable.reads["properties"][name]
               for name in ("table", "schema", "key", "columns", "where", "page")},
            "journal": {"type": "string", "minLength": 1, "maxLength": 120},
            "lag": {"type": "number", "minimum": 1, "maximum": 7 * DAY, "default": LAG},
            "prune": {"type": "integer", "minimum": 1, "maximum": 3650},
        },
        "required": ["table"],
        "additionalProperties": False,
    }
    writes = None  # type: ignore[assignment]  # sql_table lands records, this kind only reads
    deletes = True

    _journal: _Journal | None = None

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Tell whether the journal and its triggers are there, or the script that makes them."""
        with sql.reading(self._engine) as connection:
            yield from (one for one in survey.survey(self._pages(connection, what)) if "cursor" not in one.en)
            try:
                journal = self._open(connection, what)
                yield from watched(connection, journal.entries.shape)
                yield journal.backlog()
            except Misconfigured as why:
                said = written(shape_of(connection, what))
                yield fault(f"{why.zh}。请审阅并执行：\n{said}", f"{why.en}. Review and run:\n{said}")

    def script(self, what: Mapping[str, Any], drop: bool = False) -> str:
        """Return the script that makes the journal and its triggers, or the one that undoes them."""
        return script(what, self._engine, drop)

    def _open(self, connection: Connection, what: Mapping[str, Any]) -> _Journal:
        shape = shape_of(connection, what)
        entries = Entries(self._pages(connection, what), shape)
        now = sql.clock(connection, self._zone)
        if shape.family == "postgresql":
            return _Journal(entries, Transacted(entries), now)
        lag = None if shape.family == "sqlite" else float(what.get("lag", LAG))
        return _Journal(entries, Numbered(entries, now, lag), now)

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what changed behind the bookmark, everything, or only where to go on from."""
        with sql.reading(self._engine) as connection:
            journal = self._journal = self._open(connection, order.what)
            hold(connection, journal.entries.shape)
            if order.mode is Mode.WHOLE:
                yield from journal.read(order.bookmark)
                return
            if order.mode is Mode.NONE or order.bookmark is None:
                journal.begin()
            else:
                journal.load(order.bookmark)
            if order.mode is Mode.NONE:
                yield journal.bookmark()
            elif order.bookmark is None or "whole" in order.bookmark:
                yield from journal.table((order.bookmark or {}).get("whole"))
            else:
                kept = journal.horizon.read
                yield from journal.changes(order.bookmark)
                if "prune" in order.what:
                    self._prune(journal, kept, order.what["prune"] * DAY)

    def _prune(self, journal: _Journal, kept: int, seconds: float) -> None:
        """Delete entries that are older than so many seconds, of those that the node has kept."""
        bounds = iter(journal.old(kept, seconds))
        first = next(bounds, None)
        if first is None:
            return
        engine = open_writing(
            self.given["url"], self.given.get("password"), self.given.get("seconds", 60), self._zone)
        try:
            for after, last in (first, *bounds):
                with engine.begin() as connection:
                    connection.execute(delete(journal.entries.table).where(
                        sql.behind([journal.entries.number], (after,)), sql.up_to([journal.entries.number], (last,))))
        except exc.DBAPIError as why:
            met = meant(why.orig, family(engine.url))
            if isinstance(met, Misconfigured):
                met = Misconfigured(f"不能清理变更日志（{code_of(why.orig)}）：请授予DELETE，或去掉prune",
                                    f"the journal cannot be pruned ({code_of(why.orig)}): grant DELETE, or no prune")
            raise met from None
        finally:
            engine.dispose()

    def named(self) -> str | None:
        """Return the name of the row that was yielded last."""
        return None if self._journal is None else self._journal.named()


class _Journal(Whole):
    """One read of one table and its journal."""

    def __init__(self, entries: Entries, horizon: Horizon, now: datetime) -> None:
        super().__init__(entries.pages)
        self.entries, self.horizon, self.now = entries, horizon, now
        self.begun, self.mark = entries.first()

    def begin(self) -> None:
        """Go to the journal's end."""
        self.horizon.begin()

    def load(self, bookmark: Any) -> None:
        """Take up a bookmark; raise Misconfigured if it is of another key or journal, or none of ours."""
        try:
            by, mark = bookmark["by"], bookmark["journal"]
            if by != self.by:
                raise Misconfigured("key已改变，断点不再适用，请从头读取", "key was changed: the bookmark is of no use; read anew")
            if mark != self.mark:
                raise Misconfigured("变更日志已重建，其间的变更没有记录；须整表重读",
                                    "the journal was made anew, changes in between are lost; a whole read is needed")
            self.horizon.load(bookmark)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise strange() from None

    def bookmark(self) -> Bookmark:
        """Return how far the journal was read."""
        return Bookmark({"by": self.by, "journal": self.mark, **self.horizon.write()})

    def table(self, whole: Any) -> Iterator[Row | Bookmark | Dirty]:
        """Give the whole table; its bookmarks hold where the journal will be read from."""
        start = self.bookmark()
        for one in self.read(whole):
            if isinstance(one, Bookmark):
                yield start if one.at is None else Bookmark({**start.at, "whole": one.at})
            else:
                yield one

    def changes(self, bookmark: Any) -> Iterator[Row | Bookmark | Dirty]:
        """Give what is new; say nothing where nothing is."""
        open_ = 0
        for given in self.horizon.changes():
            for self.last, row in given:
                yield row
            open_ += len(given)
            if open_ >= self.pages.page:
                yield self.bookmark()
                open_ = 0
        end = self.bookmark()
        if open_ or end.at != bookmark:
            yield end

    def old(self, kept: int, seconds: float) -> Iterator[tuple[int, int]]:
        """Yield stretches of entries that are old enough, each after a number up to another."""
        after = self.begun
        for _ in range(BATCHES):
            found = self.entries.oldest(after, kept)
            old = [int(number) for number, at in found if age(at, self.now) > seconds]
            if not old:
                return
            yield after, old[-1]
            after = old[-1]

    def backlog(self) -> Finding:
        """Tell whether entries wait for a transaction that does not end."""
        count, since = self.horizon.waiting()
        waited = age(since, self.now) if since is not None else 0
        if waited > _LATE:
            return warning(f"有{count}条或更多变更在等一个已开{int(waited)}秒以上的事务结束",
                           f"{count} changes or more wait for a transaction that is open for {int(waited)} s or longer")
        return good("变更日志可读", "the journal can be read")
