"""The twin: a record's JSON form, from an XML element or from JSON bytes, and back to XML.

Fast readers serve records whose form the gate has already let through.  Careful readers take anything, give the twin
as far as it can be read, and name every fault that only their door can show (order, namespace, attribute, comment;
repeated name, number).  What both doors can show is left to `explain`, so both doors say it alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from node.model.record import Problem, Twin
from node.model.sentence import Sentence
from node.validate.rules.wording import DOORS, FACETS, say, shown
from node.validate.shape import Group, Leaf, Member, Shape

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_ELEMENT: Any = etree.Element
JSON_DIGITS = 15
"""Most digits of a JSON number: beyond them readers differ (RFC 7493 §2.2)."""


def fast_twin(element: Any, group: Group, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the twin of an element that passed the gate and holds no comment; `names` tells names by tag."""
    if group.flat:
        return {names[child.tag]: child.text for child in element.iterchildren(_ELEMENT)}
    twin: dict[str, Any] = {}
    for child in element.iterchildren(_ELEMENT):
        name = names[child.tag]
        member = group.members[name]
        value = child.text if isinstance(member, Leaf) else fast_twin(child, member, names)
        if member.most > 1:
            twin.setdefault(name, []).append(value)
        else:
            twin[name] = value
    return twin


def names_by_tag(shape: Shape) -> Mapping[str, str]:
    """Return the names of all fields of a specification by the tag their elements have."""
    def within(group: Group) -> Iterator[str]:
        for name, member in group.members.items():
            yield name
            if isinstance(member, Group):
                yield from within(member)

    return {f"{{{shape.namespace}}}{name}": name for name in within(shape.record)}


class XmlReader:
    """The careful reader of one XML record; `problems` holds what only XML can show."""

    def __init__(self, shape: Shape) -> None:
        self.namespace = shape.namespace
        self.problems: list[Problem] = []

    def read(self, element: etree._Element, group: Group, path: str = "") -> dict[str, Any]:
        """Return the twin of a group's element."""
        self._attributes(element, path or group.name, group.label)
        twin: dict[str, Any] = {}
        order = {name: place for place, name in enumerate(group.members)}
        last = 0
        for child in element.iterchildren(tag=etree.Element):
            name = etree.QName(child).localname
            member = group.members.get(name)
            label = member.label if member else Sentence(shown(name), shown(name))
            field = path + shown(name)
            if etree.QName(child).namespace != self.namespace:
                self.add(field, "namespace", label)
            if member is not None and order[name] < last:
                self.add(field, "sequence", label)
            last = max(last, order.get(name, last))
            self._put(twin, name, self._value(child, member, field, label), member, field)
        texts = [element.text, *(child.tail for child in element)]
        if any(text and text.strip(" \t\r\n") for text in texts):
            self.add(path.rstrip("/") or group.name, "mixed", group.label)
        return twin

    def _value(self, child: etree._Element, member: Member | None, field: str, label: Sentence) -> Any:
        if isinstance(member, Group):
            return self.read(child, member, field + "/")
        self._attributes(child, field, label)
        inner = list(child.iterchildren(tag=etree.Element))
        if inner:
            return {etree.QName(one).localname: one.text or "" for one in inner}
        if len(child):
            self.add(field, "comment", label)
        return (child.text or "") + "".join(one.tail or "" for one in child)

    def _put(self, twin: dict[str, Any], name: str, value: Any, member: Member | None, field: str) -> None:
        if member is not None and member.most > 1:
            twin.setdefault(name, []).append(value)
        elif name in twin:
            self.add(field, "duplicate", member.label if member else Sentence(shown(name), shown(name)))
        else:
            twin[name] = value

    def _attributes(self, element: etree._Element, field: str, label: Sentence) -> None:
        kinds = {"instance" if str(name).startswith(XSI) else "attribute" for name in element.keys()}
        for kind in sorted(kinds):
            self.add(field.rstrip("/"), kind, label)

    def add(self, field: str, rule: str, label: Sentence) -> None:
        """Note a problem once per field and rule."""
        problem = Problem(field, rule, say(DOORS[rule], label))
        if problem not in self.problems:
            self.problems.append(problem)


class _Number(str):
    """The text of a JSON number, as it was written."""


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its members, repeated ones too."""


class JsonReader:
    """The careful reader of one JSON record; `problems` holds what only JSON can show."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.problems: list[Problem] = []

    def read(self, content: bytes) -> Any:
        """Return the twin of bytes that a JSON parser has already taken: numbers as texts, repeated names noted."""
        tree = json.loads(content, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number)
        return self._value(tree, self.shape.record, "")

    def _value(self, tree: Any, member: Member | None, field: str) -> Any:
        if isinstance(tree, _Pairs):
            group = member if isinstance(member, Group) else None
            twin: dict[str, Any] = {}
            for name, value in tree:
                inner = group.members.get(name) if group else None
                path = f"{field}/{shown(name)}" if field else shown(name)
                if name in twin:
                    label = inner.label if inner else Sentence(shown(name), shown(name))
                    self.problems.append(Problem(path, "duplicate", say(DOORS["duplicate"], label)))
                twin[name] = self._value(value, inner, path)
            return twin
        if isinstance(tree, list):
            return [self._value(one, member, f"{field}[{place}]") for place, one in enumerate(tree, 1)]
        if isinstance(tree, _Number):
            return self._number(str(tree), member, field)
        return tree

    def _number(self, text: str, member: Member | None, field: str) -> Any:
        """Return a number's plain decimal text for a numeric leaf of at most 15 digits, else something not text."""
        if not isinstance(member, Leaf) or not member.numeric:
            return 0
        value = Decimal(text) if len(text) <= 40 else Decimal("Infinity")
        plain = value.is_finite() and abs(value.adjusted()) <= JSON_DIGITS and format(value, "f")
        if not plain or len(plain.replace("-", "").replace(".", "").lstrip("0")) > JSON_DIGITS:
            self.problems.append(Problem(field, "json-number", say(FACETS["json-number"], member.label, JSON_DIGITS)))
            return text
        return plain


def to_xml(shape: Shape, twins: Sequence[Twin], single: bool = False) -> bytes:
    """Return XList of the twins as UTF-8 XML, or X alone if `single`; members in the specification's order."""
    opening = f'<?xml version="1.0" encoding="UTF-8"?>\n<{{}} xmlns="{shape.namespace}">'
    inner = ["".join(_elements(shape.record, twin)) for twin in twins]
    name = shape.record.name
    if single:
        return f"{opening.format(name)}{inner[0]}</{name}>".encode()
    records = "".join(f"<{name}>{one}</{name}>\n" for one in inner)
    return f"{opening.format(name + 'List')}\n{records}</{name}List>".encode()


def _elements(group: Group, twin: Mapping[str, Any]) -> list[str]:
    """Return the elements of a group; members the specification does not know come last."""
    parts: list[str] = []
    unknown = [name for name in twin if name not in group.members]
    for name in [*(one for one in group.members if one in twin), *unknown]:
        member = group.members.get(name)
        value = twin[name]
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                inner = "".join(_elements(member if isinstance(member, Group) else _NONE, one))
            else:
                inner = escape(str(one))
            parts.append(f"<{name}>{inner}</{name}>")
    return parts


_NONE = Group("", Sentence("", ""), 0, 1, {})
