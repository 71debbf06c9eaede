"""An adapter that keeps the contract, and can be told to break it in one way: `fault` in its settings.

Its source is a journal of a table (SQLite): each change has a number.  A bookmark is the last number and those that
were passed over, for a transaction may commit later than one that began after it.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from adapters.contract import (
    GONE,
    Adapter,
    Batch,
    Bookmark,
    Column,
    Dirty,
    Fate,
    Finding,
    Incoming,
    Misconfigured,
    Mode,
    Order,
    Result,
    Row,
    Table,
    good,
)

NO_OTHER: Mapping[str, Any] = {"type": "object", "additionalProperties": False}
GAPS = 200


class Shelf(Adapter):
    """Reads the table `kept`, by its journal, and lands records in the table `landed`."""

    settings = {
        **NO_OTHER, "required": ["path"],
        "properties": {"path": {"type": "string"}, "fault": {"type": "string"},
                       "password": {"type": "string", "x-secret": True}},
    }
    reads = {
        **NO_OTHER, "required": ["table"], "properties": {"table": {"type": "string"}, "page": {"type": "integer"}},
    }
    writes = {**NO_OTHER, "properties": {"table": {"type": "string"}}}
    deletes = True

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self.fault = settings.get("fault", "")
        if self.fault == "refuses":
            raise Misconfigured("不行", "no")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        path = Path(self.given["path"])
        if not path.is_file():
            if self.fault == "silent when gone":
                path = Path(":memory:")
            else:
                raise Misconfigured("没有这个文件", "there is no such file")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            if self.fault == "silent when gone":
                connection.executescript(TABLES)
            yield connection

    def check(self) -> Iterable[Finding]:
        """Say that it can be opened."""
        self._leak()
        with self._open():
            yield Finding("good", "fine", "fine") if self.fault == "english only" else good("可以打开", "it can be opened")

    def _leak(self) -> None:
        secret = self.given.get("password")
        if self.fault == "prints":
            print("connecting with", secret)
        elif self.fault == "logs":
            logging.getLogger("shelf").debug("connecting with %s", secret)
        elif self.fault == "tells":
            raise Misconfigured(f"口令{secret}不对", "the password is not right")
        elif self.fault == "chains":
            try:
                raise ValueError(f"login failed for {secret}")
            except ValueError as why:
                raise Misconfigured("口令不对", "the password is not right") from why

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Say that it is there."""
        yield Finding("good" if self.fault != "odd level" else "splendid", "在", "it is there")

    def discover(self) -> Iterable[Table]:
        """Describe the one table."""
        names = ("id", "name") if self.fault == "blind" else ("id", "name", "at")
        yield Table("kept", tuple(Column(name, "TEXT") for name in names))

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give what the journal has behind the bookmark, or all rows by their id."""
        if self.fault == "only here" and "adapters.kit" in getattr(sys.modules["__main__"].__spec__, "name", ""):
            return
        if self.fault == "thread":
            threading.Thread(target=time.sleep, args=(3,)).start()
        if self.fault == "grandchild":
            subprocess.Popen(["sleep", "3"])
        with self._open() as connection:
            said = self._whole(connection, order) if order.mode is Mode.WHOLE else self._new(connection, order)
            if self.fault == "hoards":
                said = iter(list(said))
            if self.fault == "no last bookmark":
                said = (one for one in said if not isinstance(one, Bookmark))
            for one in said:
                yield Bookmark({**(one.at or {}), "fat": "x" * 70_000}) if (
                    self.fault == "fat" and isinstance(one, Bookmark)) else one

    def _whole(self, connection: sqlite3.Connection, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        after = self._taken(order.bookmark, {"after"})["after"] if order.bookmark is not None else -1 << 40
        page = order.what.get("page", 500)
        found = True
        while found:
            found = connection.execute(
                "SELECT id, name, at FROM kept WHERE id > ? ORDER BY id LIMIT ?", (after, page)).fetchall()
            if found:
                after = found[-1][0]
                if self.fault == "early":
                    yield Bookmark({"after": after})
                yield from (self._row(*row) for row in found[1 if self.fault == "skips" else 0:]
                            if row[2] is not None or self.fault != "skips null")
                yield Bookmark({"after": after})
                if self.fault == "consumes":
                    connection.execute("DELETE FROM kept WHERE id <= ?", (after,))
        yield Bookmark(None)

    def _new(self, connection: sqlite3.Connection, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        bookmark = None if self.fault == "deaf" else order.bookmark
        if self.fault == "keeps state" and (saved := Path(self.given["path"] + ".state")).exists():
            bookmark = json.loads(saved.read_text())
        state = {"after": 0, "gaps": []} if bookmark is None else self._taken(bookmark, {"after", "gaps"})
        (last,) = connection.execute("SELECT coalesce(max(n), 0) FROM journal").fetchone()
        if state["after"] > last and self.fault != "silent when ahead":
            raise Misconfigured("断点在来源之后", "the bookmark is ahead of the source")
        if order.mode is Mode.NONE:
            if self.fault == "gives anyway":
                yield {"id": 1, "name": "x", "at": ""}
            yield Bookmark({"after": last, "gaps": []})
            return
        for page in self._pages(connection, state, order.what.get("page", 500)):
            state = self._behind(state, page)
            mark = {"after": 1 << 40, "gaps": []} if self.fault == "stuck" else dict(state)
            if self.fault == "early":
                yield Bookmark(mark)
            if self.fault == "keeps state":
                saved.write_text(json.dumps(mark))
            yield from self._changes(connection, page)
            yield Bookmark(mark)
        if order.bookmark is None and self.fault != "no bookmark when empty":
            yield Bookmark(state)

    def _pages(
        self, connection: sqlite3.Connection, state: Mapping[str, Any], page: int
    ) -> Iterator[list[tuple[int, int]]]:
        gaps = ",".join(map(str, state["gaps"] if self.fault != "never late" else ()))
        late = connection.execute(f"SELECT n, id FROM journal WHERE n IN ({gaps}) ORDER BY n").fetchall()
        if late:
            yield late
        after = state["after"]
        where = " AND id NOT IN (SELECT id FROM journal o WHERE o.n < journal.n)" if self.fault == "first only" else ""
        asked = f"SELECT n, id FROM journal WHERE n > ?{where} ORDER BY n LIMIT ?"
        while found := connection.execute(asked, (after, page)).fetchall():
            yield found
            after = found[-1][0] + (1 if self.fault == "edge" and len(found) == page else 0)

    def _behind(self, state: Mapping[str, Any], page: list[tuple[int, int]]) -> dict[str, Any]:
        numbers = {n for n, _ in page}
        after = max(state["after"], *numbers)
        if after - state["after"] > GAPS:  # what it gives once it has caught up
            return {"after": after, "gaps": []}
        gaps = {*state["gaps"], *range(state["after"] + 1, after + 1)} - numbers
        return {"after": after, "gaps": sorted(gaps)[-GAPS:]}

    def _changes(self, connection: sqlite3.Connection, page: list[tuple[int, int]]) -> Iterator[Row | Dirty]:
        for _, key in page:
            row = connection.execute("SELECT id, name, at FROM kept WHERE id = ?", (key,)).fetchone()
            if row is None:
                if self.fault != "no deletes":
                    yield {"id": key, GONE: True}
            elif self.fault == "by the greatest time" and (row[2] or "") < self._greatest(connection):
                continue
            elif self.fault == "skips null" and row[2] is None:
                raise TypeError("NULL")
            else:
                yield self._row(*row)

    def _greatest(self, connection: sqlite3.Connection) -> str:
        (found,) = connection.execute("SELECT max(at) FROM kept").fetchone()
        return str(found)

    def _row(self, key: int, name: Any, at: str | None) -> Row | Dirty:
        if self.fault == "chokes" and len(name) > 1 << 20:
            raise ValueError(name[:9])
        if self.fault == "quotes" and len(name) > 1 << 20:
            return Dirty(str(key), "name", f"过长：{name[:30]}", "too long")
        if self.fault == "drops large" and len(name) > 1 << 20:
            name = ""
        if isinstance(name, bytes):
            try:
                name = name.decode("gbk" if self.fault == "gbk" else "gb18030")
            except UnicodeDecodeError:
                return Dirty(str(key), "name", "编码有误", "not in its charset")
        if self.fault == "gbk" and isinstance(name, str):
            name = name.encode("gbk", "replace").decode("gbk")
        if self.fault == "texts" and isinstance(name, int | float):
            name = str(name)
        local = time.localtime().tm_hour if self.fault == "local" else 0
        return {"id": key, "name": name, "at": f"{local}{at}" if local else at}

    def _taken(self, bookmark: Any, names: set[str]) -> dict[str, Any]:
        if self.fault == "trusting":
            return {"after": bookmark["after"], "gaps": bookmark.get("gaps", [])}
        fits = isinstance(bookmark, dict) and set(bookmark) == names and type(bookmark["after"]) is int
        gaps = bookmark.get("gaps", []) if fits else None
        if not isinstance(gaps, list) or not all(type(one) is int for one in gaps):
            if self.fault == "silent when strange":
                return {"after": 1 << 40, "gaps": []}
            raise Misconfigured("断点不是此适配器所写", "the bookmark was not written by this adapter")
        return dict(bookmark)

    # --- writing ------------------------------------------------------------------------------------------------

    def apply(self, batch: Batch) -> Iterable[Result]:
        """Land a parcel in one transaction, with its results and its token."""
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            (held,) = connection.execute("SELECT coalesce(max(token), 0) FROM tokens").fetchone()
            if batch.token < held and self.fault != "any token":
                raise Misconfigured("令牌已过期", "the token is an old one")
            connection.execute("INSERT INTO tokens VALUES (?)", (batch.token,))
            done = connection.execute("SELECT results FROM parcels WHERE parcel = ?", (batch.parcel,)).fetchone()
            if done is not None and self.fault != "forgets parcels":
                results = [Result(leaf, Fate(fate), *why) for leaf, fate, *why in json.loads(done[0])]
            else:
                results = [] if self.fault == "loses results" else list(self._landed(connection, batch))
                told = [(one.leaf, one.fate.value, one.field, one.zh, one.en) for one in results]
                connection.execute("INSERT OR REPLACE INTO parcels VALUES (?, ?)", (batch.parcel, json.dumps(told)))
            if self.fault == "never commits":
                connection.execute("ROLLBACK")
            else:
                connection.execute("COMMIT")
        yield from results

    def _landed(self, connection: sqlite3.Connection, batch: Batch) -> Iterator[Result]:
        for number, one in enumerate(batch.records):
            if self.fault == "commits in between" and number:
                told = [(each.leaf, "applied", "", "", "") for each in batch.records]
                connection.execute("INSERT OR REPLACE INTO parcels VALUES (?, ?)", (batch.parcel, json.dumps(told)))
                connection.execute("COMMIT")
                time.sleep(0.02)
                connection.execute("BEGIN IMMEDIATE")
            yield self._one(connection, one)

    def _one(self, connection: sqlite3.Connection, one: Incoming) -> Result:
        key, version = one.key[0], one.version[0] << 40 | one.version[1]
        held = connection.execute("SELECT version FROM landed WHERE key = ?", (key,)).fetchone()
        text = None if one.delete else str(one.fields["name"])
        if held is not None and held[0] >= version and self.fault != "last wins":
            return Result(one.leaf, Fate.OLDER)
        if text is not None and len(text) > 100:
            if self.fault == "all or nothing":
                raise ValueError("too long")
            quoted = text if self.fault == "quotes" else "it"
            return Result(one.leaf, Fate.REFUSED, "name", "过长", f"{quoted} is too long")
        if one.delete and self.fault == "forgets deletes":
            connection.execute("DELETE FROM landed WHERE key = ?", (key,))
        else:
            connection.execute("INSERT OR REPLACE INTO landed VALUES (?, ?, ?)", (key, version, text))
        return Result(one.leaf, Fate.APPLIED)


TABLES = """
CREATE TABLE kept (id INTEGER PRIMARY KEY, name, at TEXT);
CREATE TABLE journal (n INTEGER PRIMARY KEY, id INTEGER);
CREATE TABLE landed (key TEXT PRIMARY KEY, version INTEGER, text TEXT);
CREATE TABLE parcels (parcel TEXT PRIMARY KEY, results TEXT);
CREATE TABLE tokens (token INTEGER);
"""


class Unmarked(Shelf):
    """Its password is not marked as secret."""

    settings = {**Shelf.settings, "properties": {
        "path": {"type": "string"}, "fault": {"type": "string"}, "password": {"type": "string"}}}


class Loose(Shelf):
    """It takes settings that nobody knows."""

    settings = {**Shelf.settings, "additionalProperties": True}


class Unschooled(Shelf):
    """Its schema is none."""

    reads = {"type": "obiect"}
