"""An exchange of real processes: laid out as the demonstration's, started, asked, killed, and always stopped."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

import xsd
from node.cli.call import call
from node.cli.demo.audit import Ledgers
from node.cli.demo.cargo import RESOURCES, Body
from node.cli.demo.crew import Client, Crew
from node.cli.demo.play import CENTRE, GRANTS, PLAN, SOURCE, SUBSCRIBER
from node.cli.demo.site import Plan, Seat, Site, lay_out
from node.crypto import pkcs8
from node.crypto.openssl import OpenSslCrypto
from node.ports import Chance
from node.validate import Specifications, sample, to_json

__all__ = ["CENTRE", "GRANTS", "PLAN", "RESOURCES", "SOURCE", "SUBSCRIBER", "Exchange", "running", "until"]

CRYPTO = OpenSslCrypto()
HASTE = """
[timers]
hello = "1s"
idle = "1s"
poll = "2s"
overdue = "2s"
rest_first = "100ms"
rest_most = "500ms"
drain = "10s"
"""
PATIENCE = 40.0
LIGHT = 100
"""Rounds by which a passphrase is stretched; the demonstration and the first steps have the true ones."""


def until(what: str, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Return what `condition` returns as soon as it is true; fail after `seconds`."""
    end = time.monotonic() + seconds
    while (asked := time.monotonic()) < end:
        found = condition()
        if found:
            return found
        # Another process has no event to wait for; who asks for long leaves it the processor as long.
        time.sleep(0.03 + 2 * (time.monotonic() - asked))
    raise AssertionError(f"not within {seconds:g} s: {what}")


@cache
def specifications() -> Specifications:
    """Return the published specifications, read once."""
    return Specifications.load(xsd.FOLDER, CRYPTO.sm3)


def quickly_laid_out(folder: Path, plan: Plan) -> Site:
    """Return a new site whose passphrases are stretched little: they are made by chance, and nobody guesses them."""
    protect = pkcs8.protect

    def lightly(clear: bytes, passphrase: bytes, chance: Chance, rounds: int) -> tuple[bytes, bytes]:
        return protect(clear, passphrase, chance, LIGHT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pkcs8, "protect", lightly)
        return lay_out(folder, plan, CRYPTO)


class Exchange:
    """The nodes of one folder."""

    def __init__(self, folder: Path, plan: Plan = PLAN, haste: str = HASTE) -> None:
        self.site: Site = quickly_laid_out(folder, plan)
        self.crew = Crew(self.site)
        self.specifications = specifications()
        self._clients: dict[str, Client] = {}
        self._read: dict[str, Ledgers] = {}
        self._made = 0
        for seat in self.site.seats.values():
            self.set(seat.node, "50-haste", haste)

    def seat(self, node: str) -> Seat:
        """Return where a node is."""
        return self.site.seats[node]

    def set(self, node: str, name: str, text: str) -> Path:
        """Write a file of the node's conf.d; it counts from the next start or reload on."""
        path = self.seat(node).folder / "conf.d" / f"{name}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def edit(self, node: str, old: str, new: str) -> None:
        """Replace a text that stands in the node's main file exactly once."""
        config = self.seat(node).config
        text = config.read_text(encoding="utf-8")
        assert text.count(old) == 1, (node, old)
        config.write_text(text.replace(old, new), encoding="utf-8")

    def start(self, *nodes: str) -> None:
        """Start nodes and wait until they answer."""
        for node in nodes:
            self.crew.spawn(node)
        for node in nodes:
            self.crew.wait(node)

    def ask(
        self, node: str, path: str, admin: bool = True, headers: Mapping[str, str] = {},
    ) -> tuple[int, bytes]:
        """Return status and body of a GET on the administration port, or on the local API."""
        seat = self.seat(node)
        line = http.client.HTTPConnection(seat.host, seat.admin if admin else seat.api, timeout=20)
        try:
            line.request("GET", path, headers={**headers})
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def red(self, node: str) -> set[str]:
        """Return the checks that are red at a node."""
        status, body = self.ask(node, "/readyz")
        return set() if status == 200 else {one["check"] for one in json.loads(body)["checks"]}

    def log(self, node: str) -> list[dict[str, Any]]:
        """Return the node's log lines."""
        text = (self.seat(node).folder / "log.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def events(self, node: str) -> list[str]:
        """Return the events of the node's log."""
        return [line["event"] for line in self.log(node)]

    def people(self, count: int = 1) -> Body:
        """Return a POST of so many new records of the population."""
        spec = self.specifications.get(RESOURCES["population"])
        assert spec is not None
        twins = [sample(spec, 7, number) for number in range(self._made, self._made + count)]
        self._made += count
        return Body("population", "application/x-ndjson", b"\n".join(map(to_json, twins)), count)

    def submit(self, body: Body, node: str = SOURCE) -> str:
        """Submit a body that must be taken whole; return its submission's id."""
        client = self._clients.setdefault(node, Client(self.seat(node)))
        status, answer = client.submit(body, f"test-{time.monotonic_ns()}")
        assert (status, answer.get("accepted")) == (202, body.count), (status, answer)
        return str(answer["submission"])

    def command(self, node: str, *words: str) -> tuple[int, Any]:
        """Return the exit status of a command at a node, given in this process, and what it printed as JSON."""
        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as told:
            status = call(["--config", str(self.seat(node).config), *words])
        return status, json.loads(out.getvalue()) if out.getvalue() else told.getvalue()

    def close(self) -> dict[str, int]:
        """Stop every node; return their exit statuses."""
        for each in (*self._clients.values(), *self._read.values()):
            each.close()
        self._read.clear()
        return self.crew.stop()

    def ledgers(self, *nodes: str) -> list[Ledgers]:
        """Return the stores of nodes that have run, opened once for reading."""
        for node in nodes:
            if node not in self._read:
                self._read[node] = Ledgers(self.site, node)
        return [self._read[node] for node in nodes]

    def delivered(self, node: str, resource: str = "population") -> int:
        """Return how many records of a resource stand in a node's history."""
        (ledgers,) = self.ledgers(node)
        return sum(len(block.lines) for block in ledgers.blocks(resource))

    def settled(self, seconds: float = PATIENCE) -> None:
        """Wait until nothing waits, nothing is unaccounted for, and every subscriber has read all."""
        source, centre, subscriber = self.ledgers(SOURCE, CENTRE, SUBSCRIBER)
        until("everything settled", lambda: source.idle() and centre.idle() and centre.routed(GRANTS)
              and centre.idle() and subscriber.idle(), seconds)


@contextmanager
def running(folder: Path, *nodes: str, plan: Plan = PLAN, haste: str = HASTE) -> Iterator[Exchange]:
    """Yield an exchange with these nodes running; every process is ended, and must end well if it still runs."""
    exchange = Exchange(folder, plan, haste)
    try:
        exchange.start(*nodes)
        yield exchange
    finally:
        exits = exchange.close()
    assert not any(exits.values()), exits
