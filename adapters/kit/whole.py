"""Checks of a whole read: every row, with the right cells, small bookmarks, whatever process and time zone."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from adapters.contract import Adapter, Misconfigured, Mode, Row, Unavailable
from adapters.kit.judged import broken, check, must, unmade
from adapters.kit.rounds import Kept, crashed, words
from adapters.kit.settings import both
from adapters.kit.subject import Subject
from node.model.trouble import Trouble

LOST_ZH, LOST_EN = "丢失了行", "rows are lost"
MOST = 60
"""Most words after which a read is broken off."""
ZONES = ("UTC", "Asia/Shanghai", "America/New_York")


class WholeChecks(Subject):
    """Basic: what is there is read, all of it and as it is."""

    @check("basic", "全量读取给出全部行", "a whole read gives every row", "read", essential=True)
    def test_whole_read(self) -> None:
        wanted = self._filled(7)
        kept = Kept()
        found = self._whole(kept)
        self._all_there(found, wanted, LOST_ZH, LOST_EN)
        for row in found[:1] if wanted else ():
            lacking = {self.key, self.text} - set(row)
            must(not lacking, f"行里没有列{'、'.join(lacking)}", f"a row has no column {', '.join(lacking)}")

    def _filled(self, count: int) -> list[dict[str, Any]]:
        if not self._has("insert"):
            return []
        rows = self._rows(count)
        self.insert(rows)
        return rows

    def _whole(self, kept: Kept) -> list[Row]:
        """Read everything as the node does: from bookmark to bookmark until there is no more."""
        return self._reads(kept, Mode.WHOLE)

    @check("basic", "每种单元格都原样给出", "cells of every kind come as they are", "read", "example")
    def test_cells(self) -> None:
        wanted = [dict(row) for row in self.example()]
        found = {self._same(row): row for row in self._whole(Kept())}
        for row in wanted:
            got = found.get(self._same(row), {})
            off = [name for name in row if (type(got.get(name)), got.get(name)) != (type(row[name]), row[name])]
            must(not off, f"列{'、'.join(off)}不是原样", f"not as they are: {', '.join(off)}")

    @check("basic", "在单独的进程里读到的与此相同", "a process of its own reads the same", "read", essential=True)
    def test_process(self) -> None:
        wanted, kept = self._filled(7), Kept()
        try:
            with self._process() as process:
                found, left = kept.take(process.words(self._order(mode=Mode.WHOLE)), Mode.WHOLE)
        except Trouble as met:
            broken(f"进程里读取失败：{met.sentence.zh}", f"reading in a process failed: {met.sentence.en}")
        must(not left, "最后一个断点之后还有行", "rows came behind the last bookmark")
        self._all_there(found, wanted, LOST_ZH, LOST_EN)
        if not wanted:
            must(bool(found) == bool(self._whole(Kept())), "与进程内读到的不同", "it is not what is read in this process")

    @check("basic", "全量读取中断后接着读，不丢行", "a whole read that is broken off goes on and loses nothing", "read", "insert")
    def test_whole_read_resumed(self) -> None:
        for stop_after in range(MOST):
            self._afresh()
            wanted, kept = self._filled(6), Kept()
            self._reads(kept, Mode.WHOLE, stop_after)
            through = kept.words < stop_after
            self._reads(kept, Mode.WHOLE)
            self._all_there(kept.rows, wanted, f"第{stop_after}次输出后中断，{LOST_ZH}",
                            f"broken off after {stop_after} word(s), {LOST_EN}")
            if through:
                return

    @check("basic", "没有行时正常结束，之后的行仍会读到", "without a row it ends well, and rows that come later are read", "read",
           "start", "insert")
    def test_no_rows(self) -> None:
        kept = Kept()
        for mode in (Mode.WHOLE, Mode.NEW):
            must(not self._reads(kept, mode), "空的来源给出了行", "an empty source gave rows")
        must(Mode.NEW in kept.bookmarks, "空的来源没有给出断点", "an empty source gave no bookmark")
        rows = self._fresh(2)
        self.insert(rows)
        self._all_there(self._reads(kept), rows, LOST_ZH, LOST_EN)

    @check("basic", "断点是JSON，不超过64 KiB", "bookmarks are JSON of at most 64 KiB", "read")
    def test_bookmarks(self) -> None:
        self._filled(1500)
        for mode in Mode:
            kept = Kept()
            self._reads(kept, mode, limit=5000)  # each bookmark is looked at as it comes
            must(kept.seen, f"{mode.value}没有给出断点", f"{mode.value} gave no bookmark")

    @check("basic", "进程所在时区不影响所读", "the time zone of the process changes nothing", "read")
    def test_time_zone(self) -> None:
        self._filled(3)
        found = []
        for zone in ZONES:
            kept = Kept()
            try:
                with self._process(zone=zone) as process, closing(process.words(self._order(mode=Mode.WHOLE))) as said:
                    kept.take(said, Mode.WHOLE)
            except Trouble as met:
                broken(met.sentence.zh, met.sentence.en)
            found.append(kept.rows)
        # To a source that is not ours others may be writing: what was read in every zone is compared.
        by_key = [{self._same(row): row for row in rows} for rows in found]
        everywhere = set.intersection(*map(set, by_key))
        must(everywhere or not all(found), "不同时区读到的行不同", "rows differ between time zones")
        must(all(rows[one] == by_key[0][one] for rows in by_key for one in everywhere), "不同时区读到的单元格不同",
             "cells differ between time zones")

    @check("basic", "来源不可达时说明原因", "a source that is gone is told as such", "read", "missing")
    def test_lost_source(self) -> None:
        if self._has("lose"):
            self.insert(self._rows(2))
            self.lose()
        given = self.settings if self.missing is None else self.missing
        try:
            with self._opened(given) as adapter:
                self._nothing_there(adapter)
        except (Misconfigured, Unavailable) as why:
            both(why.zh, why.en)
        except Exception as error:
            crashed(error)
        else:
            broken("来源已不在，读取却照常结束", "the source is gone, and reading ended as if it were there")

    def _nothing_there(self, adapter: Adapter) -> None:
        found = list(words(adapter, self._order(limit=1)))
        if any(isinstance(one, dict) for one in found):
            raise unmade("来源仍在：无法做此检查", "the source is still there: this check cannot be made")
