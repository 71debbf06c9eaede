"""An old table and the process that reads it: what stands in it changes while it is read, and the process dies at it.

    rows, each with a stamp ─► Child.act: RECORDS, BOOKMARK ─► the node's own Poller and Reading

Rule 1: what is new is given by stamp, the whole by key; each row as it stands when it is given.
Rule 2: in the middle of a read time passes, and whatever the world does happens then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from node.model import codes
from node.model.frames import Frame, FrameKind
from node.model.record import Stream
from node.model.source import ErrorLimit, Source
from node.model.trouble import trouble
from tests.world.source import region
from tests.world.strand import Strands

KEYS = 12
"""How many keys a table may have; none of them is a post's."""


@dataclass(frozen=True)
class Row:
    """A row as it stands: its stamp, and the record it is to be."""

    stamp: int
    twin: Mapping[str, Any]
    spoiled: bool = False

    @property
    def line(self) -> bytes:
        """The row as an adapter gives it."""
        return orjson.dumps({**self.twin, "RegionCode": "no-code"} if self.spoiled else self.twin)


class Table:
    """The table of one department; its keys never go, they hold a deletion."""

    def __init__(self, name: str, dice: Random) -> None:
        self.dice, self.rows = dice, dict[str, Row]()
        self.deadly = 0.0
        """How likely each frame is the last word of the process that reads."""
        self.slow = dice.choice((0.0, 0.5, 5.0))
        self.last = 0
        self.deaths = 0
        history = dice.choice((Stream.LIVE, Stream.BACKFILL))
        self.source = Source(
            f"{name}/regions", name, "region-code", None, {}, 3000, history, 60_000, dice.randint(2, 9), 600_000, None,
            ErrorLimit(1000, 100.0),
        )

    def change(self, count: int) -> None:
        """Change, delete or spoil some rows."""
        for _ in range(count):
            key = f"99{self.dice.randrange(KEYS):04}"
            self.put(key, self.dice.random() < 0.2, self.dice.random() < 0.1)

    def put(self, key: str, delete: bool, spoiled: bool = False) -> None:
        """Let a row be another."""
        self.last += 1
        twin = region(f"old-{key}", key, f"state {self.last}", delete).twin
        self.rows[key] = Row(self.last, twin, spoiled)

    def mend(self) -> None:
        """Let no row be spoiled, and no process die."""
        self.deadly = self.slow = 0.0
        for key, row in list(self.rows.items()):
            if row.spoiled:
                self.put(key, False)

    def after(self, stamp: int) -> Row | None:
        """Return the first row behind a stamp."""
        return min((row for row in self.rows.values() if row.stamp > stamp), key=lambda row: row.stamp, default=None)

    def behind(self, key: str) -> str | None:
        """Return the first key behind a key."""
        return min((one for one in self.rows if one > key), default=None)


class TableChild:
    """Has the shape of `node.hosts.Child`, and gives the rows of a table."""

    pid = 0

    def __init__(self, table: Table, strands: Strands) -> None:
        self._table, self._strands = table, strands
        self.ended = False

    def kill(self) -> None:
        """End it."""
        self.ended = True

    close = kill

    def act(self, do: str, **said: Any) -> Iterator[Frame]:
        """Yield what an adapter says in answer to `read`."""
        assert do == "read" and not self.ended, "a process that ended was asked"
        at, mode = said["bookmark"] if said.get("bookmark") is not None else None, said["mode"]
        if mode == "none":
            yield self._says(FrameKind.BOOKMARK, self._table.last)
        else:
            given = yield from self._whole(at or "", said) if mode == "whole" else self._new(at or 0, said)
            if given >= said["limit"]:
                yield self._says(FrameKind.ANSWER, {"more": True})
                return
        yield self._says(FrameKind.ANSWER, {"more": False})

    def _new(self, stamp: int, said: Mapping[str, Any]) -> Any:
        given = 0
        while given < said["limit"] and (row := self._table.after(stamp)) is not None:
            yield self._says(FrameKind.RECORDS, row.line)
            given, stamp = given + 1, row.stamp
            if self._table.dice.random() < 0.6:
                yield self._says(FrameKind.BOOKMARK, stamp)
        yield self._says(FrameKind.BOOKMARK, stamp)
        return given

    def _whole(self, key: str, said: Mapping[str, Any]) -> Any:
        given = 0
        while given < said["limit"] and (after := self._table.behind(key)) is not None:
            key = after
            yield self._says(FrameKind.RECORDS, self._table.rows[key].line)
            given += 1
            if self._table.dice.random() < 0.6:
                yield self._says(FrameKind.BOOKMARK, key)
        yield self._says(FrameKind.BOOKMARK, key)
        return given

    def _says(self, kind: FrameKind, said: Any) -> Frame:
        """Return a frame, after a while in which the table may change and the process may die."""
        frame = Frame(kind, said if isinstance(said, bytes) else orjson.dumps(said))
        table = self._table
        if table.slow and table.dice.random() < 0.5:
            self._strands.sleep(table.dice.uniform(0, table.slow))
        if self.ended or table.dice.random() < table.deadly:
            self.ended, table.deaths = True, table.deaths + 1
            raise trouble(codes.ADAPTER_ENDED, name=table.source.adapter, reason="status -9")
        return frame
