"""One read of a source, in a thread that may block: frames of its adapter become judged batches, and are handed over.

Rule 1: a batch is handed over at a bookmark once it is large or old enough, and without one when it grows too large;
        the next is judged while it is committed, and waits for it.
Rule 2: what stops a read (a limit, an error, the node's end) ends the adapter's process: it begins again from the
        bookmark that was kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import date
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from node.exchange import read
from node.exchange.read import Batch, Begun
from node.hosts import Child
from node.intake.judging import Reads
from node.model import codes
from node.model.frames import Frame, FrameKind
from node.model.instant import Instant, day, local
from node.model.record import Draft, Problem, Record, Refusal, Version
from node.model.sentence import Sentence
from node.model.source import Source
from node.model.trouble import trouble
from node.validate import Specification
from node.validate.mapping import GONE, judge_gone

FEW, MANY = 1000, 8192
"""Records from which a batch is handed over at a bookmark, and without one."""
OLD = 0.2
"""Seconds after which it is handed over at a bookmark, however few they are."""
OCTETS = 4 << 20

_NULL = b":null"
_MARK = b'"' + GONE.encode() + b'":'


class Ended(NamedTuple):
    """How a read ended: rows given, refused among them, and whether there are more at once."""

    rows: int
    refused: int
    more: bool


class Reading:
    """Takes what an adapter gives of one source; `put` hands a batch over and returns what tells its end."""

    def __init__(
        self, source: Source, reads: Reads, begun: Begun, now: Callable[[], Instant],
        put: Callable[[read.Place, Batch], Future[None]],
    ) -> None:
        self._source, self._reads, self._now, self._put = source, reads, now, put
        self._was, self._first = begun
        self._place = self._was
        self._given = self.rows = self.refused = 0
        self._under_way: Future[None] | None = None
        self._empty()

    def _empty(self) -> None:
        self._records: list[Record] = []
        self._refusals: list[Refusal] = []
        self._names: list[str] = []
        self._octets, self._begun = 0, time.monotonic()

    def run(self, child: Child, mode: str, limit: int) -> Ended:
        """Read until the adapter has no more, or a limit is reached; raises what the adapter or the store raises."""
        until = time.monotonic() + self._source.time / 1000
        more = True
        act = child.act("read", what=self._source.what, bookmark=self._was.at, mode=mode, limit=limit)
        try:
            for frame in act:
                if frame.kind is FrameKind.ANSWER:
                    more = bool(orjson.loads(frame.body).get("more"))
                elif frame.kind is FrameKind.BOOKMARK:
                    self._bookmark(orjson.loads(frame.body))
                    if time.monotonic() > until:
                        break
                else:
                    self._take(frame)
        finally:
            act.close()  # a process that was not heard to its end is killed: nothing else stops it
        self._hand_over()
        self.settle()
        return Ended(self.rows, self.refused, more)

    def _take(self, frame: Frame) -> None:
        today = day(self._now())
        if frame.kind is FrameKind.DIRTY:
            self._sort(_dirty(self.rows, frame.body), frame.body)
        else:
            self._octets += len(frame.body)
            for line in frame.lines:
                self._sort(self._judge(line, today), line)
        if self._size >= MANY or self._octets >= OCTETS:
            self._hand_over()

    @property
    def _size(self) -> int:
        return len(self._records) + len(self._refusals)

    def _judge(self, line: bytes, today: date) -> Record | Refusal:
        if _NULL in line and isinstance(self._reads, Specification):
            line = orjson.dumps({name: cell for name, cell in orjson.loads(line).items() if cell is not None})
        if _MARK + b"true" not in line:
            return self._reads.judge(Draft(self.rows, "json", line), today)
        line = line.replace(_MARK + b"true", _MARK + b'"' + local(self._now()).encode() + b'"')
        if not isinstance(self._reads, Specification):
            return self._reads.judge(Draft(self.rows, "json", line), today)
        row = orjson.loads(line)
        return judge_gone(self._reads, self.rows, row, row[GONE], today)

    def _sort(self, judged: Record | Refusal, line: bytes) -> None:
        self.rows += 1
        if isinstance(judged, Record):
            self._records.append(judged)
            return
        self.refused += 1
        self._refusals.append(judged)
        self._names.append(judged.row or "#" + sha256(line).hexdigest()[:32])

    def _bookmark(self, at: Any) -> None:
        self._place = read.moved(self._was, at)
        if self._size >= FEW or time.monotonic() - self._begun >= OLD:
            self._hand_over()

    def _hand_over(self) -> None:
        """Hand over what was judged, with the last bookmark; rows behind it will be given once more."""
        source = self._source
        if source.limit.broken(self.rows, self.refused):
            raise trouble(codes.ADAPTER_ERRORS, source=source.name, rows=self.rows, refused=self.refused)
        if self._given + self._size > read.SET_ASIDE:
            raise trouble(codes.ADAPTER_BOUNDLESS, source=source.name, rows=read.SET_ASIDE)
        self.settle()
        if not self._size and self._place.text == self._was.text:
            return
        first = Version(self._first.epoch, self._first.n + self._given)
        self._given += len(self._records)
        self._under_way = self._put(self._was, Batch(self._records, self._refusals, self._names, first, self._place))
        self._was = self._place
        self._empty()

    def settle(self) -> None:
        """Wait until what was handed over is kept; raise what kept it from being."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()


def _dirty(index: int, said: bytes) -> Refusal:
    """Return the refusal of a row that its adapter could not give."""
    try:
        told = orjson.loads(said)
    except orjson.JSONDecodeError:
        told = {}
    row, field, zh, en = (str(told.get(name) or "")[:200] for name in ("row", "field", "zh", "en"))
    says = Sentence((zh or "来源无法给出此行").replace("{", "("), (en or "the source cannot give it").replace("{", "("))
    return Refusal(index, row[:64] or None, (Problem(field, "source", says),))
