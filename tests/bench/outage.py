"""What waits through an outage: restart with it, drain it, what it leaves on disk.

`waiting`: a department that holds a million records is killed with SIGKILL, its files are dropped from the page cache,
and it is started beside a centre that is up.  `outage`: the same records one by one, as a day without the centre leaves
them.  Each has a site of its own; what stays on disk after the purge is read from the same sites.
"""

from __future__ import annotations

import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.memory import Watched
from tests.bench.pair import CENTRE, DEPARTMENT, Pair
from tests.bench.records import RESOURCE, Records
from tests.bench.rounds import steady
from tests.bench.stages import End

DAY = 1_700_000
"""Records of 24 hours at 20 a second."""
WITHIN = 3600.0
SWEEP = 500


@dataclass(slots=True)
class Drained:
    """One backlog: how many records, from the department's start to the first and last *accepted*, and what it left."""

    records: int
    first: float
    accepted: float
    final: float
    steady: float
    memory: list[tuple[int, int]]
    disk: dict[str, float] = field(default_factory=dict)


def fill(pair: Pair, records: int, per_post: int, *resources: str) -> None:
    """Let records wait in the stopped department; raises SystemExit if that fails."""
    config = pair.site.seats[DEPARTMENT].config
    command = [sys.executable, "-m", "tests.bench.fill", str(config), str(records), str(per_post), "77"]
    told = subprocess.run([*command, *(resources or (RESOURCE,))], stdout=subprocess.PIPE, check=False)
    if told.returncode:
        raise SystemExit(f"filling ended with {told.returncode}")
    json.loads(told.stdout)


def drain(folder: Path, records: int, per_post: int) -> Drained:
    """Fill a department, kill it while it runs, start it again beside a centre, and wait until all is settled."""
    pair = Pair(folder)
    try:
        fill(pair, records, per_post)
        records += _killed(pair, per_post)
        centre = pair.node(CENTRE)
        centre.wait_ready()
        begun = time.time_ns() / 1e6
        department = pair.node(DEPARTMENT)
        pair.nodes = [department, centre]
        watched = Watched([node.process.pid for node in pair.nodes])
        pair.wait_settled(0, records, WITHIN)
        memory = watched.end()
        parcels = pair.parcels(0)
        if pair.delivered() != records:
            raise SystemExit(f"{records} records waited, {pair.delivered()} were delivered")
        pair.stop()
        return Drained(
            records, (parcels[0][1] - begun) / 1000, (parcels[-1][1] - begun) / 1000,
            (max(finished for _, _, finished, *_ in parcels) - begun) / 1000, steady(parcels, records), memory,
            _left(pair, records),
        )
    finally:
        pair.kill()


def _killed(pair: Pair, per_post: int) -> int:
    """Post to the department without a centre and kill it; return how many more it took.

    Nothing of its files stays in memory, and the log of its database is as a kill leaves it.
    """
    department, posted, supply = pair.node(DEPARTMENT), 0, Records("json", 78, 100)
    department.wait_ready()
    line = http.client.HTTPConnection("127.0.0.1", department.seat.api, timeout=60)
    token = department.seat.token.read_text(encoding="ascii").strip()
    until = time.monotonic() + 1
    while time.monotonic() < until or not posted:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson",
                   "Idempotency-Key": os.urandom(12).hex()}
        line.request("POST", f"/v1/resources/{RESOURCE}/records", b"\n".join(supply.take(per_post)), headers)
        answer = line.getresponse()
        if answer.status != 202:
            raise SystemExit(f"not accepted: {answer.status} {answer.read()!r}")
        answer.read()
        posted += per_post
    line.close()
    department.process.kill()
    department.process.wait()
    for path in pair.site.seats[DEPARTMENT].state.glob("*.db*"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return posted


def _left(pair: Pair, records: int) -> dict[str, float]:
    """Return octets per record: in the files before the purge, in use after it, and of history."""
    seats, found = pair.site.seats, {}
    files = {"outbox": seats[DEPARTMENT].state / "outbox.db", "inbox": seats[CENTRE].state / "inbox.db",
             "warehouse": seats[CENTRE].state / "warehouse.db"}
    for name, path in files.items():
        found[f"{name}, before purge"] = sum(_used(path)) / records
    configs = seats[DEPARTMENT].config, seats[CENTRE].config
    _purge(*configs, answers=False)
    found["outbox, answers kept"] = _used(files["outbox"])[0] / records
    _purge(*configs, answers=True)
    for name in ("outbox", "inbox"):
        used, free = _used(files[name])
        found[f"{name}, after purge"], found[f"{name}, free in its file"] = used / records, free / records
    with sqlite3.connect(f"{files['warehouse'].as_uri()}?mode=ro", uri=True) as connection:
        (history,) = connection.execute("SELECT sum(length(sealed)) FROM blocks").fetchone()
    found["history"] = history / records
    return found


def _used(path: Path) -> tuple[int, int]:
    """Return the octets of a database's pages in use, and of its free ones."""
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    return (pages - free) * size, free * size


def _purge(department: Path, centre: Path, answers: bool) -> None:
    """Forget what retention lets go, as the sweep does: finished parcels and their octets, later idempotency answers.

    Ledger, receipts given and history stay: they are kept for years.
    """
    later = time.time_ns() // 1_000_000 + 1
    sender, receiver = End.open(department), End.open(centre)
    try:
        purged = SWEEP
        while purged >= SWEEP:
            with sender.stores.outbox.unit() as unit:
                purged = unit.purge(later, later if answers else 0, SWEEP)
        purged = SWEEP
        while purged >= SWEEP:
            with receiver.stores.inbox.unit() as unit:
                purged = unit.purge(later, 0, SWEEP)
    finally:
        sender.stores.close()
        receiver.stores.close()
