"""Frames: what the node and an adapter's process say to each other, over two pipes.

    RECORDS 1234
    …1234 octets: JSON objects, a line each…

A frame is its kind, a blank, the octets of its body in decimal, a line end, and the body.  Any language writes and
reads it in a few lines; blocks of rows are large, so that a row costs no frame of its own (DESIGN §9).

| Kind | From | Body |
|---|---|---|
| CALL | node | one JSON object: `do` names the act, the rest are its arguments; `records` of it follow |
| RECORDS | both | rows, or records to be landed, as JSON objects, a line each |
| BOOKMARK | adapter | one JSON value: how far it has read; all rows before it belong to it |
| DIRTY | adapter | one JSON object, a row it cannot give: `row`, `field`, `zh`, `en`; never what stood in it |
| LOG | adapter | one JSON object: `level`, `zh`, `en` |
| ANSWER | adapter | one JSON value: what the act came to; it ends the act |
| FAILED | adapter | one JSON object: `kind` (`hold`, `retry`, `fault`), `zh`, `en`; it ends the act |

Rule 1: what is no frame, or one of another direction, ends the process: there is no way to find the next frame.
Rule 2: a body is bounded before it is kept; the reader holds at most one, and what came with its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from node.model import codes
from node.model.trouble import trouble

GROUP = "exchange_node.adapters"
"""The group of entry points under which adapters are installed."""

BLOCK = 1 << 20
"""Octets of rows after which a block ends; a row is not longer than a record may be, which is as much."""

STATE = 64 << 10
"""Most octets of a bookmark: it is kept in the transaction of the rows before it."""


class FrameKind(Enum):
    """What a frame is; the value is how many octets its body may have."""

    CALL = 1, BLOCK
    RECORDS = 2, 2 * BLOCK
    BOOKMARK = 3, STATE
    DIRTY = 4, BLOCK
    LOG = 5, 16 << 10
    ANSWER = 6, 8 * BLOCK
    FAILED = 7, 16 << 10

    @property
    def most(self) -> int:
        """Most octets of its body."""
        return self.value[1]


NODE = frozenset({FrameKind.CALL, FrameKind.RECORDS})
"""What the node says."""

ADAPTER = frozenset(FrameKind) - {FrameKind.CALL}
"""What an adapter says."""

_HEAD = re.compile(rb"([A-Z]{3,8}) (0|[1-9][0-9]{0,7})\n")
_LONGEST = 18
_KINDS = {kind.name.encode(): kind for kind in FrameKind}


class Frame(NamedTuple):
    """One frame, whole."""

    kind: FrameKind
    body: bytes

    def __repr__(self) -> str:
        return f"Frame({self.kind.name}, {len(self.body)} octets)"

    @property
    def lines(self) -> list[bytes]:
        """Return its rows, not yet parsed."""
        return [line for line in self.body.split(b"\n") if line]


def write_frame(kind: FrameKind, body: bytes) -> bytes:
    """Return the octets of a frame; raise Refused(ADAPTER_FRAME) for a body that is too long."""
    if len(body) > kind.most:
        raise trouble(codes.ADAPTER_FRAME, reason=f"{kind.name} {len(body)}")
    return b"%s %d\n%s" % (kind.name.encode(), len(body), body)


class FrameReader:
    """Frames out of octets as they come; `takes` are the kinds of one direction."""

    def __init__(self, takes: frozenset[FrameKind]) -> None:
        self._takes = takes
        self._held = bytearray()
        self._kind: FrameKind | None = None
        self._size = 0

    def feed(self, octets: bytes) -> Iterator[Frame]:
        """Yield the frames that are whole with these octets; raise Refused(ADAPTER_FRAME) for what is none."""
        self._held += octets
        while self._begun():
            if len(self._held) < self._size:
                return
            assert self._kind is not None
            frame = Frame(self._kind, bytes(self._held[:self._size]))
            del self._held[:self._size]
            self._kind = None
            yield frame

    def _begun(self) -> bool:
        """Whether the head of the next frame is known."""
        if self._kind is not None:
            return True
        found = _HEAD.match(self._held)
        if found is None:
            if len(self._held) >= _LONGEST or b"\n" in self._held:
                raise trouble(codes.ADAPTER_FRAME, reason="head")
            return False
        kind, size = _KINDS.get(found[1]), int(found[2])
        if kind is None or kind not in self._takes or size > kind.most:
            raise trouble(codes.ADAPTER_FRAME, reason=kind.name if kind else "kind")
        self._kind, self._size = kind, size
        del self._held[:found.end()]
        return True
