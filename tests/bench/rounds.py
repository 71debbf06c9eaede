"""One round of everything that is compared, one after the other, so that a busy neighbour disturbs all of it alike.

Rule 1: a burst is handed in as fast as it is taken, and its rate is all its records over the whole time from the first
        octet sent to the last *accepted* (or final word) come home: start and drain are in it.
Rule 2: records go from process to process and never rest on disk in clear.
Rule 3: nothing else of ours runs meanwhile; the nodes are idle while the peer and the commits are measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.bench.commits import TOGETHER, Commits
from tests.bench.pair import Pair

CONNECTIONS = {"json": 8, "xml": 32}
PER_POST = {"json": 100, "xml": 1}
WITHIN = 180.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done: `rounds`; records of a burst by form, of the idle measure, to warm up, through the relay; the
    parcels of the measure by stage."""

    rounds: int
    json: int
    xml: int
    idle: int
    peer: float
    commits: float
    warm: int = 2000
    wire: int = 10_240
    pause: float = 0.05
    moulds: int = 2000
    parcels: int = 12


FULL = Sizes(rounds=6, json=50_000, xml=12_000, idle=120, peer=5.0, commits=1.0)
QUICK = Sizes(rounds=3, json=15_000, xml=4_000, idle=60, peer=2.0, commits=0.5, moulds=1200, parcels=4)


class Child:
    """A process that answers lines with lines."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(self, line: str) -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """Return its next line; raise SystemExit if it ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args} ended with {self._process.wait()}")
        return line.strip()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of a burst: rates in records per second, cpu in µs per record."""

    taken: float
    accepted: float
    steady: float
    final: float
    department: float
    centre: float
    load: float
    others: float
    parcels: int
    octets: float


@dataclass(slots=True)
class Idle:
    """Milliseconds from the first octet of a POST to its 202, its *accepted* and its final word."""

    taken: list[float] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)


class Rounds:
    """The things under test and the processes that test them."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.sizes, self.posted = sizes, 0
        self.pair = Pair(folder / "site")
        self.load = Child("tests.bench.load", "1", str(sizes.moulds))
        self.octets: dict[str, float] = json.loads(self.load.hear())
        self.load.say(json.dumps({"show": TOGETHER}))
        records = [line.encode() for line in json.loads(self.load.hear())]
        self.peers = [Child("tests.bench.peer") for _ in range(os.cpu_count() or 1)]
        for child in self.peers:
            child.say(records[0].decode())
            child.hear()
        self.commits = Commits.open(folder, self.pair.site.seats["dept-a"].config, records)
        self.idle = Idle()

    def close(self) -> None:
        """End the processes of the test."""
        for child in (self.load, *self.peers):
            child.close()
        self.commits.outbox.close()

    def peer(self) -> tuple[float, float]:
        """Return messages per second of all peer processes together, and messages per cpu second."""
        for child in self.peers:
            child.say(str(self.sizes.peer))
        told = [json.loads(child.hear()) for child in self.peers]
        done = sum(one["messages"] for one in told)
        return sum(one["messages"] / one["seconds"] for one in told), done / sum(one["cpu"] for one in told)

    def commit(self) -> tuple[float, float]:
        """Return records per second, one and a thousand per commit."""
        return self.commits.rate(1, self.sizes.commits), self.commits.rate(TOGETHER, self.sizes.commits)

    def burst(self, form: str, records: int) -> Burst:
        """Hand in a burst and wait until every record of it has its final word."""
        pair = self.pair
        job = {"form": form, "records": records, "per_post": PER_POST[form], "connections": CONNECTIONS[form]}
        self._ready(job)
        since, before, busy = _now(), pair.cpu(), machine.busy()
        told = self._go()
        pair.wait_settled(since, records, WITHIN)
        spent = [(after - was) * 1e6 / records for was, after in zip(before, pair.cpu(), strict=True)]
        spent.append(told["cpu"] * 1e6 / records)
        parcels = pair.parcels(since)
        begun = told["begun"] / 1e6
        seconds = (max(finished for _, _, finished, *_ in parcels) - begun) / 1000
        if any(refused for *_, refused, _ in parcels):
            raise SystemExit("a record was refused: the load is at fault")
        return Burst(
            taken=records * 1e9 / (told["ended"] - told["begun"]),
            accepted=records * 1000 / (parcels[-1][1] - begun),
            steady=_steady(parcels, records),
            final=records / seconds,
            department=spent[0], centre=spent[1], load=spent[2],
            others=max(0.0, machine.busy() - busy - sum(spent) * records / 1e6) / seconds / (os.cpu_count() or 1),
            parcels=len(parcels), octets=sum(octets for *_, octets in parcels) / records,
        )

    def calm(self) -> None:
        """Post single records to idle nodes, and add what they waited for to `idle`."""
        pair, sizes = self.pair, self.sizes
        self._ready({"form": "json", "records": sizes.idle, "per_post": 1, "connections": 1, "pause": sizes.pause})
        since, commits = _now(), self._commits()
        told = self._go()
        pair.wait_settled(since, sizes.idle, WITHIN)
        count, seconds = (after - was for was, after in zip(commits, self._commits(), strict=True))
        # Instants are cut to ms, and taken just before the commit that makes them true.
        late = 1.0 + 1000 * seconds / max(1.0, count)
        instants = pair.instants(since)
        for sent, back, submission in told["answered"]:
            accepted, finished = instants[submission.replace("-", "")]
            self.idle.taken.append((back - sent) / 1e6)
            self.idle.accepted.append(accepted - sent / 1e6 + late)
            self.idle.final.append(finished - sent / 1e6 + late)

    def _commits(self) -> tuple[float, float]:
        name = 'exnode_store_commit_duration_seconds_{}{{store="outbox"}}'
        return self.pair.department.metric(name.format("count")), self.pair.department.metric(name.format("sum"))

    def _ready(self, job: dict[str, Any]) -> None:
        pair = self.pair
        self.load.say(json.dumps({**job, "port": pair.department.seat.api, "token": pair.token}))
        if self.load.hear() != "ready":
            raise SystemExit("the load is not ready")
        self.posted += job["records"]

    def _go(self) -> dict[str, Any]:
        self.load.say("")
        told: dict[str, Any] = json.loads(self.load.hear())
        return told


def _steady(parcels: Sequence[tuple[int, int, int, int, int]], records: int) -> float:
    """Return the rate of *accepted* between a tenth and nine tenths of the records; 0 if that is one parcel."""
    done, low, high = 0, None, None
    for count, accepted, *_ in parcels:
        done += count
        if low is None and done >= records * 0.1:
            low = (done, accepted)
        if high is None and done >= records * 0.9:
            high = (done, accepted)
    if low is None or high is None or high[1] == low[1]:
        return 0.0
    return (high[0] - low[0]) * 1000 / (high[1] - low[1])


def _now() -> int:
    return time.time_ns() // 1_000_000
