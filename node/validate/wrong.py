"""What can be wrong with a specification: each fault's name, what it says and how to mend it, in both languages.

Rule 1: a name is never renamed: programs read it (`exchange-node spec check --json`).
Rule 2: marks are filled with names and numbers of the specification, cut short; it is no one's data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from node.model.sentence import Sentence

SHOWN = 60
"""Most characters of a text of the specification that a fault repeats."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One kind of fault; `of` fills its marks."""

    name: str
    says: Sentence
    cure: Sentence

    def of(self, **details: object) -> Wrong:
        """Return the fault with its marks filled; a detail may be a sentence itself."""
        return replace(self, says=self.says.fill(**details), cure=self.cure.fill(**details))

    def within(self, zh: str, en: str) -> Wrong:
        """Return the fault, told as one of a part of the specification, a rule or an included file."""
        return replace(self, says=Sentence(f"{zh}：{self.says.zh}", f"{en}: {self.says.en}"))


def _wrong(name: str, zh: str, en: str, cure_zh: str, cure_en: str) -> Wrong:
    return Wrong(name, Sentence(zh, en), Sentence(cure_zh, cure_en))


# --- the file ---------------------------------------------------------------------------------------------------
SIZE = _wrong(
    "size", "文件过大，上限{limit}字节", "too large: the limit is {limit} octets",
    "拆分接口，或把长注释移出文件", "part the interface, or move long comments out of the file",
)
CHARSET = _wrong(
    "charset", "不是UTF-8编码", "not UTF-8",
    "以UTF-8（不带其他编码声明）另存该文件", "save the file as UTF-8, and declare no other encoding",
)
NUL = _wrong(
    "nul", "文件含有NUL字节", "a NUL octet stands in the file", "用文本编辑器重新保存为UTF-8", "save it again as UTF-8 text"
)
DTD = _wrong(
    "dtd", "不允许DTD和实体声明", "no DTD is allowed",
    "删除<!DOCTYPE …>和<!ENTITY …>，直接写出文字", "remove <!DOCTYPE …> and <!ENTITY …>; write the text itself",
)
XML = _wrong(
    "xml", "不是格式良好的XML", "not well-formed XML",
    "在此行附近核对标签的配对、引号和&字符；元素嵌套不得超过256层",
    "near this line check that tags pair up, quotes and & signs; elements nest at most 256 deep",
)
ROOT = _wrong(
    "root", "根元素应为xs:schema", "the root must be xs:schema",
    "以xs:schema（http://www.w3.org/2001/XMLSchema）为根元素", "make xs:schema of http://www.w3.org/2001/XMLSchema the root",
)

# --- the profile ------------------------------------------------------------------------------------------------
ATTRIBUTE = _wrong(
    "attribute", "属性{name}不在规范子集之内", "attribute {name} is outside the profile",
    "去除该属性；允许的写法见xsd/README.md", "remove it; what may stand is in xsd/README.md",
)
ELEMENT = _wrong(
    "element", "{name}不得出现在此处", "{name} may not stand here",
    "只用一个xs:sequence列出字段；不用choice、all、any、import等", "list the fields in one xs:sequence; no choice, all, any, import",
)
NAMED = _wrong(
    "named", "xs:complexType {name}单独写在元素之外", "xs:complexType {name} stands by itself",
    "把它移入使用它的xs:element，去除其name和该元素的type",
    "move it into the xs:element that uses it; drop its name and that element's type",
)
TEXT = _wrong(
    "text", "xs:documentation之外出现文字", "text outside xs:documentation",
    "把文字移入xs:documentation，或删除", "move it into xs:documentation or remove it",
)
INCLUDE = _wrong(
    "include", "include应写为<名称>/<版本>.xsd，每个文件一次", "include names one file as <name>/<version>.xsd, once",
    "写成schemaLocation=\"types/1.0.xsd\"；不能用网址、绝对路径或../",
    'write schemaLocation="types/1.0.xsd"; no URL, no path, no ../',
)
INCLUDED = _wrong(
    "included", "{name}不存在或无法使用：{reason}", "{name} is not there or cannot be used: {reason}",
    "核对名称和版本；文件应在同一目录树，或在已安装的xsd目录中", "check name and version; it lies in the same tree or in the installed xsd folder",
)
INCLUDE_TYPES = _wrong(
    "include-types", "被包含的文件只能有简单类型，且不带targetNamespace",
    "an included file holds simple types only and no target namespace",
    "只包含types/下的文件", "include files of types/ only",
)
HEAD = _wrong(
    "head", "缺少x:specification", "x:specification is missing",
    "在xs:schema的xs:appinfo中加入x:specification，写明interface、version、row、operation、time、key",
    "put x:specification into the xs:appinfo of xs:schema, with interface, version, row, operation, time and key",
)
PLACE = _wrong(
    "place", "interface和version应与文件所在位置一致", "interface and version must be those of the file's place",
    "文件应存为<interface>/<version>.xsd；interface为小写字母、数字和-，version形如1.0",
    "keep the file as <interface>/<version>.xsd; interface is of small letters, digits and -, version is like 1.0",
)
NAMESPACE = _wrong(
    "namespace", "targetNamespace应为{name}，elementFormDefault应为qualified",
    "targetNamespace must be {name}, elementFormDefault qualified",
    "改为targetNamespace=\"{name}\" elementFormDefault=\"qualified\"",
    'write targetNamespace="{name}" elementFormDefault="qualified"',
)
ELEMENTS = _wrong(
    "elements", "应有两个全局元素：先X，后XList", "there are two global elements, X and then XList",
    "第一个全局元素为记录X，第二个为XList", "the first global element is the record X, the second XList",
)
LIST = _wrong(
    "list", "XList应为一个序列，只引用X，maxOccurs=\"unbounded\"", "XList is a sequence of one ref to X, maxOccurs unbounded",
    "写成<xs:element ref=\"前缀:X\" maxOccurs=\"unbounded\"/>", 'write <xs:element ref="prefix:X" maxOccurs="unbounded"/>',
)
RECORD = _wrong(
    "record", "记录应为复合类型", "the record must be a complex type",
    "给第一个全局元素一个含xs:sequence的xs:complexType", "give the first global element an xs:complexType with an xs:sequence",
)
LIBXML = _wrong(
    "libxml2", "libxml2无法编译此文件", "libxml2 does not take it",
    "核对各限制之间是否矛盾、类型前缀是否为targetNamespace的前缀",
    "check that facets agree with those they restrict, and that type prefixes are that of targetNamespace",
)
LARGE = _wrong(
    "large", "{what}过多：{size}，上限{limit}", "too many {what}: {size}, the limit is {limit}",
    "拆分接口", "part the interface",
)

# --- fields -----------------------------------------------------------------------------------------------------
NAME = _wrong(
    "name", "字段名应形如PersonName", "a field has a name like PersonName",
    "以大写字母开头，只用字母和数字，至多64个，直接写name而不用ref",
    "begin with a capital, letters and digits only, at most 64; write name and no ref",
)
DEEP = _wrong(
    "deep", "分组至多嵌套{limit}层", "groups are nested at most {limit} deep", "减少嵌套层数", "nest less",
)
TWICE = _wrong(
    "twice", "同一分组中有重名字段", "a name stands twice in one group", "改名或删除其一", "rename or remove one of them",
)
EMPTY = _wrong(
    "empty", "分组至少有一个字段", "a group holds at least one field", "加入字段，或去除该分组", "add a field, or remove the group",
)
OCCURS = _wrong(
    "occurs", "minOccurs为0或1，maxOccurs为1至{limit}", "minOccurs is 0 or 1, maxOccurs 1 to {limit}",
    "改正出现次数；不允许unbounded", "mend the counts; unbounded is not allowed",
)
LABEL = _wrong(
    "label", "缺少中文或英文的xs:documentation", "documentation in zh and in en is missing",
    "各写一条xml:lang=\"zh\"和xml:lang=\"en\"的xs:documentation，首行为名称",
    'write one xs:documentation with xml:lang="zh" and one with "en"; the first line is the label',
)
GRADE = _wrong(
    "grade", "grade为1至4，mask为{masks}之一", "grade is 1 to 4, mask one of {masks}",
    "改正x:field", "mend x:field",
)
TYPE_NAME = _wrong(
    "type-name", "类型名应形如PersonName，在整个集合中只出现一次", "a type has a name like PersonName, once in the whole set",
    "改名", "rename it",
)
TYPE = _wrong(
    "type", "类型{name}不存在", "type {name} is not in the set",
    "核对拼写和前缀；共用类型要用include引入types/1.0.xsd",
    "check its spelling and prefix; shared types come with include types/1.0.xsd",
)
TYPE_CHAIN = _wrong(
    "type-chain", "类型的逐级限制超过{limit}级", "a type is derived in more than {limit} steps", "减少派生级数",
    "derive in fewer steps",
)
TYPE_OR = _wrong(
    "type-or", "字段应有类型，或自带限制，二者取一", "a field has either a type or a restriction of its own",
    "写type=\"…\"，或写xs:simpleType，不能都写或都不写", 'write type="…" or an xs:simpleType, not both and not neither',
)
BASE = _wrong(
    "base", "字段须限制xs:string、xs:integer或xs:decimal", "a field restricts xs:string, xs:integer or xs:decimal",
    "日期用types/1.0.xsd中的Date8、Date、Moment，其余用Text或自定模式",
    "for dates take Date8, Date or Moment of types/1.0.xsd; else Text or a pattern of your own",
)
FACET = _wrong(
    "facet", "限制的值不是合适的数", "the facet's value is not a number that fits",
    "长度写非负整数（至多6位），界限写普通十进制数", "lengths are whole numbers of at most 6 digits, bounds plain decimals",
)
PATTERN_ONE = _wrong(
    "pattern-one", "整个派生过程只能有一个模式", "a field has one pattern over its whole derivation",
    "从xs:string派生后写自己的模式，或只用类型的模式（Text自带模式）",
    "derive from xs:string with your own pattern, or leave it to the type (Text has one)",
)
CONTRADICT = _wrong(
    "contradict", "各项限制互相矛盾", "the facets contradict each other", "使下限不大于上限",
    "make no lower bound greater than the upper",
)
NUMERIC = _wrong(
    "numeric", "数值字段须有模式{pattern}、totalDigits（至多18）且无枚举",
    "a numeric field has the pattern {pattern}, totalDigits up to 18 and no enumeration",
    "从Integer或Decimal派生，并写totalDigits", "derive from Integer or Decimal and write totalDigits",
)
FORM = _wrong(
    "form", "文本须有模式，或为代码枚举", "a text has a pattern, or an enumeration of codes",
    "从Text派生，或写模式，或枚举（可见ASCII，1至64个字符）",
    "derive from Text, write a pattern, or list codes of 1 to 64 visible ASCII characters",
)
PATTERN = _wrong(
    "pattern", "模式不可用：{why}", "pattern: {why}",
    "只用字符、[字符集]、分组、|和计数；见xsd/README.md“Writing one”",
    "use characters, [classes], groups, | and counts only; see xsd/README.md, \"Writing one\"",
)
LONGEST = _wrong(
    "longest", "文本须由模式或maxLength限定长度，至多{limit}个字符",
    "a text is bounded by its pattern or maxLength, at most {limit} characters", "写maxLength", "write maxLength",
)

# --- rules ------------------------------------------------------------------------------------------------------
RULE_KIND = _wrong(
    "rule-kind", "没有名为{name}的规则", "unknown rule {name}",
    "可用的规则：{kinds}", "the rules there are: {kinds}",
)
RULE_FIELD = _wrong(
    "rule-field", "分组上的规则要写field，字段上的规则不写",
    "a rule at a group names its field, a rule at a field does not", "补上或去除field", "add field, or remove it",
)
RULE_SAYS = _wrong(
    "rule-says", "severity为refuse或warn；x:says须中英文都有或都没有",
    "severity is refuse or warn; x:says stands in zh and en or not at all", "改正severity，或补齐x:says",
    "mend severity, or complete x:says",
)
RULE = _wrong("rule", "{why}", "{why}", "按xsd/README.md“Rules”改正", "mend it by xsd/README.md, \"Rules\"")
TABLE = _wrong(
    "table", "没有可用的代码表{name}", "there is no table {name}",
    "核对名称和版本；代码表为tables/<名称>/<版本>.tsv，在同一目录树或已安装的xsd目录中",
    "check name and version; it is tables/<name>/<version>.tsv in the same tree or in the installed xsd folder",
)

# --- what the node itself must know of a record -----------------------------------------------------------------
CONTROL = _wrong(
    "control", "{what}须指明记录中的必填文本字段", "{what} must name a required text field of the record",
    "在x:specification中改正{what}，或把该字段设为必填、单次出现的文本",
    "mend {what} in x:specification, or make that field a required text that occurs once",
)
PERSONAL = _wrong(
    "personal", "来源记录号不得是个人标识或业务主键的一部分",
    "the row id is never a personal identifier or part of the business key",
    "row指向来源系统自己的行号（如表的主键）", "let row name the source's own id of the row, as its table's key",
)
ROW_EXCLUDES = _wrong(
    "row-excludes", "{name}是公民身份号码，而没有规则保证来源记录号不含该号码",
    "{name} is a citizen identity number, and no rule sees to it that the row id does not contain it",
    "在记录元素的xs:appinfo中加入<x:rule kind=\"excludes\" id=\"row-not-personal\" field=\"{row}\" of=\"{name}\"/>",
    'into the xs:appinfo of the record element put '
    '<x:rule kind="excludes" id="row-not-personal" field="{row}" of="{name}"/>',
)
OPERATION = _wrong(
    "operation", "同步类型的取值应为I、U和D", "the operation's values are I, U and D",
    "使用类型OperationCode", "take the type OperationCode",
)
TIME = _wrong(
    "time", "业务时间的类型应为Moment", "the business time is a Moment", "使用类型Moment", "take the type Moment",
)
SHORT = _wrong(
    "short", "row和correlation须指明至多{limit}个字符的单个文本字段",
    "row and correlation name a single text field of at most {limit} characters",
    "缩短该字段，或改指另一字段", "shorten that field or name another",
)
