"""Broken records on purpose: for every facet and rule of a specification one way to break it.

Used by the demonstration and by the tests, so that "every planted fault is found" means every facet and every rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.model.record import Twin
from node.validate.made.dice import Dice
from node.validate.made.samples import part
from node.validate.made.spoiling import Spoiler
from node.validate.made.texts import phrases
from node.validate.shape import Group, Leaf, Member, RuleUse
from node.validate.specification import Specification

REFUSE = "refuse"
FIRST = "[1]"
"""Stands behind the name of what repeats."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break a record: the field it is planted at, and the rule that must find it there.

    `name` is `<field>:<rule>` and unique within a specification; `use` is the rule's declaration, None for a facet.
    What repeats is broken in its first place, `Material[1]/Copies`; `path` is without places.
    """

    field: str
    rule: str
    path: tuple[str, ...]
    use: RuleUse | None = None

    @property
    def name(self) -> str:
        """The fault's name."""
        return f"{self.field}:{self.rule}"

    @property
    def severity(self) -> str:
        """`refuse` or `warn`."""
        return REFUSE if self.use is None else self.use.severity


PLANTED = (
    "PersonName:required", "EthnicityCode:empty", "DomicileAddress:text", "ResidenceAddress:max-length",
    "IdNumber:citizen-check", "SexCode:sex-of-number", "BirthDate:birth-of-number", "DomicileRegionCode:region",
    "EthnicityCode:table", "DeathDate:death-date", "IdValidFrom:document-validity", "DataVersion:number",
)
"""Faults of `population-basic` that a demonstration plants: each breaks one rule and no other."""


def faults(spec: Specification) -> Sequence[Fault]:
    """Return every fault for which a record is refused, facets before rules."""
    record = spec.shape.record
    rules = (one for one in _rules(record, (), "") if one.severity == REFUSE)
    return [Fault("Unknown", "unknown", ("Unknown",)), *_facets(record, (), ""), *rules]


def warnings(spec: Specification) -> Sequence[Fault]:
    """Return every fault of which a record is only told."""
    return [one for one in _rules(spec.shape.record, (), "") if one.severity != REFUSE]


def fault(spec: Specification, name: str) -> Fault:
    """Return the fault of this name; raise KeyError if there is none."""
    return {one.name: one for one in faults(spec)}[name]


def plant(spec: Specification, twin: Twin, planted: Fault, seed: int) -> dict[str, Any]:
    """Return a copy of a valid twin with the fault in it; judging it must name `planted.rule` at `planted.field`.

    Raises LookupError if no text is met that breaks the rule.
    """
    copy: dict[str, Any] = _copy(twin)
    group: Group = spec.shape.record
    place: dict[str, Any] = copy
    for depth, step in enumerate(planted.path[:-1], 1):
        inner = group.members[step]
        assert isinstance(inner, Group)
        if step not in place:
            made = part(spec, inner, "/".join(planted.path[:depth]), seed)
            place[step] = [made] if inner.most > 1 else made
        place, group = place[step][0] if inner.most > 1 else place[step], inner
    dice = Dice(seed, planted.name)
    name = planted.path[-1]
    if planted.rule == "unknown":
        place[name] = "x"
    elif planted.use is not None:
        _break(spec, group, place, planted, dice)
    else:
        _spoil(group.members[name], place, planted.rule, dice)
    return copy


def _break(spec: Specification, group: Group, place: dict[str, Any], planted: Fault, dice: Dice) -> None:
    """Break a rule in a group's twin; one of a leaf that repeats in its first text."""
    use, name = planted.use, planted.path[-1]
    member = group.members[name]
    assert use is not None
    if not planted.field.endswith(FIRST):
        Spoiler(spec, group, place, dice).rule(use, name)
        return
    one = {name: place[name][0]} if name in place else {}
    Spoiler(spec, Group(name, member.label, 1, 1, {name: member}), one, dice).rule(use, name)
    place[name] = [one[name], *place.get(name, ())[1:]]


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
            where += FIRST
        if isinstance(member, Group):
            if not any(inner.least for inner in member.members.values()):  # else what it lacks is told
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
    for use in group.rules:  # of a member that repeats as a whole
        yield Fault(field + use.params["field"], use.id, (*path, use.params["field"]), use)
    for name, member in group.members.items():
        here, where = (*path, name), field + name + (FIRST if member.most > 1 else "")
        if isinstance(member, Group):
            yield from _rules(member, here, where + "/")
        else:
            yield from (Fault(where, use.id, here, use) for use in member.rules)


def _spoil(member: Member, place: dict[str, Any], rule: str, dice: Dice) -> None:
    """Break one facet of a member in its group's twin."""
    name = member.name
    if rule == "required":
        place.pop(name, None)
    elif rule == "occurs":
        place[name] = [{} if isinstance(member, Group) else "x"] * (member.most + 1)
    elif isinstance(member, Group):
        place[name] = [{}] if member.most > 1 else {}
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
