"""Every problem of a twin at once, in the specification's order, in our own sentences.

It walks the specification's fields over the twin, sets aside what is wrong in form, and runs the rules over the rest;
a rule that reads a field set aside says nothing.  XML and JSON twins come through here alike (DESIGN §7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from node.model.record import Problem
from node.model.sentence import Sentence
from node.validate.pattern import BLANK
from node.validate.rules.compiled import Rules
from node.validate.rules.wording import DOORS, FACETS, say, shown
from node.validate.shape import Group, Leaf, Member, Shape

_WHOLE = Sentence("此条记录", "the record")
MOST_UNKNOWN = 100
"""Most unknown names of one group that are told."""


class Explainer:
    """Explains one twin; `form` holds the problems of form, and what is left of the twin goes to the rules."""

    def __init__(self, shape: Shape, kept: frozenset[str] | None) -> None:
        self.shape = shape
        self.kept = kept
        self.form: list[Problem] = []
        self.bad: set[str] = set()

    def walk(self, twin: Any) -> Any:
        """Return the twin without what is wrong in form."""
        if not isinstance(twin, Mapping):
            self.form.append(Problem("", "object", say(DOORS["object"], _WHOLE)))
            return {}
        return self._group(self.shape.record, twin, "", "")

    def _group(self, group: Group, twin: Mapping[str, Any], field: str, path: str) -> dict[str, Any]:
        clean: dict[str, Any] = {}
        for name, member in group.members.items():
            where, plain = field + name, path + name
            if name in twin:
                value = self._many(member, twin[name], where, plain)
                if value is not None:
                    clean[name] = value
            elif member.least and (self.kept is None or not path and name in self.kept):
                self.add(where, plain, "required", member)
        unknown = sorted(str(name) for name in twin if name not in group.members)
        self.bad.update(path + name for name in unknown)
        for name in unknown[:MOST_UNKNOWN]:
            self.form.append(Problem(field + shown(name), "unknown", FACETS["unknown"]))
        return clean

    def _many(self, member: Member, value: Any, field: str, path: str) -> Any:
        if member.most == 1:
            return self._one(member, value, field, path)
        if not isinstance(value, list):
            return self.add(field, path, "type", member, Sentence("应为数组", "an array is wanted"))
        if not 1 <= len(value) <= member.most:
            return self.add(field, path, "occurs", member, f"1…{member.most}")
        return [self._one(member, one, f"{field}[{place}]", path) for place, one in enumerate(value, 1)]

    def _one(self, member: Member, value: Any, field: str, path: str) -> Any:
        if value is None:
            return self.add(field, path, "empty", member)
        if isinstance(member, Group):
            if isinstance(value, str) and not value.strip(BLANK):
                return self.add(field, path, "empty", member)
            if not isinstance(value, Mapping):
                return self.add(field, path, "type", member, Sentence("应含有子字段", "fields are wanted inside"))
            return self._group(member, value, field + "/", path + "/")
        if not isinstance(value, str):
            return self.add(field, path, "type", member, Sentence("应为字符串", "a string is wanted"))
        if member.numeric:
            return value  # all that can be wrong with a number's text is left to the rules
        if not value.strip(BLANK):
            return self.add(field, path, "empty", member)
        before = len(self.form)
        self._facets(member, value, field, path)
        return value if len(self.form) == before else None

    def _facets(self, leaf: Leaf, value: str, field: str, path: str) -> None:
        facets = leaf.facets
        if facets.min_length is not None and len(value) < facets.min_length:
            self.add(field, path, "min-length", leaf, facets.min_length)
        if facets.max_length is not None and len(value) > facets.max_length:
            self.add(field, path, "max-length", leaf, facets.max_length)
            if "Text" not in leaf.types:
                return  # a pattern is run on texts of bounded length only; that of Text takes one step a character
        if facets.pattern is not None and leaf.match is not None and leaf.match.fullmatch(value) is None:
            form = leaf.form or Sentence(facets.pattern, facets.pattern)
            self.add(field, path, "text" if "Text" in leaf.types else "pattern", leaf, form)
        if facets.enumeration is not None and value not in facets.enumeration:
            self.add(field, path, "enumeration", leaf, " ".join(facets.enumeration))

    def add(self, field: str, path: str, rule: str, member: Member, bound: object = "") -> None:
        """Note a problem of form, and set the field aside."""
        self.bad.add(path)
        self.form.append(Problem(field, rule, say(FACETS[rule], member.label, bound)))

    def touched(self, reads: frozenset[str]) -> bool:
        """Whether one of the fields, or something inside it, was set aside."""
        return any(path in reads or any(path.startswith(read + "/") for read in reads) for path in self.bad)


def explain(
    shape: Shape, rules: Rules, twin: Any, kept: frozenset[str] | None, today: str, tomorrow: str
) -> tuple[Sequence[Problem], Sequence[Problem]]:
    """Return the problems of form and those of rules; `kept` are the fields a delete must carry, None otherwise."""
    explainer = Explainer(shape, kept)
    clean = explainer.walk(twin)
    broken: list[Problem] = []
    for number, places in rules.broken(clean, today, tomorrow):
        rule = rules.all[number]
        if not explainer.touched(rule.reads):
            broken.append(Problem(rule.field(places), rule.id, rule.says, rule.severity))
    return explainer.form, broken
