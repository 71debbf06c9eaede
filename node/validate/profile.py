"""The profile of XSD that a specification may use (DESIGN §7): which elements and attributes may stand where.

Rule 1: what is not in this table is refused: choice, all, any, mixed, nillable, default, fixed, key, import, redefine,
attributes, unions and lists are left out because the XML and the JSON reading of them would differ.
Rule 2: nothing is resolved outside the specification's own set of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from node.model import codes
from node.model.sentence import Sentence
from node.model.trouble import trouble
from node.validate import wrong
from node.validate.wrong import SHOWN, Wrong

XS = "{http://www.w3.org/2001/XMLSchema}"
ANNOTATION = "urn:exn:annotation:1"
X = "{" + ANNOTATION + "}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
DEPTH = 4
OCTETS = 1 << 20
"""Most that one XSD file may be long."""

INCLUDE = re.compile(r"[a-z][a-z0-9-]{0,63}/[0-9]{1,4}\.[0-9]{1,4}\.xsd")
TABLE = re.compile(r"[a-z][a-z0-9-]{0,63}/[0-9]{1,4}[.-][0-9]{1,4}")
NAME = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")

FACETS = ("length", "minLength", "maxLength", "pattern", "enumeration", "minInclusive", "maxInclusive", "minExclusive",
          "maxExclusive", "totalDigits", "fractionDigits")

_PARTS: dict[str, tuple[set[str], set[str]]] = {
    XS + "schema": (
        {"targetNamespace", "elementFormDefault", "version"},
        {XS + "annotation", XS + "include", XS + "simpleType", XS + "element"},
    ),
    XS + "include": ({"schemaLocation"}, set()),
    XS + "annotation": (set(), {XS + "documentation", XS + "appinfo"}),
    XS + "documentation": ({LANG}, set()),
    XS + "appinfo": (set(), {X + "specification", X + "field", X + "rule"}),
    XS + "element": (
        {"name", "type", "ref", "minOccurs", "maxOccurs"}, {XS + "annotation", XS + "simpleType", XS + "complexType"},
    ),
    XS + "complexType": (set(), {XS + "annotation", XS + "sequence"}),
    XS + "sequence": (set(), {XS + "element"}),
    XS + "simpleType": ({"name"}, {XS + "annotation", XS + "restriction"}),
    XS + "restriction": ({"base"}, {XS + facet for facet in FACETS}),
    X + "specification": ({"interface", "version", "row", "operation", "time", "key", "correlation"}, set()),
    X + "field": ({"grade", "mask"}, set()),
    X + "rule": (
        {"kind", "id", "severity", "field", "of", "when", "in", "begins", "contains", "given", "length", "table", "set",
         "from", "to", "date", "grace", "parts", "among", "values", "pattern", "days"}, {X + "says"},
    ),
    X + "says": ({LANG}, set()),
    **{XS + facet: ({"value"}, set()) for facet in FACETS},
}
_TEXT = {XS + "documentation", X + "says"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an XSD, and in which line; `file` is the included file it stands in, empty for the XSD."""

    line: int
    wrong: Wrong
    file: str = ""

    @property
    def says(self) -> Sentence:
        """What is wrong."""
        return self.wrong.within(self.file, self.file).says if self.file else self.wrong.says

    @property
    def reason(self) -> str:
        """What is wrong, in English."""
        return self.says.en


def parse_schema(name: str, content: bytes) -> etree._Element:
    """Return the root of an XSD's tree; raise Hold(SPECIFICATION_FORM) if it is no well-formed XML without DTD."""
    found = read_tree(content)
    if isinstance(found, Fault):
        raise trouble(codes.SPECIFICATION_FORM, name=name, where=f"line {found.line}", reason=found.says)
    return found


def read_tree(content: bytes) -> etree._Element | Fault:
    """Return the root of an XSD's tree, or why there is none."""
    if len(content) > OCTETS:
        return Fault(1, wrong.SIZE.of(limit=OCTETS))
    for sign, found in ((b"\0", wrong.NUL), (b"<!DOCTYPE", wrong.DTD), (b"<!ENTITY", wrong.DTD)):
        if sign in content:
            return Fault(content[:content.index(sign)].count(b"\n") + 1, found)
    try:
        content.decode()
    except UnicodeDecodeError as fault:
        return Fault(content[:fault.start].count(b"\n") + 1, wrong.CHARSET)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True,
        remove_pis=True, encoding="utf-8",
    )
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as fault:
        return Fault(fault.lineno or 1, wrong.XML)


def outside(root: etree._Element) -> Iterator[Fault]:
    """Yield every element, attribute and text that the profile does not know."""
    if root.tag != XS + "schema":
        yield Fault(1, wrong.ROOT)
        return
    yield from _moved(root)
    left = [root]
    while left:
        element = left.pop()
        line = element.sourceline or 1
        attributes, children = _PARTS[str(element.tag)]  # what is outside the table was dropped with its parent
        for attribute in element.keys():
            if attribute not in attributes:
                yield Fault(line, wrong.ATTRIBUTE.of(name=_short(str(attribute))))
        for child in list(element):
            if child.tag not in children:
                yield Fault(child.sourceline or line, wrong.ELEMENT.of(name=_short(str(child.tag))))
                element.remove(child)
        left += reversed(element)
        texts = [element.text, *(child.tail for child in element)]
        if element.tag not in _TEXT and any(text and text.strip() for text in texts):
            yield Fault(line, wrong.TEXT)


MOVED = 100
"""So many complex types are put where they are used: a chain of them makes the tree deep."""


def _moved(root: etree._Element) -> Iterator[Fault]:
    """Yield a fault for every complex type with a name, and put it where it is used first, so that it is read on."""
    users: dict[str, etree._Element] = {}
    for element in root.iter(XS + "element"):
        users.setdefault(element.get("type", "").rpartition(":")[2], element)
    for number, kind in enumerate(root.findall(XS + "complexType")):
        name = kind.attrib.pop("name", "")
        user = users.get(str(name)) if number < MOVED else None
        yield Fault(kind.sourceline or 1, wrong.NAMED.of(name=_short(str(name))))
        if name and user is not None and kind not in (user, *user.iterancestors()):
            del user.attrib["type"]
            user.append(kind)


def _short(tag: str) -> str:
    return tag.rpartition("}")[2][:SHOWN]
