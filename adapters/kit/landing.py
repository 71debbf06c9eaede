"""Checks of writing: a record by its version, a parcel once, whoever is late not at all, killed at any instant."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Sequence
from typing import Any

from adapters.contract import Batch, Fate, Incoming, Misconfigured, Result, Unavailable
from adapters.kit.judged import broken, check, must
from adapters.kit.rounds import crashed
from adapters.kit.settings import both
from adapters.kit.subject import Subject
from node.model.trouble import Trouble

LANE, ORIGIN, RESOURCE = "A/R/live", "A", "R"
DELAYS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05)
"""Seconds after which a process that lands is killed."""


class LandingChecks(Subject):
    """Writing: the target holds the newest version of each key, whatever comes twice, late or never to its end."""

    _tokens = itertools.count(1)
    _parcels = itertools.count(1)

    def _incoming(self, leaf: int, number: int, text: str, version: int, delete: bool = False) -> Incoming:
        """Return a record as it arrives."""
        fields = {} if delete else self.fields(number, text)
        return Incoming(leaf, ORIGIN, (1, version), delete, f"row-{number}", (str(number),), fields)

    def _batch(self, records: Sequence[Incoming], token: int | None = None, parcel: str | None = None) -> Batch:
        """Return the records of a new parcel, or of one that came before."""
        return Batch(
            dict(self.write or {}), RESOURCE, LANE, parcel or f"parcel-{next(self._parcels)}",
            next(self._tokens) if token is None else token, tuple(records),
        )

    def _lands(self, batch: Batch) -> list[Result]:
        """Have a batch landed in this process; return its results, one of each record."""
        __tracebackhide__ = True
        try:
            with self._opened() as adapter:
                results = list(adapter.apply(batch))
        except (Misconfigured, Unavailable) as why:
            broken(f"写入失败：{why.zh}", f"writing failed: {why.en}", why)
        except Exception as error:
            crashed(error)
            raise
        must(sorted(one.leaf for one in results) == sorted(one.leaf for one in batch.records),
             "不是每条记录恰有一个结果", "not every record has just one result")
        for one in results:
            if one.fate is Fate.REFUSED:
                both(one.zh, one.en)
        return results

    def _holds(self, wanted: dict[int, str | None], zh: str, en: str) -> None:
        """Say that the contract is not kept unless the target holds these texts; None: no such key."""
        __tracebackhide__ = True
        held = self.landed()
        off = sum(held.get(str(number)) != text for number, text in wanted.items())
        must(not off, f"{zh}：{off}条不符", f"{en}: {off} record(s) are not as they should be")

    def _fates(self, results: Sequence[Result]) -> list[Fate]:
        return [one.fate for one in sorted(results, key=lambda one: one.leaf)]

    def _number(self) -> int:
        return next(self._numbers)

    @check("writing", "记录写入目标，之后的版本替换它",
           "a record lands, and a later version replaces it", "write", "landed", essential=True)
    def test_landed(self) -> None:
        one, two = self._number(), self._number()
        batch = self._batch([self._incoming(0, one, "甲㐂", 1), self._incoming(1, two, "乙𠮷", 2)])
        fates = self._fates(self._lands(batch))
        must(fates == [Fate.APPLIED] * 2, "结果应为applied", "the fate should be `applied`")
        self._holds({one: "甲㐂", two: "乙𠮷"}, "没有写入", "not landed")
        self._lands(self._batch([self._incoming(0, one, "丙", 3)]))
        self._holds({one: "丙", two: "乙𠮷"}, "新版本没有替换旧版本", "a later version did not replace the earlier")

    @check("writing", "同一批内同一主键的两个版本，留较新的", "of two versions of a key in one parcel the newer stays", "write", "landed",
           essential=True)
    def test_one_key_twice(self) -> None:
        one, two = self._number(), self._number()
        self._lands(self._batch([self._incoming(0, one, "旧", 1), self._incoming(1, one, "新", 2),
                                 self._incoming(2, two, "新", 4), self._incoming(3, two, "旧", 3)]))
        self._holds({one: "新", two: "新"}, "留下的不是较新的版本", "what stays is not the newer version")

    @check("writing", "删除会从目标去掉记录，更旧的版本不再使它出现",
           "a delete takes a record away, and no older version brings it back", "write",
           "landed", essential=True)
    def test_delete(self) -> None:
        one = self._number()
        self._lands(self._batch([self._incoming(0, one, "甲", 1)]))
        self._lands(self._batch([self._incoming(0, one, "", 3, delete=True)]))
        self._holds({one: None}, "删除后仍在", "still there after its delete")
        fates = self._fates(self._lands(self._batch([self._incoming(0, one, "迟", 2)])))
        must(fates == [Fate.OLDER], "更旧的版本应为older", "the fate of an older version should be `older`")
        self._holds({one: None}, "更旧的版本使已删除的记录出现", "an older version brought a deleted record back")
        self._lands(self._batch([self._incoming(0, self._number(), "", 4, delete=True)]))  # of what was never there

    @check("writing", "较旧的版本不覆盖较新的", "an older version does not replace a newer one", "write", "landed", essential=True)
    def test_older(self) -> None:
        one = self._number()
        self._lands(self._batch([self._incoming(0, one, "新", 5)]))
        fates = self._fates(self._lands(self._batch([self._incoming(0, one, "旧", 4)])))
        must(fates == [Fate.OLDER], "较旧的版本应为older", "the fate of an older version should be `older`")
        self._holds({one: "新"}, "较旧的版本覆盖了较新的", "an older version replaced a newer one")

    @check("writing", "同一数据包再来，结果相同，目标不变",
           "a parcel that comes again gets the same results and changes nothing", "write",
           "landed", essential=True)
    def test_replay(self) -> None:
        one, two = self._number(), self._number()
        self._lands(self._batch([self._incoming(0, two, "新", 9)]))
        batch = self._batch([self._incoming(0, one, "甲", 1), self._incoming(1, two, "旧", 2)])
        first = self._fates(self._lands(batch))
        again = self._fates(self._lands(batch))
        must(first == again, "再来一次，结果不同", "the second time its results differ")
        self._holds({one: "甲", two: "新"}, "再来一次，目标变了", "the second time the target changed")

    @check("writing", "较小的令牌不能写",
           "whoever comes with a smaller token does not write", "write", "landed", essential=True)
    def test_smaller_token(self) -> None:
        one, late = self._number(), next(self._tokens)
        self._lands(self._batch([self._incoming(0, one, "甲", 1)]))
        try:
            with self._opened() as adapter:
                results = list(adapter.apply(self._batch([self._incoming(0, one, "迟", 2)], late)))
        except (Misconfigured, Unavailable) as why:
            both(why.zh, why.en)
            results = []
        except Exception as error:
            crashed(error)
        must(all(one.fate is not Fate.APPLIED for one in results), "较小的令牌得到applied", "a smaller token got `applied`")
        self._holds({one: "甲"}, "较小的令牌写入了目标", "a smaller token wrote")

    @check("writing", "一条坏记录不妨碍其余", "one bad record keeps no other from landing", "write", "landed", "unfit")
    def test_bad_record(self) -> None:
        one, bad, two = self._number(), self._number(), self._number()
        unfit = Incoming(1, ORIGIN, (1, 2), False, f"row-{bad}", (str(bad),), self.unfit(bad))
        batch = self._batch([self._incoming(0, one, "甲", 1), unfit, self._incoming(2, two, "乙", 3)])
        for _ in range(2):
            results = self._lands(batch)
            must(self._fates(results) == [Fate.APPLIED, Fate.REFUSED, Fate.APPLIED], "坏记录应为refused，其余为applied",
                 "the bad record should be refused, and the others applied")
        said = "".join(each.zh + each.en + each.field for each in results)
        values = [str(value) for value in self.unfit(bad).values() if len(str(value)) > 8]
        must(not any(value in said for value in values), "说明里有记录的内容", "what is said quotes the record")
        self._holds({one: "甲", bad: None, two: "乙"}, "其余记录没有写入", "the others did not land")

    @check("writing", "写入时进程被杀，同一数据包再来，结果如一次写成", "killed while it lands and come again, a parcel is as if landed once",
           "write", "landed", essential=True)
    def test_killed_while_landing(self) -> None:
        for place in [*range(4), *DELAYS]:
            one, two, three = self._number(), self._number(), self._number()
            self._lands(self._batch([self._incoming(0, three, "旧", 1)]))
            batch = self._batch([self._incoming(0, one, "甲", 1), self._incoming(1, two, "乙", 2),
                                 self._incoming(2, three, "新", 3)])
            self._killed(batch, place)
            results = self._lands(batch)
            must(self._fates(results) == [Fate.APPLIED] * 3, "再来一次应为applied",
                 "the second time the fate should be `applied`")
            self._holds({one: "甲", two: "乙", three: "新"}, "被杀后再来，目标不对",
                        "killed and come again, the target is not right")

    def _killed(self, batch: Batch, place: float) -> None:
        """Have a batch landed in a process that is killed after so many results, or so many seconds."""
        lines = [json.dumps(_said(one), ensure_ascii=False).encode() for one in batch.records]
        asked = {"what": dict(batch.what), "resource": batch.resource, "lane": batch.lane, "parcel": batch.parcel,
                 "token": batch.token}
        try:
            with self._process(place if isinstance(place, int) else -1) as process:
                process.child.ask("describe")  # it is awake
                killer = threading.Timer(place, process.child.kill)
                if not isinstance(place, int):
                    killer.start()
                try:
                    process.child.apply(lines, **asked)
                finally:
                    killer.cancel()
        except Trouble:
            pass


def _said(one: Incoming) -> dict[str, Any]:
    return {"leaf": one.leaf, "origin": one.origin, "version": list(one.version), "delete": one.delete,
            "row": one.row, "key": list(one.key), "fields": dict(one.fields)}
