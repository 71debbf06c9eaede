"""6: however many fetch at once, nothing is handed out or done twice (PEERS §11.6; Domibus 4.1.5)."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter

from node.envelope import read_manifest, unframe
from tests.processes.exchange import CENTRE, SOURCE, SUBSCRIBER, until
from tests.regressions.hand import Hand
from tests.regressions.standing import Standing

GRANT = f"population:{SUBSCRIBER}:demonstration"


def routed(standing: Standing) -> bool:
    """Return whether something was put for the subscriber and sealed or waits."""
    with standing.ledgers(CENTRE)[0].stores.outbox.unit() as unit:
        return bool(unit.ready(SUBSCRIBER))


def test_a_second_process_on_the_same_store_does_nothing_while_the_first_works_on(standing: Standing) -> None:
    seat, records = standing.seat(SOURCE), len(standing.history())
    command = [sys.executable, "-m", "node", "-c", str(seat.config), "run"]
    other, count = subprocess.Popen(command, stderr=subprocess.PIPE), 0
    while other.poll() is None or count < 3:
        standing.submit(standing.people(5))
        count += 1
        threading.Event().wait(0.3)  # the other one needs the machine to start at all
    _, told = other.communicate(timeout=60)
    assert other.returncode in (69, 75) and b"EXN-STORE-TAKEN" in told
    standing.accounted()
    found = standing.history()
    assert len(found) == len(set(found)) == records + 5 * count


def test_many_that_collect_at_once_are_handed_different_parcels(standing: Standing) -> None:
    standing.submit(standing.people(3))
    standing.accounted()
    until("routed", lambda: routed(standing))
    handed: Counter[str] = Counter()
    ready = threading.Barrier(6)
    troubles: list[object] = []
    first = Hand(standing, SUBSCRIBER)
    assert first.hello().status == 200, "it is greeted, or nothing would be offered"

    def collect() -> None:
        try:
            with Hand(standing, SUBSCRIBER) as hand:
                hand.epoch, hand.boot = first.epoch, first.boot  # one node, several lines
                hand.hello()
                ready.wait(30)
                for _ in range(3):
                    heard = hand.collect()
                    assert heard.status in (200, 204), heard.body
                    if heard.status == 200:
                        manifest = unframe(heard.body).manifest
                        handed[read_manifest(manifest, hand.means.crypto).statement.parcel] += 1
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=collect) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    first.close()
    assert not troubles and handed and set(handed.values()) == {1}, (troubles, handed)


def test_a_copy_that_collects_beside_the_first_is_turned_away(standing: Standing) -> None:
    """Two processes of two folders with the same keys: one of them is a clone, and neither goes on (WIRE §5)."""
    with Hand(standing, SOURCE) as hand:
        hand.epoch = 1
        assert hand.hello().code == "EXN-SUPERSEDED", "an older epoch than the one that speaks"
    assert standing.red(SOURCE) == set(), "and the node that runs is not harmed by it"
