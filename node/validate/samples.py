"""Made-up valid records, generated from the specification itself and repeatable by seed.

Each leaf is drawn from its table, its type or its pattern; then the rules between fields are fulfilled.  Identity
numbers are well-formed and belong to nobody by design: regions, days and sequence numbers are drawn at random.
The row id and the business key depend on seed and index only; the rest on `revision` too, so an update of one row is
`sample` with another revision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import orjson

from node.model.record import Twin
from node.validate import pattern
from node.validate.dice import Dice
from node.validate.rules import checks
from node.validate.shape import Group, Leaf, RuleUse, Shape
from node.validate.specification import Specification
from node.validate.tables import Table
from node.validate.twin import to_xml as write_xml

FIRST, DAYS = date(1945, 1, 1).toordinal(), 27000  # births and other dates lie in 1945 to 2018

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


def sample(
    spec: Specification, seed: int, index: int, *, operation: str = "I", revision: int = 0, octets: int = 0
) -> dict[str, Any]:
    """Return the valid twin number `index` of a seed; `octets` is about how long its JSON shall be at least."""
    sampler = _Sampler(spec, seed, index, revision)
    shape = spec.shape
    twin = sampler.group(shape.record, "")
    twin[shape.operation] = operation
    if operation == "D":
        return {name: twin[name] for name in twin if name in shape.kept}
    return _grow(twin, shape, octets, sampler.dice("grow"))


def to_json(twin: Twin) -> bytes:
    """Return the canonical JSON of a twin."""
    return orjson.dumps(twin, option=orjson.OPT_SORT_KEYS)


def to_xml(spec: Specification, twins: Sequence[Twin], single: bool = False) -> bytes:
    """Return XList of the twins as UTF-8 XML, or X of the first alone if `single`."""
    return write_xml(spec.shape, twins, single)


def regions(table: Table, at: str) -> Iterator[dict[str, Any]]:
    """Yield the twins of `region-code` for every row of the region table, with `at` as their business time."""
    for code, (name, first, last) in table.rows.items():
        yield {
            "RecordId": f"region-{code}", "Operation": "I", "EventTime": at, "RegionCode": code, "RegionName": name,
            "FirstRevision": first, "LastRevision": last,
        }


def holds(params: Mapping[str, str], twin: Mapping[str, Any]) -> bool:
    """Return whether the rule's `when` holds for a group's twin."""
    found = twin.get(params.get("when", ""))
    if "begins" in params:
        return isinstance(found, str) and found.startswith(tuple(params["begins"].split()))
    return found in params.get("in", "").split()


class _Sampler:
    def __init__(self, spec: Specification, seed: int, index: int, revision: int) -> None:
        self.spec, self.seed, self.index = spec, seed, index
        self.own = (spec.shape.row, *spec.shape.key)
        self.born, self.changing = Dice(seed, index).state, Dice(seed, index, revision + 1).state

    def dice(self, path: str) -> Dice:
        """Return the dice of a field, which no other field's throws disturb."""
        return Dice(self.born if path in self.own else self.changing, path)

    def group(self, group: Group, path: str) -> dict[str, Any]:
        """Return a twin of a group, with its rules fulfilled."""
        twin: dict[str, Any] = {}
        waits = {use.params["field"] for use in group.rules if use.kind == "required-when"}
        for name, member in group.members.items():
            dice = self.dice(path + name)
            if member.least == 0 and (name in waits or not dice.chance(75)):
                continue
            if member.most > 1:
                twin[name] = [self.one(member, f"{path}{name}/{n}") for n in range(1 + dice.below(3))]
            else:
                twin[name] = self.one(member, path + name, dice)
        for kind in ("part", "parity", "together", "citizen-number", "required-when", "only-when", "order"):
            for use in group.rules:
                if use.kind == kind:
                    self.mend(use, group, twin, path)
        return {name: twin[name] for name in group.members if name in twin}

    def one(self, member: Leaf | Group, path: str, dice: Dice | None = None) -> Any:
        if isinstance(member, Group):
            return self.group(member, path + "/") or {
                name: self.one(inner, f"{path}/{name}") for name, inner in list(member.members.items())[:1]
            }
        return leaf_text(member, self.spec, dice or self.dice(path), self.index, self.seed)

    def mend(self, use: RuleUse, group: Group, twin: dict[str, Any], path: str) -> None:
        """Change a twin so that one rule between fields holds."""
        field, second = use.params["field"], use.params.get("of", "")
        if use.kind == "part" and second in twin:
            twin[field] = twin[second][int(use.params["from"]) - 1:int(use.params["to"])]
        elif use.kind == "parity" and second in twin:
            twin[field] = "1" if int(twin[second][16]) % 2 else "2"
        elif use.kind == "together" and (field in twin) != (second in twin):
            twin.pop(field, None)
            twin.pop(second, None)
        elif use.kind == "citizen-number" and field in twin and holds(use.params, twin):
            twin[field] = citizen_number(self.dice(path + field), self.spec)
        elif use.kind == "required-when" and holds(use.params, twin):
            twin[field] = self.one(group.members[field], path + field)
        elif use.kind == "only-when" and not holds(use.params, twin):
            twin.pop(field, None)
        elif use.kind == "order" and field in twin and second in twin:
            twin[second] = max(twin[field], twin[second])


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
    if leaf.facets.enumeration:
        return dice.pick(leaf.facets.enumeration)
    return write(pattern.parse(leaf.facets.pattern or "[0-9]"), dice)[:leaf.facets.max_length]


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


def _region(leaf: Leaf, spec: Specification, dice: Dice) -> str:
    use = next(use for use in leaf.rules if use.kind == "region")
    code = dice.pick(spec.tables[use.params["table"]].listed[use.params.get("set", "current")])
    return code if "RegionFine" not in leaf.types else code + dice.pick(["", f"{dice.below(1000):03d}"])


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
    if name.endswith(("PersonName", "RepName")):
        text = dice.pick(SURNAMES) + "".join(dice.pick(GIVEN) for _ in range(1 + dice.below(2)))
    elif name.endswith("Address"):
        text = (f"{dice.pick(ROADS)}{dice.pick(['路', '大道', '街', '巷'])}{1 + dice.below(999)}号{dice.pick(ROADS)}"
                f"{dice.pick(PLACES)}{1 + dice.below(40)}栋{1 + dice.below(3)}单元{101 + dice.below(2900)}房")
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


_BY_TYPE: dict[str, Callable[[Leaf, Specification, Dice, int, int], str]] = {
    "RowId": lambda leaf, spec, dice, index, seed: f"row-{seed}-{index}",
    "BatchNumber": lambda leaf, spec, dice, index, seed: f"B{dice.below(10**8):08d}",
    "CitizenNumber": lambda leaf, spec, dice, index, seed: citizen_number(dice, spec, index, seed),
    "UnifiedCode": lambda leaf, spec, dice, index, seed: unified_code(dice, index, seed),
    "RegisterNumber": lambda leaf, spec, dice, index, seed: _register(dice),
    "RegionNow": lambda leaf, spec, dice, index, seed: _region(leaf, spec, dice),
    "RegionEver": lambda leaf, spec, dice, index, seed: _region(leaf, spec, dice),
    "RegionFine": lambda leaf, spec, dice, index, seed: _region(leaf, spec, dice),
    "Date8": lambda leaf, spec, dice, index, seed: f"{_day(dice):%Y%m%d}",
    "Date": lambda leaf, spec, dice, index, seed: f"{_day(dice):%Y-%m-%d}",
    "Month6": lambda leaf, spec, dice, index, seed: f"{_day(dice):%Y%m}",
    "Moment": lambda leaf, spec, dice, index, seed: _moment(dice),
    "Text": lambda leaf, spec, dice, index, seed: _text(leaf, dice),
}


def _grow(twin: dict[str, Any], shape: Shape, octets: int, dice: Dice) -> dict[str, Any]:
    """Lengthen the record's free texts until its JSON is about `octets` long."""
    free: Sequence[tuple[str, Leaf]] = sorted(
        [
            (name, member) for name, member in shape.record.members.items()
            if isinstance(member, Leaf) and "Text" in member.types and (member.facets.max_length or 0) >= 200
        ],
        key=lambda one: -(one[1].facets.max_length or 0),
    )
    missing = octets - len(to_json(twin)) if octets else 0
    for name, leaf in free:
        if missing <= 0:
            break
        before = twin.get(name, "")
        room = min((leaf.facets.max_length or 0) - len(before), max(1, missing // 3))
        twin[name] = before + phrases(dice, room)
        missing = octets - len(to_json(twin))
    return {name: twin[name] for name in shape.record.members if name in twin}
