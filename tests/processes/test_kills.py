"""Processes die at any moment, at each end, while records flow; in the end all is exact and nothing is doubled."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from node.cli.demo.audit import tally
from node.cli.demo.cargo import Cargo
from node.cli.demo.crew import Client
from node.validate import split_line
from tests.processes.exchange import CENTRE, RESOURCES, SOURCE, SUBSCRIBER, Exchange, running

KILLS = 5
"""Of each of the three nodes."""


@dataclass
class Killer:
    """Kills one node again and again: while it works, and while it starts."""

    exchange: Exchange
    node: str
    chance: random.Random
    killed: int = 0
    failed: list[BaseException] = field(default_factory=list)

    def run(self) -> None:
        try:
            while self.killed < KILLS:
                self._wait(self.chance.uniform(0.05, 0.9))
                self._kill()
                if self.chance.random() < 0.4:
                    self.exchange.crew.spawn(self.node)
                    self._wait(self.chance.uniform(0.0, 1.2))
                    self._kill()
                self.exchange.start(self.node)
        except BaseException as error:
            self.failed.append(error)

    def _kill(self) -> None:
        self.exchange.crew.kill(self.node)
        self.killed += 1

    @staticmethod
    def _wait(seconds: float) -> None:
        threading.Event().wait(seconds)  # the moment is the point: nothing announces it


def test_nothing_is_lost_or_doubled_however_often_processes_are_killed(tmp_path: Path, seed: int) -> None:
    with running(tmp_path, CENTRE, SOURCE, SUBSCRIBER) as exchange:
        killers = [Killer(exchange, node, random.Random(f"{seed}{node}")) for node in (CENTRE, SOURCE, SUBSCRIBER)]
        threads = [threading.Thread(target=killer.run, name=killer.node) for killer in killers]
        cargo = Cargo(exchange.specifications, 100_000, seed)
        client, submitted, refused = Client(exchange.seat(SOURCE)), 0, 0
        told: Counter[str] = Counter()
        for thread in threads:
            thread.start()
        try:
            for number, body in enumerate(cargo.bodies()):
                status, answer = client.submit(body, f"kill-{number}")
                assert status in (202, 422), (status, answer.get("code"))
                submitted += body.count
                refused += len(body.faults)
                told[answer.get("submission", "-")] += answer.get("accepted", 0)
                if not any(thread.is_alive() for thread in threads):
                    break
        finally:
            client.close()
            for thread in threads:
                thread.join()
        assert not any(killer.failed for killer in killers), [killer.failed for killer in killers]
        assert sum(killer.killed for killer in killers) >= 12
        exchange.settled()
        _exact(exchange, cargo, submitted - refused, sum(told.values()))


def _exact(exchange: Exchange, cargo: Cargo, good: int, accepted: int) -> None:
    source, centre, subscriber = exchange.ledgers(SOURCE, CENTRE, SUBSCRIBER)
    found = tally(source, centre, subscriber, cargo.truth)
    assert accepted == good, "what the client was told"
    assert (found.accepted, found.processed, found.delivered) == (good, good, good)
    assert found.receipts == found.verified >= 2 * found.parcels
    assert [each for each in found.agreements if not each.exact] == []
    assert {each.node for each in found.agreements} == {CENTRE, SUBSCRIBER}
    for ledgers in (centre, subscriber):
        for resource in RESOURCES:
            records = [
                split_line(line)[1].record for block in ledgers.blocks(resource) for line in block.lines
            ]
            assert len(records) == len(set(records)), "a record stands twice in the history"
