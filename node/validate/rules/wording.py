"""What each fault of form is called and says: facets, structure, and what only one of the two doors can show.

`{label}` is the field's label, `{bound}` the facet's value; a value of the record never stands in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from node.model.sentence import Sentence

_DIGITS = re.compile("[0-9]{6}")

FACETS: dict[str, Sentence] = {
    "required": Sentence("{label}必填，请补填", "{label} is required; fill it in"),
    "empty": Sentence(
        "{label}为空；没有内容时请不要给出该字段", "{label} is empty; leave the field out when there is nothing to say"
    ),
    "type": Sentence("{label}的结构不符：{bound}", "{label} has the wrong structure: {bound}"),
    "text": Sentence(
        "{label}首尾含有空白，或含有控制字符，请去除", "{label} has a blank at an end or a control character; remove it"
    ),
    "min-length": Sentence("{label}少于{bound}个字符，请补全", "{label} has fewer than {bound} characters; complete it"),
    "max-length": Sentence("{label}超过{bound}个字符，请缩短", "{label} has more than {bound} characters; shorten it"),
    "pattern": Sentence("{label}的格式不符，应为：{bound}", "{label} does not have the form: {bound}"),
    "enumeration": Sentence("{label}不是允许的取值：{bound}", "{label} is not one of: {bound}"),
    "occurs": Sentence("{label}出现的次数不符：{bound}", "{label} occurs too often or too seldom: {bound}"),
    "unknown": Sentence("接口规范中没有此字段，请去除", "The specification has no such field; remove it"),
    "number": Sentence(
        "{label}应为普通十进制数，不带空格、指数、前导零和正号",
        "{label} must be a plain decimal number without blanks, exponent, leading zeros or plus sign",
    ),
    "digits": Sentence("{label}超过{bound}个字符，请缩短", "{label} has more than {bound} characters; shorten it"),
    "json-number": Sentence(
        "{label}作为JSON数值不得超过{bound}位，请改用字符串", "{label}: a JSON number has at most {bound} digits; use a string"
    ),
    "min-inclusive": Sentence("{label}应不小于{bound}", "{label} must be at least {bound}"),
    "max-inclusive": Sentence("{label}应不大于{bound}", "{label} must be at most {bound}"),
    "min-exclusive": Sentence("{label}应大于{bound}", "{label} must be more than {bound}"),
    "max-exclusive": Sentence("{label}应小于{bound}", "{label} must be less than {bound}"),
    "total-digits": Sentence("{label}的有效位数超过{bound}位", "{label} has more than {bound} digits"),
    "fraction-digits": Sentence("{label}的小数位数超过{bound}位", "{label} has more than {bound} digits after the point"),
}
"""Faults that both doors can show."""

DOORS: dict[str, Sentence] = {
    "duplicate": Sentence("{label}重复出现，只能出现一次", "{label} is given more than once; give it once"),
    "sequence": Sentence(
        "{label}的位置不对，请按接口规范的顺序排列", "{label} stands in the wrong place; keep the specification's order"
    ),
    "namespace": Sentence(
        "{label}不在接口规范的命名空间中，请改用规范的命名空间", "{label} is outside the specification's namespace; use that one"
    ),
    "attribute": Sentence("{label}带有属性，请去除", "{label} has an attribute; remove it"),
    "instance": Sentence("{label}带有xsi属性，请去除", "{label} has an xsi attribute; remove it"),
    "comment": Sentence(
        "{label}的内容中含有注释或处理指令，请去除", "{label} holds a comment or processing instruction; remove it"
    ),
    "mixed": Sentence("{label}的子元素之间含有文字，请去除", "{label} has text between its elements; remove it"),
    "malformed": Sentence("此条记录无法解析，请检查JSON语法", "The record cannot be read; check its JSON syntax"),
    "object": Sentence(
        "此条记录应为一个JSON对象；多条记录每行写一个对象，不用数组",
        "The record must be one JSON object; several are written one a line, not as an array",
    ),
    "depth": Sentence("此条记录嵌套超过{bound}层", "The record is nested more than {bound} deep"),
    "canonical": Sentence(
        "记录正文不是规范形式，由发送方修正程序", "The body is not in canonical form; the sender's program must be mended"
    ),
    "root": Sentence("此元素不是接口规范的记录", "This element is not a record of the specification"),
}
"""Faults that only XML, only JSON, or only a parcel can show."""


NAMES = 64
"""Most characters of an unknown name that are repeated in a problem."""


def shown(name: str) -> str:
    """Return a name that the sender chose, as it may stand in a problem: cut, and hidden if it could be a number."""
    return "?" if _DIGITS.search(name) else name[:NAMES]


def placed(label: Sentence, params: Mapping[str, str]) -> Sentence:
    """Return the label of what a rule looks at: the field, or its characters `from` to `to`."""
    if "from" not in params:
        return label
    start, end = params["from"], params["to"]
    if start == end:
        return Sentence(f"{label.zh}第{start}位", f"{label.en} (character {start})")
    return Sentence(f"{label.zh}第{start}至{end}位", f"{label.en} (characters {start} to {end})")


def say(sentence: Sentence, label: Sentence, bound: object = "") -> Sentence:
    """Return the sentence with a field's label and a facet's value filled in."""
    english = bound.en if isinstance(bound, Sentence) else bound
    chinese = bound.zh if isinstance(bound, Sentence) else bound
    return Sentence(
        sentence.zh.format(label=label.zh, bound=chinese), sentence.en.format(label=label.en, bound=english)
    )
