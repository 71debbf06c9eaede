"""The whole measurement in order: start, memory, first bursts, rounds, memory again, wire, stages, what waits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

from tests.bench import machine
from tests.bench.judging import Judged, Judging, files
from tests.bench.lanes import Urgent, urgent
from tests.bench.memory import Watched
from tests.bench.modes import MODES
from tests.bench.outage import Drained, drain
from tests.bench.pair import CENTRE, DEPARTMENT
from tests.bench.rounds import Burst, Idle, Rounds, Sizes
from tests.bench.stages import Stages
from tests.bench.tables import Tables, tables
from tests.bench.wire import Relay
from tests.bench.yardsticks import YARDSTICKS, Reading

PARTS = (*MODES, *YARDSTICKS, "idle", "commits", "wire", "stages", "waiting", "outage", "lanes", "judging",
         "tables")
"""What `--only` may name."""


@dataclass(slots=True)
class Measured:
    """Everything that was measured; lists hold one entry per round, and what was left out is empty."""

    versions: dict[str, str]
    octets: Mapping[str, float]
    idle: Idle
    bursts: dict[str, list[Burst]] = field(default_factory=dict)
    readings: dict[str, list[Reading]] = field(default_factory=dict)
    commits: list[tuple[float, float]] = field(default_factory=list)
    resident: dict[str, tuple[int, int]] = field(default_factory=dict)
    waiting: Drained | None = None
    outage: Drained | None = None
    lanes: Urgent | None = None
    judged: Judged | None = None
    tables: Tables | None = None
    wire: tuple[float, float] | None = None
    stages: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    posted: int = 0
    delivered: int = 0


def measure(
    folder: Path, sizes: Sizes, say: Callable[[str], None], parts: Collection[str] = PARTS, profile: str = ""
) -> Measured:
    """Return the measurements of one run; `say` hears how far it is."""
    load, rounds = os.getloadavg()[0], Rounds(folder, sizes, parts, profile)
    pair, opened = rounds.pair, list[Stages]()
    try:
        pair.start()
        time.sleep(1)
        watched = Watched([node.process.pid for node in pair.nodes])
        found = Measured(machine.versions(), rounds.octets, rounds.idle)
        found.bursts = {name: [] for name in MODES if name in parts}
        for name in found.bursts:
            rounds.learn(MODES[name])
        if profile:
            pair.begin_profile()
        stages = {
            form: Stages.open(folder / f"stages-{form}", form, sizes.per_parcel)
            for form in ("json", "xml") if "stages" in parts and form in parts
        }
        opened += stages.values()
        for number in range(sizes.rounds):
            _round(rounds, found, parts)
            for form, stage in stages.items():
                found.stages.setdefault(form, []).append(stage.round(sizes.parcels))
            say(f"round {number + 1} of {sizes.rounds}: {_last(found)}")
        found.resident = dict(zip((DEPARTMENT, CENTRE), watched.end(), strict=True))
        found.posted, found.delivered = rounds.posted, pair.delivered()
        pair.stop()
        _afterwards(rounds, found, folder, parts)
        _backlogs(found, sizes, folder, say, parts)
        found.versions["load average, start and end"] = f"{load:.1f}, {os.getloadavg()[0]:.1f}"
        return found
    except BaseException:
        pair.kill()
        raise
    finally:
        pair.stop()
        rounds.close()
        for stage in opened:
            stage.close()


def _afterwards(rounds: Rounds, found: Measured, folder: Path, parts: Collection[str]) -> None:
    if "wire" in parts:
        found.wire = _wire(rounds)


def _backlogs(
    found: Measured, sizes: Sizes, folder: Path, say: Callable[[str], None], parts: Collection[str]
) -> None:
    """Measure what waits, each on a site of its own that is thrown away."""
    if "waiting" in parts:
        say(f"{sizes.waiting:,} records wait")
        found.waiting = drain(folder / "waiting", sizes.waiting, 100)
        rmtree(folder / "waiting")
    if "outage" in parts:
        say(f"{sizes.outage:,} records of an outage, one by one")
        found.outage = drain(folder / "outage", sizes.outage, 1)
        rmtree(folder / "outage")
    if "lanes" in parts:
        say(f"{sizes.lanes:,} lanes wait")
        found.lanes = urgent(folder / "lanes", sizes.lanes, sizes.each, sizes.urgent)
    if "judging" in parts:
        say(f"{sizes.judged:,} records are judged, and a file of {sizes.file >> 20:,} MiB")
        found.judged = Judged()
        judging = Judging(found.judged, sizes.judged)
        for _ in range(sizes.rounds):
            judging.round()
        found.judged.files = files(folder / "judging", sizes.file)
    if "tables" in parts:
        say(f"{sizes.table:,} rows from table to table")
        found.tables = tables(folder / "tables", sizes.table, sizes.rounds)


def _last(found: Measured) -> str:
    told = [f"{name} {bursts[-1].final:,.0f}" for name, bursts in found.bursts.items()]
    return ", ".join(told + [f"{name} {readings[-1].rate:,.1f}" for name, readings in found.readings.items()])


def _round(rounds: Rounds, found: Measured, parts: Collection[str]) -> None:
    for name, reading in rounds.readings().items():
        found.readings.setdefault(name, []).append(reading)
    for name, bursts in found.bursts.items():
        bursts.append(rounds.burst(MODES[name]))
    if "commits" in parts:
        found.commits.append(rounds.commit())
    if "idle" in parts:
        time.sleep(0.5)
        rounds.calm()


def _wire(rounds: Rounds) -> tuple[float, float]:
    """Return the octets per record from department to centre and back, TLS included, in a burst through a relay."""
    pair, mode = rounds.pair, MODES["json"]
    seat, records = pair.site.seats[DEPARTMENT], rounds.sizes.wire
    relay = Relay(pair.site.seats[CENTRE].gateway)
    config = seat.config.read_text(encoding="utf-8")
    here, there = (f'address = "127.0.0.1:{port}"' for port in (pair.site.seats[CENTRE].gateway, relay.port))
    assert here in config, "the department connects to the centre"
    seat.config.write_text(config.replace(here, there), encoding="utf-8")
    try:
        pair.start()
        rounds.burst(mode, 100)
        before = relay.there, relay.back
        rounds.burst(mode, records)
        return (relay.there - before[0]) / records, (relay.back - before[1]) / records
    finally:
        pair.stop()
        relay.close()
        seat.config.write_text(config, encoding="utf-8")
