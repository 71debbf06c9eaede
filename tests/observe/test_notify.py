"""Words to systemd arrive on its socket, and the watchdog starves when the probe does."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from node.model import codes
from node.model.trouble import trouble
from node.observe import Metrics, Notifier, Pulse, Watchdog


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str, shown: str) -> None:
        self.shown = shown
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """Return the messages since the last call."""
        messages = []
        while True:
            try:
                messages.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return messages


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    name = str(tmp_path / "notify") if request.param == "path" else f"exnode-test-{os.getpid()}"
    end = Systemd(name, name) if request.param == "path" else Systemd("\0" + name, "@" + name)
    yield end
    end.socket.close()


def test_each_word_arrives_as_systemd_expects_it(systemd: Systemd) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": systemd.shown})
    assert notifier.ready("队列 0") and notifier.status("队列 3\nREADY=1") and notifier.extend(2.5)
    assert notifier.reloading(12) and notifier.stopping("停止") and notifier.alive()
    assert systemd.heard() == [
        "READY=1\nSTATUS=队列 0", "STATUS=队列 3 READY=1", "EXTEND_TIMEOUT_USEC=2500000",
        "RELOADING=1\nMONOTONIC_USEC=12", "STOPPING=1\nSTATUS=停止", "WATCHDOG=1",
    ]


def test_without_a_listener_nothing_is_said_and_nothing_fails(tmp_path: Path) -> None:
    assert not Notifier({}).ready("x")
    assert not Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("x")


@pytest.mark.parametrize(("environ", "seconds"), [
    ({}, None),
    ({"WATCHDOG_USEC": "30000000"}, 30.0),
    ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
    ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
    ({"WATCHDOG_USEC": "soon"}, None),
    ({"WATCHDOG_USEC": "0"}, None),
])
def test_the_watchdog_is_the_one_meant_for_this_process(environ: dict[str, str], seconds: float | None) -> None:
    assert Notifier(environ).watchdog_seconds == seconds


class Kennel:
    """A watchdog of 30 s on a clock the test owns."""

    def __init__(self, systemd: Systemd) -> None:
        self.systemd = systemd
        self.clock = Clock()
        self.probes: list[Deferred[None]] = []
        self.told: list[str] = []
        notifier = Notifier({"NOTIFY_SOCKET": systemd.shown, "WATCHDOG_USEC": "30000000"})
        self.dog = Watchdog(notifier, self._probe, self.clock, lambda level, event, **fields: self.told.append(event))
        self.dog.start()

    def _probe(self) -> Deferred[None]:
        self.probes.append(Deferred())
        return self.probes[-1]


def test_the_watchdog_is_fed_only_after_a_probe_that_ended_well(systemd: Systemd) -> None:
    kennel = Kennel(systemd)
    assert systemd.heard() == []
    kennel.probes[0].callback(None)
    assert systemd.heard() == ["WATCHDOG=1"]
    kennel.clock.advance(15)
    kennel.probes[1].errback(trouble(codes.DISK_SYNC))
    kennel.clock.advance(15)
    kennel.probes[2].errback(trouble(codes.DISK_SYNC))
    assert systemd.heard() == [] and kennel.told == ["EXN-DISK-SYNC"]
    kennel.clock.advance(15)
    kennel.probes[3].callback(None)
    assert systemd.heard() == ["WATCHDOG=1"]
    kennel.dog.stop()
    kennel.clock.advance(60)
    assert len(kennel.probes) == 4


def test_a_probe_that_hangs_starves_the_watchdog_and_is_not_repeated(systemd: Systemd) -> None:
    kennel = Kennel(systemd)
    for _ in range(10):
        kennel.clock.advance(15)
    assert systemd.heard() == [] and len(kennel.probes) == 1


def test_a_slow_turn_shows_as_reactor_lag() -> None:
    clock, metrics = Clock(), Metrics()
    pulse = Pulse(clock, metrics)
    pulse.start()
    for _ in range(40):
        clock.advance(0.25)
    assert b"exnode_reactor_lag_seconds 0.0\n" in metrics.page()
    clock.advance(1.5)
    assert b"exnode_reactor_lag_seconds 1.25\n" in metrics.page()
    for _ in range(80):
        clock.advance(0.25)
    assert b"exnode_reactor_lag_seconds 0.0\n" in metrics.page()
    pulse.stop()
    assert not clock.getDelayedCalls()
