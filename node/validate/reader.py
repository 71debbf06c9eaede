"""XSD to shape: reads one specification, with what it includes, and says all that is wrong with it.

Rule 1: a specification with any fault does not load.
Rule 2: what is read here is what `derive` builds the gates from; there is no second reading of an XSD.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lxml import etree

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.validate.derive import compiles
from node.validate.leaves import LeafReader
from node.validate.notes import Notes
from node.validate.profile import DEPTH, INCLUDE, NAME, XS, Fault, X, outside, parse_schema
from node.validate.shape import Group, Leaf, Member, Shape
from node.validate.tables import Table
from node.validate.uses import check_uses

Fetch = Callable[[str], bytes]
"""Returns the bytes of a file of the set by its name below `xsd/`; raises a Trouble if there is none."""

MOST = 1000


class Document:
    """One XSD read: its shape (None if it has faults), its trees for the gates, and the files it stands on."""

    def __init__(self, name: str, content: bytes, fetch: Fetch, table: Callable[[str], Table]) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self.root = parse_schema(name, content)
        self.faults += outside(self.root)
        self.includes: dict[str, etree._Element] = {}
        self.shape: Shape | None = None
        if self.root.tag == XS + "schema":
            self._include(fetch)
            self._read(table)

    def _include(self, fetch: Fetch) -> None:
        for element in self.root.findall(XS + "include"):
            location = element.get("schemaLocation", "")
            if not INCLUDE.fullmatch(location) or location in self.includes:
                self.fault(element, "include names one file as <name>/<version>.xsd, once")
                continue
            try:
                root = parse_schema(location, fetch(location))
            except Trouble as why:
                self.fault(element, f"{location}: {why.code.name}")
                continue
            inner = list(outside(root))
            self.faults += [Fault(one.line, f"{location}: {one.reason}") for one in inner]
            if root.get("targetNamespace") or any(child.tag not in _OF_TYPES for child in root):
                self.fault(element, "an included file holds simple types only and no target namespace")
            self.includes[location] = root

    def _read(self, table: Callable[[str], Table]) -> None:
        notes = Notes(self.fault)
        leaves = LeafReader([self.root, *self.includes.values()], notes, self.fault)
        head = self.root.find(f"{XS}annotation/{XS}appinfo/{X}specification")
        if head is None:
            self.fault(self.root, "x:specification is missing")
            return
        take = head.get
        namespace = f"urn:exn:{take('interface')}:{take('version', '').partition('.')[0]}"
        if self.name != f"{take('interface')}/{take('version')}":
            self.fault(head, "interface and version must be those of the file's place")
        if self.root.get("targetNamespace") != namespace or self.root.get("elementFormDefault") != "qualified":
            self.fault(self.root, f"targetNamespace must be {namespace}, elementFormDefault qualified")
        record = self._elements()
        if record is None:
            return
        group = self._member(record, leaves, notes, 0)
        if not isinstance(group, Group):
            self.fault(record, "the record must be a complex type")
            return
        shape = Shape(
            take("interface", ""), take("version", ""), namespace, notes.label(self.root), group, take("row", ""),
            take("operation", ""), take("time", ""), tuple(take("key", "").split()), take("correlation"), (),
        )
        tables = check_uses(shape, table, self.fault, head)
        if not self.faults and not compiles(self.root, self.includes):
            self.fault(self.root, "libxml2 does not take it")
        if not self.faults:
            self.shape = Shape(
                shape.interface, shape.version, namespace, shape.title, group, shape.row, shape.operation, shape.time,
                shape.key, shape.correlation, tables,
            )

    def _elements(self) -> etree._Element | None:
        """Return the record's element X; the other global element must be XList of 1 to n X."""
        found = self.root.findall(XS + "element")
        if len(found) != 2 or found[1].get("name") != f"{found[0].get('name')}List":
            self.fault(self.root, "there are two global elements, X and then XList")
            return None
        inner = found[1].findall(f"{XS}complexType/{XS}sequence/{XS}element")
        prefixed = inner[0].get("ref", "") if len(inner) == 1 else ""
        if prefixed.rpartition(":")[2] != found[0].get("name") or inner[0].get("maxOccurs") != "unbounded":
            self.fault(found[1], "XList is a sequence of one ref to X, maxOccurs unbounded")
        return found[0]

    def _member(self, element: etree._Element, leaves: LeafReader, notes: Notes, depth: int) -> Member | None:
        name = element.get("name", "")
        if not NAME.fullmatch(name) or element.get("ref"):
            self.fault(element, "a field has a name like PersonName")
            return None
        least, most = self._occurs(element)
        kind = element.find(XS + "complexType")
        if kind is None:
            return leaves.leaf(element, least, most)
        if depth >= DEPTH:
            self.fault(element, f"groups are nested at most {DEPTH} deep")
            return None
        members: dict[str, Member] = {}
        for child in kind.findall(f"{XS}sequence/{XS}element"):
            member = self._member(child, leaves, notes, depth + 1)
            if member is None:
                continue
            if member.name in members:
                self.fault(child, "a name stands twice in one group")
            members[member.name] = member
        if not members:
            self.fault(element, "a group holds at least one field")
        flat = all(isinstance(member, Leaf) and member.most == 1 for member in members.values())
        return Group(name, notes.label(element), least, most, members, tuple(notes.rules(element, group=True)), flat)

    def _occurs(self, element: etree._Element) -> tuple[int, int]:
        low, high = element.get("minOccurs", "1"), element.get("maxOccurs", "1")
        if low not in ("0", "1") or not high.isascii() or not high.isdigit() or not 1 <= int(high[:5]) <= MOST:
            self.fault(element, f"minOccurs is 0 or 1, maxOccurs 1 to {MOST}")
            return 1, 1
        return int(low), int(high)

    def fault(self, element: etree._Element, reason: str) -> None:
        """Note a fault at an element."""
        self.faults.append(Fault(element.sourceline or 1, reason))


_OF_TYPES = frozenset({XS + "annotation", XS + "simpleType"})


def read_specification(name: str, content: bytes, fetch: Fetch, table: Callable[[str], Table]) -> Document:
    """Return the document of a specification that fits the profile; raise Hold(SPECIFICATION_FORM) otherwise."""
    document = Document(name, content, fetch, table)
    if document.shape is None or document.faults:
        first = document.faults[0]
        raise trouble(codes.SPECIFICATION_FORM, name=name, where=f"line {first.line}", reason=first.reason)
    return document


def check_profile(name: str, content: bytes, fetch: Fetch, table: Callable[[str], Table]) -> Sequence[Fault]:
    """Return all that is wrong with an XSD, in the order of its lines."""
    return sorted(Document(name, content, fetch, table).faults, key=lambda fault: fault.line)
