"""A tolerant walker over BER (X.690): what it tolerates it names, and its depth and number of elements are bounded.

Elements are views of one octet string; nothing is copied before a value is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from node.envelope.cms import der
from node.model import codes
from node.model.trouble import Trouble, trouble

DEPTH = 24
ELEMENTS = 200_000
_IDENTIFIER_OCTETS = 64


def unreadable(reason: str) -> Trouble:
    """Return the trouble of a file that is no message, with one safe word of why."""
    return trouble(codes.CMS_UNREADABLE, reason=reason)


@dataclass(frozen=True, slots=True)
class Element:
    """One element: its identifier octet, where its contents begin and end, and where the next element begins."""

    source: bytes = field(repr=False)
    tag: int
    start: int
    inner: int
    end: int
    after: int
    depth: int
    within: tuple[Element, ...] | None = None

    @property
    def constructed(self) -> bool:
        """Whether it holds elements."""
        return bool(self.tag & 0x20)

    @property
    def contents(self) -> bytes:
        """The content octets as they stand."""
        return self.source[self.inner:self.end]

    @property
    def octets(self) -> bytes:
        """The whole element as it stands."""
        return self.source[self.start:self.after]


@dataclass(slots=True)
class Walk:
    """One reading of one file: counts its elements and remembers what was not DER."""

    quirks: set[str] = field(default_factory=set)
    elements: int = 0

    def root(self, source: bytes) -> Element:
        """Return the outermost element; octets after it are a quirk."""
        element = self.read(source, 0, len(source), 0)
        if element.after != len(source):
            self.quirks.add("trailing-octets")
        return element

    def read(self, source: bytes, at: int, end: int, depth: int) -> Element:
        """Return the element at `at`, which ends before `end`; raise Refused(CMS_UNREADABLE) if there is none."""
        self.elements += 1
        if self.elements > ELEMENTS or depth > DEPTH:
            raise unreadable("too-deep-or-many")
        if end - at < 2:
            raise unreadable("truncated")
        tag, first, inner = source[at], source[at + 1], at + 2
        if tag & 0x1F == 0x1F:
            raise unreadable("long-tag")
        if first == 0x80:
            return self._indefinite(source, tag, at, end, depth)
        if first > 0x80:
            size = first & 0x7F
            if size > 8 or end - inner < size:
                raise unreadable("length")
            first, inner = int.from_bytes(source[inner:inner + size], "big"), inner + size
            if len(der.header(tag, first)) != inner - at:
                self.quirks.add("long-length")
        if first > end - inner:
            raise unreadable("truncated")
        return Element(source, tag, at, inner, inner + first, inner + first, depth)

    def _indefinite(self, source: bytes, tag: int, at: int, end: int, depth: int) -> Element:
        if not tag & 0x20:
            raise unreadable("length")
        self.quirks.add("indefinite-length")
        within, here = [], at + 2
        while source[here:here + 2] != b"\x00\x00" or end - here < 2:
            element = self.read(source, here, end, depth + 1)
            within.append(element)
            here = element.after
        return Element(source, tag, at, at + 2, here, here + 2, depth, tuple(within))

    def children(self, element: Element) -> tuple[Element, ...]:
        """Return the elements inside a constructed one."""
        if not element.constructed:
            raise unreadable("structure")
        if element.within is not None:
            return element.within
        found, here = [], element.inner
        while here < element.end:
            child = self.read(element.source, here, element.end, element.depth + 1)
            found.append(child)
            here = child.after
        return tuple(found)

    def string(self, element: Element) -> bytes:
        """Return the octets of a string, put together if it was written in pieces."""
        if not element.constructed:
            return element.contents
        self.quirks.add("constructed-string")
        return b"".join(self.string(piece) for piece in self.children(element))

    def integer(self, element: Element) -> int:
        """Return the value of an INTEGER."""
        if element.tag != der.INTEGER or not 0 < element.end - element.inner <= _IDENTIFIER_OCTETS:
            raise unreadable("integer")
        value = int.from_bytes(element.contents, "big", signed=True)
        if der.integer(value)[2:] != element.contents:
            self.quirks.add("long-integer")
        return value

    def identifier(self, element: Element) -> str:
        """Return an OBJECT IDENTIFIER in dotted form."""
        octets = element.contents
        if element.tag != der.OID or not 0 < len(octets) <= _IDENTIFIER_OCTETS or octets[-1] & 0x80:
            raise unreadable("identifier")
        arcs, value = [], 0
        for octet in octets:
            value = value << 7 | octet & 0x7F
            if not octet & 0x80:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))

    def canonical(self, element: Element) -> bytes:
        """Return the element with definite lengths and sets in order: its DER, where only its lengths were not."""
        if not element.constructed:
            return der.tlv(element.tag, element.contents)
        inside = [self.canonical(child) for child in self.children(element)]
        if element.tag == der.SET:
            inside.sort()
        return der.tlv(element.tag, *inside)
