"""What a mapping says: problems of a row that cannot be mapped, and faults of a mapping itself.

`{label}` is the label of the specification's field, `{bound}` what the mapping asks for; a value never stands in a
sentence.
"""

from __future__ import annotations

from node.model.sentence import Sentence

LONGEST = 100_000
"""Most characters of one column's text."""

PROBLEMS: dict[str, Sentence] = {
    "mapping-date": Sentence(
        "{label}的来源内容不是有效日期，应为：{bound}", "{label}: the source's text is no valid date of the form {bound}"
    ),
    "mapping-number": Sentence(
        "{label}的来源内容不是数值，或按映射换算后位数不尽：{bound}",
        "{label}: the source's text is no number, or does not come out exactly: {bound}",
    ),
    "mapping-code": Sentence(
        "{label}的来源内容在映射的代码对照中没有对应，请更正来源或补充对照",
        "{label}: the mapping translates no such code; mend the source or add the code",
    ),
    "mapping-split": Sentence(
        "{label}的来源内容过短，取不出第{bound}个字符", "{label}: the source's text is too short for characters {bound}"
    ),
    "mapping-text": Sentence(
        "{label}的来源内容应为文本或数值，且不超过{bound}个字符",
        "{label}: the source must hold a text or a number, of at most {bound} characters",
    ),
    "mapping-charset": Sentence(
        "{label}的来源内容无法按{bound}解码，请检查来源的字符集",
        "{label}: the source's octets are not {bound}; check its charset",
    ),
    "mapping-column": Sentence("来源有映射未提到的列：{bound}", "The source has a column that the mapping does not name: {bound}"),
    "mapping-row": Sentence(
        "此行的列数与表头不符，应为{bound}列", "The row has another number of cells than the header, which has {bound}"
    ),
    "mapping-json": Sentence(
        "此行应为一个JSON对象，名称不得重复，至多{bound}个", "The row must be one JSON object of at most {bound} members, no name twice"
    ),
}
"""Rules by which a row is refused before its specification sees it."""

FAULTS: dict[str, Sentence] = {
    "unreadable": Sentence("映射文件不存在或不可读", "The mapping is missing or cannot be read"),
    "other": Sentence("此处需要的接口是 {bound}", "The interface wanted here is {bound}"),
    "size": Sentence("映射文件大于{bound}字节", "The mapping is larger than {bound} octets"),
    "encoding": Sentence("映射文件不是UTF-8编码，请另存为UTF-8", "The mapping is not UTF-8; save it as UTF-8"),
    "syntax": Sentence(
        "TOML语法错误，第{bound}列；中文键须加引号，同一键只能写一次",
        "Not TOML, at column {bound}; Chinese keys stand in quotes, and a key stands once",
    ),
    "deep": Sentence("嵌套过深，或数值过长", "Nested too deep, or a number too long"),
    "missing": Sentence("缺少此项", "This key is missing"),
    "word": Sentence("未知的词，可用：{bound}", "Unknown word; there are: {bound}"),
    "kind": Sentence("值应为{bound}", "The value must be {bound}"),
    "specification": Sentence("没有此接口规范，现有：{bound}", "There is no such specification; there are: {bound}"),
    "field": Sentence("接口规范中没有此字段", "The specification has no such field"),
    "group": Sentence("此字段含有子字段，请逐个写出子字段", "This field holds fields; say where each of them comes from"),
    "required": Sentence("必填字段没有来源", "A mandatory field has no source"),
    "source": Sentence(
        "字段应恰有一个来源：from、first、join、value 之一", "A field has exactly one source: from, first, join or value"
    ),
    "goes-with": Sentence("此词须与 {bound} 同用", "This word goes with {bound}"),
    "apart": Sentence("此词不能与 {bound} 同用", "This word does not go with {bound}"),
    "columns": Sentence("列过多，至多{bound}列", "Too many columns; there may be {bound}"),
    "fields": Sentence(
        "展开后的字段过多，至多{bound}个", "Too many fields when the repeated ones are counted; there may be {bound}"
    ),
    "column": Sentence(
        "列名应为1至128个字符，首尾无空白，不含控制字符",
        "A column's name has 1 to 128 characters, no blank at an end and no control character",
    ),
    "dropped": Sentence("此列既被使用又列在 drop 中", "The column is used, and named in drop"),
    "numbered": Sentence(
        "重复字段的列名须含 {{n}}，其他列名不得含 {{n}}", "Columns of a repeated field have {{n}} in their names, and no others have"
    ),
    "repeat": Sentence("此字段至多出现{bound}次", "This field may occur {bound} times"),
    "nested": Sentence("repeat 之内不得再有 repeat", "There is no repeat inside a repeat"),
    "date-form": Sentence(
        "日期写法不成立：须有YYYY，各词至多一次，单个M、D、h、m与数字之间须有间隔；两种写法不得混淆",
        "Not a form of a date: YYYY is needed, each part once, a single M, D, h or m is set apart from other digits, "
        "and no two forms fit one text",
    ),
    "date-target": Sentence(
        "无法由字段类型得知日期的写法，请用 as 说明；来源缺少的部分不能写出",
        "The field's type does not tell the form of its date: say it with as; what the source lacks cannot be written",
    ),
    "zone": Sentence("时区应如 +08:00", "A zone is written as +08:00"),
    "codes": Sentence("没有这张代码对照表", "There is no such table of codes"),
    "code-file": Sentence(
        "代码对照文件第{bound}行有误：应为UTF-8，每行两列，以制表符分隔，来源代码不重复",
        "Line {bound} of the table of codes: it is UTF-8, two columns parted by a tab, no source code twice",
    ),
    "many-codes": Sentence("代码过多，至多{bound}个", "Too many codes; there may be {bound}"),
    "same-name": Sentence("代码表中有重名，不能按名称对照", "The table has one name for two codes and cannot translate names"),
    "value": Sentence("写出的值不为此字段接受（{bound}）", "The value is not one that the field takes ({bound})"),
    "personal": Sentence(
        "行号不得取自个人标识：列{bound}用于敏感等级3级及以上的字段",
        "The row id never comes from a personal identifier: column {bound} feeds a field of grade 3 or more",
    ),
    "constant-row": Sentence("行号不得为常量", "The row id is no constant"),
}
"""What can be wrong with a mapping."""


class Unfit(ValueError):
    """A text that a step cannot take: the rule of `PROBLEMS` it breaks, and what was wanted."""

    def __init__(self, rule: str, bound: object = "") -> None:
        super().__init__(rule)
        self.rule = rule
        self.bound = bound
