"""What each fault says and what to do about it: every rule of ours and of pydantic that a key can break."""

from __future__ import annotations

from pathlib import Path

from node.config.faults import Fault
from node.model.sentence import Sentence

_Pair = tuple[Sentence, Sentence]


def _pair(zh: str, en: str, hint_zh: str, hint_en: str) -> _Pair:
    return Sentence(zh, en), Sentence(hint_zh, hint_en)


_TABLE_WANTED = _pair("应为一张表", "A table is wanted", "写成 [名称] 或 {{键 = 值}}", "Write [name] or {{key = value}}")
_LIST_WANTED = _pair("应为列表", "A list is wanted", "写成 [\"...\", \"...\"]；表的列表写成 [[名称]]",
                     "Write [\"...\", \"...\"]; a list of tables as [[name]]")
_DATE = _pair("应为带时区的日期时间", "A date and time with its offset is wanted",
              "例如 2027-12-31T23:59:59+08:00，不加引号", "For example 2027-12-31T23:59:59+08:00, without quotes")

SAYS: dict[str, _Pair] = {
    # files
    "unreadable": _pair("文件无法读取，或大于4 MiB", "The file cannot be read, or is larger than 4 MiB",
                        "检查路径和权限", "Check its path and mode"),
    "encoding": _pair("文件不是UTF-8编码", "The file is not UTF-8", "另存为UTF-8", "Save it as UTF-8"),
    "syntax": _pair("TOML语法错误，第{column}列", "Not TOML, at column {column}",
                    "检查该处的引号、等号和括号；同一键只能写一次", "Check quotes, equals signs and brackets; a key stands once"),
    "absent": _pair("所指的文件不存在或不可读", "The file it names is missing or cannot be read",
                    "检查路径；相对路径以主配置文件所在目录为准", "Check the path; relative ones start at the main file's folder"),
    # shapes
    "missing": _pair("缺少此项", "This key is missing", "补上此项", "Add it"),
    "extra_forbidden": _pair("未知的键", "Unknown key", "检查拼写和所在的表", "Check its spelling and its table"),
    "model_type": _TABLE_WANTED,
    "model_attributes_type": _TABLE_WANTED,
    "dict_type": _TABLE_WANTED,
    "tuple_type": _LIST_WANTED,
    "list_type": _LIST_WANTED,
    "too_short": _pair("至少要有一项", "At least one is needed", "补上一项", "Add one"),
    "text": _pair("应为文本", "A text is wanted", "用引号括起来", "Put it in quotes"),
    "empty": _pair("值为空", "The value is empty", "填写，或删去此键以使用默认值", "Fill it in, or remove the key to take the default"),
    "int_type": _pair("应为整数", "A whole number is wanted", "不加引号和小数点", "Without quotes and decimal point"),
    "greater_than_equal": _pair("不得小于{ge}", "Must be at least {ge}", "改为允许的值", "Use a value that is allowed"),
    "less_than_equal": _pair("不得大于{le}", "Must be at most {le}", "改为允许的值", "Use a value that is allowed"),
    "bool_type": _pair("应为 true 或 false", "true or false is wanted", "小写，不加引号", "In lower case, without quotes"),
    "literal_error": _pair("不是允许的值", "Not one of the values allowed", "应为 {expected}", "One of {expected}"),
    "datetime_type": _DATE,
    "timezone_aware": _DATE,
    "mapping_name": _pair("不是映射的名称", "Not a name of a mapping", "1至64个字母、数字、汉字、点、横线",
                          "1 to 64 letters, digits, Chinese characters, dots or hyphens"),
    "duration": _pair("应为时长", "A duration is wanted",
                      "例如 \"25s\"、\"10m\"、\"24h\"、\"30d\"", "Such as \"25s\", \"10m\", \"24h\", \"30d\""),
    "wait": _pair("应为1 ms到1 h之间的时长", "A duration of 1 ms to 1 h is wanted",
                  "例如 \"25s\"、\"5m\"", "Such as \"25s\", \"5m\""),
    "age": _pair("应为1 h到100年之间的时长", "A duration of 1 h to 100 years is wanted",
                 "例如 \"24h\"、\"30d\"", "Such as \"24h\", \"30d\""),
    "every": _pair("应为100 ms到31天之间的时长", "A duration of 100 ms to 31 days is wanted",
                   "例如 \"30s\"、\"1h\"", "Such as \"30s\", \"1h\""),
    "hours": _pair("应为一天中的时段", "Hours of a day are wanted",
                   "例如 \"22:00-06:00\"，按本机时区", "Such as \"22:00-06:00\", in this machine's time zone"),
    "share": _pair("应为百分比", "A percentage is wanted", "例如 \"5%\"、\"0.1%\"", "Such as \"5%\", \"0.1%\""),
    "adapter_kind": _pair("不是适配器种类的名称", "Not the name of a kind of adapter",
                          "用 exchange-node adapter list 查看", "See exchange-node adapter list"),
    "size": _pair("应为带单位的大小", "A size with its unit is wanted", "例如 \"8MiB\"、\"2GiB\"", "Such as \"8MiB\", \"2GiB\""),
    "room": _pair("应为大小或百分比", "A size or a percentage is wanted",
                  "例如 \"2GiB\" 或 \"10%\"", "Such as \"2GiB\" or \"10%\""),
    "listen": _pair("应为 地址:端口", "address:port is wanted", "例如 \"127.0.0.1:8700\"、\"[::1]:8700\"、\":8443\"",
                    "Such as \"127.0.0.1:8700\", \"[::1]:8700\", \":8443\""),
    "address": _pair("应为 主机:端口", "host:port is wanted", "例如 \"centre.example.gov.cn:8443\"、\"[2001:db8::1]:8443\"",
                     "Such as \"centre.example.gov.cn:8443\", \"[2001:db8::1]:8443\""),
    "path": _pair("应为文件路径", "The path of a file is wanted", "检查其中的字符", "Check its characters"),
    "credential": _pair("systemd没有交来凭据", "systemd has handed over no credentials",
                        "由systemd启动，并在单元中写明 LoadCredential=", "Start it by systemd with LoadCredential= in the unit"),
    "inline": _pair("口令或令牌不得写在配置里", "A secret never stands in the configuration",
                    "存入0600的文件，此处写其路径（含“/”），或写 credential:名称",
                    "Keep it in a file of mode 0600 and give its path (with a slash), or credential:NAME"),
    "node_code": _pair("不是节点代码", "Not a node code",
                       "小写字母、数字和连字符，最多32个", "Lower-case letters, digits and hyphens, at most 32"),
    "org_code": _pair("不是统一社会信用代码", "Not a unified social credit code",
                      "18位，数字和大写字母，不含 I O S V Z", "18 digits and capital letters without I O S V Z"),
    "code": _pair("不是代码", "Not a code", "字母、数字、点、下划线和连字符，最多64个",
                  "Letters, digits, dot, underscore and hyphen, at most 64"),
    "specification": _pair("不是接口规范的名称", "Not the name of a specification", "例如 \"population-basic/1.0\"",
                           "Such as \"population-basic/1.0\""),
    "whole_records": _pair("暂不支持按字段或按行授权", "A grant of some fields or rows is not supported yet",
                           "删去此键；授权给出整条记录", "Remove the key; a grant gives whole records"),
    # across keys
    "twice": _pair("与前面的一项重复", "The same as an earlier one", "合并为一项", "Keep one of them"),
    "other_interface": _pair("与信息资源的接口不同", "Of another interface than the resource's", "应为{interface}的版本",
                             "Name a version of {interface}"),
    "ends_first": _pair("止期不晚于起期", "It ends before it begins", "更正since或until", "Mend since or until"),
    "two_roles": _pair("同一密钥或证书用于两种用途", "One key or certificate in two roles", "签名、加密、TLS各用一对密钥",
                       "Use one key pair each for signing, encryption and TLS"),
    "self": _pair("指向本节点自己", "This names the node itself", "改为对端的节点代码", "Name a peer"),
    "no_peer": _pair("没有这个对端", "There is no such peer", "在 [[peer]] 中登记，或改正代码", "Add a [[peer]], or mend the code"),
    "no_resource": _pair("没有这个信息资源", "There is no such resource", "在 [[resource]] 中登记，或改正代码",
                         "Add a [[resource]], or mend the code"),
    "no_receiver": _pair("此信息资源没有接收方，不能报送", "The resource has no receivers: nothing is supplied to it",
                         "在 [[resource]] 中写明 receivers", "Give its receivers in [[resource]]"),
    "no_mapping": _pair("此信息资源没有这个映射", "The resource has no such mapping",
                        "在 [[resource]] 的 mappings 中写明", "Name it among the mappings of [[resource]]"),
    "public_api": _pair("本地接口在其他机器可达的地址上，却没有双向TLS", "The local API is open to other machines without mutual TLS",
                        "改为 127.0.0.1 或 [::1]，或写明 [api.tls]", "Bind it to 127.0.0.1 or [::1], or write [api.tls]"),
    "public_admin": _pair("健康检查和指标只能在本机地址上", "Health and metrics are for this machine only",
                          "改为 127.0.0.1 或 [::1]", "Bind it to 127.0.0.1 or [::1]"),
    "same_port": _pair("与另一个监听地址冲突", "It is taken by another of the node's ports", "换一个端口", "Use another port"),
    "disk_order": _pair("三个阈值应满足 intake ≥ foreign ≥ reserve，且单位相同",
                        "The order must be intake ≥ foreign ≥ reserve, in one unit",
                        "先停本地接收，再停对端数据，最后保留回执空间", "Intake stops first, then foreign data; receipts keep the reserve"),
    "too_brief": _pair("短于所需的{least}", "Shorter than the {least} that is needed", "加长", "Make it longer"),
    "wait_order": _pair("rest_first 大于 rest_most", "rest_first is longer than rest_most", "对调", "Exchange them"),
    "record_size": _pair("record 大于 body", "record is larger than body",
                         "减小 record 或增大 body", "Make record smaller or body larger"),
    "body_size": _pair("不得大于64 MiB", "Must be at most 64MiB", "减小", "Make it smaller"),
    "collect_address": _pair("collect = true 需要 address", "collect = true needs an address", "写明 address，或删去 collect",
                             "Give the address, or remove collect"),
    "unreachable": _pair("此对端没有 address，本节点又没有 [gateway]，双方无法相连",
                         "The peer has no address and this node no [gateway]: they never meet",
                         "写明其中之一", "Give one of the two"),
}
_OTHER = _pair("值不合要求", "The value cannot be used", "对照 config/ 中的示例", "Compare the examples in config/")


def fault(path: Path, line: int | None, key: str, rule: str, **marks: object) -> Fault:
    """Return the fault of `rule` at a place, its marks filled."""
    says, hint = SAYS.get(rule, _OTHER)
    return Fault(path, line, key, rule, says.fill(**marks), hint.fill(**marks))
