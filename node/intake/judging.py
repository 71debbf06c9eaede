"""Judging: a submission's body becomes records and refusals, in slices, so that no turn of the reactor is long.

Rule 1: a small body is judged at once; of the large ones only one is taken apart at a time, because its tree is many
        times its size.  NDJSON is taken apart by its line ends alone, 0.1 ms for 100 KB: less than the way to a thread
        and back; and bodies judged in one turn share a commit.  So it counts as large much later.
Rule 2: between two slices the node does everything else it has to do.
Rule 3: what is judged within its first slice comes back at once, without a coroutine: nearly every body is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from twisted.internet.defer import Deferred, DeferredLock

from node.model import codes
from node.model.instant import day
from node.model.record import Draft, Record, Refusal
from node.model.trouble import trouble
from node.validate import Limits, Media, Specification, read_drafts
from node.validate.mapping import SourceMapping
from node.workers import BLOCK, Desk

SLICE = 0.020
"""Seconds of judging after which others have their turn."""
LARGE = {"xml": BLOCK, "json": BLOCK, "csv": BLOCK, "ndjson": 1 << 20}
"""From how many octets on a body is taken apart in a thread, and alone."""


Reads = Specification | SourceMapping
"""What reads a body: the specification of its records, or a mapping from a source's rows to it."""


class Judged(NamedTuple):
    """The records and the refusals of a body, each in body order."""

    records: list[Record]
    refusals: list[Refusal]


class Judging:
    """Judges bodies for one node."""

    def __init__(self, desk: Desk, limits: Limits) -> None:
        self._desk, self._limits = desk, limits
        self._large = DeferredLock()

    def judge(self, body: bytes, content_type: bytes, coding: bytes, spec: Reads) -> Judged | Deferred[Judged]:
        """Return what a body is judged to be, or a Deferred of it if that takes long.

        Raises, or fails with, Refused: MEDIA, MALFORMED, TOO_LARGE for the whole of it; Hold(DISAGREE) for a fault of
        our own.
        """
        if coding and coding.lower() != b"identity":
            raise trouble(codes.MEDIA)
        media = _media(content_type)
        if len(body) >= LARGE[media.kind]:
            return Deferred.fromCoroutine(self._alone(body, media, spec))
        judged, left = Judged([], []), self._begin(_drafts(body, media, spec, self._limits), spec)
        return judged if self._slice(left, judged) else Deferred.fromCoroutine(self._slices(left, judged))

    def _begin(self, drafts: Iterable[Draft], spec: Reads) -> Iterator[Record | Refusal]:
        return spec.judge_all(drafts, day(self._desk.now()))

    async def _alone(self, body: bytes, media: Media, spec: Reads) -> Judged:
        await self._large.acquire()
        try:
            drafts = await self._desk.workers.run(_drafts, body, media, spec, self._limits)
            return await self._slices(self._begin(drafts, spec), Judged([], []))
        finally:
            self._large.release()

    async def _slices(self, left: Iterator[Record | Refusal], judged: Judged) -> Judged:
        while not self._slice(left, judged):
            await self._desk.sleep(0.0)
        return judged

    def _slice(self, left: Iterator[Record | Refusal], judged: Judged) -> bool:
        """Judge for the time of one slice; return whether nothing is left."""
        seconds = self._desk.reactor.seconds
        until = seconds() + SLICE
        for one in left:
            if isinstance(one, Record):
                judged.records.append(one)
            else:
                judged.refusals.append(one)
            if seconds() >= until:
                return False
        return True


def _drafts(body: bytes, media: Media, spec: Reads, limits: Limits) -> Iterable[Draft]:
    if isinstance(spec, SourceMapping):
        return spec.read_drafts(body, media, limits)
    return read_drafts(body, media, spec, limits)


@lru_cache(64)
def _media(content_type: bytes) -> Media:
    """Return the media of a header; raise Refused(MEDIA).  The few that callers use are parsed once."""
    return Media.parse(content_type.decode("latin-1"))
