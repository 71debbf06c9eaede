"""17: several times what an exchange can do, then normal again (PEERS §11.17; phoss-ap #68).

    python -m tests.regressions.overload --minutes 60

lays out an exchange of its own, measures what one client gets through, lets many submit at once for so long, waits
until the queue is empty, measures again, and counts every record.  `make test` runs the same for some seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from node.cli.demo.cargo import Body
from node.validate import sample, to_json
from tests.processes.exchange import CENTRE, RESOURCES, SOURCE
from tests.regressions.hand import posted
from tests.regressions.standing import Standing

EACH = 50
NDJSON = "application/x-ndjson"
WAITS = frozenset({409, 429, 503, 507})


@dataclass
class Pace:
    """What was done in a while: records, seconds, and the processor's seconds that both nodes took for them."""

    records: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Records in a second."""
        return self.records / self.seconds

    @property
    def cost(self) -> float:
        """Microseconds of processor per record: what a busy machine does not change much."""
        return self.cpu / self.records * 1e6


@dataclass
class Outcome:
    """What came of it."""

    before: Pace
    during: Pace
    after: Pace
    turned_away: int
    submitted: int
    delivered: int
    doubled: int
    memory: int


class Crowd:
    """Clients that submit; each body has its own idempotency key and is repeated until it is taken."""

    def __init__(self, standing: Standing) -> None:
        self._standing, self._lock = standing, threading.Lock()
        self._name = os.urandom(4).hex()
        self._made = 0
        self.taken = self.turned = 0

    def body(self) -> tuple[str, Body]:
        """Return the next body and its key."""
        with self._lock:
            number = self._made
            self._made += 1
        spec = self._standing.specifications.get(RESOURCES["population"])
        assert spec is not None
        twins = [sample(spec, 17, number * EACH + n) for n in range(EACH)]
        rows = [twin | {"RecordId": f"{self._name}-{number}-{n}"} for n, twin in enumerate(twins)]
        return f"{self._name}-{number}", Body("population", NDJSON, b"\n".join(map(to_json, rows)), EACH)

    def submit(self, more: Callable[[], bool]) -> None:
        """Submit while there is more to do."""
        while more():
            key, body = self.body()
            while True:
                heard = posted(self._standing, body.octets, NDJSON, key)
                if heard.status == 202:
                    break
                assert heard.status in WAITS, heard.status
                assert "Retry-After" in heard.headers, "it is told when to come back"
                with self._lock:
                    self.turned += 1
                time.sleep(0.2)
            with self._lock:
                self.taken += EACH


def work(standing: Standing, crowd: Crowd, clients: int, seconds: float) -> Pace:
    """Let so many submit for so long, and wait until all of it is delivered."""
    start, cpu, taken = time.monotonic(), spent(standing), crowd.taken
    until = start + seconds
    failed: list[BaseException] = []

    def run() -> None:
        try:
            crowd.submit(lambda: time.monotonic() < until)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed
    standing.accounted(max(60.0, 2 * seconds))
    return Pace(crowd.taken - taken, time.monotonic() - start, spent(standing) - cpu)


def spent(standing: Standing) -> float:
    """Return the processor's seconds that both nodes have taken."""
    found = 0
    for node in (CENTRE, SOURCE):
        fields = Path(f"/proc/{standing.crew.pid(node)}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        found += int(fields[11]) + int(fields[12])
    return found / os.sysconf("SC_CLK_TCK")


def overload(standing: Standing, normal: float, hard: float, clients: int) -> Outcome:
    """Return what an overload of `clients` at once for `hard` seconds did, measured `normal` seconds on each side."""
    crowd, records = Crowd(standing), standing.history()
    before = work(standing, crowd, 1, normal)
    small = {node: standing.forget_memory(node) for node in (CENTRE, SOURCE)}
    during = work(standing, crowd, clients, hard)
    grown = max(standing.memory(node) - small[node] for node in small)
    after = work(standing, crowd, 1, normal)
    found = standing.history()
    doubled = len(found) - len(set(found))
    return Outcome(before, during, after, crowd.turned, crowd.taken, len(found) - len(records), doubled, grown)


def main(arguments: Sequence[str]) -> int:
    """Run the long one and write its figures; return 0 only if nothing was lost or doubled and the pace returned."""
    parser = argparse.ArgumentParser(prog="tests.regressions.overload")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=24)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        standing = Standing(Path(folder) / "site")
        try:
            standing.whole()
            told = overload(standing, min(60.0, given.minutes * 6), given.minutes * 60, given.clients)
        finally:
            standing.end()
    good = told.delivered == told.submitted and not told.doubled and told.after.rate >= 0.9 * told.before.rate
    print(json.dumps({
        **asdict(told), "rate_before": told.before.rate, "rate_during": told.during.rate, "rate_after": told.after.rate,
        "good": good,
    }, indent=1))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
