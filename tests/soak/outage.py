"""A day without the centre, compressed: two departments take all of it; it drains by itself once the centre is up.

What a day would add is waiting: no wall clock is moved, and the rests between probes end at the demonstration's 2 s.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from node.cli.demo.audit import Ledgers
from node.cli.demo.cargo import RESOURCES
from node.cli.demo.site import Plan, Seat
from node.model.spool import EntryState
from tests.bench import machine
from tests.bench.records import RESOURCE
from tests.processes.exchange import CENTRE, SOURCE, SUBSCRIBER, Exchange, until
from tests.soak.audit import chains, in_order, places_in_order, sound
from tests.soak.pieces import Options, Piece

DEPARTMENTS = (SOURCE, SUBSCRIBER)
PLAN = Plan(CENTRE, DEPARTMENTS, {RESOURCE: RESOURCES[RESOURCE]}, {RESOURCE: DEPARTMENTS}, {})
JOB, MOULDS, CONNECTIONS = 20_000, 2048, 4
PATIENCE = 7200.0
MIB = 1 << 20


def pieces(options: Options) -> Iterator[Piece]:
    """Yield the outage."""
    if options.outage:
        yield Piece("outage", f"{options.outage}", partial(play, options.outage, options.per_post, options.seed))


@dataclass
class Process:
    """A running node as the kernel sees it."""

    pid: int

    def resident(self, what: str = "VmHWM") -> float:
        """Return its resident memory in MiB: the most so far, or now (`VmRSS`)."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return round(int(text.partition(f"{what}:")[2].split()[0]) / 1024, 1)

    def cpu(self) -> float:
        """Return the seconds of processor it used."""
        return machine.cpu(self.pid)


def play(records: int, per_post: int, seed: int, folder: Path) -> tuple[Mapping[str, Any], list[str]]:
    """Submit while the centre is away, start it, wait until every receipt is home; return figures, what is broken."""
    exchange = Exchange(folder, PLAN, haste="")
    try:
        nodes = {node: _start(exchange, node) for node in DEPARTMENTS}
        shares = {node: records // 2 + (records % 2) * (node == SOURCE) for node in DEPARTMENTS}
        figures = _away(exchange, shares, per_post, seed)
        figures["resident_before"] = {node: process.resident("VmRSS") for node, process in nodes.items()}
        figures["disk_before"] = {node: _disk(exchange.seat(node)) for node in DEPARTMENTS}
        figures |= _drain(exchange, nodes)
        figures["resident_most"] = {node: process.resident() for node, process in nodes.items()}
        figures["disk_after"] = {node: _disk(exchange.seat(node)) for node in nodes}
        return figures, _check(exchange, shares, figures)
    finally:
        exits = exchange.close()
        assert not any(exits.values()), exits


def _start(exchange: Exchange, node: str) -> Process:
    pid = exchange.crew.spawn(node)
    exchange.crew.wait(node)
    return Process(pid)


def _disk(seat: Seat) -> float:
    return round(sum(path.stat().st_size for path in seat.state.iterdir()) / MIB, 1)


def _away(exchange: Exchange, shares: Mapping[str, int], per_post: int, seed: int) -> dict[str, Any]:
    """Have both departments take their shares at once; each POST must be answered 202 with nothing refused."""
    loads = [
        _Load(exchange.seat(node), share, per_post, seed * 2 + at)
        for at, (node, share) in enumerate(shares.items())
    ]
    window = machine.Window()
    for load in loads:
        load.start()
    for load in loads:
        load.join()
    assert not any(load.failed for load in loads), [load.failed for load in loads]
    return {
        "records": sum(shares.values()), "posts": sum(load.posts for load in loads), "per_post": per_post,
        "take_seconds": round(max(load.seconds for load in loads), 1),
        "others_while_taking": round(window.others(0.0), 2),
    }


class _Load(threading.Thread):
    """Submits a share to one department, in jobs made ready by a process of its own (`tests.bench.load`)."""

    def __init__(self, seat: Seat, share: int, per_post: int, seed: int) -> None:
        super().__init__(name=seat.node)
        self._job = {
            "form": "json", "per_post": per_post, "resources": [RESOURCE], "connections": CONNECTIONS,
            "port": seat.api, "token": seat.token.read_text(encoding="ascii").strip(),
        }
        self._share, self._seed = share, seed
        self.posts, self.seconds, self.failed = 0, 0.0, ""
        """`seconds` from the first request of each job to its last answer: the making of records is not in it."""

    def run(self) -> None:
        command = [sys.executable, "-m", "tests.bench.load", f"{self._seed}", f"{MOULDS}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdin is not None and child.stdout is not None
            child.stdout.readline()
            for start in range(0, self._share, JOB):
                child.stdin.write(json.dumps({**self._job, "records": min(JOB, self._share - start)}) + "\n")
                child.stdin.flush()
                child.stdout.readline()
                child.stdin.write("\n")
                child.stdin.flush()
                told = child.stdout.readline()
                if not told:
                    self.failed = f"{self.name}: the load ended after {start} records"
                    break
                result = json.loads(told)
                self.posts += result["posts"]
                self.seconds += (result["ended"] - result["begun"]) / 1e9


def _drain(exchange: Exchange, nodes: dict[str, Process]) -> dict[str, Any]:
    """Start the centre and touch nothing until all is home."""
    departments = exchange.ledgers(*DEPARTMENTS)
    before = {node: process.cpu() for node, process in nodes.items()}
    began = time.monotonic()
    nodes[CENTRE] = _start(exchange, CENTRE)
    ready = time.monotonic()
    (centre,) = exchange.ledgers(CENTRE)
    until("everything is drained", lambda: all(each.idle() for each in (*departments, centre)), PATIENCE)
    ended = time.monotonic()
    cpu = {node: round(process.cpu() - before.get(node, 0.0), 1) for node, process in nodes.items()}
    return {"drain_seconds": round(ended - began, 1), "drain_from_ready": round(ended - ready, 1), "drain_cpu": cpu}


def _check(exchange: Exchange, shares: Mapping[str, int], figures: dict[str, Any]) -> list[str]:
    departments, (centre,) = exchange.ledgers(*DEPARTMENTS), exchange.ledgers(CENTRE)
    broken = [said for each in departments for said in _home(each, shares[each.node], figures)]
    count, said = in_order(centre, RESOURCE)
    if count != figures["records"]:
        broken.append(f"the centre's history has {count} records, not {figures['records']}")
    broken += said
    for ledgers in (*departments, centre):
        broken += [*places_in_order(ledgers), *sound(exchange.seat(ledgers.node).state)]
        broken += chains(ledgers, (CENTRE, *DEPARTMENTS), (RESOURCE,))[1]
    return broken


def _home(department: Ledgers, share: int, figures: dict[str, Any]) -> Iterator[str]:
    """Every record of a department is finished, and both receipts of each parcel are there and verify."""
    entries = department.entries()
    done = sum(entry.count for entry in entries if entry.state is EntryState.DONE and not entry.refused)
    if done != share:
        yield f"{department.node}: {done} of {share} records are finished"
    held, good = department.receipts()
    if not held == good == 2 * len(entries):
        yield f"{department.node}: {held} receipts of {len(entries)} parcels, {good} of them verify"
    figures["parcels"] = figures.get("parcels", 0) + len(entries)
    figures["receipts"] = figures.get("receipts", 0) + good
