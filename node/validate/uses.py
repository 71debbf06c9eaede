"""Whether a shape hangs together: control fields, key, and each rule's fields, parameters and tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from node.model.sentence import Sentence
from node.model.trouble import Trouble
from node.validate import pattern, wrong
from node.validate.profile import TABLE
from node.validate.rules.kinds import KINDS, reads
from node.validate.shape import Group, Leaf, Member, RuleUse, Shape
from node.validate.tables import Table
from node.validate.wrong import SHOWN, Wrong

_PLACE = re.compile("[0-9]{1,4}")
_TESTS = frozenset({"in", "begins", "contains", "given", "length"})
_ALWAYS = frozenset({"field", "when"}) | _TESTS
HEAD = 64
"""Most characters of a row id and a correlation."""
PERSONAL = 3
"""From this grade on a field may not be the row id."""
CITIZEN_TYPES = frozenset({"CitizenNumber", "CitizenEither"})
CITIZEN_RULES = frozenset({"citizen-check", "citizen-either", "citizen-number"})
"""Types and kinds of rules by which a field is known to hold an identity number, whatever grade it was given."""


def check_uses(
    shape: Shape, table: Callable[[str], Table], note: Callable[[int, Wrong], None], head: int
) -> Sequence[str]:
    """Note every fault of the control fields at the line `head`, of rules at their own; return the tables, in order."""
    tables: list[str] = []
    for found in _control(shape):
        note(head, found)
    for use, found in _rules(shape.record, table, tables):
        where = use.id[:SHOWN]
        note(use.line or head, found.within(f"规则{where}", f"rule {where}"))
    return tables


def _control(shape: Shape) -> Iterator[Wrong]:
    members = shape.record.members
    wanted = {"row": (shape.row,), "operation": (shape.operation,), "time": (shape.time,), "key": shape.key}
    for what, names in wanted.items():
        for name in names or ("",):
            member = members.get(name)
            if not isinstance(member, Leaf) or (member.least, member.most) != (1, 1) or member.numeric:
                yield wrong.CONTROL.of(what=what)
    row, operation, time = members.get(shape.row), members.get(shape.operation), members.get(shape.time)
    citizens = set(_citizens(shape.record))
    if isinstance(row, Leaf) and (row.grade >= PERSONAL or row.mask or shape.row in {*shape.key, *citizens}):
        yield wrong.PERSONAL
    if isinstance(operation, Leaf) and set(operation.facets.enumeration or ()) != {"I", "U", "D"}:
        yield wrong.OPERATION
    if isinstance(time, Leaf) and "Moment" not in time.types:
        yield wrong.TIME
    for short in (shape.row, shape.correlation):
        if short is not None and not _short(members.get(short)):
            yield wrong.SHORT.of(limit=HEAD)
    excluded = {one.params.get("of") for one in shape.record.rules
                if one.kind == "excludes" and one.severity == "refuse" and one.params["field"] == shape.row}
    for name in sorted(citizens - excluded - {shape.row}):
        yield wrong.ROW_EXCLUDES.of(name=name, row=shape.row[:SHOWN])


def _citizens(record: Group) -> Iterator[str]:
    """Yield the fields of the record itself, given once at most, that hold identity numbers of persons."""
    ruled = {one.params["field"] for one in record.rules if one.kind in CITIZEN_RULES}
    for name, member in record.members.items():
        if isinstance(member, Leaf) and member.most == 1 and (
            name in ruled or CITIZEN_TYPES & set(member.types) or any(use.kind in CITIZEN_RULES for use in member.rules)
        ):
            yield name


def _short(member: Member | None) -> bool:
    """Whether the field's text fits into the head of a line (node/validate/line.py)."""
    if not isinstance(member, Leaf) or member.most > 1 or member.numeric:
        return False
    facets = member.facets
    longest = pattern.longest(pattern.parse(facets.pattern)) if facets.pattern else 0
    return min(HEAD + 1 if longest is None else longest, facets.max_length or HEAD + 1) <= HEAD


def _rules(
    group: Group, table: Callable[[str], Table], tables: list[str]
) -> Iterator[tuple[RuleUse, Wrong]]:
    for use in group.rules:
        yield from ((use, found) for found in _use(group, use, use.params, table, tables))
    for member in group.members.values():
        if isinstance(member, Group):
            yield from _rules(member, table, tables)
        else:
            for use in member.rules:
                params = {**use.params, "field": member.name}
                yield from ((use, found) for found in _use(group, use, params, table, tables))


def _use(
    group: Group, use: RuleUse, params: Mapping[str, str], table: Callable[[str], Table], tables: list[str]
) -> Iterator[Wrong]:
    kind = KINDS[use.kind]
    if set(params) - _ALWAYS - kind.takes - kind.needs or kind.needs - set(params):
        takes = " ".join(sorted(kind.takes | kind.needs))
        yield _why(f"应有且只有参数：{takes or '无'}", f"takes {takes or 'no parameters'}")
        return
    tests = _TESTS & set(params)
    if len(tests) != ("when" in params) or not all(params[test].split() for test in tests):
        some = " ".join(sorted(_TESTS))
        yield _why(f"when须与其中之一同用：{some}", f"when goes with one of {some}")
        return
    for name in reads(params):
        member = group.members.get(name)
        if member is None or member.most > 1 and (name != params["field"] or "of" in params or "when" in params):
            yield _why(
                f"{name[:SHOWN]}不是同组中单次出现的字段", f"{name[:SHOWN]} is not a field beside it that occurs once"
            )
            return
    yield from _values(group, kind.fits, params)
    if "table" in params:
        yield from _table(params, table, tables)


def _why(zh: str, en: str) -> Wrong:
    return wrong.RULE.of(why=Sentence(zh, en))


def _values(group: Group, fits: tuple[str, ...], params: Mapping[str, str]) -> Iterator[Wrong]:
    leaf = group.members[params["field"]]
    if fits and (not isinstance(leaf, Leaf) or not set(fits) & set(leaf.types)):
        yield _why(f"只能用于类型{' '.join(fits)}", f"goes with the types {' '.join(fits)}")
    if "from" in params:
        low, high = params["from"], params.get("to", "")
        if not (_PLACE.fullmatch(low) and _PLACE.fullmatch(high) and 1 <= int(low) <= int(high) <= 1000):
            yield _why("from和to为从1数起的字符位置", "from and to are places counted from 1")
    if not isinstance(leaf, Leaf) and not set(params) <= _ALWAYS | {"of", "among"}:
        yield _why(f"此规则检查文本，而{leaf.name}是分组", f"looks at a text, and {leaf.name} is a group")
    yield from _words(group, params)
    if params.get("grace", "0") not in ("0", "1") or params.get("set", "current") not in ("current", "union"):
        yield _why("grace为0或1，set为current或union", "grace is 0 or 1, set is current or union")
    if "date" in params and not re.fullmatch("[0-9]{8}", params["date"]):
        yield _why("date形如YYYYMMDD", "date is YYYYMMDD")


def _words(group: Group, params: Mapping[str, str]) -> Iterator[Wrong]:
    """Yield what is wrong with the lists, the numbers and the pattern a rule takes."""
    lengths = params.get("length", "1").split()
    if params.get("given", "yes") not in ("yes", "no") or not all(_PLACE.fullmatch(one) for one in lengths):
        yield _why("given为yes或no，length为数字", "given is yes or no, length are numbers")
    for many in ("parts", "among", "values"):
        words = params.get(many, "x y").split()
        if not words or len(set(words)) != len(words) or many == "among" and len(words) < 2:
            yield _why(f"{many}须列出各不相同的项", f"{many} is a list of different words")
    numbers = [group.members[name] for name in params.get("parts", "").split()]
    if any(not isinstance(one, Leaf) or one.numeric is None for one in numbers):
        yield _why("parts须为数值字段", "parts are numeric fields")
    if not _PLACE.fullmatch(params.get("days", "1")):
        yield _why("days为至多四位的数字", "days is a number of at most four digits")
    try:
        pattern.parse(params.get("pattern", "x"))
    except pattern.PatternFault as fault:
        yield wrong.PATTERN.of(why=fault.says)


def _table(params: Mapping[str, str], table: Callable[[str], Table], tables: list[str]) -> Iterator[Wrong]:
    name = params["table"]
    try:
        if not TABLE.fullmatch(name):
            raise ValueError
        table(name)
    except (Trouble, ValueError):
        yield wrong.TABLE.of(name=repr(name[:SHOWN]))
        return
    if name not in tables:
        tables.append(name)
