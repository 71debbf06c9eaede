"""Codes of a field guessed from what a source writes for them.

Rule 1: a guess tells why; what cannot be guessed stays open.
Rule 2: `derived` makes a table of the field's own code table alone, so that it says nothing of the cells; a table of
        cells is made only of those that may be `shown`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from node.model.sentence import Sentence
from node.validate.mapping.drafting.columns import SourceColumn
from node.validate.mapping.drafting.judging import Judge
from node.validate.shape import Leaf
from node.validate.uses import PERSONAL

CELLS = 50
"""Most distinct cells of a table of codes."""
SHORT = 20
"""Most characters of a cell that is shown."""
MOSTLY = 0.8
"""Such a share of a column's cells must be there again and again, before any of them is shown."""

_SAME = {
    "男性": "男", "男人": "男", "M": "男", "MALE": "男", "女性": "女", "女人": "女", "F": "女", "FEMALE": "女", "未知": "未知的性别",
    "未说明": "未说明的性别", "身份证": "居民身份证", "二代身份证": "居民身份证", "临时身份证": "临时居民身份证", "户口本": "户口簿", "军官证": "中国人民解放军军官证",
    "护照": "普通护照", "有效": "正常", "在册": "正常", "已死亡": "死亡", "亡故": "死亡", "已注销": "注销", "已迁出": "迁出", "离异": "离婚",
    "企业法人": "企业", "个体户": "个体工商户", "事业法人": "事业单位", "机关": "政府机构", "法人及非法人组织": "其他法人及非法人组织",
}
_YES, _NO = frozenset({"是", "Y", "YES", "TRUE", "T", "有"}), frozenset({"否", "N", "NO", "FALSE", "F", "无"})
_ACTS = {"新增": "I", "增加": "I", "插入": "I", "INSERT": "I", "ADD": "I", "变更": "U", "修改": "U", "更新": "U", "UPDATE": "U",
         "删除": "D", "DELETE": "D"}
_LONG_DIGITS = re.compile(r"\d{6}")

IS_CODE = Sentence("本身即为代码", "is a code itself")
BY_NAME = Sentence("按名称“{name}”", "by the name {name}")
BY_ZEROS = Sentence("缺前导零", "without its leading zeros")
BY_WORD = Sentence("按字面", "by the word")


@dataclass(frozen=True, slots=True)
class Guess:
    """The code that a cell stands for, and why one thinks so; None where nobody can tell."""

    cell: str
    count: int
    code: str | None
    why: Sentence | None


def coded(leaf: Leaf) -> bool:
    """Whether a field holds codes of a table or an enumeration."""
    return bool(leaf.facets.enumeration) or _table(leaf) is not None


def _table(leaf: Leaf) -> tuple[str, str] | None:
    use = next((one for one in leaf.rules if one.kind == "table" and "from" not in one.params), None)
    return None if use is None else (use.params["table"], use.params.get("set", "current"))


class KnownCodes:
    """The codes of one field with their names."""

    def __init__(self, judge: Judge, path: str) -> None:
        self._judge, self._path, leaf = judge, path, judge.leaves[path]
        self.codes: Sequence[str] = leaf.facets.enumeration or ()
        self.columns: tuple[str, ...] = ()
        self.names: Mapping[str, tuple[str, ...]] = {}
        found = _table(leaf)
        if found is not None:
            table = judge.spec.tables[found[0]]
            self.codes, self.columns = table.listed[found[1]], table.columns[1:]
            self.names = {code: tuple(name for name in table.rows[code] if name) for code in self.codes}
        self._by_name = {name: code for name, code in self._named()}

    def _named(self) -> Iterator[tuple[str, str]]:
        seen: dict[str, set[str]] = {}
        for code, names in self.names.items():
            for name in names:
                seen.setdefault(name.upper(), set()).add(code)
        yield from ((name, next(iter(codes))) for name, codes in seen.items() if len(codes) == 1)

    def derived(self) -> Mapping[str, str]:
        """Return what each code of the table may be written as: itself, without zeros, by its name, by a usual word."""
        found: dict[str, set[str]] = {}
        for code in self.codes:
            forms = [code, code.lstrip("0") or "0", *self.names.get(code, ())[:1]]
            forms += [name.removesuffix("族") for name in forms if len(name) > 1]
            forms += [said for said, name in _SAME.items() if name in self.names.get(code, ())[:1]]
            for form in dict.fromkeys(forms):
                found.setdefault(form, set()).add(code)
        whole = {form: next(iter(codes)) for form, codes in found.items() if len(codes) == 1}
        return {**whole, **{code: code for code in self.codes}}

    def guess(self, cell: str) -> tuple[str | None, Sentence | None]:
        """Return the code that a cell stands for and why, or twice None."""
        if self._judge.accepts(self._path, cell):
            return cell, IS_CODE
        said = cell.upper()
        named = self._by_name.get(said) or self._by_name.get(_SAME.get(said, "").upper())
        if named is not None:
            return named, BY_NAME.fill(name=self.names[named][0])
        if set(self.codes) == {"I", "U", "D"} and said in _ACTS:
            return _ACTS[said], BY_WORD
        if set(self.codes) == {"0", "1"} and said in _YES | _NO:
            return "1" if said in _YES else "0", BY_WORD
        return self._nearly(cell)

    def _nearly(self, cell: str) -> tuple[str | None, Sentence | None]:
        padded = {code for code in self.codes if cell.isdigit() and code.lstrip("0") == cell.lstrip("0") != ""}
        if len(padded) == 1:
            return padded.pop(), BY_ZEROS
        near = {code for code, names in self.names.items() if len(cell) > 1 and names
                and (cell in names[0] or len(names[0]) > 1 and names[0] in cell)}
        if len(near) == 1:
            code = near.pop()
            return code, BY_NAME.fill(name=self.names[code][0])
        return None, None

    def guesses(self, column: SourceColumn) -> list[Guess]:
        """Return a guess for each distinct cell, the frequent ones first."""
        ordered = sorted(column.cells.items(), key=lambda one: (-one[1], one[0]))
        return [Guess(cell, count, *self.guess(cell)) for cell, count in ordered]


def shown(leaf: Leaf, column: SourceColumn) -> list[str]:
    """Return the cells that may stand in a draft: few, short, each there again and again, and not of a person."""
    often = [cell for cell, count in column.cells.items()
             if count > 1 and len(cell) <= SHORT and cell.isprintable() and not _LONG_DIGITS.search(cell)]
    much = sum(column.cells[cell] for cell in often) >= MOSTLY * column.given
    return often if leaf.grade < PERSONAL and len(column.cells) <= CELLS and much else []
