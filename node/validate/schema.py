"""The JSON Schema of a specification for others to use: the node's own gate, with titles, words, grades and examples.

Rule 1: it takes every record, and refuses what the node refuses for its form; what only rules can say stands in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from node.model.record import Twin
from node.model.sentence import Sentence
from node.validate.derive import json_schema
from node.validate.shape import Group, Leaf, Member
from node.validate.specification import Specification
from node.validate.told.words import GRADES, SEVERITIES, form, named

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def published_schema(spec: Specification, example: Twin | None = None) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a record, deletes included; values of `example` stand with their fields.

    The fields stand once with their words, in the form of a delete; a record of another operation must fit the whole
    form too.
    """
    shape = spec.shape
    loose = json_schema(shape, shape.kept)
    whole = json_schema(shape)
    rules: dict[str, list[dict[str, str]]] = {}
    for rule in named(spec):
        told = {"id": rule.id, "severity": rule.severity, "zh": rule.says.zh, "en": rule.says.en}
        rules.setdefault(rule.path, []).append(told)
    _Words(rules).group(loose, shape.record, "", example or {})
    for schema in (loose, whole):
        schema.pop("$schema")
        schema.pop("title")
    return {
        "$schema": DIALECT,
        "$id": f"urn:exn:schema:{shape.interface}:{shape.version}",
        "title": both(shape.title),
        "description": f"接口规范{spec.id}，SM3 {spec.id.digest}\n"
                       f"Specification {spec.id}, SM3 {spec.id.digest}",
        **loose,
        "if": {"properties": {shape.operation: {"const": "D"}}, "required": [shape.operation]},
        "else": whole,
    }


def both(sentence: Sentence) -> str:
    """Return a label in both languages on one line."""
    return f"{sentence.zh} / {sentence.en}"


class _Words:
    """Writes words into a derived schema."""

    def __init__(self, rules: Mapping[str, list[dict[str, str]]]) -> None:
        self.rules = rules

    def group(self, schema: dict[str, Any], group: Group, path: str, example: Any) -> None:
        for name, member in group.members.items():
            inner = schema["properties"][name]
            value = example.get(name) if isinstance(example, Mapping) else None
            self.member(inner, member, path + name, value)

    def member(self, schema: dict[str, Any], member: Member, path: str, value: Any) -> None:
        said, rules = form(member), self.rules.get(path, [])
        lines = [said.zh, said.en, *(() if member.note is None else (member.note.zh, member.note.en))]
        for rule in rules:
            severity = SEVERITIES[rule["severity"]]
            lines += [f"{severity.zh}：{rule['zh']}", f"{severity.en}: {rule['en']}"]
        schema["title"] = both(member.label)
        schema["description"] = "\n".join(lines)
        place = schema["items"] if member.most > 1 else schema
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(member, Leaf):
            schema["x-exn-grade"] = member.grade
            schema["x-exn-sensitivity"] = both(GRADES[member.grade])
            if member.mask:
                schema["x-exn-mask"] = member.mask
            if member.numeric and member.facets.pattern:
                place["pattern"] = f"^(?:{member.facets.pattern})$"
            if isinstance(first, str):
                place["examples"] = [first]
        else:
            place["minProperties"] = 1  # an empty group is refused by a rule of the node's own
            self.group(place, member, f"{path}/", first)
        if rules:
            schema["x-exn-rules"] = [rule["id"] for rule in rules]
