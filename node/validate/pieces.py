"""XML too large for one body, cut between its records into lists of their own, in the memory of one piece.

Rule 1: the pieces together get the verdicts that the whole would get, in its order.
Rule 2: what spoils the document is told with its line; the pieces before that place have been yielded by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from node.validate.document import Limits
from node.validate.shape import Shape
from node.validate.stream import read_records


def overfull(octets: bytes, shape: Shape, records: int) -> bool:
    """Whether a document holds more records than one body may, as far as its end tags tell."""
    ends = re.finditer(rb"</(?:[^\s<>:/]+:)?%s\s*>" % shape.record.name.encode(), octets)
    return sum(1 for _ in ends) > records


def cut_xml(chunks: Iterable[bytes], charset: str | None, shape: Shape, limits: Limits) -> Iterator[tuple[int, bytes]]:
    """Yield lists of records within the limits, each with the number of its first record in the whole, from 0.

    A record that is alone in its list may make that longer than the limit by its tags.
    Raises Refused (TOO_LARGE, MEDIA, MALFORMED) where the document cannot be read any further.
    """
    name, code = f"{shape.record.name}List", charset or "utf-8"
    head, foot = f'<{name} xmlns="{shape.namespace}">\n'.encode(code), f"</{name}>\n".encode(code)
    kept, count, first = bytearray(head), 0, 0
    for draft in read_records(chunks, charset, shape, limits):
        octets = etree.tostring(draft.tree, encoding="unicode", with_tail=False).encode(code) + b"\n"
        if count and (len(kept) + len(octets) + len(foot) > limits.octets or count == limits.records):
            yield first, bytes(kept + foot)
            kept, count, first = bytearray(head), 0, draft.index
        kept += octets
        count += 1
    yield first, bytes(kept + foot)
