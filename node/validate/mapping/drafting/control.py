"""The fields every record opens with: row id, operation and business time, and the column a source is read by.

Rule 1: the row id comes from the primary key, else from columns of the business key, and never from a column that
        feeds a field of grade 3 or more; where only such a column is there, a person must find another.
Rule 2: a key that is not plain ASCII, is long or looks like a person's number is digested.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from node.model.sentence import Sentence
from node.validate.mapping.drafting.choosing import SEEN, Chooser, Pair
from node.validate.mapping.drafting.columns import SourceColumn, SourceTable
from node.validate.mapping.drafting.entries import Entry, missing, of_pair
from node.validate.mapping.drafting.naming import normal
from node.validate.mapping.drafting.synonyms import UPDATED
from node.validate.mapping.texts import column as take_column
from node.validate.mapping.wording import Unfit
from node.validate.uses import PERSONAL

_PERSONAL = re.compile(r"(?<!\d)(?:\d{15}|\d{17}[\dXx]|(?:\+?86)?1[3-9]\d{9})(?!\d)")
"""An identity number, of the old form or the new, or that of a mobile telephone."""
_PLAIN = re.compile("[!-~]{1,50}")
_NUMBER_OF = ("ID", "BH", "XH", "LSH", "GUID", "NO", "编号", "序号", "流水号", "编码")
_NUMBERS = re.compile(r"INT|SERIAL|NUM|DEC|UUID|GUID", re.I)
_UPDATED = frozenset(map(normal, UPDATED)) | {
    "GXSJ", "ZHGXSJ", "XGSJ", "ZHXGSJ", "SJGXSJ", "BGSJ", "GXRQ", "XGRQ", "SJC"}

PRIMARY = Sentence("主键", "the primary key")
NAMED = Sentence("样本中不重复", "no two of the sampled rows share it")
BUSINESS = Sentence("表没有主键：用业务主键的列，样本中不重复",
                    "the table has no primary key: columns of the business key, unique in the sample")
DIGESTED = Sentence("内容不是短的ASCII文本，或像个人号码，故取SM3摘要",
                    "not short ASCII, or like a person's number, and therefore digested")
ONLY_PERSONAL = Sentence(
    "主键{names}用于敏感等级3级及以上的字段，不能作行号（摘要也不行）；请另选不含个人信息的唯一列",
    "the key {names} feeds a field of grade 3 or more and cannot be the row id, digested or not; name others")
NO_KEY = Sentence("没有主键，也没有找到唯一的列；请填唯一的列",
                  "no primary key and no unique column was found; name unique columns")
CONSTANT = Sentence("常量：来源不区分新增和变更", "a constant: the source does not tell new rows from changed ones")
CONSTANT_BUT = Sentence("常量；列{name}可能是操作类型，内容不能识别",
                        "a constant; the column {name} may tell, but its cells are not understood")
FALLBACK = Sentence("没有找到更新时间，暂用此日期", "no time of change was found; this date stands in")
CREATED = Sentence("这可能是创建时间：行变更时它不变，不能作cursor",
                   "this may be the time of creation, which stays when a row changes, and is no cursor")
NO_TIME = Sentence(
    "没有找到更新时间列；请填列名，确实没有时写一个固定的时间（value = \"2026-01-01T00:00:00+08:00\"），新旧由版本决定，不看它",
    'no time of change was found; name a column or, if there is none, a fixed time '
    '(value = "2026-01-01T00:00:00+08:00"): versions tell which record is newer, not it')


class Control:
    """Drafts the control fields of one table."""

    def __init__(self, chooser: Chooser, place: str) -> None:
        self._chooser, self._place = chooser, place
        self._table, self._judge, self._shape = chooser.table, chooser.judge, chooser.judge.spec.shape

    def operation(self) -> Entry:
        """Return the operation: a column's if it is understood, else `U`."""
        path = self._shape.operation
        found = next(iter(self._chooser.pairs(path, self._table.columns)), None)
        if found is not None and found.trial.given and found.trial.good:
            return of_pair(found)
        why = CONSTANT if found is None else CONSTANT_BUT.fill(name=told(found.column.name))
        return Entry(path, {"value": "U"}, why, doubtful=found is not None)

    def time(self) -> tuple[Entry | None, Pair | None]:
        """Return the business time and its pair, None where no column is like it."""
        path = self._shape.time
        found = self._chooser.pairs(path, self._table.columns)
        usable = [one for one in found if "date" in one.trial.words and one.trial.share >= 0.5]
        if not usable:
            return None, None
        best = max(usable, key=lambda one: (updated(one.column), one.weight))
        rivals = tuple(
            one.column.name for one in usable if one is not best and updated(one.column) == updated(best.column))
        best = replace(best, rivals=rivals, doubtful=best.doubtful or bool(rivals) or not updated(best.column))
        return of_pair(best, *(() if updated(best.column) else (CREATED,))), best

    def stand_in(self, entries: Iterable[Entry]) -> Entry:
        """Return the business time where no column is like it: a mandatory date that is not of a person, or none."""
        path, leaves = self._shape.time, self._judge.leaves
        for one in entries:
            leaf = leaves[one.path]
            if "date" in one.words and leaf.least and leaf.grade < PERSONAL and "/" not in one.path and not one.off:
                column = next(each for each in self._table.columns if each.name in one.columns)
                trial = self._chooser.trials.trial(path, column)
                if "date" in trial.words:
                    return Entry(path, {"from": column.name, **trial.words}, FALLBACK, trial.valid, trial.given, True)
        return missing(path, self._place, NO_TIME)

    def row(self, entries: Iterable[Entry]) -> Entry:
        """Return the row id; `entries` are the other fields."""
        path, graded = self._shape.row, self._graded(entries)
        keys = [one for one in self._table.columns if one.key]
        if keys and not any(one.name in graded for one in keys):
            return self._joined(keys, PRIMARY, False)
        named = next((one.column for one in self._chooser.pairs(path, self._table.columns)
                      if one.column.name not in graded and self._unique([one.column])), None)
        named = named or self._numbered(entries, graded)
        if named is not None:
            return self._joined([named], NAMED, True)
        business = self._business(entries, graded)
        if business and self._unique(business):
            return self._joined(business, BUSINESS, True)
        if keys:
            return missing(path, self._place, ONLY_PERSONAL.fill(names="、".join(told(one.name) for one in keys)))
        return missing(path, self._place, NO_KEY)

    def _numbered(self, entries: Iterable[Entry], graded: frozenset[str]) -> SourceColumn | None:
        """Return a column that nothing else uses, is called a number of something, and tells every sampled row."""
        used = graded.union(*(one.columns for one in entries))
        return next((
            one for one in self._table.columns if one.name not in used and normal(one.name).endswith(_NUMBER_OF)
            and one.given >= SEEN and self._unique([one])), None)

    def _business(self, entries: Iterable[Entry], graded: frozenset[str]) -> list[SourceColumn]:
        names = [name for one in entries if one.path in self._shape.key and not one.missing for name in one.columns]
        return [one for one in self._table.columns if one.name in names and one.name not in graded]

    def _graded(self, entries: Iterable[Entry]) -> frozenset[str]:
        """Return the columns that feed a field of grade 3 or more, off or not."""
        leaves = self._judge.leaves
        return frozenset(name for one in entries if leaves[one.path].grade >= PERSONAL for name in one.columns)

    def _joined(self, columns: Sequence[SourceColumn], why: Sentence, doubtful: bool) -> Entry:
        source = {"from": columns[0].name} if len(columns) == 1 else {
            "join": [one.name for one in columns], "by": "-"}
        words: dict[str, object] = {**source, **({"digest": True} if self._digested(columns) else {})}
        texts = [text for row in self._rows(columns) if (text := "-".join(row))]
        valid = len(texts) if "digest" in words else sum(
            self._judge.accepts(self._shape.row, text) for text in texts)
        notes = (DIGESTED,) if "digest" in words else ()
        return Entry(self._shape.row, words, why, valid, len(self._table.rows), doubtful or bool(notes), notes=notes)

    def _digested(self, columns: Sequence[SourceColumn]) -> bool:
        if all(_NUMBERS.search(one.kind) and not one.given for one in columns):
            return False
        texts = ["-".join(row) for row in self._rows(columns)]
        return not texts or any(not _PLAIN.fullmatch(text) or _PERSONAL.search(text) for text in texts)

    def _rows(self, columns: Sequence[SourceColumn]) -> list[list[str]]:
        """Return the texts of some columns, of those sampled rows that have them all."""
        takes = [take_column(one.name, {}, frozenset(("", *self._table.nothing))) for one in columns]
        found = []
        for row in self._table.rows:
            try:
                texts = [take(row) for take in takes]
            except Unfit:
                continue
            if None not in texts:
                found.append([text or "" for text in texts])
        return found

    def _unique(self, columns: Sequence[SourceColumn]) -> bool:
        rows = self._rows(columns)
        return bool(rows) and len(rows) == len(self._table.rows) and len({tuple(row) for row in rows}) == len(rows)


def updated(column: SourceColumn) -> bool:
    """Whether a column says that it holds the time of the last change."""
    comment = normal(column.comment)
    return normal(column.name) in _UPDATED or any(
        word in called for called in (normal(column.name), comment) for word in ("更新时间", "修改时间", "变更时间", "更新日期"))


def told(name: str) -> str:
    """Return a column's name as it may stand in a sentence: printable, and cut."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in name[:64]).replace("{", "(")


def cursors(table: SourceTable, time: Pair | None) -> list[SourceColumn]:
    """Return the columns by which the table may be read, the best first."""
    found = [one for one in table.columns if updated(one)]
    if time is not None and updated(time.column):
        found = [time.column, *(one for one in found if one is not time.column)]
    return sorted(found, key=lambda one: not one.indexed)
