"""What arrives at a door, taken apart into drafts: one JSON object, NDJSON, or XML (X or XList).

Rule 1: every limit is checked before the work it bounds.
Rule 2: no DTD, no entity but the five of XML, nothing fetched; one charset, as declared, UTF-8 or GB18030.
Rule 3: a fault of the whole body refuses the body; a fault of one record makes a draft with problems.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import orjson
from lxml import etree

from node.model import codes
from node.model.record import Draft, Problem
from node.model.sentence import Sentence
from node.model.trouble import Trouble, trouble
from node.validate.rules.wording import DOORS, say
from node.validate.shape import Shape
from node.validate.twin import XmlReader

KINDS = {"application/json": "json", "application/x-ndjson": "ndjson", "application/xml": "xml", "text/csv": "csv"}
CHARSETS = {"utf-8": "utf-8", "utf8": "utf-8", "gb18030": "gb18030"}
DECLARED = re.compile(rb"<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
DECLARATION = re.compile(rb"<\?xml\s[^>]{0,200}\?>")
_FILLED = re.compile(rb"[^\s][^\n]*")
_PARAMETER = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9._-]{1,40})\"?", re.IGNORECASE)
_ODD = ((b"!", b"<!"), (b"?", b"<?"), (b"&", b"&#"), (b"-", b"XMLSchema-instance"))
"""Signs of what the gate is blind to, each behind its rarest octet, which is found far sooner."""
_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, attribute_defaults=False,
    huge_tree=False, recover=False, collect_ids=False, encoding="utf-8",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a door takes: octets of a body, records in it, octets of one record, levels of nesting."""

    octets: int = 8 << 20
    records: int = 10_000
    record_octets: int = 1 << 20
    depth: int = 16


@dataclass(frozen=True, slots=True)
class Media:
    """A Content-Type: `kind` is json, ndjson, xml or csv; `charset` utf-8 or gb18030, None if not declared.

    CSV has the columns of its source, and is read by a mapping only (`node.validate.mapping`).
    """

    kind: str
    charset: str | None = None

    @classmethod
    def parse(cls, header: str) -> Media:
        """Return the media of a Content-Type header; raise Refused(MEDIA) for any other type or charset."""
        kind, _, parameters = header.partition(";")
        found = _PARAMETER.search(parameters)
        name = KINDS.get(kind.strip().lower())
        charset = CHARSETS.get(found[1].lower()) if found else None
        if name is None or found and charset is None:
            raise trouble(codes.MEDIA)
        return cls(name, charset)


def read_drafts(content: bytes, media: Media, shape: Shape, limits: Limits = Limits()) -> Sequence[Draft]:
    """Return the drafts of a body; raise Refused TOO_LARGE, MEDIA or MALFORMED for the whole of it."""
    if media.kind == "csv":
        raise trouble(codes.MEDIA)
    if len(content) > limits.octets:
        raise trouble(codes.TOO_LARGE, what="body", limit=limits.octets)
    content = _utf8(content, media)
    if media.kind == "xml":
        return _xml(content, shape, limits)
    if media.kind == "json":
        lines = [content.strip(b" \t\r\n")]
        _one_object(lines[0])
    elif content.count(b"\n") <= limits.records:
        lines = content.split(b"\n")
    else:  # too many records, or blank lines: all of them as objects would be fifty times their size
        lines = [found[0] for found in islice(_FILLED.finditer(content), limits.records + 1)]
    drafts = [line for line in lines if line and not line.isspace()]
    if len(drafts) > limits.records:
        raise trouble(codes.TOO_LARGE, what="records", limit=limits.records)
    if not drafts:
        raise _malformed("no record", 1)
    if any(len(line) > limits.record_octets for line in drafts):
        raise trouble(codes.TOO_LARGE, what="record", limit=limits.record_octets)
    return [Draft(index, "json", line) for index, line in enumerate(drafts)]


def _one_object(content: bytes) -> None:
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        raise _malformed("JSON", fault.lineno) from None


def _utf8(content: bytes, media: Media) -> bytes:
    """Return the body in UTF-8; what is declared twice must agree."""
    if content[:3] == b"\xef\xbb\xbf" or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _malformed("byte order mark", 1)
    if b"\0" in content:
        raise _malformed("NUL", content[:content.index(b"\0")].count(b"\n") + 1)
    charset = media.charset
    if media.kind == "xml":
        found = DECLARED.match(content[:512])
        declared = CHARSETS.get(found[1].decode().lower()) if found else None
        if found and declared is None:
            raise trouble(codes.MEDIA)
        if found and charset is not None and declared != charset:
            raise _malformed("charset declared twice", 1)
        charset = charset or declared
    if charset != "gb18030":
        return content
    try:
        return content.decode("gb18030").encode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise _malformed("GB18030", 1) from None


def _xml(content: bytes, shape: Shape, limits: Limits) -> Sequence[Draft]:
    if b"!" in content and (b"<!DOCTYPE" in content or b"<!ENTITY" in content):  # one octet is found far sooner
        raise _malformed("DTD", 1)
    try:
        root = etree.fromstring(content, _PARSER)
    except etree.XMLSyntaxError as fault:
        raise _malformed("XML", fault.lineno or 1) from None
    record = f"{{{shape.namespace}}}{shape.record.name}"
    if root.tag == record:
        children = [root]
        if len(content) > limits.record_octets:
            raise trouble(codes.TOO_LARGE, what="record", limit=limits.record_octets)
    elif root.tag == record + "List":
        children = _children(root, limits, len(content))
    else:
        raise _malformed("root element", root.sourceline or 1)
    odd = is_odd(content)
    return [
        Draft(index, "xml", child, record_faults(child, record, shape, odd)) for index, child in enumerate(children)
    ]


def _children(root: etree._Element, limits: Limits, octets: int) -> list[etree._Element]:
    children = list(root.iterchildren(tag=etree.Element))
    if len(children) > limits.records:
        raise trouble(codes.TOO_LARGE, what="records", limit=limits.records)
    texts = [root.text, *(child.tail for child in root)]
    if not children or root.keys() or any(text and not text.isspace() for text in texts):
        raise _malformed("list element", root.sourceline or 1)
    if octets > limits.record_octets:
        if any(len(etree.tostring(child, encoding="utf-8")) > limits.record_octets for child in children):
            raise trouble(codes.TOO_LARGE, what="record", limit=limits.record_octets)
    return children


def is_odd(content: bytes) -> bool:
    """Whether the careful reader must look: only then can there be what the gate is blind to.

    The gate does not see comments and processing instructions in a leaf (`<!`, `<?`), nor attributes of the
    schema-instance namespace, whose name stands in the body as it is unless written with `&#`.
    """
    start = DECLARATION.match(content)
    at = start.end() if start else 0
    for octet, sign in _ODD:
        if content.find(octet, at) >= 0 and content.find(sign, at) >= 0:
            return True
    return False


def record_faults(child: etree._Element, record: str, shape: Shape, odd: bool) -> Sequence[Problem]:
    """Return the faults of one record's element that the gate does not see; `record` is its qualified name."""
    if child.tag != record:
        name = Sentence(shape.record.name, shape.record.name)
        return (Problem("", "root", say(DOORS["root"], name)),)
    if not odd:
        return ()
    reader = XmlReader(shape)
    reader.read(child, shape.record)
    return reader.problems


def _malformed(reason: str, line: int) -> Trouble:
    return trouble(codes.MALFORMED, reason=reason, line=line)
