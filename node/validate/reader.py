"""XSD to shape: reads one specification, with what it includes, and says all that is wrong with it.

Rule 1: a specification with any fault does not load.
Rule 2: what is read here is what `derive` builds the gates from; there is no second reading of an XSD.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lxml import etree

from node.model import codes
from node.model.sentence import Sentence
from node.model.trouble import Trouble, trouble
from node.validate import pattern, wrong
from node.validate.derive import compiles
from node.validate.leaves import LeafReader
from node.validate.notes import Notes
from node.validate.profile import DEPTH, INCLUDE, NAME, XS, Fault, X, outside, parse_schema, read_tree
from node.validate.shape import Group, Leaf, Member, Shape, leaves
from node.validate.tables import Table
from node.validate.uses import check_uses
from node.validate.wrong import SHOWN, Wrong

FIELDS, WRITTEN = Sentence("字段", "fields"), Sentence("模式展开后的字符", "characters of patterns written out")
Fetch = Callable[[str], bytes]
"""Returns the bytes of a file of the set by its name below `xsd/`; raises a Trouble if there is none."""

MOST = 1000
"""Most times a field may occur, and most fields of a record."""

PATTERNS = 50_000
"""Most characters of all patterns together, written out: what the engines keep of a specification stays small."""


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
                self.fault(element, wrong.INCLUDE)
                continue
            try:
                root = parse_schema(location, fetch(location))
            except Trouble as why:
                reason = why.details.get("reason")
                said = reason if isinstance(reason, Sentence) else why.code.name
                self.fault(element, wrong.INCLUDED.of(name=location, reason=said))
                continue
            self.faults += [Fault(one.line, one.wrong, location) for one in outside(root)]
            if root.get("targetNamespace") or any(child.tag not in _OF_TYPES for child in root):
                self.fault(element, wrong.INCLUDE_TYPES)
            self.includes[location] = root

    def _read(self, table: Callable[[str], Table]) -> None:
        notes = Notes(self.fault, self.root)
        reader = LeafReader([self.root, *self.includes.values()], notes, self.fault)
        head = self.root.find(f"{XS}annotation/{XS}appinfo/{X}specification")
        if head is None:
            self.fault(self.root, wrong.HEAD)
            return
        take = head.get
        namespace = f"urn:exn:{take('interface')}:{take('version', '').partition('.')[0]}"
        if self.name != f"{take('interface')}/{take('version')}":
            self.fault(head, wrong.PLACE)
        if self.root.get("targetNamespace") != namespace or self.root.get("elementFormDefault") != "qualified":
            self.fault(self.root, wrong.NAMESPACE.of(name=namespace[:2 * SHOWN]))
        record = self._elements()
        if record is None:
            return
        group = self._member(record, reader, notes, 0)
        if not isinstance(group, Group):
            self.fault(record, wrong.RECORD)
            return
        shape = Shape(
            take("interface", ""), take("version", ""), namespace, notes.label(self.root), group, take("row", ""),
            take("operation", ""), take("time", ""), tuple(take("key", "").split()), take("correlation"), (),
            notes.note(self.root),
        )
        self._bounds(group)
        tables = check_uses(shape, table, self.note, head.sourceline or 1)
        if not self.faults and not compiles(self.root, self.includes):
            self.fault(self.root, wrong.LIBXML)
        if not self.faults:
            self.shape = replace(shape, tables=tables)

    def _bounds(self, record: Group) -> None:
        """Note a fault if the record has more fields, or its patterns are longer, than is ever needed."""
        held = [leaf for _, leaf in leaves(record)]
        sizes = sum(pattern.size(pattern.parse(leaf.facets.pattern)) for leaf in held if leaf.facets.pattern)
        for what, size, limit in ((FIELDS, len(held), MOST), (WRITTEN, sizes, PATTERNS)):
            if size > limit:
                self.fault(self.root, wrong.LARGE.of(what=what, size=size, limit=limit))

    def _elements(self) -> etree._Element | None:
        """Return the record's element X; the other global element must be XList of 1 to n X."""
        found = self.root.findall(XS + "element")
        if len(found) != 2 or found[1].get("name") != f"{found[0].get('name')}List":
            self.fault(self.root, wrong.ELEMENTS)
            return None
        inner = found[1].findall(f"{XS}complexType/{XS}sequence/{XS}element")
        prefixed = inner[0].get("ref", "") if len(inner) == 1 else ""
        if prefixed.rpartition(":")[2] != found[0].get("name") or inner[0].get("maxOccurs") != "unbounded":
            self.fault(found[1], wrong.LIST)
        return found[0]

    def _member(self, element: etree._Element, reader: LeafReader, notes: Notes, depth: int) -> Member | None:
        name = element.get("name", "")
        if not NAME.fullmatch(name) or element.get("ref"):
            self.fault(element, wrong.NAME)
            return None
        least, most = self._occurs(element)
        kind = element.find(XS + "complexType")
        if kind is None:
            return reader.leaf(element, least, most)
        if depth >= DEPTH:
            self.fault(element, wrong.DEEP.of(limit=DEPTH))
            return None
        members: dict[str, Member] = {}
        for child in kind.findall(f"{XS}sequence/{XS}element"):
            member = self._member(child, reader, notes, depth + 1)
            if member is None:
                continue
            if member.name in members:
                self.fault(child, wrong.TWICE)
            members[member.name] = member
        if not members:
            self.fault(element, wrong.EMPTY)
        flat = all(isinstance(member, Leaf) and member.most == 1 for member in members.values())
        return Group(name, notes.label(element), least, most, members, tuple(notes.rules(element, group=True)), flat,
                     notes.note(element))

    def _occurs(self, element: etree._Element) -> tuple[int, int]:
        low, high = element.get("minOccurs", "1"), element.get("maxOccurs", "1")
        if low not in ("0", "1") or not high.isascii() or not high.isdigit() or not 1 <= int(high[:5]) <= MOST:
            self.fault(element, wrong.OCCURS.of(limit=MOST))
            return 1, 1
        return int(low), int(high)

    def fault(self, element: etree._Element, found: Wrong) -> None:
        """Note a fault at an element of the XSD or of a file it includes."""
        root = element.getroottree().getroot()
        file = next((name for name, tree in self.includes.items() if tree is root), "")
        self.faults.append(Fault(element.sourceline or 1, found, file))

    def note(self, line: int, found: Wrong) -> None:
        """Note a fault at a line of the XSD."""
        self.faults.append(Fault(line, found))


_OF_TYPES = frozenset({XS + "annotation", XS + "simpleType"})


def read_specification(name: str, content: bytes, fetch: Fetch, table: Callable[[str], Table]) -> Document:
    """Return the document of a specification that fits the profile; raise Hold(SPECIFICATION_FORM) otherwise."""
    document = Document(name, content, fetch, table)
    if document.shape is None or document.faults:
        first = document.faults[0]
        raise trouble(codes.SPECIFICATION_FORM, name=name, where=f"line {first.line}", reason=first.says)
    return document


def check_profile(name: str, content: bytes, fetch: Fetch, table: Callable[[str], Table]) -> Sequence[Fault]:
    """Return all that is wrong with an XSD, in the order of its lines; raise Hold(SPECIFICATION_FORM) for no XML."""
    return sorted(Document(name, content, fetch, table).faults, key=lambda fault: (fault.file, fault.line))


def examine(name: str, content: bytes, fetch: Fetch, table: Callable[[str], Table]) -> Sequence[Fault]:
    """Return all that is wrong with a file; one that is no XML at all has one fault."""
    found = read_tree(content)
    return [found] if isinstance(found, Fault) else check_profile(name, content, fetch, table)
