"""Made-up records put right: one after the other, the rules between fields are made to hold (`samples`).

The order matters: what is copied from another field comes before what only asks whether a field is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from node.validate import pattern
from node.validate.made.dice import Dice
from node.validate.made.texts import citizen_number, leaf_text, unified_code, write
from node.validate.rules import checks
from node.validate.shape import Group, Leaf, RuleUse
from node.validate.specification import Specification

TRIES = 200
"""How often a text is drawn anew until a rule is content with it."""


def holds(params: Mapping[str, str], twin: Mapping[str, Any]) -> bool:
    """Return whether the rule's `when` holds for a group's twin."""
    found = twin.get(params.get("when", ""))
    if "given" in params:
        return (found is not None) == (params["given"] == "yes")
    if "in" in params or not isinstance(found, str):
        return found in params.get("in", "").split()
    if "length" in params:
        return str(len(found)) in params["length"].split()
    if "begins" in params:
        return found.startswith(tuple(params["begins"].split()))
    return any(text in found for text in params.get("contains", "").split())


def shaped(leaf: Leaf, at: datetime) -> str:
    """Return a time as the leaf's type writes it."""
    if "Date8" in leaf.types:
        return f"{at:%Y%m%d}"
    return f"{at:%Y-%m-%d}" if "Date" in leaf.types else f"{at:%Y-%m-%dT%H:%M:%S}+08:00"


def moment(text: str) -> datetime:
    """Return a valid date or moment as China's time."""
    seconds = checks.instant(text)
    assert seconds is not None, "samples are valid"
    return datetime.fromtimestamp(seconds, checks.CHINA)


class Mender:
    """Makes the rules of one group hold in its twin."""

    def __init__(
        self, spec: Specification, group: Group, twin: dict[str, Any], dice: Callable[[str], Dice],
        one: Callable[[str], Any],
    ) -> None:
        """Mend `twin`; `dice` gives the dice of a member, `one` a valid value of it."""
        self.spec, self.group, self.twin, self.dice, self.one = spec, group, twin, dice, one
        self._ways: dict[str, Callable[[RuleUse, str, str], None]] = {
            "exactly-one": self._among, "at-least-one": self._among, "at-most-one": self._among, "part": self._part,
            "parity": self._parity, "birth-of": self._birth, "equals": self._equals, "begins": self._begins,
            "form": self._form, "together": self._together, "citizen-number": self._citizen,
            "unified-number": self._unified, "required-when": self._required, "only-when": self._only,
            "order": self._order,
            "time-order": self._time_order, "same-time": self._same_time, "within": self._within, "sum": self._sum,
        }

    def mend_all(self) -> None:
        """Make every rule hold; in two rounds, for what one rule puts in another may speak of."""
        uses = self._uses()
        for _ in range(2):
            for kind, way in self._ways.items():
                for use in uses:
                    if use.kind == kind and (kind in _OWN_GUARD or "when" not in use.params or self._holds(use)):
                        way(use, use.params["field"], use.params.get("of", ""))

    def _uses(self) -> list[RuleUse]:
        own = [
            RuleUse(use.kind, use.id, {**use.params, "field": name}, use.says, use.severity, use.line)
            for name, member in self.group.members.items() if isinstance(member, Leaf) and member.most == 1
            for use in member.rules
        ]
        return [*self.group.rules, *own]

    def _holds(self, use: RuleUse) -> bool:
        return holds(use.params, self.twin)

    def _leaf(self, name: str) -> Leaf:
        leaf = self.group.members[name]
        assert isinstance(leaf, Leaf)
        return leaf

    def _both(self, one: str, two: str) -> bool:
        return one in self.twin and two in self.twin

    def _among(self, use: RuleUse, field: str, other: str) -> None:
        names = use.params["among"].split()
        given = [name for name in names if name in self.twin]
        least, most = {"exactly-one": (1, 1), "at-least-one": (1, len(names)), "at-most-one": (0, 1)}[use.kind]
        for name in given[most:]:
            del self.twin[name]
        if len(given) < least:
            chosen = self.dice(field).pick(names)
            self.twin[chosen] = self.one(chosen)

    def _part(self, use: RuleUse, field: str, other: str) -> None:
        if other in self.twin and (field in self.twin or self.group.members[field].least):
            self.twin[field] = self.twin[other][int(use.params["from"]) - 1:int(use.params["to"])]

    def _parity(self, use: RuleUse, field: str, other: str) -> None:
        if self._both(field, other):
            number = self.twin[other]
            self.twin[field] = "1" if int(number[16:17] or number[14]) % 2 else "2"

    def _birth(self, use: RuleUse, field: str, other: str) -> None:
        if self._both(field, other):
            self.twin[field] = shaped(self._leaf(field), moment(checks.born(self.twin[other])))

    def _equals(self, use: RuleUse, field: str, other: str) -> None:
        if self._both(field, other):
            text = self.twin[field]
            if "from" not in use.params:
                self.twin[field] = self.twin[other]
            else:
                start, end = int(use.params["from"]) - 1, int(use.params["to"])
                self.twin[field] = text[:start] + self.twin[other] + text[end:]

    def _begins(self, use: RuleUse, field: str, other: str) -> None:
        wanted = tuple(use.params["values"].split())
        self._redraw(field, lambda text: text.startswith(wanted))

    def _form(self, use: RuleUse, field: str, other: str) -> None:
        form = use.params["pattern"]
        if field in self.twin and "from" not in use.params and checks.misformed(form, self.twin[field]):
            self.twin[field] = write(pattern.parse(form), self.dice(field))

    def _redraw(self, field: str, good: Callable[[str], bool]) -> None:
        """Draw a field anew until it is good; raise LookupError if no such text is met."""
        if field not in self.twin or good(self.twin[field]):
            return
        dice, leaf = self.dice(field), self._leaf(field)
        for _ in range(TRIES):
            text = leaf_text(leaf, self.spec, dice, dice.below(1 << 20), dice.below(1 << 20))
            if good(text):
                self.twin[field] = text
                return
        raise LookupError(f"no valid text of {field} was met")

    def _together(self, use: RuleUse, field: str, other: str) -> None:
        if (field in self.twin) != (other in self.twin):
            for name in (field, other):
                if self.group.members[name].least:
                    self.twin[other if name == field else field] = self.one(other if name == field else field)
                    return
            self.twin.pop(field, None)
            self.twin.pop(other, None)

    def _citizen(self, use: RuleUse, field: str, other: str) -> None:
        if field in self.twin:
            self.twin[field] = citizen_number(self.dice(field), self.spec)

    def _unified(self, use: RuleUse, field: str, other: str) -> None:
        if field in self.twin and checks.no_uscc(self.twin[field]):
            dice = self.dice(field)
            self.twin[field] = unified_code(dice, dice.below(1000), 0)

    def _required(self, use: RuleUse, field: str, other: str) -> None:
        if field not in self.twin:
            self.twin[field] = self.one(field)

    def _only(self, use: RuleUse, field: str, other: str) -> None:
        if not self._holds(use):
            self.twin.pop(field, None)

    def _order(self, use: RuleUse, field: str, other: str) -> None:
        if self._both(field, other):
            self.twin[other] = max(self.twin[field], self.twin[other])

    def _time_order(self, use: RuleUse, field: str, other: str) -> None:
        if self._both(field, other) and checks.later(self.twin[field], self.twin[other]):
            self.twin[other] = shaped(self._leaf(other), moment(self.twin[field]) + timedelta(days=1))

    def _same_time(self, use: RuleUse, field: str, other: str) -> None:
        if self._both(field, other):
            self.twin[field] = self.twin[other]

    def _within(self, use: RuleUse, field: str, other: str) -> None:
        if not self._both(field, other):
            return
        if checks.days_between(self.twin[other], self.twin[field]) > int(use.params["days"]):
            self.twin[field] = shaped(self._leaf(field), moment(self.twin[other]))

    def _sum(self, use: RuleUse, field: str, other: str) -> None:
        given = [name for name in use.params["parts"].split() if name in self.twin]
        if field not in self.twin or not given:
            return
        room, dice = self._leaf(field).facets.total_digits or 18, self.dice(field)
        for name in given:
            if len(self.twin[name]) > room - 2:  # so that the sum has no more digits than its field
                self.twin[name] = str(1 + dice.below(9))
        self.twin[field] = format(sum((Decimal(self.twin[name]) for name in given), Decimal(0)).normalize(), "f")


_OWN_GUARD = frozenset({"only-when"})
"""Kinds that look at their `when` themselves."""
