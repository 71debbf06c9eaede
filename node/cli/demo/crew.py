"""The crew: the three nodes as real processes, started, killed and stopped; and the client that submits to one.

A submission is repeated under the same idempotency key until it is answered, whatever happens to the node meanwhile.
"""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.cli import exits
from node.cli.demo.cargo import Body
from node.cli.demo.site import Seat, Site
from node.cli.grammar import Told, told
from node.model.sentence import Sentence

PATIENCE = 60.0


def _log(seat: Seat) -> Path:
    return seat.folder / "log.jsonl"


def _stuck(zh: str, en: str) -> Told:
    return told(Sentence(zh, en), exits.UNAVAILABLE)


def run_command(seat: Seat) -> list[str]:
    """Return the command that runs a node, as systemd would."""
    return [sys.executable, "-m", "node", "-c", str(seat.config), "run"]


class Crew:
    """Three processes; `stop` must be called, whatever happened."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, node: str) -> None:
        """Start a node and wait until it answers."""
        self.spawn(node)
        self.wait(node)

    def spawn(self, node: str) -> int:
        """Start a node; return its process id."""
        seat = self._site.seats[node]
        with _log(seat).open("ab") as log:
            self._running[node] = subprocess.Popen(
                run_command(seat), stderr=log, stdin=subprocess.DEVNULL
            )
        return self._running[node].pid

    def pid(self, node: str) -> int:
        """Return the process id of a node that runs."""
        return self._running[node].pid

    def signal(self, node: str, number: signal.Signals) -> None:
        """Send a signal to a node."""
        self._running[node].send_signal(number)

    def ended(self, node: str, within: float) -> int:
        """Return the exit status of a node that was told to stop; it must end within so many seconds."""
        return self._running.pop(node).wait(within)

    def kill(self, node: str) -> None:
        """Kill a node with SIGKILL, as a power cut of its process."""
        process = self._running.pop(node)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> dict[str, int]:
        """Stop every node with SIGTERM; return their exit statuses."""
        for process in self._running.values():
            process.terminate()
        found = {}
        for node, process in self._running.items():
            try:
                found[node] = process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                found[node] = process.wait()
        self._running.clear()
        return found

    def wait(self, node: str) -> None:
        """Wait until a node that was started answers."""
        seat, process, until = self._site.seats[node], self._running[node], time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if process.poll() is not None:
                raise _stuck(f"{seat.node} 未能启动，见 {_log(seat)}", f"{seat.node} did not start, see {_log(seat)}")
            if _answers(seat):
                return
            time.sleep(0.05)
        raise _stuck(f"{seat.node} 没有应答，见 {_log(seat)}", f"{seat.node} does not answer, see {_log(seat)}")


def _answers(seat: Seat) -> bool:
    client = http.client.HTTPConnection(seat.host, seat.admin, timeout=2)
    try:
        client.request("GET", "/livez")
        return client.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


@dataclass(slots=True)
class Client:
    """A department's system: submits, repeats until answered, and counts how often it had to."""

    seat: Seat
    repeated: int = 0
    _line: http.client.HTTPConnection | None = field(default=None, repr=False)

    def submit(self, body: Body, key: str) -> tuple[int, dict[str, Any]]:
        """Return status and answer to one body."""
        headers = {
            "Authorization": f"Bearer {self.seat.token.read_text().strip()}", "Content-Type": body.media,
            "Idempotency-Key": key,
        }
        until = time.monotonic() + PATIENCE
        while True:
            try:
                status, answer = self._ask("POST", f"/v1/resources/{body.resource}/records", body.octets, headers)
                if status not in (409, 429, 503, 507):
                    return status, answer
            except (OSError, http.client.HTTPException):
                self.close()
            if time.monotonic() > until:
                raise _stuck("本地接口没有应答", "The local API does not answer")
            self.repeated += 1
            time.sleep(0.1)

    def close(self) -> None:
        """Close the connection; the next submission opens another."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _ask(self, method: str, path: str, octets: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self._line is None:
            self._line = http.client.HTTPConnection(self.seat.host, self.seat.api, timeout=15)
        self._line.request(method, path, octets, headers)
        answer = self._line.getresponse()
        found: dict[str, Any] = json.loads(answer.read())
        return answer.status, found
