"""Whether a shape hangs together: control fields, key, and each rule's fields, parameters and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from lxml import etree

from node.model.trouble import Trouble
from node.validate import pattern
from node.validate.notes import Note
from node.validate.profile import TABLE
from node.validate.rules.kinds import KINDS, reads
from node.validate.shape import Group, Leaf, Member, RuleUse, Shape
from node.validate.tables import Table

_ALWAYS = frozenset({"field", "when", "in", "begins"})
HEAD = 64
"""Most characters of a row id and a correlation."""
PERSONAL = 3
"""From this grade on a field may not be the row id."""


def check_uses(
    shape: Shape, table: Callable[[str], Table], fault: Note, head: etree._Element
) -> Sequence[str]:
    """Note every fault of fields and rules at `head`; return the tables the rules name, in order."""
    tables: list[str] = []
    for reason in [*_control(shape), *_rules(shape.record, table, tables)]:
        fault(head, reason)
    return tables


def _control(shape: Shape) -> Iterator[str]:
    members = shape.record.members
    wanted = {"row": (shape.row,), "operation": (shape.operation,), "time": (shape.time,), "key": shape.key}
    for what, names in wanted.items():
        for name in names or ("",):
            member = members.get(name)
            if not isinstance(member, Leaf) or (member.least, member.most) != (1, 1) or member.numeric:
                yield f"{what} must name a required text field of the record"
    row, operation, time = members.get(shape.row), members.get(shape.operation), members.get(shape.time)
    if isinstance(row, Leaf) and (row.grade >= PERSONAL or shape.row in shape.key):
        yield "the row id is never a personal identifier or part of the business key"
    if isinstance(operation, Leaf) and set(operation.facets.enumeration or ()) != {"I", "U", "D"}:
        yield "the operation's values are I, U and D"
    if isinstance(time, Leaf) and "Moment" not in time.types:
        yield "the business time is a Moment"
    for short in (shape.row, shape.correlation):
        if short is not None and not _short(members.get(short)):
            yield f"row and correlation name a single text field of at most {HEAD} characters"


def _short(member: Member | None) -> bool:
    """Whether the field's text fits into the head of a line (node/validate/line.py)."""
    if not isinstance(member, Leaf) or member.most > 1 or member.numeric:
        return False
    facets = member.facets
    longest = pattern.longest(pattern.parse(facets.pattern)) if facets.pattern else 0
    return min(HEAD + 1 if longest is None else longest, facets.max_length or HEAD + 1) <= HEAD


def _rules(group: Group, table: Callable[[str], Table], tables: list[str]) -> Iterator[str]:
    for use in group.rules:
        yield from _use(group, use, use.params, table, tables)
    for member in group.members.values():
        if isinstance(member, Group):
            yield from _rules(member, table, tables)
        else:
            for use in member.rules:
                yield from _use(group, use, {**use.params, "field": member.name}, table, tables)


def _use(
    group: Group, use: RuleUse, params: Mapping[str, str], table: Callable[[str], Table], tables: list[str]
) -> Iterator[str]:
    kind = KINDS[use.kind]
    at = f"rule {use.id[:40]} (line {use.line})"
    if set(params) - _ALWAYS - kind.takes - kind.needs or kind.needs - set(params):
        yield f"{at}: takes {' '.join(sorted(kind.takes | kind.needs)) or 'no parameters'}"
        return
    if ("when" in params) != (("in" in params) != ("begins" in params)) or "in" in params and "begins" in params:
        yield f"{at}: when goes with either in or begins"
        return
    for name in reads(params):
        member = group.members.get(name)
        if member is None or member.most > 1 and (name != params["field"] or "of" in params or "when" in params):
            yield f"{at}: {name[:40]} is not a field beside it that occurs once"
            return
    yield from _values(group, kind.fits, params, at)
    if "table" in params:
        yield from _table(params, table, tables, at)


def _values(group: Group, fits: tuple[str, ...], params: Mapping[str, str], at: str) -> Iterator[str]:
    leaf = group.members[params["field"]]
    if fits and (not isinstance(leaf, Leaf) or not set(fits) & set(leaf.types)):
        yield f"{at}: goes with the types {' '.join(fits)}"
    if "from" in params:
        low, high = params["from"], params.get("to", "")
        if not (low.isdigit() and high.isdigit() and 1 <= int(low) <= int(high) <= 1000):
            yield f"{at}: from and to are places counted from 1"
    if not isinstance(leaf, Leaf) and not set(params) <= {"field", "when", "in", "begins", "of"}:
        yield f"{at}: looks at a text, and {leaf.name} is a group"
    if params.get("grace", "0") not in ("0", "1") or params.get("set", "current") not in ("current", "union"):
        yield f"{at}: grace is 0 or 1, set is current or union"
    if "date" in params and not (params["date"].isdigit() and len(params["date"]) == 8):
        yield f"{at}: date is YYYYMMDD"


def _table(params: Mapping[str, str], table: Callable[[str], Table], tables: list[str], at: str) -> Iterator[str]:
    name = params["table"]
    try:
        if not TABLE.fullmatch(name):
            raise ValueError
        table(name)
    except (Trouble, ValueError):
        yield f"{at}: there is no table {name[:40]!r}"
        return
    if name not in tables:
        tables.append(name)
