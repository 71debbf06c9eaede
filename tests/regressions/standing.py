"""A centre and a department that stand through many tests: killed and restarted, but laid out once.

The department's state is on a file system of its own, small enough to be filled, where this account may mount one.
Both have a clock that a test can let jump, and a relay stands between them.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from node.cli.demo.crew import Crew
from node.cli.demo.site import Plan
from node.model.spool import ArrivalState
from node.validate import split_line
from tests.processes.exchange import CENTRE, HASTE, RESOURCES, SOURCE, SUBSCRIBER, Exchange, until
from tests.regressions.clocked import jump
from tests.regressions.relay import Relay

ROOM = 256 << 20
GRANTED = Plan(CENTRE, (SOURCE, SUBSCRIBER), RESOURCES, {code: (SOURCE,) for code in RESOURCES},
               {"population": (SUBSCRIBER,)})


class ClockedCrew(Crew):
    """Starts each node with a clock that can jump."""

    def clock(self, node: str) -> Path:
        """Return the file that says by how much."""
        return self._site.seats[node].folder / "clock"

    def spawn(self, node: str, stderr: Any = None, **environ: str) -> int:
        """Start a node; its standard error is its log file unless another is given."""
        seat = self._site.seats[node]
        jump(self.clock(node), 0)
        command = [
            sys.executable, "-m", "tests.regressions.clocked", str(self.clock(node)), "-c", str(seat.config), "run",
        ]
        with (seat.folder / "log.jsonl").open("ab") as log:
            self._running[node] = subprocess.Popen(command, stderr=stderr or log, stdin=subprocess.DEVNULL)
        return self._running[node].pid

    def pid(self, node: str) -> int:
        """Return the process of a running node."""
        return self._running[node].pid

    def runs(self, node: str) -> bool:
        """Return whether a node was started and has not ended."""
        return node in self._running and self._running[node].poll() is None


class Standing(Exchange):
    """The exchange with its relay; `whole` puts everything right again before the next test."""

    crew: ClockedCrew

    def __init__(self, folder: Path, plan: Plan = GRANTED) -> None:
        super().__init__(folder, plan, HASTE)
        self.crew = ClockedCrew(self.site)
        self.mounted = mount(self.seat(SOURCE).state)
        gateway = self.seat(CENTRE).gateway
        self.relay = Relay(("127.0.0.1", gateway))
        self.edit(SOURCE, f'address = "127.0.0.1:{gateway}"', f'address = "127.0.0.1:{self.relay.port}"')
        self.set(SOURCE, "40-disk", '[disk]\nintake = "24MiB"\nforeign = "16MiB"\nreserve = "8MiB"\n')

    def whole(self) -> None:
        """Let both run, answer and be ready, with nothing under way."""
        self.relay.answering.set()
        self.relay.delay, self.relay.most = (lambda: 0.0), None
        for node in (CENTRE, SOURCE):
            if not self.crew.runs(node):
                self.start(node)
        self.accounted()
        until("both ready", lambda: not self.red(CENTRE) and not self.red(SOURCE))
        # A peer that is absent is ready, too; and a test that holds answers needs a line that stands and is free.
        self.submit(self.people(1))
        self.accounted()

    def end(self) -> None:
        """Stop everything and take the file system away."""
        self.relay.close()
        exits = self.close()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.seat(SOURCE).state)], check=True)
        assert not any(exits.values()), exits

    # --- what stands where --------------------------------------------------------------------------------------

    def accounted(self, seconds: float = 60.0) -> None:
        """Wait until the source has the final word on everything, and the centre has opened all."""
        source, centre = self.ledgers(SOURCE, CENTRE)
        until("everything accounted for", lambda: source.idle() and not self.open_at_centre(), seconds)

    def open_at_centre(self) -> bool:
        """Return whether anything waits to be opened."""
        with self.ledgers(CENTRE)[0].stores.inbox.unit() as unit:
            return any(unit.arrivals(state, "", 1) for state in (ArrivalState.STORED, ArrivalState.JUDGED))

    def arrived(self) -> list[str]:
        """Return the parcels in the centre's inbox, in the order of their ids."""
        with self.ledgers(CENTRE)[0].stores.inbox.unit() as unit:
            return [arrival.parcel for arrival in unit.arrivals(None, "", 5000)]

    def history(self, resource: str = "population") -> list[str]:
        """Return the record ids in the centre's history."""
        (centre,) = self.ledgers(CENTRE)
        return [split_line(line)[1].record for block in centre.blocks(resource) for line in block.lines]

    def reload(self, node: str) -> None:
        """Have a node read its settings again, and wait until it has."""
        before = self.events(node).count("config.reloaded")
        self.crew.signal(node, signal.SIGHUP)
        until(f"{node} read its settings", lambda: self.events(node).count("config.reloaded") > before)

    def metric(self, node: str, name: str, **labels: str) -> float:
        """Return the sum of a node's series of this name whose labels include these."""
        page, found = self.ask(node, "/metrics")[1].decode(), 0.0
        for series, value in re.findall(rf"^{name}(\{{.*\}})? (\S+)$", page, re.MULTILINE):
            if all(f'{label}="{said}"' in series for label, said in labels.items()):
                found += float(value)
        return found

    def memory(self, node: str) -> int:
        """Return the greatest resident memory of a node since `forget_memory`, in octets."""
        status = Path(f"/proc/{self.crew.pid(node)}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) << 10

    def forget_memory(self, node: str) -> int:
        """Begin to measure the greatest resident memory anew; return what it is now."""
        Path(f"/proc/{self.crew.pid(node)}/clear_refs").write_text("5", encoding="ascii")
        return self.memory(node)


def mount(folder: Path) -> bool:
    """Make a folder a file system of its own; return whether this account may."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=700", "exnode-test", str(folder)]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except OSError:
        return False
