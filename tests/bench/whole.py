"""The whole measurement in order: start, memory, warm-up, rounds, memory again, disk, wire, stages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import machine, stages
from tests.bench.pair import CENTRE, DEPARTMENT, Pair
from tests.bench.rounds import Burst, Idle, Rounds, Sizes
from tests.bench.wire import Relay


@dataclass(slots=True)
class Measured:
    """Everything that was measured; lists hold one entry per round."""

    versions: Mapping[str, str]
    octets: Mapping[str, float]
    idle: Idle
    bursts: dict[str, list[Burst]] = field(default_factory=lambda: {"json": [], "xml": []})
    peers: list[tuple[float, float]] = field(default_factory=list)
    commits: list[tuple[float, float]] = field(default_factory=list)
    resident: dict[str, tuple[int, int]] = field(default_factory=dict)
    disk: dict[str, float] = field(default_factory=dict)
    wire: tuple[float, float] = (0.0, 0.0)
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    posted: int = 0
    delivered: int = 0


def measure(folder: Path, sizes: Sizes, say: Callable[[str], None]) -> Measured:
    """Return the measurements of one run; `say` hears how far it is."""
    rounds = Rounds(folder, sizes)
    pair = rounds.pair
    try:
        pair.start()
        time.sleep(1)
        memory = [node.resident() for node in pair.nodes]
        rounds.burst("json", sizes.warm)
        found = Measured(machine.versions(), rounds.octets, rounds.idle)
        for number in range(sizes.rounds):
            _round(rounds, found)
            json, peer = found.bursts["json"][-1], found.peers[-1]
            say(f"round {number + 1} of {sizes.rounds}: {json.final:,.0f} records/s, peer {peer[0]:.1f}")
        for node, before in zip((DEPARTMENT, CENTRE), memory, strict=True):
            after = next(one for one in pair.nodes if one.seat.node == node).resident()
            found.resident[node] = (before, after)
        found.posted, found.delivered = rounds.posted, pair.delivered()
        pair.stop()
        found.disk = _disk(pair, rounds.posted)
        found.wire = _wire(rounds)
        for form in found.bursts:
            found.stages[form] = stages.measure(folder / f"stages-{form}", form, sizes.parcels)
        return found
    except BaseException:
        pair.kill()
        raise
    finally:
        pair.stop()
        rounds.close()


def _round(rounds: Rounds, found: Measured) -> None:
    found.peers.append(rounds.peer())
    found.bursts["json"].append(rounds.burst("json", rounds.sizes.json))
    found.commits.append(rounds.commit())
    found.bursts["xml"].append(rounds.burst("xml", rounds.sizes.xml))
    time.sleep(0.5)
    rounds.calm()


def _disk(pair: Pair, records: int) -> dict[str, float]:
    """Return the octets per record of each file of the stopped nodes, logs already written back."""
    return {
        f"{name} {store}": sum(one.stat().st_size for one in pair.site.seats[name].state.glob(f"{store}.db*")) / records
        for name, store in ((DEPARTMENT, "outbox"), (CENTRE, "inbox"), (CENTRE, "warehouse"))
    }


def _wire(rounds: Rounds) -> tuple[float, float]:
    """Return the octets per record from department to centre and back, TLS included, in a burst through a relay."""
    pair = rounds.pair
    seat, records = pair.site.seats[DEPARTMENT], rounds.sizes.wire
    relay = Relay(pair.site.seats[CENTRE].gateway)
    config = seat.config.read_text(encoding="utf-8")
    here, there = (f'address = "127.0.0.1:{port}"' for port in (pair.site.seats[CENTRE].gateway, relay.port))
    assert here in config, "the department connects to the centre"
    seat.config.write_text(config.replace(here, there), encoding="utf-8")
    try:
        pair.start()
        rounds.burst("json", 100)
        before = relay.there, relay.back
        rounds.burst("json", records)
        return (relay.there - before[0]) / records, (relay.back - before[1]) / records
    finally:
        pair.stop()
        relay.close()
        seat.config.write_text(config, encoding="utf-8")
