"""What each stage costs: the exchange's own functions, called in order on real stores, cpu time of each added up.

    python -m tests.bench.stages [--parcels N] [--form json|xml] [--profile FILE]

One thread and no reactor; HTTP is the nodes' server with an idle handler, TLS their contexts joined in memory.  What
the nodes use above this sum goes to the waking of loops, to threads, to long polls and to the kernel's side of sockets.
One parcel is what the nodes make under load: 700 records, close to 1 MiB of lines, from POSTs of 100 or of one.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import xsd
from node.config import load
from node.envelope import frame_head
from node.exchange import admit, handle, seal, settle
from node.exchange.means import Means
from node.exchange.seal import Drawn, Outgoing
from node.exchange.submit import Supply, submit_all
from node.model.instant import day
from node.model.parcel import Lane
from node.model.record import Record, Stream
from node.service.papers import Papers, read_papers
from node.service.stores import Stores, open_stores
from node.validate import Media, Specifications, read_drafts
from node.workers.committer import SHARE
from tests.bench.channel import Channel
from tests.bench.http import Ingest
from tests.bench.load import many
from tests.bench.modes import MODES
from tests.bench.pair import CENTRE, DEPARTMENT, lay_out_pair
from tests.bench.records import RESOURCE, Records

RECORDS = 700
"""Records of a parcel; it takes one mould for each, so that no text comes again in it."""
PER_POST = {"json": 100, "xml": 1}
PER_UNIT = {"json": 4, "xml": 32}
"""POSTs that share a commit, as they do under the benchmark's load."""
POSTS = 100
"""At least so many POSTs tell the price of HTTP."""
MEDIA = {"json": Media("ndjson"), "xml": Media("xml")}


def _now() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class End:
    """One end of the exchange without its reactor."""

    means: Means
    stores: Stores
    papers: Papers

    @classmethod
    def open(cls, config: Path) -> End:
        """Return the end that a node's configuration describes."""
        settings = load(config)
        papers = read_papers(settings, lambda said: None)
        node, crypto = settings.node, papers.crypto
        means = Means(
            papers.keyring.identity(node.domain, node.code, node.org), crypto, papers.registry, papers.trust,
            Specifications.load(xsd.FOLDER, crypto.sm3), os.urandom,
        )
        return cls(means, open_stores(node.state, papers.keyring.storage(), crypto, _now), papers)


@dataclass(slots=True)
class Stages:
    """A department and a centre that hand parcels over by function call; `spent` has cpu seconds by stage."""

    department: End
    centre: End
    supply: Records
    form: str
    ingest: Ingest
    channel: Channel
    per_parcel: int = RECORDS
    spent: dict[str, float] = field(default_factory=dict)
    records: int = 0

    @classmethod
    def open(cls, folder: Path, form: str, per_parcel: int = RECORDS) -> Stages:
        """Return both ends on a site of their own in `folder`, one parcel done to warm up."""
        site = lay_out_pair(folder)
        department, centre = (End.open(site.seats[node].config) for node in (DEPARTMENT, CENTRE))
        channel = Channel(department.papers, centre.papers)
        made = cls(department, centre, Records(form, 9, per_parcel), form, Ingest(), channel, per_parcel)
        made.round(1)
        return made

    def close(self) -> None:
        """Close the stores and end the server."""
        self.ingest.close()
        for end in (self.department, self.centre):
            end.stores.close()

    def round(self, parcels: int) -> dict[str, float]:
        """Return µs per record of each stage over so many parcels."""
        self.spent.clear()
        self.records = 0
        each = PER_POST[self.form]
        body = many(self.supply.take(each)) if self.form == "xml" else b"\n".join(self.supply.take(each))
        posts = max(POSTS, parcels * self.per_parcel // each)
        self.spent["department: HTTP ingest"] = 0.0  # first in the table; its cost is asked for at the end
        for _ in range(parcels):
            self.parcel()
        taken = self.ingest.cost(body, posts, MODES[self.form].connections)
        self.spent["department: HTTP ingest"] = taken / 1e6 / each * self.records
        return self.costs()

    def costs(self) -> dict[str, float]:
        """Return µs per record of each stage."""
        return {stage: seconds * 1e6 / self.records for stage, seconds in self.spent.items()}

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        begun = time.process_time()
        yield
        self.spent[name] = self.spent.get(name, 0.0) + time.process_time() - begun

    def parcel(self) -> None:
        """Take one parcel of records from the callers' bodies to the final receipt at the department."""
        self._submit()
        sent = self._send()
        self._carry(sent)
        arrived = self._admit(sent)
        self._settle("department: settle accepted", arrived, b"")
        processed, listed = self._handle(sent.entry.parcel)
        self._settle("department: settle processed", processed, listed)
        self.records += self.per_parcel

    def _submit(self) -> None:
        end, each = self.department, PER_POST[self.form]
        resource = end.means.registry.resource(RESOURCE)
        assert resource is not None
        spec = end.means.specifications.get(resource.specification)
        assert spec is not None
        bodies = [b"\n".join(self.supply.take(each)) for _ in range(self.per_parcel // each)]
        for start in range(0, len(bodies), PER_UNIT[self.form]):
            part = bodies[start:start + PER_UNIT[self.form]]
            with self._stage("department: parse and validate"):
                judged = [
                    [one for one in spec.judge_all(read_drafts(body, MEDIA[self.form], spec), day(_now()))]
                    for body in part
                ]
            supplies = [
                Supply("bench", os.urandom(12).hex(), body, resource, spec.id, Stream.LIVE,
                       [one for one in records if isinstance(one, Record)], [])
                for body, records in zip(part, judged, strict=True)
            ]
            here = end.means.identity
            with self._stage("department: commit submissions"):
                with end.stores.outbox.unit() as unit:
                    with self._stage("department: submit (of the commit)"):
                        for some in together(supplies):
                            submit_all(unit, some, here.domain, here.node, _now(), os.urandom)

    def _send(self) -> Outgoing:
        end = self.department
        lane = Lane(end.means.identity.domain, DEPARTMENT, CENTRE, RESOURCE, Stream.LIVE)
        with self._stage("department: draw"), end.stores.outbox.unit() as unit:
            drawn = seal.take(unit, lane, end.means, _now(), 60_000)
        assert isinstance(drawn, Drawn)
        with self._stage("department: seal"):
            sealed = seal.close(drawn, end.means, _now())
        with self._stage("department: place"), end.stores.outbox.unit() as unit:
            sent = seal.keep(unit, drawn, sealed, _now())
            unit.release(drawn.claim)
        assert sent.entry.count == self.per_parcel, "all that waited went into one parcel"
        return sent

    def _carry(self, sent: Outgoing) -> None:
        """Carry the parcel over TLS."""
        parts = frame_head(sent.manifest, len(sent.payload)), sent.payload
        for who, seconds in zip(("department: TLS", "centre: TLS"), self.channel.carry(b"".join(parts)), strict=True):
            self.spent[who] = self.spent.get(who, 0.0) + seconds

    def _admit(self, sent: Outgoing) -> bytes:
        end = self.centre
        with self._stage("centre: admit"):
            offered = admit.offer(sent.manifest, sent.payload, end.means, DEPARTMENT)
            received = admit.weigh(offered, end.means, _now())
        with self._stage("centre: store"), end.stores.inbox.unit() as unit:
            return admit.keep(unit, received, offered.known.peer)

    def _handle(self, parcel: str) -> tuple[bytes, bytes]:
        end = self.centre
        with self._stage("centre: take"), end.stores.inbox.unit() as unit:
            taken = unit.take(_now(), 60_000)
            assert taken is not None
            claim, arrival = taken
            octets = unit.octets(parcel)
            assert octets is not None
        with self._stage("centre: open and validate"):
            judged = handle.judge(claim, octets, end.means, _now(), day(_now()))
        assert judged.delivery is not None and not judged.refused
        with self._stage("centre: save verdicts"), end.stores.inbox.unit() as unit:
            unit.judge(claim, judged.refused)
        with self._stage("centre: warehouse"), end.stores.warehouse.unit() as warehouse:
            applied = warehouse.apply(judged.delivery, _now())
        with self._stage("centre: conclude"):
            closing = handle.conclude(judged, arrival, applied, end.means)
        with self._stage("centre: finish"), end.stores.inbox.unit() as unit:
            handle.finish(unit, claim, arrival, closing, _now())
        return closing.receipt.statement, closing.receipt.verdicts

    def _settle(self, stage: str, receipt: bytes, listed: bytes) -> None:
        end = self.department
        with self._stage(stage):
            heard = settle.hear(receipt, listed, end.means, CENTRE, _now())
            with end.stores.outbox.unit() as unit:
                assert settle.settle(unit, heard, _now()) is not None


def together(supplies: Sequence[Supply]) -> Iterator[Sequence[Supply]]:
    """Yield supplies as the committer lets them share a call."""
    some: list[Supply] = []
    for supply in supplies:
        some.append(supply)
        if sum(1 + len(one.records) for one in some) >= SHARE:
            yield some
            some = []
    if some:
        yield some


def measure(folder: Path, form: str, parcels: int, per_parcel: int = RECORDS) -> dict[str, float]:
    """Return µs of cpu time per record by stage, over `parcels` parcels after one to warm up."""
    stages = Stages.open(folder, form, per_parcel)
    try:
        return stages.round(parcels)
    finally:
        stages.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stages", description=__doc__)
    parser.add_argument("--parcels", type=int, default=10)
    parser.add_argument("--form", choices=sorted(MEDIA), default="json")
    parser.add_argument("--profile", type=Path, help="write cProfile's statistics here; the figures are then too high")
    chosen = parser.parse_args()
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.profile:
            profile.enable()
        costs = measure(Path(folder) / "site", chosen.form, chosen.parcels)
        if chosen.profile:
            profile.disable()
            profile.dump_stats(chosen.profile)
    for stage, cost in costs.items():
        print(f"{stage:<40} {cost:8.2f} µs/record")
    for who in ("department", "centre"):
        print(f"{who + ', all':<40} {total(costs, who):8.2f} µs/record")


def total(costs: dict[str, float], who: str) -> float:
    """Return the sum of one end's stages; what is part of another stage is not counted twice."""
    return sum(cost for stage, cost in costs.items() if stage.startswith(who) and "(of " not in stage)


if __name__ == "__main__":
    sys.exit(main())
