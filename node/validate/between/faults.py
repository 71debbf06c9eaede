"""Faults of a declaration of rules between records: each at its line and key, in both languages, all at once."""

from __future__ import annotations

from collections.abc import Sequence

from node.model import codes
from node.model.sentence import Sentence
from node.model.spots import Key
from node.model.trouble import Hold
from node.validate.declared import DeclaredFault, dotted

HINT = Sentence("词和写法见xsd/README.md中的“Rules between records”一节",
                "See the section \"Rules between records\" of xsd/README.md")

FAULTS = {
    "unreadable": Sentence("文件无法读取，或超过{bound}字节", "the file cannot be read, or has more than {bound} octets"),
    "toml": Sentence("不是有效的TOML（UTF-8）", "this is no TOML in UTF-8"),
    "missing": Sentence("缺少{bound}", "{bound} is missing"),
    "word": Sentence("未知的词，可用：{bound}", "an unknown word; there are: {bound}"),
    "form": Sentence("写法应为：{bound}", "it is written as: {bound}"),
    "interface": Sentence("没有此接口规范", "there is no specification of this interface"),
    "correlation": Sentence("此接口规范没有关联字段（correlation），其记录不属于任何办件",
                            "this interface has no correlation, so its records belong to no case"),
    "set": Sentence("[sets]中没有此集合", "[sets] has no such set"),
    "field": Sentence("此集合没有这个字段，或它不是单值的文本字段", "the set has no such field, or it is not one text"),
    "time": Sentence("此字段不是日期或时间", "this field is no date or time"),
    "key": Sentence("被引用的接口规范的主键应只有一个字段", "the business key of what is referred to has one field"),
    "twice": Sentence("规则编号重复", "this id is taken by another rule"),
    "many": Sentence("最多{bound}条规则", "there are at most {bound} rules"),
}


class BadBetween(Hold):
    """A declaration that cannot be used; `faults` lists every reason."""

    def __init__(self, name: str, faults: Sequence[DeclaredFault]) -> None:
        first = faults[0]
        super().__init__(
            codes.BETWEEN_FORM, name=name, count=len(faults), line=first.line or "-", key=first.key or "-"
        )
        self.faults = tuple(faults)


def fault(file: str, line: int | None, key: Key, rule: str, bound: object = "") -> DeclaredFault:
    """Return a fault of a rule of `FAULTS`; `bound` is a word or number of ours."""
    return DeclaredFault(file, line, dotted(key), rule, FAULTS[rule].fill(bound=bound), HINT)
