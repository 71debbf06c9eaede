"""Broken records on purpose: for every facet and rule of a specification one way to break it.

Used by the demonstration and by the tests, so that "every planted fault is found" means every facet and every rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.model.record import Twin
from node.validate import pattern
from node.validate.dice import Dice
from node.validate.rules import checks
from node.validate.samples import holds, leaf_text, phrases, write
from node.validate.shape import Group, Leaf, Member, RuleUse
from node.validate.specification import Specification


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break a record: the field it is planted at, and the rule that must find it there.

    `name` is `<field>:<rule>` and unique within a specification; `use` is the rule's declaration, None for a facet.
    """

    field: str
    rule: str
    path: tuple[str, ...]
    use: RuleUse | None = None

    @property
    def name(self) -> str:
        """The fault's name."""
        return f"{self.field}:{self.rule}"


PLANTED = (
    "PersonName:required", "EthnicityCode:empty", "DomicileAddress:text", "ResidenceAddress:max-length",
    "IdNumber:citizen-check", "SexCode:sex-of-number", "BirthDate:birth-of-number", "DomicileRegionCode:region",
    "EthnicityCode:table", "DeathDate:death-date", "IdValidFrom:document-validity", "DataVersion:number",
)
"""Faults of `population-basic` that a demonstration plants: each breaks one rule and no other."""


def faults(spec: Specification) -> Sequence[Fault]:
    """Return every fault that can be planted in records of a specification, facets before rules."""
    record = spec.shape.record
    return [Fault("Unknown", "unknown", ("Unknown",)), *_facets(record, (), ""), *_rules(record, (), "")]


def fault(spec: Specification, name: str) -> Fault:
    """Return the fault of this name; raise KeyError if there is none."""
    return {one.name: one for one in faults(spec)}[name]


def plant(spec: Specification, twin: Twin, planted: Fault, seed: int) -> dict[str, Any]:
    """Return a copy of a valid twin with the fault in it; judging it must name `planted.rule` at `planted.field`."""
    copy: dict[str, Any] = _copy(twin)
    group: Group = spec.shape.record
    place: dict[str, Any] = copy
    for step in planted.path[:-1]:
        inner = group.members[step]
        assert isinstance(inner, Group)
        place, group = place.setdefault(step, {}), inner
    dice = Dice(seed, planted.name)
    name = planted.path[-1]
    if planted.rule == "unknown":
        place[name] = "x"
    elif planted.use is not None:
        _Spoiler(spec, group, place, dice).rule(planted.use, name)
    else:
        _spoil(group.members[name], place, planted.rule, dice)
    return copy


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _facets(group: Group, path: tuple[str, ...], field: str) -> Iterator[Fault]:
    for name, member in group.members.items():
        here, where = (*path, name), field + name
        if member.least:
            yield Fault(where, "required", here)
        if member.most > 1:
            yield Fault(where, "occurs", here)
            where += "[1]"
        if isinstance(member, Group):
            if member.most == 1:
                yield Fault(where, "empty", here)
                yield from _facets(member, here, where + "/")
            continue
        yield from (Fault(where, rule, here) for rule in _of_leaf(member))


def _of_leaf(leaf: Leaf) -> Iterator[str]:
    facets = leaf.facets
    yield "empty"
    yield "type"
    if leaf.numeric:
        yield from ("number", "digits")
        numeric = {
            "min-inclusive": facets.least, "max-inclusive": facets.most, "min-exclusive": facets.above,
            "max-exclusive": facets.below, "total-digits": facets.total_digits,
            "fraction-digits": facets.fraction_digits,
        }
        yield from (rule for rule, bound in numeric.items() if bound is not None)
        return
    yield from (["text"] if "Text" in leaf.types else ["pattern"] if facets.pattern else [])
    yield from (["enumeration"] if facets.enumeration else [])
    yield from (["max-length"] if facets.max_length is not None else [])
    yield from (["min-length"] if (facets.min_length or 0) > 1 else [])


def _rules(group: Group, path: tuple[str, ...], field: str) -> Iterator[Fault]:
    uses = [(use, use.params["field"]) for use in group.rules]
    uses += [(use, name) for name, one in group.members.items() if isinstance(one, Leaf) for use in one.rules]
    for use, name in uses:
        if use.severity == "refuse" and group.members[name].most == 1:
            yield Fault(field + name, use.id, (*path, name), use)
    for name, member in group.members.items():
        if isinstance(member, Group) and member.most == 1:
            yield from _rules(member, (*path, name), f"{field}{name}/")


def _spoil(member: Member, place: dict[str, Any], rule: str, dice: Dice) -> None:
    """Break one facet of a member in its group's twin."""
    name = member.name
    if rule == "required":
        place.pop(name, None)
    elif rule == "occurs":
        place[name] = [{} if isinstance(member, Group) else "x"] * (member.most + 1)
    elif isinstance(member, Group):
        place[name] = {}
    else:
        text = _bad_text(member, rule, str(place.get(name, "x")), dice)
        place[name] = [text] if member.most > 1 else text


def _bad_text(leaf: Leaf, rule: str, text: str, dice: Dice) -> Any:
    facets = leaf.facets
    simple: dict[str, Callable[[], Any]] = {
        "empty": lambda: "",
        "type": lambda: {"Inner": "x"},
        "text": lambda: phrases(dice, 4) + dice.pick([" ", "\u3000", "\u00a0"]),
        "pattern": lambda: ("\u4e0d" + text)[:facets.max_length],
        "enumeration": lambda: "Z",
        "max-length": lambda: phrases(dice, (facets.max_length or 0) + 1 + dice.below(9)),
        "min-length": lambda: "x" * ((facets.min_length or 2) - 1),
        "number": lambda: dice.pick(["12a", "+1", "007", "1e3", "0x1F", "1 000", "一"]),
        "digits": lambda: "1" * 65,
        "min-inclusive": lambda: str(int(facets.least or 0) - 1),
        "max-inclusive": lambda: str(int(facets.most or 0) + 1),
        "min-exclusive": lambda: str(int(facets.above or 0)),
        "max-exclusive": lambda: str(int(facets.below or 0)),
        "total-digits": lambda: "9" * ((facets.total_digits or 0) + 1),
        "fraction-digits": lambda: "0." + "1" * ((facets.fraction_digits or 0) + 1),
    }
    return simple[rule]()


class _Spoiler:
    """Breaks one rule in the twin of a group."""

    def __init__(self, spec: Specification, group: Group, twin: dict[str, Any], dice: Dice) -> None:
        self.spec, self.group, self.twin, self.dice = spec, group, twin, dice

    def rule(self, use: RuleUse, name: str) -> None:
        """Break the rule at the field `name`."""
        kinds: dict[str, Callable[[RuleUse, str], None]] = {
            "part": self.part, "parity": self.parity, "order": self.order, "excludes": self.excludes,
            "together": self.together, "required-when": self.required, "only-when": self.only,
            "citizen-number": self.citizen,
        }
        if use.kind in kinds:
            kinds[use.kind](use, name)
            return
        leaf = self.group.members[name]
        assert isinstance(leaf, Leaf)
        text = str(self.twin.get(name) or leaf_text(leaf, self.spec, self.dice, 1, 1))
        self.twin[name] = self.leaf(use, leaf, text)

    def leaf(self, use: RuleUse, leaf: Leaf, text: str) -> str:
        """Return a text of the right form that breaks a rule of one field."""
        if use.kind in ("calendar", "not-future"):
            day = "19490230" if use.kind == "calendar" else "29990101"
            if "from" in use.params:
                return _checked(text[:6] + day + text[14:17])
            dashed = f"{day[:4]}-{day[4:6]}-{day[6:]}"
            return {"Date8": day, "Date": dashed, "Moment": f"{dashed}T00:00:00+08:00"}[_first(leaf)]
        if use.kind == "region":
            return _checked("000000" + text[6:17]) if "CitizenNumber" in leaf.types else "000000" + text[6:]
        if use.kind == "table":
            return _unified("0" + text[1:]) if "UnifiedCode" in leaf.types else self.foreign(use, leaf)
        if use.kind == "uscc-inner":
            inner = "1" if text[16] != "1" else "2"
            return _unified(text[:16] + inner + "0")
        signs = {"citizen-check": checks.CITIZEN_CHECKS, "uscc-check": checks.USCC_SIGNS}.get(use.kind, "0123456789")
        return text[:-1] + self.dice.pick([sign for sign in signs if sign != text[-1]])

    def foreign(self, use: RuleUse, leaf: Leaf) -> str:
        """Return a text of the pattern that the table does not hold; raise LookupError if none is met."""
        known = self.spec.tables[use.params["table"]].codes(use.params.get("set", "current"))
        tree = pattern.parse(leaf.facets.pattern or "[0-9]")
        for _ in range(10_000):
            text = write(tree, self.dice)
            if text not in known:
                return text
        raise LookupError(f"table {use.params['table']} holds every text of its field's pattern")

    def part(self, use: RuleUse, name: str) -> None:
        leaf = self.group.members[name]
        assert isinstance(leaf, Leaf)
        if "Date8" in leaf.types:  # before every day that samples know, so that no order of dates is broken too
            self.twin[name] = f"19{10 + self.dice.below(30)}0{1 + self.dice.below(9)}{10 + self.dice.below(18)}"
            return
        before = self.twin[name]
        while self.twin[name] == before:
            self.twin[name] = leaf_text(leaf, self.spec, self.dice, 1, 1)

    def parity(self, use: RuleUse, name: str) -> None:
        self.twin[name] = "2" if int(self.twin[use.params["of"]][16]) % 2 else "1"

    def order(self, use: RuleUse, name: str) -> None:
        leaf = self.group.members[name]
        assert isinstance(leaf, Leaf)
        self.twin.setdefault(name, leaf_text(leaf, self.spec, self.dice, 1, 1))
        early = {"Date8": "10000101", "Date": "1000-01-01", "Month6": "100001"}
        self.twin[use.params["of"]] = early[_first(leaf)]

    def excludes(self, use: RuleUse, name: str) -> None:
        other = self.group.members[use.params["of"]]
        assert isinstance(other, Leaf)
        text = str(self.twin.get(other.name) or "")
        while len(text) < 6:
            text = leaf_text(other, self.spec, self.dice, 1, 1)
        self.twin[other.name] = text
        self.twin[name] = f"id-{text}"

    def together(self, use: RuleUse, name: str) -> None:
        other = use.params["of"]
        if name in self.twin and other in self.twin:
            del self.twin[other]
        elif name not in self.twin:
            leaf = self.group.members[name]
            assert isinstance(leaf, Leaf)
            self.twin[name] = leaf_text(leaf, self.spec, self.dice, 1, 1)

    def required(self, use: RuleUse, name: str) -> None:
        self.twin[use.params["when"]] = use.params["in"].split()[0]
        self.twin.pop(name, None)

    def only(self, use: RuleUse, name: str) -> None:
        member = self.group.members[name]
        if isinstance(member, Group):
            inner, leaf = next((n, m) for n, m in member.members.items() if isinstance(m, Leaf) and m.most == 1)
            self.twin[name] = {inner: leaf_text(leaf, self.spec, self.dice, 1, 1)}
        else:
            self.twin[name] = leaf_text(member, self.spec, self.dice, 1, 1)
        guard = self.group.members[use.params["when"]]
        assert isinstance(guard, Leaf)
        while holds(use.params, self.twin):
            self.twin[guard.name] = leaf_text(guard, self.spec, self.dice, 1, 1)

    def citizen(self, use: RuleUse, name: str) -> None:
        self.twin[use.params["when"]] = use.params["in"].split()[0]
        self.twin[name] = _checked("11010519491331002")


def _checked(front: str) -> str:
    return front[:17] + checks.citizen_check(front[:17])


def _unified(code: str) -> str:
    return code[:17] + checks.uscc_check(code[:17])


def _first(leaf: Leaf) -> str:
    return next(name for name in leaf.types if name in ("Date8", "Date", "Month6", "Moment"))
