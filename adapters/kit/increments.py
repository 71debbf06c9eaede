"""Checks of reading what is new: once, in any state, killed at any word; and of rows that go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from adapters.contract import GONE, Misconfigured, Mode, Row, Unavailable
from adapters.kit.judged import broken, check, must, unmade
from adapters.kit.rounds import Kept, words
from adapters.kit.settings import both
from adapters.kit.subject import Subject, now
from adapters.kit.whole import LOST_EN, LOST_ZH, MOST
from node.model import codes
from node.model.trouble import Trouble

STRANGE: tuple[Any, ...] = (
    "", {}, [], "no such bookmark", {"no such": 1}, ["no such"], [[[]]], True, {"at": None}, "七",
)
"""Bookmarks that no adapter wrote."""


class IncrementChecks(Subject):
    """Incremental: what is new comes, and hardly anything else."""

    @check("incremental", "再读一次，只有边界上的行会再给出", "a second read gives at most what is at the edge", "read", essential=True)
    def test_second_read(self) -> None:
        own = self._has("insert")
        if own:
            self._incremental()
            self.insert(self._rows(60))
        kept = Kept()
        first = self._reads(kept)
        must(first or not own, LOST_ZH, LOST_EN)
        given = [repr(sorted(row.items(), key=repr)) for row in first]
        twice = sum(repr(sorted(row.items(), key=repr)) in given for row in self._reads(kept))
        if not own and first and twice == len(first):
            raise unmade("每次都读全部：未指定游标列，或不能增量读取",
                         "everything is read each time: no cursor is named, or it cannot read what is new alone")
        must(twice <= self.again, f"第二次读取又给出{twice}行", f"a second read gave {twice} row(s) again")

    def _incremental(self) -> None:
        if not self.incremental:
            raise unmade("适配器声明每次都读全部", "the adapter declares that it reads everything each time")

    @check("incremental", "新增的行会读到", "an inserted row comes", "read", "insert", essential=True)
    def test_inserted_row(self) -> None:
        kept = self._begun()
        for _ in range(3):
            rows = self._fresh(2)
            self.insert(rows)
            self._all_there(self._reads(kept), rows, "新增的行没有读到", "inserted rows do not come")

    def _begun(self, count: int = 5) -> Kept:
        """Return what the node keeps once old rows were read."""
        self.insert(self._rows(count))
        kept = Kept()
        self._reads(kept)
        return kept

    @check("incremental", "改过的行会读到", "a changed row comes", "read", "insert", "change", essential=True)
    def test_changed_row(self) -> None:
        rows = self._rows(5)
        self.insert(rows)
        kept = Kept()
        self._reads(kept)
        changed = self._changed(rows[1:3])
        self.change(changed)
        self._all_there(self._reads(kept), changed, "改过的行没有读到", "changed rows do not come")

    @check("incremental", "可以从现在开始读：不给旧行，给以后的行",
           "reading can begin from now: no row that is there, every one that comes",
           "read")
    def test_from_now(self) -> None:
        own = self._has("insert")
        if own:
            self.insert(self._rows(5))
        kept = Kept()
        must(not self._reads(kept, Mode.NONE), "模式none给出了行", "the mode `none` gave rows")
        must(Mode.NEW in kept.bookmarks, "模式none没有给出断点", "the mode `none` gave no bookmark")
        if own:
            rows = self._fresh(2)
            self.insert(rows)
            self._all_there(self._reads(kept), rows, LOST_ZH, LOST_EN)

    @check("incremental", "来历不明的断点：拒绝，或从头读",
           "a bookmark of unknown shape is refused, or all is read from the start", "read")
    def test_strange_bookmark(self) -> None:
        wanted = self._rows(3) if self._has("insert") else []
        self.insert(wanted)
        for mode in (Mode.NEW, Mode.WHOLE):
            kept = Kept()
            whole = self._reads(kept, mode, limit=100)
            for shape in STRANGE:
                found = self._read_from(shape, mode, f"{shape!r}")
                if found is not None:
                    self._all_there(found, wanted, f"断点{shape!r}：{LOST_ZH}", f"bookmark {shape!r}: {LOST_EN}")
                    must(found or not whole, f"断点{shape!r}：没有读出行，也没有报错",
                         f"bookmark {shape!r}: no row came, and nothing was said")
            for number, shape in enumerate(_bent(kept.seen[-1])):
                self._read_from(shape, mode, f"#{number}")

    def _read_from(self, bookmark: Any, mode: Mode, name: str) -> list[Row] | None:
        """Return the rows behind a bookmark that is not right; None if it is refused as it should be."""
        try:
            with self._opened() as adapter:
                return [one for one in words(adapter, self._order(bookmark, mode, 100)) if isinstance(one, dict)]
        except Misconfigured as why:
            both(why.zh, why.en)
        except Unavailable:
            broken(f"断点{name}：应为Misconfigured，实为Unavailable，会一直重试",
                   f"bookmark {name}: Unavailable instead of Misconfigured; it would be asked for ever")
        return None

    @check("incremental", "断点在来源之后：拒绝，或从头读",
           "a bookmark ahead of the source is refused, or all is read", "read", "insert",
           "ahead")
    def test_bookmark_ahead(self) -> None:
        rows = self._rows(3)
        self.insert(rows)
        kept = Kept()
        self._reads(kept)
        later = self._fresh(2)
        self.insert(later)
        found = self._read_from(self.ahead(kept.bookmark(Mode.NEW)), Mode.NEW, "+")
        if found is not None:
            self._all_there(found, later, f"断点在前，{LOST_ZH}", f"the bookmark is ahead, and {LOST_EN}")

    @check("incremental", "在每一行之后放弃，接着读，不丢行", "given up at every row and resumed, nothing is lost", "read", "insert",
           essential=True)
    def test_given_up_at_every_row(self) -> None:
        for stop_after in self._stops():
            kept, wanted = Kept(), self._filled_now()
            self._reads(kept, stop_after=stop_after)
            self._resumed(kept, wanted, stop_after)
            if kept.bookmarks and self._through:
                return

    _through = False

    def _stops(self) -> Iterator[int]:
        for stop_after in range(MOST):
            self._afresh()
            yield stop_after

    def _filled_now(self) -> list[dict[str, Any]]:
        rows = self._rows(4) + self._fresh(3)
        self.insert(rows)
        return rows

    def _resumed(self, kept: Kept, wanted: list[dict[str, Any]], stop_after: int) -> None:
        """Read on behind a break, and demand every row, one that came meanwhile too."""
        self._through = kept.words < stop_after
        later = self._fresh(1)
        self.insert(later)
        self._reads(kept)
        self._all_there(kept.rows, wanted + later, f"第{stop_after}次输出后中断，{LOST_ZH}",
                        f"broken off after {stop_after} word(s), {LOST_EN}")

    @check("incremental", "进程在每一行之后被杀，接着读，不丢行", "its process killed at every row and resumed, nothing is lost", "read",
           "insert", essential=True)
    def test_killed_at_every_row(self) -> None:
        for stop_after in self._stops():
            kept, wanted, alive = Kept(), self._filled_now(), False
            try:
                with self._process(stop_after) as process:
                    kept.take(process.words(self._order()), Mode.NEW)
                    alive = True
            except Trouble as met:
                if met.code is not codes.ADAPTER_ENDED:
                    broken(met.sentence.zh, met.sentence.en)
            self._resumed(kept, wanted, stop_after)
            if alive:
                return

    @check("incremental", "时间相同的行跨页不丢", "rows of one time are read over any page's end", "read", "insert")
    def test_ties(self) -> None:
        at = now()
        rows = self._rows(40, at, "同")
        self.insert(rows)
        kept = Kept()
        for _ in range(3 * len(rows)):
            before = len(self._mine(kept.rows))
            self._reads(kept, limit=1)
            if len(self._mine(kept.rows)) == before:
                break
        self._all_there(kept.rows, rows, f"跨页{LOST_ZH}", f"over the end of a page {LOST_EN}")
        later = self._rows(5, at, "同")
        self.insert(later)
        self._all_there(self._reads(kept), later, f"时间与最后一行相同，{LOST_ZH}", f"of the time of the last row, {LOST_EN}")

    @check("incremental", "晚提交的行会读到", "a row that commits late comes", "read", "insert")
    def test_late_commit(self) -> None:
        if not self._has("late"):
            self._need("stamp")
        kept = self._begun()
        late = self._rows(2, now() - timedelta(seconds=self.late_by), "迟")
        commit = self.late(late) if self._has("late") else None
        self.insert(self._fresh(3))
        self._reads(kept)
        if commit is None:
            self.insert(late)
        else:
            commit()
        self._reads(kept)
        self._all_there(kept.rows, late, "晚提交的行没有读到", "rows that committed late do not come")

    @check("incremental", "没有时间的行不妨碍别的，全量读取给出它", "a row without a time hinders no other, and comes in a whole read",
           "read", "insert", "stamp")
    def test_null_stamp(self) -> None:
        rows = self._rows(3)
        rows[1][self.stamp] = None
        self.insert(rows)
        kept = Kept()
        self._reads(kept)
        self._all_there(kept.rows, [rows[0], rows[2]], LOST_ZH, LOST_EN)
        self._all_there(self._reads(Kept(), Mode.WHOLE), rows, f"全量读取{LOST_ZH}", f"in a whole read {LOST_EN}")
        later = self._fresh(1)
        self.insert(later)
        self._all_there(self._reads(kept), later, LOST_ZH, LOST_EN)

    @check("incremental", "时间超前（时区弄错）的行不挡住以后的行",
           "a row whose time is ahead, as of another zone, hides none that come", "read",
           "insert", "stamp")
    def test_stamp_ahead(self) -> None:
        kept = self._begun()
        for hours in (8, 24 * 365):
            self.insert(self._rows(1, now() + timedelta(hours=hours), "错"))
            self._reads(kept)
            later = self._fresh(2)
            self.insert(later)
            self._all_there(self._reads(kept), later, "超前的时间挡住了以后的行", "a time ahead hides rows that come after it")


class CaptureChecks(IncrementChecks):
    """Change capture: what is gone is told too."""

    @check("capture", "删除的行会报告，或已声明看不到删除", "a delete is told, or declared to be unseen", "read", "insert", "delete",
           essential=True)
    def test_deleted_row(self) -> None:
        self._sees_deletes()
        rows = self._rows(4)
        self.insert(rows)
        kept = Kept()
        self._reads(kept)
        gone = [row[self.key] for row in rows[1:3]]
        self.delete(gone)
        self._gone(self._reads(kept), gone, "删除没有报告", "deletes are not told")

    def _sees_deletes(self) -> None:
        if not self._kind.deletes:
            raise unmade("适配器声明看不到删除", "the adapter declares that it sees no deletes")

    def _gone(self, found: list[Row], gone: list[int], zh: str, en: str) -> None:
        told = {str(row.get(self.key)) for row in found if row.get(GONE) is True}
        lacking = {str(key) for key in gone} - told
        must(not lacking, f"{zh}：缺{len(lacking)}行", f"{en}: {len(lacking)} row(s)")

    @check("capture", "在删除前后的每一步放弃，接着读，不漏删除",
           "given up at every step around a delete, none is left out", "read", "insert",
           "delete", essential=True)
    def test_deleted_row_given_up(self) -> None:
        self._sees_deletes()
        for stop_after in self._stops():
            rows, kept = self._rows(4), Kept()
            self.insert(rows)
            self._reads(kept)
            self.delete([rows[0][self.key], rows[2][self.key]])
            self.insert(self._fresh(1))
            behind = len(kept.rows)
            self._reads(kept, stop_after=stop_after)
            through = kept.words < stop_after
            self._reads(kept)
            self._gone(kept.rows[behind:], [rows[0][self.key], rows[2][self.key]],
                       f"第{stop_after}次输出后中断，漏了删除", f"broken off after {stop_after} word(s), deletes are left out")
            if through:
                return


def _bent(bookmark: Any) -> Iterator[Any]:
    """Yield a bookmark with one part of it missing or of another kind; each must be refused or read, whatever comes."""
    if not isinstance(bookmark, dict):
        return
    for name in bookmark:
        yield {each: value for each, value in bookmark.items() if each != name}
        for other in (None, "no such", -1, [], {"no such": 1}, [["no such", "x"]]):
            yield {**bookmark, name: other}
