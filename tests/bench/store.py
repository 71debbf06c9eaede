"""What the stores cost: records put, groups drawn, deliveries applied, on this disk and with the real storage key.

    python -m tests.bench.store [FOLDER]

Rounds are interleaved and medians shown; `cpu` is this process's own time and says the same on a busy machine.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from node.crypto.selftest import open_crypto
from node.crypto.storage import StorageKey, new_secret
from node.model.ids import uuid7
from node.model.parcel import Lane
from node.model.record import Head, Operation, SpecificationId, Stream, Version
from node.model.spool import Answer, Arriving, Claim, Delivery, Submission, Waiting
from node.store import SqliteOutbox, SqliteWarehouse

LANE = Lane("bench", "here", "there", "population", Stream.LIVE)
SPEC = SpecificationId("population-basic", "1.0", "0" * 64)
ROUNDS = 5
DELIVERY = 1024


def varied(number: int, seed: int = 1) -> list[bytes]:
    """Return lines of about 1 KiB that compress about threefold."""
    chosen = random.Random(seed)
    words = ["".join(chosen.choices("abcdefghijklmnopqrstuvwxyz", k=chosen.randint(3, 9))) for _ in range(1500)]
    return [
        ('{"body":{' + ",".join(f'"Field{n}":"{" ".join(chosen.choices(words, k=4))}"' for n in range(24))
         + f',"Id":"{chosen.randrange(10**15)}"}}}}').encode()
        for _ in range(number)
    ]


LINES = varied(2048)


def now() -> int:
    """Return the instant."""
    return time.time_ns() // 1_000_000


class Bench:
    """Both stores in a folder, and what was put into them so far."""

    def __init__(self, folder: Path) -> None:
        crypto = open_crypto(None, False, lambda said: None)  # what the node computes with
        storage = StorageKey(crypto, [new_secret(os.urandom)], os.urandom)
        self.outbox = SqliteOutbox(folder / "outbox.db", storage, crypto.sm3, now, os.urandom)
        self.warehouse = SqliteWarehouse(folder / "warehouse.db", storage, crypto.sm3)
        self.delivered = 0

    def wait(self, records: int) -> None:
        """One unit of records that wait."""
        with self.outbox.unit() as unit:
            first = unit.allot(LANE.resource, records)
            lines = [LINES[(first.n + n) % len(LINES)] for n in range(records)]
            for n, line in enumerate(lines):
                unit.wait(LANE, Waiting(SPEC, [line], 0, Version(first.epoch, first.n + n)))

    def post(self, posts: int, records: int) -> None:
        """One unit of whole submissions: key looked up, versions, records, answer."""
        with self.outbox.unit() as unit:
            for _ in range(posts):
                key, body = os.urandom(8).hex(), LINES[0]
                unit.answered("app", LANE.resource, key, body)
                first = unit.allot(LANE.resource, records)
                lines = [LINES[(first.n + n) % len(LINES)] for n in range(records)]
                unit.wait(LANE, Waiting(SPEC, lines, now(), first))
                id = uuid7(now(), os.urandom(10))
                submission = Submission(id, "app", LANE.resource, Stream.LIVE, first, records, 0, now())
                unit.answer(submission, key, body, Answer(id, 202, b'{"submission":"","accepted":1,"refused":[]}'))

    def draw(self) -> None:
        """Read one parcel's groups."""
        with self.outbox.unit() as unit:
            assert unit.draw(LANE)

    def apply(self, start: int) -> None:
        """Apply one delivery of DELIVERY records with keys from `start`."""
        self.delivered += 1
        records = [
            Arriving(
                n, Head("", f"row-{start + n}", "here", Version(1, self.delivered * DELIVERY + n), Operation.UPSERT,
                        "2026-01-01", None, ""), (f"key-{start + n}",), LINES[n],
            )
            for n in range(DELIVERY)
        ]
        made = Delivery(
            Claim(LANE, self.delivered), uuid7(now(), os.urandom(10)), LANE, SPEC, "", records, os.urandom(800)
        )
        before = time.process_time(), time.perf_counter()
        with self.warehouse.unit() as unit:
            unit.apply(made, now())
        self.spent = time.process_time() - before[0], time.perf_counter() - before[1]

    def timed(self, act: Callable[[], None], times: int) -> tuple[float, float]:
        """Return cpu and wall seconds of `times` acts; an act may leave its own in `spent`."""
        cpu = wall = 0.0
        for _ in range(times):
            self.spent = -1.0, -1.0
            before = time.process_time(), time.perf_counter()
            act()
            spent = time.process_time() - before[0], time.perf_counter() - before[1]
            cpu, wall = cpu + (spent[0] if self.spent[0] < 0 else self.spent[0]), wall + (
                spent[1] if self.spent[1] < 0 else self.spent[1])
        return cpu, wall


def main() -> None:
    """Measure and print."""
    parent = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        bench = Bench(Path(folder))
        some = random.Random(2)
        acts: dict[str, tuple[Callable[[], None], int, int]] = {
            "wait, 1 record a commit": (lambda: bench.wait(1), 100, 1),
            "wait, 100 records a commit": (lambda: bench.wait(100), 20, 100),
            "wait, 1000 records a commit": (lambda: bench.wait(1000), 10, 1000),
            "1 post of 1 record a commit": (lambda: bench.post(1, 1), 100, 1),
            "100 posts of 1 record a commit": (lambda: bench.post(100, 1), 10, 100),
            "1 post of 100 records a commit": (lambda: bench.post(1, 100), 20, 100),
            "10 posts of 100 records a commit": (lambda: bench.post(10, 100), 5, 1000),
            "draw a parcel": (bench.draw, 5, 1024),
            "apply 1024 new keys": (lambda: bench.apply(bench.delivered * DELIVERY), 6, DELIVERY),
            "apply 1024 known keys": (
                lambda: bench.apply(some.randrange(max(1, bench.delivered // 2)) * DELIVERY), 6, DELIVERY),
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in acts}
        for _ in range(ROUNDS):
            for name, (act, times, records) in acts.items():
                cpu, wall = bench.timed(act, times)
                found[name].append((1e6 * cpu / times / records, 1e6 * wall / times / records))
        rates = {}
        for name, rounds in found.items():
            cpu, wall = median(one[0] for one in rounds), median(one[1] for one in rounds)
            rates[name] = 1e6 / wall
            print(f"{name:34} {1e6 / wall:9.0f} records/s  {wall:7.1f} µs wall  {cpu:7.1f} µs cpu per record")
        gain = rates["wait, 1000 records a commit"] / rates["wait, 1 record a commit"]
        print(f"group commit gains {gain:.0f}x at 1000 records")


if __name__ == "__main__":
    main()
