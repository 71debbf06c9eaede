"""Made-up valid texts of one field: from its table, its type or its pattern, repeatable by seed.

Identity numbers are well-formed and belong to nobody by design: regions, days and sequence numbers are drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from node.validate import pattern
from node.validate.made.dice import Dice
from node.validate.made.prose import WORDING, identity_document
from node.validate.made.vocabulary import BODIES, OFFICES, PERSONS, WORDS
from node.validate.rules import checks
from node.validate.shape import Leaf
from node.validate.specification import Specification

FIRST, DAYS = date(1945, 1, 1).toordinal(), 27000  # births and other dates lie in 1945 to 2018

TRIES = 200
"""How often a text of a pattern is drawn anew until it fits its length too."""

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高梁郑谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
GIVEN = (
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉力玲红玉建国志华永清春海波宁晓东梅雪松林宇浩然子涵思远"
    "欣怡嘉豪梓萱雨泽俊诗琪博瑞天佑安琪若曦"
)
ROADS = (
    "人民 解放 中山 建设 北江 连江 滨江 新城 站前 文化 学院 凤翔 松岗 银泉 西湖 东华 环城 光明 和平 胜利 朝阳 长安 工业 "
    "科技 振兴 富强 友谊 团结 平安 迎宾"
).split()
PLACES = "花园 小区 新村 大厦 公寓 广场 苑 家园 名城 豪庭 雅居 府 里 坊 社区 村委会".split()
TRADES = (
    "科技 商贸 建筑工程 物流 农业 环保 医疗器械 教育咨询 文化传播 食品 机械制造 电子 新材料 餐饮管理 物业服务 信息技术"
).split()
PHRASES = (
    "经核对户籍底册无误 由窗口受理后录入 与公安人口库比对一致 已通知当事人补充材料 数据来自年度清查 历史记录补录 "
    "迁入后更新登记 按季度批量同步 由镇街代为采集 经办人已复核 以纸质档案为准 与社保记录一致 已完成实名核验 待下次入户核实 "
    "家庭成员信息同步变更 原系统编号保留备查"
).split()


def leaf_text(leaf: Leaf, spec: Specification, dice: Dice, index: int, seed: int) -> str:
    """Return a valid text of a leaf; `index` makes row ids and identity numbers differ."""
    for use in leaf.rules:
        if use.kind == "table" and "from" not in use.params:
            return dice.pick(spec.tables[use.params["table"]].listed[use.params.get("set", "current")])
    for name in leaf.types:
        if name in _BY_TYPE:
            return _BY_TYPE[name](leaf, spec, dice, index, seed)
    if leaf.numeric:
        return _number(leaf, dice)
    if leaf.mask == "id" and leaf.match is not None and leaf.match.fullmatch("G12345678"):
        return f"G{dice.below(10**8):08d}"
    if leaf.name in _BY_NAME:
        return _BY_NAME[leaf.name](dice)
    if leaf.facets.enumeration:
        return dice.pick(leaf.facets.enumeration)
    return _patterned(leaf, dice)


def _patterned(leaf: Leaf, dice: Dice) -> str:
    """Return a text of a leaf's pattern and length; raise LookupError if none is met."""
    tree = pattern.parse(leaf.facets.pattern or "[0-9]")
    for number in range(TRIES):
        text = WORDING[leaf.name](dice) if number == 0 and leaf.name in WORDING else write(tree, dice)
        text = text[:leaf.facets.max_length]  # which can cut off an end that the pattern wants
        if leaf.match is None or leaf.match.fullmatch(text) and len(text) >= (leaf.facets.min_length or 0):
            return text
    raise LookupError(f"no valid text of {leaf.name} was met")


def write(node: pattern.Node, dice: Dice) -> str:
    """Return a text that a pattern lets through."""
    if isinstance(node, pattern.Chars):
        low, high = dice.pick(node.ranges)
        return chr(low + dice.below(high - low + 1))
    if isinstance(node, pattern.Choice):
        return write(dice.pick(node.parts), dice)
    if isinstance(node, pattern.Row):
        return "".join(write(part, dice) for part in node.parts)
    most = node.least + 6 if node.most is None else node.most
    return "".join(write(node.part, dice) for _ in range(node.least + dice.below(most - node.least + 1)))


def citizen_number(dice: Dice, spec: Specification, index: int | None = None, seed: int = 0) -> str:
    """Return a valid citizen number; numbers of different `index` of one seed differ."""
    place = dice.throw() % (1000 * DAYS) if index is None else index % (1000 * DAYS)
    born = date.fromordinal(FIRST + (place // 1000 * 7919 + seed * 31) % DAYS)
    table = next((table for name, table in spec.tables.items() if name.startswith("gb2260/")), None)
    codes = table.listed["union"] if table else ("110105",)
    front = f"{dice.pick(codes)}{born:%Y%m%d}{place % 1000:03d}"
    return front + checks.citizen_check(front)


def unified_code(dice: Dice, index: int, seed: int) -> str:
    """Return a valid unified social credit code; codes of different `index` of one seed differ."""
    inner = f"MA{(index * 7919 + seed) % 1_000_000:06d}"
    front = dice.pick(["11", "12", "51", "52", "53", "91", "91", "92", "93"]) + dice.pick(
        ["441800", "440100", "110000", "370800", "330105", "370200"]
    ) + inner + checks.organisation_check(inner)
    return front + checks.uscc_check(front)


def _either(dice: Dice, spec: Specification, index: int, seed: int) -> str:
    """Return a citizen number of 18 or, seldom, of 15 characters; the old form belongs to the twentieth century."""
    number = citizen_number(dice, spec, index, seed)
    return number[:6] + number[8:17] if number[6:8] == "19" and dice.chance(20) else number


def licence_id(dice: Dice, index: int, seed: int) -> str:
    """Return a valid e-licence identifier; those of different `index` of one seed differ."""
    kind = f"{unified_code(dice, dice.below(50), 0)}{dice.below(1000):03d}"
    parts = (kind, unified_code(dice, index, seed), f"{seed % 10**6:06d}{index:010d}", f"{1 + dice.below(9):03d}")
    return f"1.2.156.3005.2.{'.'.join(parts)}.{checks.licence_check(''.join(parts))}"


def task_code(dice: Dice, index: int, seed: int) -> str:
    """Return an implementation code of 31 characters: body, level of exercise, catalogue code (STANDARDS §4.5)."""
    return f"{unified_code(dice, index, seed)}{1 + dice.below(7)}{catalogue_code(dice)}"


def catalogue_code(dice: Dice) -> str:
    """Return a catalogue code of 12 digits: province, kind of item, trade, item, sub-item."""
    kind = dice.pick(["01", "02", "05", "07", "20"])
    return f"44{kind}{dice.below(100):02d}{1 + dice.below(900):03d}{dice.below(1000):03d}"


def _project_no(leaf: Leaf, index: int, seed: int) -> str:
    """Return a case number of region, year and serial: the sets of one case have it, one index and one seed."""
    return f"4418022018{seed % 10**4:04d}-{index + 10**7 * (leaf.name != 'ProjectNo'):08d}"


def _organisation(dice: Dice) -> str:
    front = f"{dice.below(10**8):08d}"
    return front + checks.organisation_check(front)


def person_name(dice: Dice) -> str:
    """Return the name of a natural person."""
    return dice.pick(SURNAMES) + "".join(dice.pick(GIVEN) for _ in range(1 + dice.below(2)))


def _register(dice: Dice) -> str:
    front = f"4418{dice.below(10**10):010d}"
    return front + checks.register_check(front)


def _day(dice: Dice) -> date:
    return date.fromordinal(FIRST + dice.below(DAYS))


def _moment(dice: Dice) -> str:
    at = date(2018, 1, 1) + timedelta(days=dice.below(365))
    hour, minute, second = dice.below(24), dice.below(60), dice.below(60)
    return dice.pick([
        f"{at:%Y-%m-%d}T{hour:02d}:{minute:02d}:{second:02d}+08:00", f"{at:%Y%m%d}{hour:02d}{minute:02d}{second:02d}",
        f"{at:%Y%m%d}T{hour:02d}{minute:02d}{second:02d}", f"{at:%Y%m%d}{hour:02d}:{minute:02d}:{second:02d}",
    ])


def _period(dice: Dice) -> str:
    year = 2000 + dice.below(19)
    return dice.pick([f"{year}", f"{year}Q{1 + dice.below(4)}", f"{year}{1 + dice.below(12):02d}"])


def _region(leaf: Leaf, spec: Specification, dice: Dice) -> str:
    use = next(use for use in leaf.rules if use.kind == "region")
    code = dice.pick(spec.tables[use.params["table"]].listed[use.params.get("set", "current")])
    fine = {"RegionFine", "RegionTown"} & set(leaf.types)
    return code + dice.pick(["", f"{dice.below(1000):03d}"]) if fine else code


def _number(leaf: Leaf, dice: Dice) -> str:
    facets = leaf.facets
    places = min(facets.fraction_digits or 0, 2) if leaf.numeric == "decimal" else 0
    whole = min(8, (facets.total_digits or 8) - places)
    low = int(facets.least) if facets.least is not None else 0 if facets.above is None else int(facets.above) + 1
    tops = [10**whole - 1, *(int(bound) for bound in (facets.most, facets.below) if bound is not None)]
    number = low + dice.below(max(1, min(tops) - low))
    if not places or number < 0 or dice.chance(50):
        return str(number)
    return f"{number}.{dice.below(10**places):0{places}d}"


def _text(leaf: Leaf, dice: Dice) -> str:
    name = leaf.name
    if name in WORDING:
        text = WORDING[name](dice)
    elif name == "SubjectCode":  # whose type, drawn apart from it, may ask for either
        text = unified_code(dice, dice.below(10**6), 0) if dice.chance(60) else identity_document(dice)
    elif name in WORDS:
        text = dice.pick(WORDS[name])
    elif name.endswith("DocNo"):
        text = f"{dice.pick(SURNAMES)}{dice.pick(['受', '许', '准', '不受'])}〔20{10 + dice.below(9)}〕{1 + dice.below(999)}号"
    elif name.endswith("LicenceNumber"):
        text = f"{dice.pick(SURNAMES)}证字第{dice.below(10**8):08d}号"
    elif name.endswith(PERSONS):
        text = person_name(dice)
    elif name.endswith("Address"):
        text = (f"{dice.pick(ROADS)}{dice.pick(['路', '大道', '街', '巷'])}{1 + dice.below(999)}号{dice.pick(ROADS)}"
                f"{dice.pick(PLACES)}{1 + dice.below(40)}栋{1 + dice.below(3)}单元{101 + dice.below(2900)}房")
    elif name.startswith(("Accept", "Handle", "Issuer", "Implement")) and name.endswith(OFFICES):
        text = f"{dice.pick(ROADS)}{dice.pick(['市', '县', '区'])}{dice.pick(BODIES)}"
    elif name.endswith(("Name", "Org", "Authority", "Agency", "Organizer")):
        text = f"{dice.pick(ROADS)}{dice.pick(GIVEN)}{dice.pick(GIVEN)}{dice.pick(TRADES)}{dice.pick(['有限公司', '中心'])}"
    else:
        text = phrases(dice, 12 + dice.below(40))
    return text[:leaf.facets.max_length]


def phrases(dice: Dice, length: int) -> str:
    """Return varied Chinese text of about `length` characters."""
    text = ""
    while len(text) < length:
        text += f"{dice.pick(PHRASES)}（{dice.below(10**6)}）；"
    return text[:length]


_BY_NAME: dict[str, Callable[[Dice], str]] = {
    "TaskHandleItem": lambda dice: f"{task_code(dice, dice.below(999), 0)}{1 + dice.below(9):02d}",
    "RelatedItemCode": lambda dice: task_code(dice, dice.below(999), 0),
    "FileFormat": lambda dice: "OFD",
    "MimeType": lambda dice: "application/pdf",
    "InvestProjectNo": lambda dice: f"2018-4418{dice.below(30):02d}-{dice.below(100):02d}-03-{dice.below(10**6):06d}",
}
"""Fields of no named type whose numbers are built up in a known way."""

_BY_TYPE: dict[str, Callable[[Leaf, Specification, Dice, int, int], str]] = {
    "Phone": lambda leaf, spec, dice, index, seed: f"1{dice.pick('3589')}{dice.below(10**9):09d}",
    "RowId": lambda leaf, spec, dice, index, seed: f"row-{seed}-{index}",
    "BatchNumber": lambda leaf, spec, dice, index, seed: f"B{dice.below(10**8):08d}",
    "CitizenNumber": lambda leaf, spec, dice, index, seed: citizen_number(dice, spec, index, seed),
    "UnifiedCode": lambda leaf, spec, dice, index, seed: unified_code(dice, index, seed),
    "CitizenEither": lambda leaf, spec, dice, index, seed: _either(dice, spec, index, seed),
    "LicenceId": lambda leaf, spec, dice, index, seed: licence_id(dice, index, seed),
    "TaskCode": lambda leaf, spec, dice, index, seed: task_code(dice, index, seed),
    "ProjectNo": lambda leaf, spec, dice, index, seed: _project_no(leaf, index, seed),
    "OrganisationCode": lambda leaf, spec, dice, index, seed: _organisation(dice),
    "RegisterNumber": lambda leaf, spec, dice, index, seed: _register(dice),
    "RegionNow": lambda leaf, spec, dice, index, seed: _region(leaf, spec, dice),
    "RegionEver": lambda leaf, spec, dice, index, seed: _region(leaf, spec, dice),
    "RegionTown": lambda leaf, spec, dice, index, seed: _region(leaf, spec, dice),
    "RegionFine": lambda leaf, spec, dice, index, seed: _region(leaf, spec, dice),
    "Date8": lambda leaf, spec, dice, index, seed: f"{_day(dice):%Y%m%d}",
    "Date": lambda leaf, spec, dice, index, seed: f"{_day(dice):%Y-%m-%d}",
    "Month6": lambda leaf, spec, dice, index, seed: f"{_day(dice):%Y%m}",
    "Period": lambda leaf, spec, dice, index, seed: _period(dice),
    "Moment": lambda leaf, spec, dice, index, seed: _moment(dice),
    "Text": lambda leaf, spec, dice, index, seed: _text(leaf, dice),
}
