"""What the page of an interface says of itself."""

from __future__ import annotations

from node.model.sentence import Sentence

ID, TITLE, SPACE = Sentence("编号", "id"), Sentence("名称", "title"), Sentence("命名空间", "namespace")
RECORD, ROW = Sentence("记录元素", "record element"), Sentence("来源记录号", "row id")
KEY, TIME = Sentence("业务主键", "business key"), Sentence("业务时间", "business time")
CORRELATION, DIGEST = Sentence("关联编号", "correlation"), Sentence("摘要（SM3）", "digest (SM3)")
INDEX = Sentence("接口规范", "Interface specifications")

HOW, CONTROL = Sentence("怎样阅读", "How to read this"), Sentence("控制块", "Control block")
FIELDS, RULES = Sentence("业务字段", "Fields"), Sentence("规则", "Rules")
TABLES, EXAMPLES = Sentence("代码表", "Code tables"), Sentence("完整示例", "Whole examples")
CHANGES = Sentence("与{old}相比的变化", "Changes since {old}")

NAME, LABEL, FORM = Sentence("字段", "Field"), Sentence("含义", "Meaning"), Sentence("格式", "Form")
MUST, CARE, RULE = Sentence("必填", "Required"), Sentence("分级与脱敏", "Sensitivity"), Sentence("规则", "Rules")
REQUIRED, OPTIONAL = Sentence("必填", "required"), Sentence("可选", "optional")
TIMES = Sentence("至多{most}次", "up to {most}")
GOOD = Sentence("正确", "good")
BAD = {"refuse": Sentence("退回", "refused"), "warn": Sentence("警告", "warned")}
ABSENT = Sentence("（无）", "(absent)")
COUNT = Sentence("{count}个代码", "{count} codes")
CURRENT = Sentence(
    "{count}个代码，以下列出现行的{current}个", "{count} codes, of which the {current} that stand today are listed"
)
VERDICT, REASON, WHOLE = Sentence("结论", "Verdict"), Sentence("原因", "Reason"), Sentence("整体结论", "As a whole")
FOOT = Sentence(
    "本页由接口规范{name}自动生成，其摘要（SM3）为{digest}。页中数据均为虚构。",
    "This page was made from specification {name}, whose digest (SM3) is {digest}. All data on it is made up.",
)

READING = (
    Sentence(
        "JSON与XML字段名相同、含义相同。JSON中每个值都是字符串，重复的字段是数组；XML中一个元素{record}为一条记录，"
        "{record}List装多条，字段按下表顺序排列。",
        "JSON and XML have the same names and meanings. In JSON every value is a string and what repeats is an array; "
        "in XML one element {record} is one record, {record}List holds several, and fields stand in the order below.",
    ),
    Sentence(
        "没有内容的字段不要给出：null、空串和空元素都会被退回。",
        "Leave out a field that has nothing to say: null, empty texts and empty elements are refused.",
    ),
    Sentence(
        "{row}是来源系统自己的行号，回执和退回说明都用它指认记录，不得使用身份证号等个人标识。",
        "{row} is the source's own id of the row; receipts and refusals name the record by it, and it is never a "
        "personal identifier.",
    ),
    Sentence(
        "{operation}为D时只须给出：{kept}；其余字段可不给。",
        "When {operation} is D only these are needed: {kept}.",
    ),
    Sentence(
        "“退回”类规则不满足时该条记录不被接收；“警告”只作提示。",
        "A record that breaks a rule that refuses is not taken; a rule that warns only tells.",
    ),
)
"""How to read the page: the marks are names of the specification."""


def plain(sentence: Sentence) -> str:
    """Return a heading as plain text, for where markup cannot stand."""
    return f"{sentence.zh} {sentence.en}"
