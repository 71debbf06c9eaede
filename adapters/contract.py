"""The contract: what an adapter is asked, and the words it answers in.

An adapter is a class.  It is made with its settings, asked, and closed; it runs in a process of its own
(`adapters.child`), may block, and keeps nothing between two runs: how far it has read, the node remembers.

    class Legacy(Adapter):
        settings = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}

        def check(self):
            yield good("可以打开", "it can be opened")

        def read(self, order):
            for number, row in enumerate(rows_after(order.bookmark or 0), 1):
                yield row
                yield Bookmark(number)

Rule 1: rows that were yielded before a `Bookmark` are kept together with it, or not at all: read again from it, an
        adapter gives what came after; it may give a row twice, and leaves none out.
Rule 2: what a person must mend is `Misconfigured`, what will mend itself is `Unavailable`; anything else that escapes
        is an error of the adapter's, of which its name alone is told.
Rule 3: no sentence holds what stood in a row, nor a secret.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar

Value = str | int | float | bool | Decimal | date | datetime | time | bytes | None
"""What may stand in a cell; `adapters.rows` says how each is written."""

Row = Mapping[str, Value]
"""One row, by the names of the source's columns."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How far has been read: any JSON value of at most 64 KiB, which only this adapter understands."""

    at: Any


@dataclass(frozen=True, slots=True)
class Dirty:
    """A row that cannot be given: its name in the source, where known, the column, and why."""

    row: str | None
    field: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `check` found; `level` is `good`, `warning` or `fault`."""

    level: str
    zh: str
    en: str


def good(zh: str, en: str) -> Finding:
    """Return what is as it should be."""
    return Finding("good", zh, en)


def warning(zh: str, en: str) -> Finding:
    """Return what should be otherwise, but is no hindrance."""
    return Finding("warning", zh, en)


def fault(zh: str, en: str) -> Finding:
    """Return what must be mended before the adapter can work."""
    return Finding("fault", zh, en)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the source describes it; `kind` is the source's own word for its type."""

    name: str
    kind: str
    comment: str = ""
    key: bool = False
    null: bool = True
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Something that can be read: a table, a view, a file; `rows` is an estimate, None if there is none."""

    name: str
    columns: tuple[Column, ...]
    comment: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be read: `what` are the settings of one `[[adapter.read]]`, without those that are the node's.

    `whole` asks for everything again, whatever the bookmark; else what came after it.  Reading ends at the first
    bookmark behind `limit` rows.
    """

    what: Mapping[str, Any] = field(repr=False)
    bookmark: Any = None
    whole: bool = False
    limit: int = 1 << 62


class Misconfigured(Exception):
    """A person must change something: a setting, a right, a table.  Say what, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class Unavailable(Exception):
    """The source or target cannot be reached, or has no time now; it is asked again later."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


class Adapter(ABC):
    """One kind of legacy system.  A subclass takes what it can do and leaves the rest as it is here."""

    settings: ClassVar[Mapping[str, Any]] = {"type": "object"}
    """JSON Schema of its settings; a member with `"x-secret": true` is given by file and shown nowhere."""

    reads: ClassVar[Mapping[str, Any] | None] = None
    """JSON Schema of what stands in one `[[adapter.read]]`, None if it reads nothing."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Keep the settings, which fit the schema; open nothing yet."""
        self.given = settings

    def check(self) -> Iterable[Finding]:
        """Yield what was found when everything needed was tried, without changing anything."""
        return ()

    def discover(self) -> Iterable[Table]:
        """Yield what can be read."""
        return ()

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Yield rows in an order that bookmarks can follow, and a bookmark where reading can go on."""
        raise Misconfigured("此适配器不能读取", "this adapter reads nothing")

    def close(self) -> None:
        """Let go of everything; nothing is asked after it."""
