"""One rule of a made-up record broken, and no other where that can be (`faults`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from node.validate import pattern
from node.validate.made.dice import Dice
from node.validate.made.mending import holds, moment, shaped
from node.validate.made.texts import leaf_text, phrases, write
from node.validate.rules import checks
from node.validate.shape import Group, Leaf, RuleUse
from node.validate.specification import Specification

_DAYS = {"calendar": "19490230", "not-future": "29990101", "not-before": "10000101"}
"""A day that breaks each kind of rule about days."""


class Spoiler:
    """Breaks one rule in the twin of a group."""

    def __init__(self, spec: Specification, group: Group, twin: dict[str, Any], dice: Dice) -> None:
        self.spec, self.group, self.twin, self.dice = spec, group, twin, dice

    def rule(self, use: RuleUse, name: str) -> None:
        """Break the rule at the field `name`."""
        kinds: dict[str, Callable[[RuleUse, str], None]] = {
            "part": self.part, "parity": self.parity, "order": self.order, "excludes": self.excludes,
            "together": self.together, "required-when": self.required, "only-when": self.only,
            "citizen-number": self.citizen, "unified-number": self.unified, "birth-of": self.birth,
            "equals": self.differ,
            "sum": self.sum, "time-order": self.time_order, "same-time": self.time_order, "within": self.within,
            "exactly-one": self.none, "at-least-one": self.none, "at-most-one": self.all, "form": self.redraw,
            "begins": self.redraw,
        }
        if "when" in use.params and use.kind != "only-when":
            self.hold(use.params)
        if use.kind in kinds:
            kinds[use.kind](use, name)
        else:
            self.twin[name] = self.leaf(use, self.member(name), self.text(name))

    def member(self, name: str) -> Leaf:
        """Return a leaf of the group."""
        leaf = self.group.members[name]
        assert isinstance(leaf, Leaf)
        return leaf

    def text(self, name: str) -> str:
        """Return the text of a field, which is put there if it is not."""
        if name not in self.twin:
            self.twin[name] = leaf_text(self.member(name), self.spec, self.dice, 1, 1)
        return str(self.twin[name])

    def hold(self, params: Mapping[str, str]) -> None:
        """Make a rule's `when` hold; raise LookupError if no text that does it is met."""
        name = params["when"]
        if holds(params, self.twin):
            return
        if params.get("given") == "no":
            self.twin.pop(name, None)
        elif "in" in params:
            self.twin[name] = params["in"].split()[0]
        elif "contains" in params:
            self.twin[name] = params["contains"].split()[0]
        else:
            for _ in range(10_000):
                self.twin[name] = leaf_text(self.member(name), self.spec, self.dice, self.dice.below(999), 1)
                if holds(params, self.twin):
                    return
            raise LookupError(f"no valid text of {name} fulfils the rule's condition")

    def leaf(self, use: RuleUse, leaf: Leaf, text: str) -> str:
        """Return a text of the right form that breaks a rule of one field."""
        if use.kind in _DAYS:
            day = _DAYS[use.kind]
            if "from" in use.params:
                return _checked(text[:6] + day + text[14:17])
            dashed = f"{day[:4]}-{day[4:6]}-{day[6:]}"
            return {"Date8": day, "Date": dashed, "Moment": f"{dashed}T00:00:00+08:00"}[_first(leaf)]
        if use.kind == "register-number":
            return "44180000000000" + ("1" if checks.register_check("44180000000000") != "1" else "2")
        if use.kind == "period-begun":
            return f"2999{text[4:]}"
        if use.kind == "region":
            return "000000" + text[6:] if checks.no_citizen(text) else _checked("000000" + text[6:17])
        if use.kind == "table" and "from" not in use.params:
            return _unified("0" + text[1:]) if "UnifiedCode" in leaf.types else self.foreign(use, leaf)
        if use.kind == "uscc-inner":
            inner = "1" if text[16] != "1" else "2"
            return _unified(text[:16] + inner + "0")
        if use.kind.startswith("licence-"):
            return self.licence(use, text)
        if use.kind == "citizen-either":
            return text[:-2] + "01"[text[-2] == "0"] + text[-1] if len(text) == 18 else f"{text[:8]}1340{text[12:]}"
        if "from" in use.params:
            return self.spoiled_part(use, text)
        signs = {"citizen-check": checks.CITIZEN_CHECKS, "uscc-check": checks.USCC_SIGNS}.get(use.kind, "0123456789")
        return text[:-1] + self.dice.pick([sign for sign in signs if sign != text[-1]])

    def licence(self, use: RuleUse, text: str) -> str:
        """Return an e-licence identifier that breaks one rule and no other."""
        *front, kind, issuer, serial, version, check = text.split(".")
        if use.kind == "licence-check":
            return text[:-1] + ("0" if check != "0" else "1")
        if use.kind == "licence-type":
            kind = "000000000000000001" + kind[18:]
        else:
            issuer = "441800"
        return _licence([*front, kind, issuer, serial, version])

    def spoiled_part(self, use: RuleUse, text: str) -> str:
        """Return a text whose part that a rule looks at is wrong for that rule alone, where that can be."""
        start, end = int(use.params["from"]) - 1, int(use.params["to"])
        part = text[start:end]
        if use.kind == "uscc-inner":
            part = _unified(part[:16] + ("1" if part[16] != "1" else "2") + "0")
        elif use.kind == "uscc-check":
            part = part[:-1] + self.dice.pick([sign for sign in checks.USCC_SIGNS if sign != part[-1]])
        else:
            known = self.spec.tables[use.params["table"]].codes(use.params.get("set", "current")) if (
                use.kind == "table") else ()
            part = next(sign * len(part) for sign in "0987654321" if sign * len(part) not in known)
        return text[:start] + part + text[end:]

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
        leaf = self.member(name)
        if "Date8" in leaf.types:  # before every day that samples know, so that no order of dates is broken too
            self.twin[name] = f"19{10 + self.dice.below(30)}0{1 + self.dice.below(9)}{10 + self.dice.below(18)}"
            return
        self.text(use.params["of"])
        self.differ(use, name)

    def parity(self, use: RuleUse, name: str) -> None:
        number = self.text(use.params["of"])
        self.twin[name] = "2" if int(number[16:17] or number[14]) % 2 else "1"

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
        if "LicenceId" in self.member(name).types:
            *front, serial, version, _ = self.text(name).split(".")
            self.twin[name] = _licence([*front, text, version])
        else:
            self.twin[name] = f"ID-{text}"

    def together(self, use: RuleUse, name: str) -> None:
        other = use.params["of"]
        if name in self.twin and other in self.twin:
            del self.twin[other]
        elif name not in self.twin:
            leaf = self.group.members[name]
            assert isinstance(leaf, Leaf)
            self.twin[name] = leaf_text(leaf, self.spec, self.dice, 1, 1)

    def required(self, use: RuleUse, name: str) -> None:
        self.twin.pop(name, None)

    def only(self, use: RuleUse, name: str) -> None:
        member = self.group.members[name]
        if isinstance(member, Group):
            inner, leaf = next((n, m) for n, m in member.members.items() if isinstance(m, Leaf) and m.most == 1)
            made: Any = {inner: leaf_text(leaf, self.spec, self.dice, 1, 1)}
        else:
            made = leaf_text(member, self.spec, self.dice, 1, 1)
        self.twin[name] = [made] if member.most > 1 else made
        guard = self.group.members[use.params["when"]]
        assert isinstance(guard, Leaf)
        while holds(use.params, self.twin):
            self.twin[guard.name] = leaf_text(guard, self.spec, self.dice, 1, 1)

    def citizen(self, use: RuleUse, name: str) -> None:
        self.twin[name] = _checked("11010519491331002")

    def unified(self, use: RuleUse, name: str) -> None:
        self.twin[name] = _unified("91440300708461137")

    def birth(self, use: RuleUse, name: str) -> None:
        self.text(use.params["of"])
        self.twin[name] = {"Date8": "19000101", "Date": "1900-01-01"}[_first(self.member(name))]

    def differ(self, use: RuleUse, name: str) -> None:
        """Draw a field anew until it is another; raise LookupError if there is one text only."""
        self.text(use.params.get("of", name))
        before = self.text(name)
        for _ in range(1000):
            self.twin[name] = leaf_text(self.member(name), self.spec, self.dice, self.dice.below(999), 1)
            if self.twin[name] != before:
                return
        raise LookupError(f"there is one text only of {name}")

    def redraw(self, use: RuleUse, name: str) -> None:
        """Draw a field anew until it has not the form, or the beginning, that the rule wants.

        Raises LookupError if none is met.
        """
        start, end = int(use.params.get("from", "1")) - 1, int(use.params.get("to", "100000"))

        def wrong(text: str) -> bool:
            part = text[start:end]
            if use.kind == "form":
                return checks.misformed(use.params["pattern"], part)
            return not part.startswith(tuple(use.params["values"].split()))

        text = self.text(name)
        tries = [text[:start] + sign * len(text[start:end]) + text[end:] for sign in "09Z" if "from" in use.params]
        if "Text" in self.member(name).types:
            tries.append(phrases(self.dice, 4))
        for self.twin[name] in tries:
            if wrong(self.twin[name]):
                return
        for _ in range(10_000):
            if wrong(self.text(name)):
                return
            self.twin[name] = leaf_text(self.member(name), self.spec, self.dice, self.dice.below(999), 1)
        raise LookupError(f"every text of {name} is as rule {use.id} wants it")

    def sum(self, use: RuleUse, name: str) -> None:
        for part in use.params["parts"].split():
            self.text(part)
        total = sum(map(Decimal, (self.twin[part] for part in use.params["parts"].split())), Decimal(0))
        self.twin[name] = format((total + 1).normalize(), "f")

    def time_order(self, use: RuleUse, name: str) -> None:
        other = use.params["of"]
        self.text(other)
        self.twin[name] = shaped(self.member(name), moment(self.twin[other]) + timedelta(days=1))

    def within(self, use: RuleUse, name: str) -> None:
        other = use.params["of"]
        days = int(use.params["days"]) + 2
        self.twin[name] = shaped(self.member(name), moment(self.text(other)) + timedelta(days=days))

    def none(self, use: RuleUse, name: str) -> None:
        for other in use.params["among"].split():
            self.twin.pop(other, None)

    def all(self, use: RuleUse, name: str) -> None:
        for other in use.params["among"].split():
            self.text(other)


def _checked(front: str) -> str:
    return front[:17] + checks.citizen_check(front[:17])


def _licence(parts: Sequence[str]) -> str:
    return ".".join([*parts, checks.licence_check("".join(parts[-4:]))])


def _unified(code: str) -> str:
    return code[:17] + checks.uscc_check(code[:17])


def _first(leaf: Leaf) -> str:
    return next(name for name in leaf.types if name in ("Date8", "Date", "Month6", "Moment"))
