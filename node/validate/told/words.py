"""A specification in words: what a field's text must look like, how sensitive it is, which rules are named.

Everything that shows a specification to people (`spec show`, `spec doc`, `spec diff`, the JSON Schema) says it by this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from node.model.sentence import Sentence
from node.validate.rules.compiled import Rule
from node.validate.rules.kinds import KINDS
from node.validate.shape import Facets, Group, Leaf, Member
from node.validate.specification import Specification

GRADES = {
    1: Sentence("1级 公开", "1 public"), 2: Sentence("2级 内部", "2 internal"),
    3: Sentence("3级 敏感", "3 sensitive"), 4: Sentence("4级 最敏感", "4 most sensitive"),
}
MASKS = {
    "all": Sentence("全部遮盖", "masked whole"), "name": Sentence("按姓名遮盖", "masked as a name"),
    "id": Sentence("按证件号遮盖", "masked as an id number"), "phone": Sentence("按电话遮盖", "masked as a phone number"),
    "address": Sentence("按地址遮盖", "masked as an address"),
}
SEVERITIES = {"refuse": Sentence("退回", "refuses"), "warn": Sentence("警告", "warns")}
GROUP = Sentence("一组字段", "a group of fields")
_DIGIT, _CAPITAL = ("数字", "digit", "digits"), ("大写字母", "capital letter", "capital letters")
_CODE = ("数字或大写字母", "digit or capital letter", "digits or capital letters")
_SIGN = ("数字或字母", "digit or letter", "digits or letters")
_CLASSES = {
    "[0-9]": _DIGIT, "[A-Z]": _CAPITAL, "[0-9A-Z]": _CODE, "[A-Z0-9]": _CODE,
    "[0-9a-zA-Z]": _SIGN, "[0-9A-Za-z]": _SIGN,
    "[a-zA-Z0-9]": _SIGN, "[A-Za-z0-9]": _SIGN,
}
_PLAIN = re.compile(f"({'|'.join(map(re.escape, _CLASSES))})(?:{{([0-9]+)(?:,([0-9]+))?}})?")
_NUMBERS = {
    "integer": Sentence("整数", "whole number"), "decimal": Sentence("十进制数", "decimal number"),
}
_BOUNDS: Sequence[tuple[str, str, str]] = (
    ("least", "不小于{}", "at least {}"), ("above", "大于{}", "more than {}"), ("most", "不大于{}", "at most {}"),
    ("below", "小于{}", "less than {}"),
    ("total_digits", "至多{}位有效数字", "at most {} digits"), ("fraction_digits", "至多{}位小数", "at most {} after the point"),
)


def members(group: Group, path: str = "") -> Iterator[tuple[str, Member]]:
    """Yield every field with its path, groups before what they hold, in the specification's order."""
    for name, member in group.members.items():
        yield path + name, member
        if isinstance(member, Group):
            yield from members(member, f"{path}{name}/")


def form(member: Member) -> Sentence:
    """Return what a field's text must look like."""
    if isinstance(member, Group):
        return GROUP
    said = list(_said(member))
    return Sentence("；".join(one.zh for one in said), "; ".join(one.en for one in said))


def _said(leaf: Leaf) -> Iterator[Sentence]:
    facets = leaf.facets
    if leaf.numeric:
        yield _NUMBERS[leaf.numeric]
        for name, zh, en in _BOUNDS:
            bound = getattr(facets, name)
            if bound is not None:
                yield Sentence(zh.format(bound), en.format(bound))
        return
    if leaf.form is not None:
        yield Sentence(leaf.form.zh.splitlines()[0], leaf.form.en.splitlines()[0])
    elif facets.enumeration is not None:
        codes = " ".join(facets.enumeration)
        yield Sentence(f"取值：{codes}", f"one of: {codes}")
    elif facets.pattern is not None:
        yield _pattern(facets.pattern)
    length = _length(facets)
    if length is not None:
        yield length
    for table in tables_of(leaf):
        yield Sentence(f"代码表{table}", f"code table {table}")


def _pattern(pattern: str) -> Sentence:
    """Return a pattern in words if it is one class of characters and a count, as those of codes are."""
    found = _PLAIN.fullmatch(pattern)
    if found is None:
        return Sentence(f"模式：{pattern}", f"pattern: {pattern}")
    zh, one, many = _CLASSES[found[1]]
    least, most = found[2] or "1", found[3] or found[2] or "1"
    if least == most:
        return Sentence(f"{least}位{zh}", f"{least} {one if least == '1' else many}")
    return Sentence(f"{least}至{most}位{zh}", f"{least} to {most} {many}")


def _length(facets: Facets) -> Sentence | None:
    least, most = facets.min_length, facets.max_length
    if least is not None and least == most:
        return Sentence(f"{least}个字符", f"{least} characters")
    if least is not None and least > 1:
        upper = Sentence("", "") if most is None else Sentence(f"至{most}", f" to {most}")
        zh, en = (f"{least}{upper.zh}个字符", f"{least}{upper.en} characters")
        return Sentence(zh if most is not None else f"至少{zh}", en if most is not None else f"at least {en}")
    return None if most is None else Sentence(f"至多{most}个字符", f"at most {most} characters")


def times(member: Member) -> Sentence:
    """Return how often a field stands in its group."""
    return Sentence(f"{member.least}…{member.most}", f"{member.least}…{member.most}")


def named(spec: Specification) -> Sequence[Rule]:
    """Return the rules that the specification names itself, facets of numbers left out."""
    return [rule for rule in spec.rules.all if rule.kind in KINDS]


def tables_of(member: Member) -> Sequence[str]:
    """Return the tables that a field's own rules name."""
    if isinstance(member, Group):
        return ()
    return tuple(dict.fromkeys(use.params["table"] for use in member.rules if "table" in use.params))
