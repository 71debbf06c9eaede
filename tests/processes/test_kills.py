"""Processes die at any moment, at each end, while records flow; in the end all is exact and nothing is doubled."""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path

import pytest

from node.cli.demo.cargo import Cargo
from node.cli.demo.crew import Client
from tests.adapters.tried import further
from tests.processes.exact import exact
from tests.processes.exchange import CENTRE, SOURCE, SUBSCRIBER, running
from tests.processes.killer import Killer

NODES = (CENTRE, SOURCE, SUBSCRIBER)


@pytest.mark.parametrize("kills", [3, *further(5)])
def test_nothing_is_lost_or_doubled_however_often_processes_are_killed(tmp_path: Path, seed: int, kills: int) -> None:
    with running(tmp_path, CENTRE, SOURCE, SUBSCRIBER) as exchange:
        killers = [Killer(exchange, node, random.Random(f"{seed}{node}"), kills) for node in NODES]
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
        assert sum(killer.killed for killer in killers) >= len(NODES) * kills
        exchange.settled()
        exact(exchange, cargo, submitted - refused, sum(told.values()))
