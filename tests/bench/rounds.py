"""One round of everything that is compared, one after the other, so that a busy neighbour disturbs all of it alike.

Rule 1: a burst is handed in as fast as it is taken, and its rate is all its records over the whole time from the first
        octet sent to the last *accepted* (or final word) come home: start and drain are in it, `steady` is without.
Rule 2: records go from process to process and never rest on disk in clear.
Rule 3: nothing else of ours runs meanwhile; the nodes are idle while the peers and the commits are measured.
Rule 4: a burst holds as many records as the burst before the rounds says that fill `seconds`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.child import Child
from tests.bench.commits import TOGETHER, Commits
from tests.bench.machine import Window
from tests.bench.modes import MODES, Mode
from tests.bench.pair import Pair
from tests.bench.yardsticks import YARDSTICKS, Reading, Yardstick

WITHIN = 180.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done: `rounds`; `seconds` a burst lasts; `scale` of each mode's `first`; records of the idle measure,
    `pause` between two; seconds of a yardstick and of the commits; records through the relay; parcels by stage;
    records that wait, and of an outage; lanes that wait with `each` records, and urgent ones posted meanwhile; records
    judged alone, and octets of a file; rows of a table."""

    rounds: int
    seconds: float
    idle: int
    peer: float
    commits: float
    scale: float = 1.0
    wire: int = 10_240
    pause: float = 0.05
    moulds: int = 1500
    parcels: int = 12
    per_parcel: int = 700
    waiting: int = 1_000_000
    outage: int = 200_000
    lanes: int = 1000
    each: int = 100
    urgent: int = 10
    judged: int = 6000
    file: int = 1 << 30
    table: int = 1_000_000

    def first(self, mode: Mode) -> int:
        """Return how many records are handed in before the rounds."""
        return _whole(mode, mode.first * self.scale)

    def burst(self, mode: Mode, rate: float) -> int:
        """Return how many records a burst holds when `rate` of them reach their final word a second."""
        return max(self.first(mode), _whole(mode, rate * self.seconds))


def _whole(mode: Mode, records: float) -> int:
    return max(1, round(records / mode.per_post)) * mode.per_post


FULL = Sizes(rounds=5, seconds=5.5, idle=120, peer=5.0, commits=1.0)
QUICK = Sizes(rounds=3, seconds=2.0, scale=0.5, idle=60, peer=2.0, commits=0.5, moulds=1100, parcels=4,
              waiting=50_000, outage=20_000, each=50, judged=2000, file=64 << 20,
              table=20_000)


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of a burst: rates in records per second, cpu in µs per record, shares of the machine's time."""

    records: int
    taken: float
    accepted: float
    steady: float
    final: float
    seconds: float
    department: float
    centre: float
    load: float
    others: float
    stolen: float
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

    def __init__(self, folder: Path, sizes: Sizes, yardsticks: Collection[str] = (), profile: str = "") -> None:
        self.sizes, self.posted = sizes, 0
        self.pair = Pair(folder / "site", profile=profile)
        self.load = Child("tests.bench.load", "1", str(sizes.moulds))
        self.octets: dict[str, float] = json.loads(self.load.hear())
        self.load.say(json.dumps({"show": TOGETHER}))
        self.records = [line.encode() for line in json.loads(self.load.hear())]
        self.yardsticks: list[Yardstick] = [
            make(folder / name.replace(" ", "-"), self.records[0])
            for name, make in YARDSTICKS.items() if name in yardsticks
        ]
        self.commits = Commits.open(folder, self.pair.site.seats["dept-a"].config, self.records)
        self.idle = Idle()
        self.sized: dict[str, int] = {}

    def close(self) -> None:
        """End the processes of the test."""
        self.load.close()
        for yardstick in self.yardsticks:
            yardstick.close()
        self.commits.outbox.close()

    def readings(self) -> dict[str, Reading]:
        """Return one reading of each yardstick."""
        return {yardstick.name: yardstick.read(self.sizes.peer) for yardstick in self.yardsticks}

    def commit(self) -> tuple[float, float]:
        """Return records per second, one and a thousand per commit."""
        return self.commits.rate(1, self.sizes.commits), self.commits.rate(TOGETHER, self.sizes.commits)

    def learn(self, mode: Mode) -> None:
        """Hand in the first records of a mode: warms up, and says how large its bursts shall be."""
        self.burst(mode, self.sizes.first(mode))
        first = self.burst(mode, self.sizes.first(mode))
        self.sized[mode.name] = self.sizes.burst(mode, first.final)

    def burst(self, mode: Mode, records: int = 0) -> Burst:
        """Hand in a burst and wait until every record of it has its final word."""
        pair, records = self.pair, records or self.sized[mode.name]
        self._ready({
            "form": mode.form, "records": records, "per_post": mode.per_post, "connections": mode.connections,
            "resources": mode.resources,
        })
        since, before, window = _now(), pair.cpu(), Window()
        told = self._go()
        pair.wait_settled(since, records, WITHIN)
        spent = [(after - was) * 1e6 / records for was, after in zip(before, pair.cpu(), strict=True)]
        spent.append(told["cpu"] * 1e6 / records)
        others, stolen = window.others(sum(spent) * records / 1e6), window.stolen()
        parcels = pair.parcels(since)
        begun = told["begun"] / 1e6
        seconds = (max(finished for _, _, finished, *_ in parcels) - begun) / 1000
        if any(refused for *_, refused, _ in parcels):
            raise SystemExit("a record was refused: the load is at fault")
        return Burst(
            records=records, taken=records * 1e9 / (told["ended"] - told["begun"]),
            accepted=records * 1000 / (parcels[-1][1] - begun), steady=steady(parcels, records),
            final=records / seconds, seconds=seconds,
            department=spent[0], centre=spent[1], load=spent[2], others=others, stolen=stolen,
            parcels=len(parcels), octets=sum(octets for *_, octets in parcels) / records,
        )

    def calm(self) -> None:
        """Post single records to idle nodes, and add what they waited for to `idle`."""
        pair, sizes = self.pair, self.sizes
        self._ready({
            "form": "json", "records": sizes.idle, "per_post": 1, "connections": 1, "pause": sizes.pause,
            "resources": MODES["json"].resources,
        })
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


def steady(parcels: Sequence[tuple[int, int, int, int, int]], records: int) -> float:
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
