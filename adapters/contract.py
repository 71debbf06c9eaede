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
from enum import Enum
from typing import Any, ClassVar

Value = str | int | float | bool | Decimal | date | datetime | time | bytes | None
"""What may stand in a cell; `adapters.rows` says how each is written."""

Row = Mapping[str, Value]
"""One row, by the names of the source's columns."""

GONE = "__gone__"
"""The member that marks a row the source has no more: `{"ID": 7, GONE: True}`; it becomes a delete."""


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


class Mode(Enum):
    """Which rows are wanted."""

    NEW = "new"
    """Those that came or changed after the bookmark; without one, all."""
    WHOLE = "whole"
    """All that there are.  The bookmark is that of an earlier order of this mode which was broken off, or None."""
    NONE = "none"
    """None: only the bookmark from which NEW goes on with what changes from now on."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be read: `what` is the table `what` of one `[[adapter.read]]`, and fits the schema `reads`.

    Reading ends at the first bookmark behind `limit` rows.  Bookmarks of NEW and of WHOLE are kept apart: neither mode
    is ever given the other's.
    """

    what: Mapping[str, Any] = field(repr=False)
    bookmark: Any = None
    mode: Mode = Mode.NEW
    limit: int = 1 << 62


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record that arrived for this department: validated, decrypted, and to be landed by its version.

    `fields` are the specification's (texts, groups, lists); `key` its business key; of two records with one origin and
    key the one with the greater `version` is the newer, whatever came first.  `leaf` is its place in its parcel.
    """

    leaf: int
    origin: str
    version: tuple[int, int]
    delete: bool
    row: str
    key: tuple[str, ...]
    fields: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """The good records of one parcel, to be landed in one transaction; `what` is the table of one `[[adapter.write]]`.

    `token` only grows for a `lane`: whoever comes with a smaller one than was seen is late and must not write.  A
    `parcel` that comes again gets the answer it got.
    """

    what: Mapping[str, Any] = field(repr=False)
    resource: str
    lane: str
    parcel: str
    token: int
    records: tuple[Incoming, ...] = field(repr=False)


class Fate(Enum):
    """What became of one record at the target."""

    APPLIED = "applied"
    OLDER = "older"
    """The target holds a newer version of the key."""
    REFUSED = "refused"
    """The target will not have it, now or later; said with the field and why."""


@dataclass(frozen=True, slots=True)
class Result:
    """The fate of the record with this leaf; `field`, `zh` and `en` say why it was refused, never what stood in it."""

    leaf: int
    fate: Fate
    field: str = ""
    zh: str = ""
    en: str = ""


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
    """JSON Schema of the table `what` of one `[[adapter.read]]`, None if it reads nothing."""

    writes: ClassVar[Mapping[str, Any] | None] = None
    """JSON Schema of the table `what` of one `[[adapter.write]]`, None if it writes nothing."""

    deletes: ClassVar[bool] = False
    """Whether reading NEW also tells which rows are gone: such a row holds its key, and `GONE` with the value True."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Keep the settings, which fit the schema; open nothing yet."""
        self.given = settings

    def check(self) -> Iterable[Finding]:
        """Yield what was found when everything needed was tried, without changing anything."""
        return ()

    def discover(self) -> Iterable[Table]:
        """Yield what can be read."""
        return ()

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Yield what was found about one `[[adapter.read]]` or `[[adapter.write]]`, without changing anything.

        The query that will be run and how the source means to run it, a missing index, a right too many.
        """
        return ()

    def script(self, what: Mapping[str, Any], drop: bool = False) -> str:
        """Return what an operator reviews and runs at the source before one `[[adapter.read]]` is read, or to undo it.

        It is text for the source's own client; nothing is changed here.
        """
        raise Misconfigured("此适配器不需要在来源执行脚本", "this adapter needs no script run at its source")

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Yield rows in an order that bookmarks can follow, and a bookmark where reading can go on."""
        raise Misconfigured("此适配器不能读取", "this adapter reads nothing")

    def named(self) -> str | None:
        """Return the name in the source of the row that was yielded last, asked when it proves to be dirty."""
        return None

    def apply(self, batch: Batch) -> Iterable[Result]:
        """Land the records and return one result for each, once they are safe at the target.

        Raises Unavailable when the target cannot be reached: the batch comes again.  What the target refuses of one
        record keeps no other from being landed.
        """
        raise Misconfigured("此适配器不能写入", "this adapter writes nothing")

    def close(self) -> None:
        """Let go of everything; nothing is asked after it."""
