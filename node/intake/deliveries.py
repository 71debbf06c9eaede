"""Deliveries: the warehouse's history as pages of records, in commit order, for systems without an adapter.

The cursor is `block.index`: the place after the last record told.  It never expires and costs no state here; asked
twice it gives the same records.

Rule: a page holds at most so many records and about so many octets, and blocks are asked for as few at a time as the
last ones were large: neither memory nor a turn grows with what was received.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from node.model import codes
from node.model.spool import Block
from node.model.trouble import trouble

LIMIT, MOST = "100", 1000
BEGINNING = "0.0"
PAGE = 4 << 20
"""Octets of records after which a page is full."""
FETCH = 1 << 20
"""Octets of blocks that one question to the warehouse should bring, judged by the blocks before."""
BLOCKS = 64

_CURSOR = re.compile(r"([0-9]{1,15})\.([0-9]{1,7})")
_LIMIT = re.compile(r"[0-9]{1,4}")


def read_cursor(text: str) -> tuple[int, int]:
    """Return (block, index) of a cursor, (0, 0) of an empty one; raise Refused(BAD_REQUEST)."""
    match = _CURSOR.fullmatch(text or BEGINNING)
    if match is None:
        raise trouble(codes.BAD_REQUEST, reason="cursor")
    return int(match[1]), int(match[2])


def read_limit(text: str) -> int:
    """Return the most records of a page, 1 to 1000; raise Refused(BAD_REQUEST)."""
    if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= MOST:
        raise trouble(codes.BAD_REQUEST, reason="limit")
    return int(text)


class Page:
    """At most `limit` records after (block, index).

    While it `wants` blocks, the warehouse is asked as `asks` says, (after, most), and what came is given to `take`;
    `cursor` is then where to go on from, and `more` whether there was more already.
    """

    def __init__(self, block: int, index: int, limit: int) -> None:
        self._block, self._index, self._limit = block, index, limit
        self._told: list[bytes] = []
        self._octets = 0
        self._after = max(0, block - 1)  # the block the cursor is in comes again: it may hold more
        self._most = 2
        self.wants, self.more = True, False

    @property
    def asks(self) -> tuple[int, int]:
        """The block after which to ask, and for how many at most."""
        return self._after, self._most

    @property
    def cursor(self) -> str:
        """The place after the last record told."""
        return f"{self._block}.{self._index}"

    def take(self, blocks: Sequence[Block]) -> None:
        """Take the next blocks, in order; fewer than were asked for means that there are no more."""
        octets = 0
        for block in blocks:
            octets += sum(map(len, block.lines))
            if not self._read(block):
                self.wants, self.more = False, True
                return
        if len(blocks) < self._most:
            self.wants = False
            return
        self._after = blocks[-1].id
        self._most = max(1, min(BLOCKS, self._most * 4, FETCH * len(blocks) // max(1, octets)))

    def body(self) -> bytes:
        """Return the page as JSON."""
        return b'{"records":[%b],"cursor":"%b"}' % (b",".join(self._told), self.cursor.encode("ascii"))

    def _read(self, block: Block) -> bool:
        """Tell what a block holds after the cursor; return False if the page was full before the block's end."""
        start = self._index if block.id == self._block else 0
        front = b'{"parcel":"%b","sender":"%b","leaf":' % (block.parcel.encode("ascii"), block.sender.encode("ascii"))
        for place in range(start, len(block.lines)):
            if len(self._told) == self._limit or self._octets >= PAGE:
                return False
            # A line is canonical JSON `{"body":…,"head":…}`; what the exchange knows of it is put in front.
            line = block.lines[place]
            self._told.append(b"%b%d,%b" % (front, block.leaves[place], line[1:]))
            self._octets += len(line)
            self._block, self._index = block.id, place + 1
        return True
