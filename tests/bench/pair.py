"""A department and a centre as two real processes, as `exchange-node run` starts them, and what is read of them.

Nothing is asked of the processes while they are measured: cpu time and memory come from the kernel, and what became of
each record is read from the department's outbox, read-only, where the exchange itself wrote down when the centre's
*accepted* and its final verdict came home.
"""

from __future__ import annotations

import http.client
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from node.cli.demo.site import Plan, Seat, Site, lay_out
from tests.bench import machine
from tests.bench.child import end_with_parent
from tests.bench.modes import SINGLES
from tests.bench.records import RESOURCE, SPECIFICATION

DEPARTMENT, CENTRE = "dept-a", "centre"
RESOURCES = (RESOURCE, *SINGLES)
PLAN = Plan(
    CENTRE, [DEPARTMENT], dict.fromkeys(RESOURCES, SPECIFICATION), dict.fromkeys(RESOURCES, [DEPARTMENT]), {}
)
ANSWER = 60.0


def lay_out_pair(folder: Path, plan: Plan = PLAN) -> Site:
    """Return a new site whose `SINGLES` travel one record a parcel."""
    site = lay_out(folder, plan)
    for seat in site.seats.values():
        config = seat.config.read_text(encoding="utf-8")
        for code in SINGLES:
            config = config.replace(f'code = "{code}"\n', f'code = "{code}"\nparcel_records = 1\n')
        seat.config.write_text(config, encoding="utf-8")
    return site


class Node:
    """One running node."""

    def __init__(self, seat: Seat, profile: Path | None = None) -> None:
        self.seat = seat
        self.log = seat.folder / "log.jsonl"
        under = ["node"] if profile is None else ["tests.bench.profiled", str(profile)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *under, "run", "-c", str(seat.config)], stdin=subprocess.DEVNULL, stderr=log,
                preexec_fn=end_with_parent,
            )

    def wait_ready(self) -> None:
        """Return once the node calls itself ready; raise SystemExit with its log if it does not."""
        until = time.monotonic() + ANSWER
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if self.ask(self.seat.admin, "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise SystemExit(f"{self.seat.node} does not come up:\n{self.log.read_text()[-2000:]}")

    def ask(self, port: int, path: str) -> tuple[int, bytes]:
        """Return status and body of a GET."""
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER)
        try:
            link.request("GET", path)
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def cpu(self) -> float:
        """Return the cpu seconds the process has used, user and system, all its threads."""
        return machine.cpu(self.process.pid)

    def metric(self, name: str) -> float:
        """Return the value of a series of its metrics page."""
        page = self.ask(self.seat.admin, "/metrics")[1].decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(name))

    def stop(self) -> None:
        """Drain and end it; raise SystemExit unless it ended well."""
        self.process.terminate()
        if self.process.wait(ANSWER) != 0:
            raise SystemExit(f"{self.seat.node} ended with {self.process.returncode}:\n{self.log.read_text()[-2000:]}")


class Pair:
    """Both nodes of a site; with `profile` they run under the profiler, and write there what bounds them."""

    def __init__(self, folder: Path, plan: Plan = PLAN, profile: str = "") -> None:
        self.site: Site = lay_out_pair(folder, plan)
        self.profile, self.token = profile, ""
        self.nodes: list[Node] = []

    def start(self) -> None:
        """Start both and wait until they are ready."""
        for name in (CENTRE, DEPARTMENT):  # the department finds the centre up, and does not rest first
            node = self.node(name)
            self.nodes.insert(0, node)
            node.wait_ready()
        self.token = self.department.seat.token.read_text(encoding="ascii").strip()

    def node(self, name: str) -> Node:
        """Start one node, and do not wait."""
        return Node(self.site.seats[name], Path(f"{self.profile}-{name}.txt") if self.profile else None)

    def begin_profile(self) -> None:
        """Let both be profiled from now on."""
        for node in self.nodes:
            node.process.send_signal(signal.SIGUSR1)

    def stop(self) -> None:
        """Stop both; a second call does nothing."""
        nodes, self.nodes = self.nodes, []
        for node in nodes:
            node.stop()

    def kill(self) -> None:
        """End both at once, after something went wrong."""
        nodes, self.nodes = self.nodes, []  # what went wrong is told, not that these did not end well
        for node in nodes:
            node.process.kill()
            node.process.wait()

    @property
    def department(self) -> Node:
        """The node that records are posted to."""
        return self.nodes[0]

    @property
    def centre(self) -> Node:
        """The node whose warehouse they reach."""
        return self.nodes[1]

    def cpu(self) -> tuple[float, float]:
        """Return the cpu seconds of both."""
        return self.department.cpu(), self.centre.cpu()

    def read(self, store: str, sql: str, *values: object) -> list[Any]:
        """Return rows of a store: `outbox` is the department's, `inbox` and `warehouse` are the centre's."""
        seat = self.site.seats[DEPARTMENT if store == "outbox" else CENTRE]
        connection = sqlite3.connect(f"{(seat.state / store).as_uri()}.db?mode=ro", uri=True, timeout=5)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def settled(self, since: int) -> int:
        """Return how many records sealed since an instant (ms) have their final word."""
        (found,) = self.read(
            "outbox", "SELECT coalesce(sum(count), 0) FROM entries WHERE created >= ? AND finished IS NOT NULL", since
        )
        return int(found[0])

    def wait_settled(self, since: int, records: int, within: float) -> None:
        """Return once so many records have their final word; raise SystemExit if they do not in time."""
        until = time.monotonic() + within
        while self.settled(since) < records:
            if time.monotonic() > until or any(node.process.poll() is not None for node in self.nodes):
                logs = "\n".join(node.log.read_text()[-2000:] for node in self.nodes)
                raise SystemExit(f"{self.settled(since)} of {records} records were settled\n{logs}")
            time.sleep(0.05)

    def parcels(self, since: int) -> Sequence[tuple[int, int, int, int, int]]:
        """Return (records, accepted, finished, refused, octets) of the parcels sealed since an instant."""
        return self.read(
            "outbox", "SELECT count, accepted, finished, refused, octets FROM entries WHERE created >= ?"
            " AND state = 'done' ORDER BY accepted", since,
        )

    def instants(self, since: int) -> dict[str, tuple[int, int]]:
        """Return when each submission of one record since an instant was accepted and finished, by its id, in ms."""
        found = self.read(
            "outbox", "SELECT lower(hex(s.id)), e.accepted, e.finished FROM submissions s JOIN groups g ON"
            " g.lane = (SELECT id FROM lanes WHERE resource = ?) AND g.epoch = s.epoch AND"
            " g.n > s.n - 1024 AND g.n <= s.n AND g.n + g.count > s.n"
            " JOIN entries e ON e.parcel = g.parcel WHERE s.created >= ? AND s.count = 1", RESOURCE, since,
        )
        return {id: (accepted, finished) for id, accepted, finished in found}

    def delivered(self) -> int:
        """Return how many rows stand in the centre's warehouse."""
        (found,) = self.read("warehouse", "SELECT coalesce(sum(rows), 0) FROM resources")
        return int(found[0])
