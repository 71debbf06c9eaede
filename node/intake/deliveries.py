"""Deliveries: the warehouse's history as pages of records, in commit order, for systems without an adapter.

The cursor is `block.index`: the place after the last record told.  It never expires and costs no state here; asked
twice it gives the same records.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from node.model import codes
from node.model.spool import Block
from node.model.trouble import trouble

_CURSOR = re.compile(r"([0-9]{1,15})\.([0-9]{1,7})")


def read_cursor(text: str) -> tuple[int, int]:
    """Return (block, index) of a cursor, (0, 0) of an empty one; raise Refused(BAD_REQUEST)."""
    if not text:
        return 0, 0
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise trouble(codes.BAD_REQUEST, reason="cursor")
    return int(match[1]), int(match[2])


def page(blocks: Sequence[Block], block: int, index: int, limit: int) -> tuple[bytes, str]:
    """Return at most `limit` records after (block, index) as JSON, and the cursor to go on from, empty at the end.

    `blocks` begin with `block` itself if it is still there: its records before `index` were told already.
    """
    told: list[bytes] = []
    at = f"{block}.{index}"
    for one in blocks:
        start = index if one.id == block else 0
        for place in range(start, len(one.lines)):
            if len(told) == limit:
                return _body(told, at), at
            told.append(_record(one, place))
            at = f"{one.id}.{place + 1}"
    return _body(told, at), ""


def _record(block: Block, place: int) -> bytes:
    # A line is canonical JSON `{"body":…,"head":…}`; what the exchange knows of it is put in front.
    front = b'{"parcel":"%b","sender":"%b","leaf":%d,' % (
        block.parcel.encode("ascii"), block.sender.encode("ascii"), block.leaves[place],
    )
    return front + block.lines[place][1:]


def _body(told: Sequence[bytes], cursor: str) -> bytes:
    return b'{"records":[%b],"cursor":"%b"}' % (b",".join(told), cursor.encode("ascii"))
