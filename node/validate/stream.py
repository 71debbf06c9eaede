"""XML of any length, record by record: the door's reading (`document`) for files that no memory holds.

Rule 1: every record gives the draft that the door would make of it; whatever spoils a document spoils it here too, only
    later: the records before that place have been yielded by then.
Rule 2: nothing is kept but the record being read and what has just been fed; both are bounded before they are parsed.
Rule 3: no DTD, no entity but the five of XML, nothing fetched.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from lxml import etree

from node.model import codes
from node.model.record import Draft
from node.model.trouble import Trouble, trouble
from node.validate.document import CHARSETS, DECLARED, Limits, is_odd, record_faults
from node.validate.shape import Shape

CHUNK = 1 << 16
"""Most octets that are fed at once."""

_OVERLAP = 32
"""More than the longest sign that is looked for, so that one cut in two is found."""

_HEAD = 512
"""In so many octets an XML declaration ends, if there is one."""


def read_records(
    chunks: Iterable[bytes], charset: str | None, shape: Shape, limits: Limits = Limits()
) -> Iterator[Draft]:
    """Yield the drafts of an XML document given in pieces of at most CHUNK octets; `limits` bounds each record.

    Raises Refused (TOO_LARGE, MEDIA, MALFORMED) where the document cannot be read any further.  A draft is good until
    the next is asked for.
    """
    reader = _Reader(shape, limits)
    for piece in _clear(chunks, charset):
        yield from reader.feed(piece)
    yield from reader.end()


class _Reader:
    def __init__(self, shape: Shape, limits: Limits) -> None:
        self.shape, self.limits = shape, limits
        self.record = f"{{{shape.namespace}}}{shape.record.name}"
        self.parser = etree.XMLPullParser(
            events=("start", "end"), tag=(self.record, self.record + "List"), resolve_entities=False, no_network=True,
            load_dtd=False, dtd_validation=False, attribute_defaults=False, huge_tree=False, recover=False,
            collect_ids=False, encoding="utf-8",
        )
        self.root: etree._Element | None = None
        self.done: etree._Element | None = None
        self.index = self.line = 0
        self.fed = 0
        """Octets fed since a record was last found complete."""
        self.tail = b""
        self.odd = False

    def feed(self, piece: bytes) -> Iterator[Draft]:
        """Yield the drafts of the records that are complete with this piece."""
        self._look(piece)
        self.fed += len(piece)
        if self.fed > self.limits.record_octets + 2 * CHUNK:  # what was fed beyond one record is at most a piece
            raise trouble(codes.TOO_LARGE, what="record", limit=self.limits.record_octets)
        try:
            self.parser.feed(piece)
        except etree.XMLSyntaxError as fault:
            yield from self._broken(fault.lineno or 1)
        self._events()
        self.line += piece.count(b"\n")
        yield from self._complete(last=False)

    def end(self) -> Iterator[Draft]:
        """Yield what is left once all has been fed."""
        try:
            root = self.parser.close()
        except etree.XMLSyntaxError as fault:
            yield from self._broken(fault.lineno or 1)
        self._events()
        if root.tag == self.record:
            if self.fed > self.limits.record_octets:
                raise trouble(codes.TOO_LARGE, what="record", limit=self.limits.record_octets)
            yield self._draft(root)
            return
        if self.root is None:
            raise _malformed("root element", root.sourceline or 1)
        yield from self._complete(last=True)
        if not self.index:
            raise _malformed("list element", root.sourceline or 1)

    def _look(self, piece: bytes) -> None:
        """Look for what the parser is not to meet, and for what asks for the careful reader."""
        seen = self.tail + piece
        for sign in (b"<!DOCTYPE", b"<!ENTITY"):
            if sign in seen:
                before = piece[:max(0, seen.index(sign) - len(self.tail))]
                raise _malformed("DTD", self.line + 1 + before.count(b"\n"))
        if not self.odd:
            self.odd = is_odd(seen)  # it leaves out the declaration, which stands in the first piece
        self.tail = seen[-_OVERLAP:]

    def _events(self) -> None:
        for event, element in self.parser.read_events():
            if self.root is None:
                self._open(element)
            elif event == "end" and element.getparent() is self.root and self.root.tag != self.record:
                self.done = element
                self.fed = 0

    def _open(self, element: etree._Element) -> None:
        """Take the first element met as the root, if it is: one further inside has a parent."""
        above = element.getparent()
        if above is not None:
            top = element.getroottree().getroot()
            raise _malformed("root element", top.sourceline or 1)
        self.root = element
        if element.tag != self.record and element.keys():
            raise _malformed("list element", element.sourceline or 1)

    def _complete(self, last: bool) -> Iterator[Draft]:
        """Yield the drafts of complete records and let go of them; the last in the tree is complete if `last`."""
        root = self.root
        if root is None or root.tag == self.record:
            return
        if root.text and not root.text.isspace():
            raise _malformed("list element", root.sourceline or 1)
        while len(root) > (0 if last else 1):
            self.fed = 0  # the one that is left began in what was fed last
            yield from self._first(root)

    def _first(self, root: etree._Element) -> Iterator[Draft]:
        child = root[0]
        tail = child.tail
        root.remove(child)
        if tail and not tail.isspace():
            raise _malformed("list element", root.sourceline or 1)
        if isinstance(child.tag, str):
            if len(etree.tostring(child, encoding="utf-8")) > self.limits.record_octets:
                raise trouble(codes.TOO_LARGE, what="record", limit=self.limits.record_octets)
            yield self._draft(child)

    def _draft(self, element: etree._Element) -> Draft:
        self.index += 1
        return Draft(self.index - 1, "xml", element, record_faults(element, self.record, self.shape, self.odd))

    def _broken(self, line: int) -> Iterator[Draft]:
        """Yield the records that were complete before the place where the document breaks; then say so."""
        self._events()
        root, done = self.root, self.done
        if root is not None and done is not None and done.getparent() is root:
            while done.getparent() is root:
                yield from self._first(root)
        raise _malformed("XML", line)


def _clear(chunks: Iterable[bytes], charset: str | None) -> Iterator[bytes]:
    """Yield the document in UTF-8, in pieces of at most CHUNK octets; what is declared twice must agree."""
    rest = iter(chunks)
    head = b""
    while len(head) < _HEAD and (more := next(rest, b"")):
        head += more
    decode = _decoder(head, charset)
    line = 1
    every: Iterator[bytes | None] = chain((head,), rest, (None,))
    for chunk in every:
        if chunk is not None and b"\0" in chunk:
            raise _malformed("NUL", line + chunk[:chunk.index(b"\0")].count(b"\n"))
        try:
            clear = decode(chunk)
        except (UnicodeDecodeError, UnicodeEncodeError):
            raise _malformed("GB18030", line) from None
        line += clear.count(b"\n")
        yield from (clear[at:at + CHUNK] for at in range(0, len(clear), CHUNK))


def _decoder(head: bytes, charset: str | None) -> Callable[[bytes | None], bytes]:
    """Return what makes UTF-8 of each piece; None is the end.  Raises Refused (MEDIA, MALFORMED)."""
    if head[:3] == b"\xef\xbb\xbf" or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _malformed("byte order mark", 1)
    found = DECLARED.match(head[:_HEAD])
    declared = CHARSETS.get(found[1].decode().lower()) if found else None
    if found and declared is None:
        raise trouble(codes.MEDIA)
    if found and charset is not None and declared != charset:
        raise _malformed("charset declared twice", 1)
    if (charset or declared) != "gb18030":
        return lambda chunk: chunk or b""
    decoder = getincrementaldecoder("gb18030")()
    return lambda chunk: decoder.decode(chunk or b"", chunk is None).encode()


def _malformed(reason: str, line: int) -> Trouble:
    return trouble(codes.MALFORMED, reason=reason, line=line)
