"""Changes that know the elements of ASN.1: lengths around a change stay right, or are wrong on purpose."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.fuzz.mutate.octets import octets

CONTENTS = (
    b"", b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff", b"\x00\x80", b"\x00\x01", b"\xff" * 33, b"\x7f" + b"\xff" * 20,
    b"\x00" * 32, b"\x30\x80\x00\x00", b"\x05\x00", b"\x06\x01\x80", b"\x06\x80", b"a" * 200, b"\x01" + b"\x00" * 160,
)
TAGS = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x17, 0x18, 0x24, 0x30, 0x31, 0x80, 0x81, 0xA0, 0xA1, 0x1F,
        0x3F)
DEEP = 40


@dataclass
class Element:
    """One element: its tag, its inner elements if it is constructed, else its content; `form` writes its length."""

    tag: int
    content: bytes = b""
    inner: list[Element] = field(default_factory=list)
    form: str = "short"

    def body(self) -> bytes:
        """Return the octets it holds."""
        return b"".join(one.write() for one in self.inner) if self.inner else self.content

    def write(self) -> bytes:
        """Return its octets."""
        body = self.body()
        if self.form == "indefinite":
            return bytes([self.tag | 0x20, 0x80]) + body + b"\x00\x00"
        size = len(body)
        if self.form == "wrong":
            size = max(0, size - 1) if size % 2 else size + 1
        if self.form == "huge":
            size = (1 << 31) + 7
        octets_of = size.to_bytes((size.bit_length() + 7) // 8 or 1, "big")
        if self.form == "long":
            octets_of = b"\x00" + octets_of
        short = size < 0x80 and self.form != "long"
        return bytes([self.tag]) + (bytes([size]) if short else bytes([0x80 | len(octets_of)]) + octets_of) + body


def read(data: bytes, depth: int = 0) -> list[Element] | None:
    """Return the elements that octets consist of, None if they are something else."""
    found, at = [], 0
    while at < len(data):
        if len(data) - at < 2 or data[at] & 0x1F == 0x1F:
            return None
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4:
                return None
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        if size > len(data) - at:
            return None
        content, at = data[at : at + size], at + size
        nested = tag & 0x20 or (tag in (0x03, 0x04) and content[:1] in (b"\x30", b"\x31", b"\x00"))
        inner = read(content, depth + 1) if nested and content and depth < DEEP else None
        found.append(Element(tag, content, inner or []))
    return found


def asn1(data: bytes, chance: Random) -> bytes:
    """Return the input with one or two of its elements changed."""
    roots = read(data)
    if not roots:
        return octets(data, chance)
    for _ in range(chance.choice((1, 1, 2))):
        _change(roots, chance)
    return b"".join(one.write() for one in roots)


def _lists(elements: list[Element]) -> list[list[Element]]:
    return [elements, *(inner for one in elements if one.inner for inner in _lists(one.inner))]


def _copy(element: Element) -> Element:
    """Return the same element, flat, so that none is ever part of itself."""
    return Element(element.tag, element.body())


def _change(roots: list[Element], chance: Random) -> None:
    lists = [one for one in _lists(roots) if one]
    if not lists:
        return
    place = chance.choice(lists)
    at = chance.randrange(len(place))
    one = place[at]
    act = chance.randrange(10)
    if act == 0:
        one.tag = chance.choice(TAGS)
    elif act == 1:
        one.content, one.inner = chance.choice(CONTENTS), []
    elif act == 2:
        one.content, one.inner = octets(one.write()[2:], chance), []
    elif act == 3:
        one.form = chance.choice(("indefinite", "long", "wrong", "huge"))
    elif act == 4:
        del place[at]
    elif act == 5:
        place.insert(at, _copy(one))
    elif act == 6:
        place.insert(chance.randrange(len(place)), place.pop(at))
    elif act == 7:
        place[at] = _copy(chance.choice(chance.choice(lists)))
    elif act == 8:
        nested = one.write()
        for _ in range(chance.choice((1, 1, 50, 600))):
            nested = Element(0x30, nested).write()
        place[at] = Element(0x30, nested)
    else:
        place.extend([Element(one.tag, one.content)] * chance.choice((2, 3, 300)))
