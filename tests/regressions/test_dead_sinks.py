"""16: who reads a node's log and metrics may be dead for a day: nothing waits for it, nothing piles up (PEERS §11.16).

X-Road's operational monitoring kept its records in memory while the monitoring daemon was away, until there was none
left (op-monitor OOM, XRDDEV-2848).  Here a line that nobody takes is dropped, and the drop is counted.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.processes.exchange import SOURCE, until
from tests.regressions.standing import Standing

FAULTS = 80
"""Unknown keys of a configuration: each is one line of the log at each reload."""
DROPPED = "exnode_log_dropped_total"
GROWTH = 16 << 20


@contextmanager
def told_to(standing: Standing, stderr: int) -> Iterator[None]:
    """Run the department with another standard error; it is started anew before and after."""
    crew = standing.crew
    crew.signal(SOURCE, signal.SIGTERM)
    crew.ended(SOURCE, 40)
    crew.spawn(SOURCE, stderr=stderr)
    crew.wait(SOURCE)
    try:
        yield
    finally:
        crew.kill(SOURCE)
        standing.start(SOURCE)


def chatter(standing: Standing, times: int) -> None:
    """Have the node write some hundred lines, none of which is like the work of others."""
    path = standing.set(SOURCE, "80-faults", "[timers]\n" + "".join(f"nonsense_{n} = 1\n" for n in range(FAULTS)))
    try:
        for _ in range(times):
            before = standing.metric(SOURCE, "exnode_log_events_total", event="EXN-CONFIG")
            standing.crew.signal(SOURCE, signal.SIGHUP)
            until("it read and complained", lambda: standing.metric(
                SOURCE, "exnode_log_events_total", event="EXN-CONFIG") >= before + FAULTS)
    finally:
        path.unlink()


@pytest.fixture
def stalled() -> Iterator[tuple[int, int]]:
    """A standard error whose reader sleeps, as the journal's stream is under systemd: (reader, writer)."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    yield one.fileno(), other.fileno()
    one.close()
    other.close()


def test_a_log_reader_that_sleeps_neither_stops_the_node_nor_fills_its_memory(
    standing: Standing, stalled: tuple[int, int],
) -> None:
    reader, writer = stalled
    with told_to(standing, writer):
        chatter(standing, 1)
        dropped = standing.metric(SOURCE, DROPPED)
        assert dropped > 0, "what was not taken is counted"
        small = standing.forget_memory(SOURCE)
        standing.submit(standing.people(3))
        chatter(standing, 3)
        standing.accounted()
        assert standing.metric(SOURCE, DROPPED) >= dropped + 3 * FAULTS - 60
        assert standing.memory(SOURCE) < small + GROWTH
        os.set_blocking(reader, False)
        taken = drained(reader)
        chatter(standing, 1)  # and when it wakes, lines come whole again
        taken += drained(reader)
    lines = [line for line in taken.split(b"\n") if line]
    whole = [line for line in lines if line.startswith(b"{") and line.endswith(b"}")]
    assert len(whole) >= len(lines) - 2 and all(json.loads(line)["event"] for line in whole)
    assert whole[-1] in lines[-2:]


def drained(reader: int) -> bytes:
    """Return all that waits for a reader."""
    found = b""
    try:
        while octets := os.read(reader, 1 << 16):
            found += octets
    except BlockingIOError:
        pass
    return found


def test_scrapers_that_never_read_neither_stop_the_node_nor_fill_its_memory(standing: Standing) -> None:
    seat, small = standing.seat(SOURCE), standing.forget_memory(SOURCE)
    scrapers = []
    try:
        for _ in range(40):
            scraper = socket.socket()
            scraper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            scraper.connect((seat.host, seat.admin))
            scraper.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 4)
            scrapers.append(scraper)
        standing.submit(standing.people(3))
        standing.accounted()
        assert standing.red(SOURCE) == set()
        assert standing.memory(SOURCE) < small + 2 * GROWTH
    finally:
        for scraper in scrapers:
            scraper.close()
