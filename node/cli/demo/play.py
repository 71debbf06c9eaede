"""The play: lays out a site, runs it, submits, kills, restarts, audits; exit 0 only if every figure is exact."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import xsd
from node.cli import exits
from node.cli.demo.audit import Ledgers, Tally, proof_of_one, tally
from node.cli.demo.cargo import IDLE, RESOURCES, Body, Cargo
from node.cli.demo.crew import Client, Crew
from node.cli.demo.legacy import NewDatabase, OldDatabase, settings
from node.cli.demo.site import Plan, Site, lay_out
from node.cli.grammar import told
from node.crypto.selftest import open_crypto
from node.model.sentence import Sentence
from node.validate import Specifications

CENTRE, SOURCE, SUBSCRIBER = "centre", "dept-a", "dept-b"
PLAN = Plan(
    CENTRE, (SOURCE, SUBSCRIBER), RESOURCES, {code: (SOURCE,) for code in RESOURCES},
    {code: (SUBSCRIBER,) for code in RESOURCES},
)
HUKOU = "hukou"
STAGE = replace(
    PLAN, resources={**RESOURCES, HUKOU: RESOURCES["population"]}, suppliers={**PLAN.suppliers, HUKOU: (SOURCE,)},
    subscribers={**PLAN.subscribers, HUKOU: (SUBSCRIBER,)},
    mappings={HUKOU: {"old": xsd.FOLDER / "mappings" / "population-legacy.toml"}},
)
"""The plan of the demonstration: besides, one resource is read from an old database and landed in another."""
GRANTS = [f"{code}:{SUBSCRIBER}:demonstration" for code in RESOURCES]
PATIENCE = 90.0
OLD_ROWS = 300

Say = Callable[[Sentence], None]
Step = Callable[[int, int], None]


@dataclass(slots=True)
class Told:
    """What the client saw: every answer, in order."""

    submitted: int = 0
    accepted: int = 0
    planted: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    submissions: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of the old database: rows that must stand in the other, rows unlike, and what was done meanwhile."""

    rows: int
    unlike: int
    changed: int
    deleted: int
    backdated: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything the table shows."""

    told: Told
    tally: Tally
    repeated: int
    idle: tuple[int, int]
    whole: tuple[int, int]
    landed: Landed
    proven: bool
    record: str
    exits: dict[str, int]

    @property
    def exact(self) -> bool:
        """Whether every figure is what it must be."""
        told, found = self.told, self.tally
        return (
            told.submitted == told.accepted + told.planted
            and sum(told.refused.values()) == told.planted and not told.missed
            and told.accepted == found.accepted == found.processed == found.delivered
            and found.receipts == found.verified and found.receipts >= 2 * found.parcels
            and all(each.exact for each in found.agreements) and not self.landed.unlike
            and self.proven and not any(self.exits.values())
        )


class Play:
    """One performance."""

    def __init__(self, records: int, say: Say, step: Step, folder: Path | None = None) -> None:
        self._records, self._say, self._step = records, say, step
        self.folder = folder or Path(tempfile.mkdtemp(prefix="exchange-demo-"))
        self.site: Site
        self._crypto = open_crypto(None, False, say)
        self._held = Specifications.load(xsd.FOLDER, self._crypto.sm3)

    def perform(self, keep: Callable[[Site], None] | None = None) -> Outcome:
        """Play it whole; with `keep`, call it with the running site before everything stops."""
        self._say(Sentence("1. 建立开发用CA，签发三个节点的证书", "1. A development CA and papers for three nodes"))
        paths = self.folder / "old.db", self.folder / "new.db"
        own = settings(*paths, SOURCE, SUBSCRIBER, HUKOU)
        self.site = lay_out(self.folder, replace(STAGE, own=own), self._crypto)
        spec = self._held.get(RESOURCES["population"])
        assert spec is not None, "the product ships it"
        self._old, self._new = OldDatabase(paths[0], spec, OLD_ROWS), NewDatabase(paths[1])
        crew = Crew(self.site)
        try:
            self._say(Sentence("2. 启动中心和两个部门，部门不开入站端口", "2. Start a centre and two departments, inbound closed"))
            for node in (CENTRE, SOURCE, SUBSCRIBER):
                crew.start(node)
            return self._act(crew, keep)
        finally:
            crew.stop()
            self._old.close()
            self._new.close()
            for path in paths:
                path.unlink()  # they hold people in clear, as such databases do

    def _act(self, crew: Crew, keep: Callable[[Site], None] | None) -> Outcome:
        cargo = Cargo(self._held, self._records)
        client, told = Client(self.site.seats[SOURCE]), Told()
        self._say(Sentence(
            "3. 提交记录，同时读取一个老数据库，其中的行在增、改、删、补录；途中强杀中心，再强杀部门",
            "3. Submit, and read an old database whose rows change; kill the centre, then a department, midway"))
        began = time.monotonic()
        self._submit(cargo, client, told, crew)
        client.close()
        readers = [Ledgers(self.site, node) for node in (SOURCE, CENTRE, SUBSCRIBER)]
        source, centre, subscriber = readers
        self._say(Sentence("4. 等待全部回执和送达", "4. Wait for every receipt and delivery"))
        self._settle(source, centre, subscriber)
        told.seconds = time.monotonic() - began
        self._say(Sentence("5. 逐键核对三方，离线验证一条记录", "5. Compare all three key by key, prove one record offline"))
        found = tally(source, centre, subscriber, cargo.truth)
        proof, record = proof_of_one(source, subscriber)
        proven = self._prove(proof)
        idle, whole = _latency(source, told.idle), _latency(source, told.submissions)
        if keep is not None:
            keep(self.site)
        exits = crew.stop()
        for reader in readers:
            reader.close()
        return Outcome(told, found, client.repeated, idle, whole, self._landed(), proven, record, exits)

    def _landed(self) -> Landed:
        old, wanted = self._old, self._old.wanted()
        return Landed(len(wanted), len(wanted ^ self._new.rows()), old.changed, old.deleted, old.backdated)

    def _submit(self, cargo: Cargo, client: Client, told: Told, crew: Crew) -> None:
        kills = {0.4: CENTRE, 0.7: SOURCE}
        whole = cargo.records + cargo.faulty
        acts = [share / 10 for share in range(9, 0, -1)]
        for number, body in enumerate(cargo.bodies()):
            self._post(client, body, f"demo-{number}", told)
            self._step(min(told.submitted, whole), whole)
            for share in [share for share in kills if told.submitted >= share * whole]:
                node = kills.pop(share)
                crew.kill(node)
                crew.start(node)
            while acts and told.submitted >= acts[-1] * whole:
                acts.pop()
                self._old.act()
            if number < IDLE:
                told.idle.append(told.submissions[-1])
                time.sleep(0.05)

    def _post(self, client: Client, body: Body, key: str, told: Told) -> None:
        status, answer = client.submit(body, key)
        refused = {one["key"]: {p["rule"] for p in one["problems"]} for one in answer.get("refused", [])}
        told.submitted += body.count
        told.planted += len(body.faults)
        told.accepted += answer.get("accepted", 0)
        for row, rule in body.faults.items():
            found = rule in refused.get(row, ())
            told.faults[rule] += 1
            told.refused[rule] += found
            told.missed += not found
        told.missed += len(set(refused) - set(body.faults))
        if status == 202:
            told.submissions.append(answer["submission"])

    def _settle(self, source: Ledgers, centre: Ledgers, subscriber: Ledgers) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            quiet = source.idle() and centre.idle() and centre.routed(GRANTS) and centre.idle() and subscriber.idle()
            if quiet and self._new.rows() == self._old.wanted():
                return
            time.sleep(0.1)
        says = Sentence("未能在限定时间内全部送达", "Not everything arrived in time")
        raise told(says, exits.UNAVAILABLE)

    def _prove(self, proof: bytes) -> bool:
        """Verify the proof as anybody would: with the command, the file and the CA's certificate."""
        path = self.folder / "record.proof"
        path.write_bytes(proof)
        try:
            done = subprocess.run(
                [sys.executable, "-m", "node", "parcel", "verify", str(path), "--ca", str(self.site.root)],
                capture_output=True,
            )
        finally:
            path.unlink()  # it shows the record in clear, which is its purpose; nothing else here does
        return done.returncode == 0

    def sweep_up(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _latency(source: Ledgers, submissions: list[str]) -> tuple[int, int]:
    """Return p50 and p99 (ms) from a submission's answer being stored to the verified final receipts of its records."""
    found = []
    with source.stores.outbox.unit() as unit:
        for id in submissions:
            known = unit.submission(id)
            if known is None:
                continue
            entries = [unit.entry(span.parcel) for span in unit.spans(known[0]) if span.parcel]
            ends = [entry.finished for entry in entries if entry is not None and entry.finished is not None]
            if ends:
                found.append(max(ends) - known[0].created)
    found.sort()
    return (found[len(found) // 2], found[min(len(found) - 1, len(found) * 99 // 100)]) if found else (0, 0)
