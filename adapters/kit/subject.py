"""What an integrator says about an adapter: its settings, and hooks that change its source.

    from adapters.kit import AdapterContract

    class TestMine(AdapterContract):
        adapter = Mine                      # or name = "mine", the entry point
        read = {"table": "T"}               # the table `what` of one [[adapter.read]]

        def start(self, folder):            # an empty source, for each check a new one
            self.path = folder / "old.db"
            ...
            self.settings = {"path": str(self.path)}

        def insert(self, rows):             # each row is {"id": 7, "name": "张三"}; see `key`, `text`, `stamp`
            ...

Everything but the settings is optional: a check that needs what is not given is skipped, and says so.  A hook that
cannot do what it is asked calls `pytest.skip` with the reason.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar

import pytest

from adapters import child
from adapters.contract import GONE, Adapter, Misconfigured, Mode, Order, Row, Unavailable
from adapters.kit.judged import bare, broken, check_of, must, unmade
from adapters.kit.rounds import ENDLESS, Kept, Process, words

NEEDS: Mapping[str, tuple[str, str]] = {
    "read": ("适配器不读取，或未给出read", "the adapter reads nothing, or no `read` is given"),
    "write": ("适配器不写入，或未给出write", "the adapter writes nothing, or no `write` is given"),
    "stamp": ("未给出stamp：来源没有时间列", "no `stamp` is given: the source has no column of times"),
    "missing": ("未给出missing，也未给出lose", "neither `missing` nor `lose` is given"),
}
READ_ONLY = 1000
"""Most rows read of a source that is not the kit's own."""


class Subject:
    """What is known about one adapter; below its attributes come the hooks, then what checks are made with."""

    name: ClassVar[str] = ""
    """Its entry point; or else"""
    adapter: ClassVar[type[Adapter] | None] = None
    """its class."""

    settings: Mapping[str, Any] = {}
    read: Mapping[str, Any] | None = None
    """The table `what` of one `[[adapter.read]]`; the smaller its pages, the more is tried."""
    write: Mapping[str, Any] | None = None
    """The table `what` of one `[[adapter.write]]`."""

    key: str = "id"
    """The column of whole numbers by which a row is known."""
    text: str = "name"
    """A column of text."""
    stamp: str = ""
    """The column of the time of the last change, if there is one; rows then have it, as a datetime in UTC or None."""

    incremental: bool = True
    """Whether reading NEW gives what is new alone; False if it gives everything each time."""
    again: int = 5
    """Most old rows that a second read may give once more."""
    late_by: float = 45.0
    """Seconds by which a row may come late and is still found."""
    many: int = 20_000
    """Rows for the check of memory; together they have 64 MiB."""

    bad: Sequence[Mapping[str, Any]] = ()
    """Settings that fit the schema and are wrong all the same, as a password that is not right."""
    missing: Mapping[str, Any] | None = None
    """Settings of a source that is not there."""
    bypass: ClassVar[Mapping[str, str]] = {}
    """Checks that are not made, by name, each with the reason."""

    # --- hooks --------------------------------------------------------------------------------------------------

    def start(self, folder: Path) -> None:
        """Make an empty source, in this empty folder if it needs one; set `settings`, and `read` or `write`."""

    def stop(self) -> None:
        """Let go of what `start` made."""

    def insert(self, rows: Sequence[dict[str, Any]]) -> None:
        """Put rows into the source, which has none of their keys."""

    def change(self, rows: Sequence[dict[str, Any]]) -> None:
        """Give rows of the source a new text, and a new stamp."""

    def delete(self, keys: Sequence[int]) -> None:
        """Take rows out of the source."""

    def late(self, rows: Sequence[dict[str, Any]]) -> Callable[[], None]:
        """Put rows into the source in a transaction that stays open; return what commits it."""
        return lambda: None

    def octets(self, number: int, octets: bytes) -> None:
        """Put a row with this key into the source, whose text is stored as these octets."""

    def example(self) -> Sequence[Row]:
        """Put rows of every kind of cell into the source; return them as the node must see them, in JSON's values."""
        return ()

    def lose(self) -> None:
        """Take the source away: stop the server, remove the file."""

    def ahead(self, bookmark: Any) -> Any:
        """Return a bookmark like this one, that lies far behind everything the source has."""

    def landed(self) -> Mapping[str, str]:
        """Return what the target holds now: the text of each business key."""
        return {}

    def fields(self, number: int, text: str) -> Mapping[str, Any]:
        """Return the fields of a record that arrives."""
        return {self.key: str(number), self.text: text}

    def unfit(self, number: int) -> Mapping[str, Any]:
        """Return the fields of a record that the target must refuse."""
        return {}

    # --- what checks are made with ------------------------------------------------------------------------------

    _numbers = itertools.count(1)
    _folders = itertools.count(1)

    @pytest.fixture(autouse=True)
    def _source(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
        """Give each check a source of its own; leave out a check that is bypassed or lacks something."""
        asked = check_of(getattr(request, "function", None))
        self._folder = tmp_path
        unknown = {bare(one) for one in self.bypass} - {bare(one) for one in dir(self) if one.startswith("test_")}
        must(not unknown, f"bypass里没有这些检查：{'、'.join(unknown)}", f"bypass names no check: {', '.join(unknown)}")
        if asked is not None:
            reason = {bare(one): why for one, why in self.bypass.items()}.get(asked.name)
            if reason is not None:
                raise unmade(f"已说明不做：{reason}", f"bypassed: {reason}")
        self._begin()
        try:
            for one in asked.needs if asked is not None else ():
                self._need(one)
            yield
        finally:
            self._end()

    def _begin(self) -> None:
        self._place = self._folder / f"source-{next(self._folders)}"
        self._place.mkdir()
        self.start(self._place)

    def _end(self) -> None:
        self.stop()
        shutil.rmtree(self._place, ignore_errors=True)

    def _afresh(self) -> None:
        """Begin with another empty source, where the class can make one."""
        if self._has("start"):
            self._end()
            self._begin()

    def _has(self, hook: str) -> bool:
        """Whether the class has a hook of its own."""
        return getattr(type(self), hook) is not getattr(Subject, hook)

    def _need(self, what: str) -> None:
        if what == "read":
            stands = self._kind.reads is not None and self.read is not None
        elif what == "write":
            stands = self._kind.writes is not None and self.write is not None
        elif what == "stamp":
            stands = bool(self.stamp)
        elif what == "missing":
            stands = self.missing is not None or self._has("lose")
        else:
            stands = self._has(what)
        if not stands:
            zh, en = NEEDS.get(what, (f"未给出{what}", f"no `{what}` is given"))
            raise unmade(zh, en)

    @property
    def _kind(self) -> type[Adapter]:
        """The adapter's class."""
        if self.adapter is not None:
            return self.adapter
        must(self.name, "请给出name或adapter", "give `name` or `adapter`")
        try:
            return child.find(self.name)
        except Misconfigured as why:
            broken(why.zh, why.en)

    @property
    def _process_name(self) -> str:
        """What a process calls the adapter: its entry point, or where its class is."""
        return self.name or f"{self._kind.__module__}:{self._kind.__qualname__}"

    @contextmanager
    def _opened(self, settings: Mapping[str, Any] | None = None) -> Iterator[Adapter]:
        """Give the adapter in this process, and close it."""
        with closing(self._kind(dict(self.settings if settings is None else settings))) as made:
            yield made

    def _process(self, die_after: int = -1, zone: str | None = None) -> Process:
        """Return the adapter in a process of its own."""
        return Process(self._process_name, self.settings, die_after, zone)

    def _order(self, bookmark: Any = None, mode: Mode = Mode.NEW, limit: int = ENDLESS) -> Order:
        """Return an order for what `read` says; of a source that is not the kit's own not too much."""
        return Order(dict(self.read or {}), bookmark, mode, limit if self._has("insert") else min(limit, READ_ONLY))

    def _reads(
        self, kept: Kept, mode: Mode = Mode.NEW, stop_after: int | None = None, limit: int = ENDLESS
    ) -> list[Row]:
        """Read once in this process, from what is kept; return the rows that came."""
        __tracebackhide__ = True
        try:
            order = self._order(kept.bookmark(mode), mode, limit)
            with self._opened() as adapter, closing(words(adapter, order)) as said:
                rows, left = kept.take(said, mode, stop_after)
        except (Misconfigured, Unavailable) as why:
            broken(f"读取失败：{why.zh}", f"reading failed: {why.en}", why)
        must(not left or stop_after is not None, "读取结束时，最后一个断点之后还有行，这些行会丢失",
             "rows came behind the last bookmark of a read: they would be lost")
        return rows

    # --- rows of the kit's own ----------------------------------------------------------------------------------

    def _rows(self, count: int, at: datetime | None = None, text: str = "行") -> list[dict[str, Any]]:
        """Return new rows as `insert` takes them; their stamps begin a day ago, or all are `at`."""
        rows = [{self.key: next(self._numbers), self.text: text} for _ in range(count)]
        for place, row in enumerate(rows):
            row[self.text] = f"{text}{row[self.key]}"
            if self.stamp:
                row[self.stamp] = now() - timedelta(days=1, seconds=-place) if at is None else at
        return rows

    def _fresh(self, count: int = 1, text: str = "新") -> list[dict[str, Any]]:
        """Return new rows that are stamped now."""
        return self._rows(count, now(), text)

    def _changed(self, rows: Sequence[dict[str, Any]], text: str = "改") -> list[dict[str, Any]]:
        """Return the rows with another text, stamped now."""
        stamped = {self.stamp: now()} if self.stamp else {}
        return [{**row, self.text: f"{text}{row[self.key]}", **stamped} for row in rows]

    def _mine(self, found: Sequence[Row]) -> set[tuple[str, str]]:
        """Return key and text of rows that are no deletes."""
        return {self._same(row) for row in found if not row.get(GONE)}

    def _same(self, row: Row) -> tuple[str, str]:
        """Return what tells a row from others and from what it was before: its key and text."""
        if self.key not in row:  # of a source that is not ours: a row is what stands in it
            return repr(sorted(row.items(), key=repr)), ""
        return str(row.get(self.key)), str(row.get(self.text))

    def _all_there(self, found: Sequence[Row], wanted: Sequence[Row], zh: str, en: str) -> None:
        """Say that the contract is not kept unless every wanted row was found as it is."""
        __tracebackhide__ = True
        lacking = len(self._mine(wanted) - self._mine(found))
        must(not lacking, f"{zh}：{len(wanted)}行中缺{lacking}行", f"{en}: {lacking} of {len(wanted)} row(s) are missing")


def now() -> datetime:
    """Return the time in whole seconds, as old tables keep it."""
    return datetime.now(timezone.utc).replace(microsecond=0)
