"""The rules of one specification as one Python function, written out as source, so that it can be read.

Rule 1: the source holds names of fields and rules, and no data; codes and bounds are looked up by name.
Rule 2: the same function judges on the fast path and explains on the slow one; there is no second reading of a rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from node.model.sentence import Sentence
from node.validate.pattern import BLANK
from node.validate.rules import checks, kinds
from node.validate.rules.wording import FACETS, placed
from node.validate.shape import NUMBER, Group, Leaf, Member, RuleUse, Shape

DIGITS = 64
"""Most characters of a numeric leaf."""

_SAID = ("table", "date", "days", "values", "pattern")
"""The parameters that a sentence may tell."""

Step = tuple[str, bool]
Hit = tuple[int, tuple[int, ...]]
Broken = Callable[[Mapping[str, Any], str, str], list[Hit]]
Codes = Callable[[str, str], frozenset[str]]

_number = re.compile(NUMBER).fullmatch
_whole_number = re.compile("-?(0|[1-9][0-9]*)").fullmatch


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule at one field: what to say when it is broken, and which fields (paths without places) it reads."""

    id: str
    kind: str
    params: Mapping[str, str]
    steps: tuple[Step, ...]
    says: Sentence
    severity: str
    reads: frozenset[str]

    @property
    def path(self) -> str:
        """The field's path without places."""
        return "/".join(name for name, _ in self.steps)

    def field(self, places: Sequence[int]) -> str:
        """Return the field's path with the place of each repeated step, counted from 1."""
        left = iter(places)
        return "/".join(f"{name}[{next(left)}]" if many else name for name, many in self.steps)


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a specification; `broken(twin, today, tomorrow)` returns (number of rule, places) of each broken."""

    all: Sequence[Rule]
    broken: Broken
    source: str


def total_digits(text: str) -> int:
    """Return the digits of a number's value as XSD counts them: no leading zeros, no trailing ones of a fraction."""
    whole, _, fraction = text.lstrip("-").partition(".")
    fraction = fraction.rstrip("0")
    return max(len((whole + fraction).lstrip("0")), len(fraction))


def fraction_digits(text: str) -> int:
    """Return the digits of a number's fraction without its trailing zeros."""
    return len(text.partition(".")[2].rstrip("0"))


# A text of no more characters has no more digits: then they need not be counted.
_NUMERIC: tuple[tuple[str, str, str], ...] = (
    ("least", "min-inclusive", "Decimal({v}) < bounds[{n}]"),
    ("most", "max-inclusive", "Decimal({v}) > bounds[{n}]"),
    ("above", "min-exclusive", "Decimal({v}) <= bounds[{n}]"),
    ("below", "max-exclusive", "Decimal({v}) >= bounds[{n}]"),
    ("total_digits", "total-digits", "len({v}) > bounds[{n}] < total_digits({v})"),
    ("fraction_digits", "fraction-digits", "len({v}) > bounds[{n}] < fraction_digits({v})"),
)


def compile_rules(shape: Shape, codes: Codes) -> Rules:
    """Return the rules of `shape`; `codes` gives the codes of a table's set, `current` or `union`."""
    writer = _Writer(shape)
    writer.group(shape.record, "t", "    ", (), ())
    source = "\n".join([
        "def broken(t, today, tomorrow):",
        "    out = []",
        f"    whole = t.get({shape.operation!r}) != 'D'",
        *writer.lines,
        "    return out",
        "",
    ])
    names: dict[str, Any] = {
        "citizen_wrong": checks.citizen_wrong, "no_citizen": checks.no_citizen, "uscc_wrong": checks.uscc_wrong,
        "year_days": checks.YEAR_DAYS,
        "uscc_inner_wrong": checks.uscc_inner_wrong, "register_wrong": checks.register_wrong, "no_day": checks.no_day,
        "citizen_either_wrong": checks.citizen_either_wrong, "born": checks.born,
        "licence_wrong": checks.licence_wrong, "licence_type_wrong": checks.licence_type_wrong,
        "licence_issuer_wrong": checks.licence_issuer_wrong, "later": checks.later, "sum_wrong": checks.sum_wrong,
        "not_at_once": checks.not_at_once, "no_uscc": checks.no_uscc,
        "days_between": checks.days_between, "period_start": checks.period_start, "misformed": checks.misformed,
        "register_number_wrong": checks.register_number_wrong, "organisation_wrong": checks.organisation_wrong,
        "BLANK": BLANK, "bounds": writer.bounds, "Decimal": Decimal, "total_digits": total_digits,
        "fraction_digits": fraction_digits, "number": _number, "whole_number": _whole_number,
    }
    for rule in writer.rules:
        if "table" in rule.params:
            names[kinds.codes_name(rule.params)] = codes(rule.params["table"], rule.params.get("set", "current"))
    # Names of fields match [A-Z][A-Za-z0-9]* (profile) and parameters are written by repr: a file cannot inject code.
    exec(compile(source, f"<rules of {shape.interface}/{shape.version}>", "exec"), names)
    return Rules(writer.rules, names["broken"], source)


class _Writer:
    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.rules: list[Rule] = []
        self.lines: list[str] = []
        self.bounds: dict[int, Any] = {}
        self.groups = 0

    def group(self, group: Group, name: str, pad: str, steps: tuple[Step, ...], places: tuple[str, ...]) -> None:
        """Write the rules of one group, whose twin is the variable `name`, and of what lies in it."""
        single = {n: m for n, m in group.members.items() if m.most == 1}
        used = set[str]()
        uses: list[tuple[RuleUse, dict[str, str]]] = [(use, {**use.params}) for use in group.rules]
        for field, member in single.items():
            uses += [(use, {**use.params, "field": field}) for use in member.rules if isinstance(member, Leaf)]
            if isinstance(member, Leaf) and member.numeric:
                used.add(field)
        for _, params in uses:
            used |= kinds.reads(params)
        self.lines += [f"{pad}f_{field} = {name}.get({field!r})" for field in group.members if field in used]
        for field, member in single.items():
            if isinstance(member, Leaf) and member.numeric:
                self.numeric(member, pad, (*steps, (field, False)), places)
        for use, params in uses:
            self.rule(group, use, params, pad, steps, places)
        for field, member in group.members.items():
            self.below(field, member, name, pad, steps, places)

    def below(
        self, field: str, member: Member, name: str, pad: str, steps: tuple[Step, ...], places: tuple[str, ...]
    ) -> None:
        """Write what stands one level down: groups, and leaves that repeat."""
        if isinstance(member, Leaf) and (member.most == 1 or not (member.rules or member.numeric)):
            return
        self.groups += 1
        inner, place = f"f_{field}" if isinstance(member, Leaf) else f"g{self.groups}", f"i{self.groups}"
        step = (*steps, (field, member.most > 1))
        if member.most > 1:
            places = (*places, place)
            self.lines.append(f"{pad}for {place}, {inner} in enumerate({name}.get({field!r}) or (), 1):")
        else:
            self.lines.append(f"{pad}{inner} = {name}.get({field!r})")
            self.lines.append(f"{pad}if {inner} is not None:")
        if isinstance(member, Group):
            deep = pad + "    "
            if member.most > 1:
                self.lines.append(f"{deep}if {inner} is None:")
                self.lines.append(f"{deep}    continue")
            self.lines.append(f"{deep}if not {inner}:  # empty")
            self.hit(self.facet(member, "empty", None, step), deep + "    ", places)
            self.group(member, inner, deep, step, places)
        else:
            only = Group(field, member.label, 1, 1, {field: member})
            if member.numeric:
                self.numeric(member, pad + "    ", step, places)
            for use in member.rules:
                self.rule(only, use, {**use.params, "field": field}, pad + "    ", step[:-1], places, many=True)

    def rule(
        self, group: Group, use: RuleUse, params: dict[str, str], pad: str, steps: tuple[Step, ...],
        places: tuple[str, ...], many: bool = False,
    ) -> None:
        """Write one named rule."""
        member = group.members[params["field"]]
        second = group.members.get(params.get("of") or params.get("when") or "")
        others = [group.members[name].label for name in (params.get("parts") or params.get("among") or "").split()]
        label, other = member.label, second.label if second else Sentence("", "")
        if use.says is None:  # a sentence of one's own says itself what it looks at
            label, other = (label, placed(other, params)) if use.kind == "part" else (placed(label, params), other)
        says = use.says or kinds.KINDS[use.kind].says
        texts = {
            language: says.into(language).format(
                label=label.into(language), other=other.into(language),
                others=mark.join(label.into(language) for label in others),
                **{name: params[name] for name in _SAID if name in params},
            )
            for language, mark in (("zh", "、"), ("en", ", "))
        }
        prefix = "".join(f"{name}/" for name, _ in steps)
        number = self.add(Rule(
            use.id, use.kind, params, (*steps, (params["field"], many)), Sentence(texts["zh"], texts["en"]),
            use.severity, frozenset(prefix + name for name in kinds.reads(params)),
        ))
        self.lines.append(f"{pad}if {kinds.condition(use.kind, params)}:  # {use.id}")
        self.hit(number, pad + "    ", places)

    def numeric(self, leaf: Leaf, pad: str, steps: tuple[Step, ...], places: tuple[str, ...]) -> None:
        """Write the rules of a numeric leaf: its form, then its bounds and digits."""
        variable = f"f_{leaf.name}"
        form = "whole_number" if leaf.numeric == "integer" else "number"
        self.lines.append(f"{pad}if {variable} is None:")
        self.lines.append(f"{pad}    pass")
        self.lines.append(f"{pad}elif len({variable}) > {DIGITS}:  # digits")
        self.hit(self.facet(leaf, "digits", DIGITS, steps), pad + "    ", places)
        self.lines.append(f"{pad}elif {form}({variable}) is None:")
        self.lines.append(f"{pad}    if not {variable}.strip(BLANK):  # empty")
        self.hit(self.facet(leaf, "empty", None, steps), pad + "        ", places)
        self.lines.append(f"{pad}    else:  # number")
        self.hit(self.facet(leaf, "number", None, steps), pad + "        ", places)
        bounds = [(row, getattr(leaf.facets, row[0])) for row in _NUMERIC if getattr(leaf.facets, row[0]) is not None]
        if bounds:
            self.lines.append(f"{pad}else:")
        for (_, rule, test), bound in bounds:
            number = self.facet(leaf, rule, bound, steps)
            self.bounds[number] = bound
            self.lines.append(f"{pad}    if {test.format(v=variable, n=number)}:  # {rule}")
            self.hit(number, pad + "        ", places)

    def facet(self, leaf: Member, rule: str, bound: object, steps: tuple[Step, ...]) -> int:
        says = FACETS[rule]
        filled = Sentence(
            says.zh.format(label=leaf.label.zh, bound=bound), says.en.format(label=leaf.label.en, bound=bound)
        )
        path = "/".join(name for name, _ in steps)
        return self.add(Rule(rule, rule, {}, steps, filled, "refuse", frozenset((path,))))

    def add(self, rule: Rule) -> int:
        self.rules.append(rule)
        return len(self.rules) - 1

    def hit(self, number: int, pad: str, places: tuple[str, ...]) -> None:
        tail = "".join(f"{place}, " for place in places)
        self.lines.append(f"{pad}out.append(({number}, ({tail})))")
