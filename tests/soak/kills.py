"""SIGKILL at random moments: a centre and two departments under load, all three killed again and again.

    python -m tests.soak.kills SEED KILLS FOLDER     the process of one round; a line of JSON at the end
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from node.cli.demo import crew
from node.cli.demo.cargo import RESOURCES, Body, Cargo
from node.cli.demo.crew import Client
from tests.bench.child import end_with_parent
from tests.processes.exact import exact
from tests.processes.exchange import CENTRE, SOURCE, SUBSCRIBER, Exchange, running
from tests.processes.killer import Killer
from tests.soak.audit import accounted, chains, in_order, places_in_order, sound
from tests.soak.pieces import Options, Piece

NODES = (CENTRE, SOURCE, SUBSCRIBER)
ROUND, PHASE = 60, 15
"""Kills of a round, which has a site of its own, and of a phase, after which everything is checked."""
PATIENCE = 600.0
"""Seconds for what a busy machine may delay: a start, an answer, rest."""


def pieces(options: Options) -> Iterator[Piece]:
    """Yield the rounds that come to so many kills."""
    for number in range(1, -(-options.kills // ROUND) + 1):
        wanted = min(ROUND, options.kills - ROUND * (number - 1))
        yield Piece("kills", f"{number}", partial(apart, f"{options.seed}-{number}", wanted))


def apart(seed: str, wanted: int, folder: Path) -> tuple[Mapping[str, Any], list[str]]:
    """Play one round in a process and a session of its own, so that rounds side by side share nothing."""
    command = [sys.executable, "-m", "tests.soak.kills", seed, f"{wanted}", f"{folder}"]
    ran = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=False, start_new_session=True, preexec_fn=end_with_parent,
    )
    figures, broken = json.loads(ran.stdout.splitlines()[-1])
    return figures, broken


def play(seed: str, wanted: int, folder: Path) -> tuple[Mapping[str, Any], list[str]]:
    """Play one round of so many kills; return the figures and what was broken."""
    figures: dict[str, Any] = {"seed": seed, "moments": {}}
    crew.PATIENCE = PATIENCE
    with running(folder, *NODES) as exchange:
        city = _City(exchange, seed)
        for phase in count(1):
            left = wanted - sum(sum(each.values()) for each in figures["moments"].values())
            if left <= 0:
                break
            try:
                city.phase(min(PHASE, left), f"{seed}-{phase}", figures["moments"])
                broken = city.check(figures)
            except Exception:
                broken = [traceback.format_exc(limit=-4)]
            figures["phases"] = phase
            if broken:
                return figures, [f"phase {phase}, seed {seed}: {one}" for one in broken]
    return figures, []


class _City:
    """The exchange of one round, and everything its client was told."""

    def __init__(self, exchange: Exchange, seed: str) -> None:
        self._exchange = exchange
        self._cargo = Cargo(exchange.specifications, 1_000_000, Random(seed).randrange(1 << 30))
        self._bodies = enumerate(self._cargo.bodies())
        self._submitted = self._refused = self._repeated = 0
        self._told: Counter[str] = Counter()

    def phase(self, kills: int, seed: str, moments: dict[str, dict[str, int]]) -> None:
        """Submit while the nodes are killed so many times together."""
        each = [kills // 3 + (at < kills % 3) for at in range(3)]
        killers = [
            Killer(self._exchange, node, Random(f"{seed}{node}"), n) for node, n in zip(NODES, each, strict=True)
        ]
        threads = [threading.Thread(target=killer.run, name=killer.node) for killer in killers]
        client, resource = Client(self._exchange.seat(SOURCE)), ""
        for thread in threads:
            thread.start()
        try:
            # The cargo knows the whole region table once its first part is given: the phase ends after the last.
            while any(thread.is_alive() for thread in threads) or resource == "regions":
                number, body = next(self._bodies)
                self._submit(client, number, body)
                resource = body.resource
        finally:
            self._repeated += client.repeated
            client.close()
            for thread in threads:
                thread.join()
        for killer in killers:
            assert not killer.failed, killer.failed
            held = moments.setdefault(killer.node, {})
            for moment, often in killer.moments.items():
                held[moment] = held.get(moment, 0) + often

    def _submit(self, client: Client, number: int, body: Body) -> None:
        status, answer = client.submit(body, f"kill-{number}")
        assert status in (202, 422), (status, answer.get("code"))
        self._submitted += body.count
        self._refused += len(body.faults)
        if answer.get("accepted"):
            self._told[answer["submission"]] += answer["accepted"]

    def check(self, figures: dict[str, Any]) -> list[str]:
        """Wait for rest, ask everything, add to the figures; return what is broken."""
        self._exchange.settled(PATIENCE)
        good = self._submitted - self._refused
        verified = exact(self._exchange, self._cargo, good, sum(self._told.values()))
        source, centre, subscriber = self._exchange.ledgers(SOURCE, CENTRE, SUBSCRIBER)
        broken = accounted(source, self._told)
        for sink in (centre, subscriber):
            for resource in RESOURCES:
                broken += in_order(sink, resource)[1]
        entries = 0
        for ledgers in (source, centre, subscriber):
            broken += [*places_in_order(ledgers), *sound(self._exchange.seat(ledgers.node).state)]
            found, said = chains(ledgers, NODES, RESOURCES)
            entries, broken = entries + found, broken + said
        figures.update(records=good, refused=self._refused, submissions=len(self._told), receipts=verified,
                       repeated=self._repeated, ledger=entries)
        return broken


if __name__ == "__main__":
    print(json.dumps(play(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
