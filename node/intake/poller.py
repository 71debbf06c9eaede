"""The poller: reads one source again and again, what is new first, what was asked for besides behind it.

Rule 1: one read of an adapter, and one into a resource, at a time: versions tell which of two states is newer.
Rule 2: what is new is read each `every`, and further at once while there is more; a history or a repeated read goes in
        slices between, while less than a parcel of it waits in every lane.
Rule 3: a source that cannot be read waits longer each time; what a person must mend is told once and tried now and
        then, or at once after a reload.
"""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime
from typing import Any

import orjson
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorFromThreads

from node.exchange import overlap, read
from node.exchange.read import Batch, Place
from node.hosts import Child
from node.intake.judging import Reads
from node.intake.process import AdapterProcess
from node.intake.reading import Ended, Reading
from node.model import codes
from node.model.frames import FrameKind
from node.model.record import Stream
from node.model.registry import Resource
from node.model.source import Source, SourceState
from node.model.spool import GROUP_RECORDS
from node.model.trouble import Hold, Trouble, trouble
from node.ports import OutboxUnit
from node.spool.shortage import Shortage
from node.workers import Desk

SLICE = 10_000
"""Rows of a history that are read before what is new is looked for."""
LONGEST = 300.0
"""Most seconds until a source that failed is tried again."""
BEHIND = (Stream.RESUPPLY, Stream.BACKFILL)


class Poller:
    """Reads one source of one adapter."""

    def __init__(self, desk: Desk, process: AdapterProcess, source: Source, resource: DeferredLock) -> None:
        """`resource` is the lock of whoever reads into the source's resource."""
        self._desk, self._process, self.source, self._into = desk, process, source, resource
        self._due = 0.0
        self._failures = 0
        self._open: set[Stream] | None = None
        self._seen = -1
        """The bell as it stood when it was last looked at what is asked for."""
        self.state = desk.sources[source.name] = SourceState(source)

    async def run(self) -> None:
        """Read what is due, or wait for it."""
        desk, name = self._desk, f"source:{self.source.name}"
        seen = desk.bell.count(name, "means")
        if seen != self._seen:  # it may have rung while a read was under way
            self._seen, self._due, self._open = seen, 0.0, None
        try:
            if self._open is None:
                self._open = await desk.outbox.run(self._asked)
            if desk.reactor.seconds() >= self._due:
                await self._poll()
            elif not await self._behind():
                await self._rest(seen)
        except Trouble as met:
            if desk.stopping:
                return
            self._failed(met)
            self._tell()
            await self._wait(seen, self._pause(met))

    async def _rest(self, seen: int) -> None:
        """Wait until the source is due, or somebody asks."""
        left = max(0.0, self._due - self._desk.reactor.seconds())
        await self._wait(seen, min(left, 1.0) if self._open else left)

    async def _wait(self, seen: int, seconds: float) -> None:
        await self._desk.bell.wait((f"source:{self.source.name}", "means"), seen, seconds)

    def _asked(self, unit: OutboxUnit) -> set[Stream]:
        """Return the streams on which the whole source is to be read."""
        return {stream for stream in BEHIND if read.place(unit, self.source, stream).open}

    # --- what is new --------------------------------------------------------------------------------------------

    async def _poll(self) -> None:
        desk, state = self._desk, self.state
        start = desk.reactor.seconds()
        self._due = start + self.source.every / 1000
        if not self._within_hours():
            self._tell()  # whoever asked for a read need not wait until the hours come
            return
        state.begun, state.reading = desk.now(), True
        rows = refused = 0
        try:
            more = True
            while more:
                ended = await self._read(Stream.LIVE, self.source.rows)
                rows, refused, more = rows + ended.rows, refused + ended.refused, ended.more and not desk.stopping
        finally:
            state.reading, state.rows, state.refused = False, rows, refused
        self._went_well(start)
        self._tell()

    def _within_hours(self) -> bool:
        hours = self.source.hours
        at = datetime.fromtimestamp(self._desk.now() / 1000)
        return hours is None or hours.hold(at.hour * 60 + at.minute)

    # --- what is behind -----------------------------------------------------------------------------------------

    async def _behind(self) -> bool:
        """Read a slice of what was asked for, if any is and its lanes want more; return whether one was read."""
        desk = self._desk
        for stream in BEHIND:
            if stream not in (self._open or ()) or not self._within_hours():
                continue
            if not await desk.outbox.run(lambda unit: self._hungry(unit, stream)):
                continue
            ended = await self._read(stream, min(SLICE, self.source.rows))
            if not ended.more:
                await desk.outbox.run(lambda unit: self._finish(unit, stream))
                self._open = None
            return True
        return False

    def _hungry(self, unit: OutboxUnit, stream: Stream) -> bool:
        lanes = [state for receiver in self._resource().receivers for state in unit.lanes(receiver)]
        mine = (state for state in lanes if (state.lane.resource, state.lane.stream) == (self.source.resource, stream))
        return all(state.waiting < GROUP_RECORDS for state in mine)

    def _finish(self, unit: OutboxUnit, stream: Stream) -> None:
        was = read.place(unit, self.source, stream)
        if was.open:
            read.finish(unit, self.source, was)

    # --- one read -----------------------------------------------------------------------------------------------

    async def _read(self, stream: Stream, limit: int) -> Ended:
        """Read once, alone at the adapter and at the resource."""
        lock, into = self._process.lock, self._into
        await lock.acquire()
        try:
            await into.acquire()
            try:
                return await self._alone(stream, limit)
            finally:
                into.release()
        finally:
            lock.release()

    async def _alone(self, stream: Stream, limit: int) -> Ended:
        desk, source = self._desk, self.source
        desk.afford(Shortage.NONE)
        resource, spec_reads = self._resource(), self._reads()
        begun = await desk.outbox.run(lambda unit: read.begin(unit, source, stream), durable=False)
        if stream is Stream.LIVE and not begun.place.begun and source.history is not Stream.LIVE:
            await self._start_behind()
            return Ended(0, 0, False)
        belongs = read.Reading(source, resource, spec_reads.id, stream)
        reading = Reading(source, spec_reads, begun, desk.now, lambda was, batch: self._put(belongs, was, batch))
        mode = "new" if stream is Stream.LIVE else "whole"
        try:
            return await self._process.use(lambda child: reading.run(child, mode, limit))
        finally:
            self._count(reading)

    async def _start_behind(self) -> None:
        desk, source = self._desk, self.source
        at = await self._process.use(self._bookmark_of_now)
        await desk.outbox.run(lambda unit: read.start_behind(unit, source, at, desk.now()))
        self._open = None

    def _bookmark_of_now(self, child: Child) -> Any:
        at: Any = None
        for frame in child.act("read", what=self.source.what, mode="none"):
            if frame.kind is FrameKind.BOOKMARK:
                at = orjson.loads(frame.body)
        return at

    def _put(self, belongs: read.Reading, was: Place, batch: Batch) -> Future[None]:
        """Have a batch kept, from the thread that reads; the future tells when it is, or why not."""
        told: Future[None] = Future()
        reactor = self._desk.reactor
        assert IReactorFromThreads.providedBy(reactor)
        reactor.callFromThread(self._keep, belongs, was, batch, told)
        return told

    def _keep(self, belongs: read.Reading, was: Place, batch: Batch, told: Future[None]) -> None:
        desk = self._desk
        try:
            desk.afford(Shortage.NONE)
        except Trouble as met:
            told.set_exception(met)
            return
        kept = desk.outbox.run(lambda unit: read.keep(unit, belongs, was, batch, desk.means, desk.now()))
        kept.addCallback(self._kept, belongs, batch)
        kept.addCallbacks(told.set_result, lambda failure: told.set_exception(failure.value))

    def _kept(self, count: int, belongs: read.Reading, batch: Batch) -> None:
        desk, resource = self._desk, belongs.resource
        self.state.total += count
        if count:
            desk.counter.count("records_accepted", count, resource=resource.code)
            desk.bell.ring(*[f"outbox:{receiver}" for receiver in resource.receivers])
        if batch.refusals:
            desk.counter.count("records_rejected", len(batch.refusals), resource=resource.code, reason="rule")

    # --- what it works with -------------------------------------------------------------------------------------

    def _resource(self) -> Resource:
        found = self._desk.means.registry.resource(self.source.resource)
        if found is None:
            raise trouble(codes.RESOURCE, resource=self.source.resource)
        return found

    def _reads(self) -> Reads:
        means, source = self._desk.means, self.source
        if source.mapping is not None:
            mapped = means.mappings.get((source.resource, source.mapping))
            if mapped is None:
                raise trouble(codes.MAPPING, resource=source.resource)
            self._dated(str(mapped.id))
            return mapped
        name = self._dated(None)
        found = means.specifications.get(name)
        if found is None:
            raise trouble(codes.UNKNOWN_SPECIFICATION, spec=name)
        return found

    def _dated(self, named: str | None) -> str:
        """Return the version of the interface that is taken now; raise Refused for one that is not."""
        resource = self._resource()
        if named is None and not resource.versions:
            return resource.specification
        return overlap.choose(resource, named, self._desk.now())

    def _tell(self) -> None:
        """Let whoever waits for a round know that it is over."""
        self.state.rounds += 1
        self._desk.bell.ring(f"read:{self.source.name}")

    # --- how it went --------------------------------------------------------------------------------------------

    def _went_well(self, start: float) -> None:
        desk, source, state = self._desk, self.source, self.state
        if state.trouble is not None:
            desk.log("info", "source.again", source=source.name)
        state.trouble, state.good, self._failures = None, desk.now(), 0
        desk.counter.gauge("adapter_up", 1.0, source=source.name)
        desk.counter.gauge("adapter_last_success", desk.now() / 1000, source=source.name)
        desk.counter.gauge("adapter_watermark", (state.begun or 0) / 1000, source=source.name)
        desk.counter.timed("adapter_read", desk.reactor.seconds() - start, source=source.name)

    def _count(self, reading: Reading) -> None:
        counter, name = self._desk.counter, self.source.name
        counter.count("adapter_rows", reading.rows, source=name)
        if reading.refused:
            counter.count("adapter_dirty", reading.refused, source=name)

    def _failed(self, met: Trouble) -> None:
        desk, source, state = self._desk, self.source, self.state
        if state.trouble is None or state.trouble.code is not met.code:
            level = "error" if isinstance(met, Hold) else "warning"
            desk.log(level, met.code.name, at="poller", source=source.name, say=met.sentence.zh)
        state.trouble = met
        self._failures += 1
        desk.counter.gauge("adapter_up", 0.0, source=source.name)
        desk.counter.count("adapter_failures", source=source.name, code=met.code.name)

    def _pause(self, met: Trouble) -> float:
        """Return how many seconds a source that failed is left alone."""
        if isinstance(met, Hold):
            return LONGEST
        return float(min(LONGEST, self._desk.timers.rest_first * 2 ** min(self._failures, 12)))
