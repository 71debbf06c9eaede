"""The peers we measure ourselves against, each a yardstick that is read once a round."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Protocol

from node.cli.demo.site import free_ports
from tests.adapters.servers import MariaDB, PostgreSQL
from tests.bench import django_as2, rabbit
from tests.bench.child import Child, end_with_parent
from tests.bench.machine import Window, cpu
from tests.bench.tables.peers import DLT


@dataclass(frozen=True, slots=True)
class Reading:
    """Messages per second, µs of cpu per message over all processes that take part, and the share others had."""

    rate: float
    cost: float
    others: float
    stolen: float


class Yardstick(Protocol):
    """A peer: `name` in the table and in `--only`."""

    name: str

    def read(self, seconds: float) -> Reading:
        """Return one reading over about so many seconds."""

    def close(self) -> None:
        """End its processes."""


def _together(children: list[Child], seconds: float, servers: Callable[[], float]) -> Reading:
    """Return one reading of children that work side by side, and of the servers behind them."""
    window, before = Window(), servers()
    for child in children:
        child.say(str(seconds))
    told = [json.loads(child.hear()) for child in children]
    done, spent = sum(one["messages"] for one in told), sum(one["cpu"] for one in told) + servers() - before
    rate = sum(one["messages"] / one["seconds"] for one in told)
    return Reading(rate, spent * 1e6 / done, window.others(spent), window.stolen())


class As2:
    """pyas2lib in memory, one process per processor (`tests.bench.peer`)."""

    name = "pyas2lib"

    def __init__(self, folder: Path, record: bytes) -> None:
        self._children = [Child("tests.bench.peer") for _ in range(os.cpu_count() or 1)]
        for child in self._children:
            child.say(record.decode())
            child.hear()

    def read(self, seconds: float) -> Reading:
        """Return one reading."""
        return _together(self._children, seconds, lambda: 0.0)

    def close(self) -> None:
        """End its processes."""
        for child in self._children:
            child.close()


class DjangoAs2:
    """django-pyas2 over HTTP: one sender, and one receiver in gunicorn with one worker; SQLite on both sides."""

    name, pairs = "django-pyas2", 1

    def __init__(self, folder: Path, record: bytes) -> None:
        self._servers: list[subprocess.Popen[bytes]] = []
        self._children: list[Child] = []
        for number in range(self.pairs):
            site, (port,) = folder / str(number), free_ports(1)
            django_as2.write_papers(site)
            self._servers.append(self._serve(site, port))
            self._children.append(Child("tests.bench.django_as2", str(site), str(port)))
            _reachable(port)
        for child in self._children:
            child.say(record.decode())
            child.hear()

    @staticmethod
    def _serve(site: Path, port: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--workers", "1", "--bind", f"127.0.0.1:{port}", "--log-level", "error",
             "--no-control-socket", "tests.bench.django_as2:receiver()"],
            env={**os.environ, "BENCH_AS2": str(site)}, stdin=subprocess.DEVNULL, stdout=(site / "out").open("ab"),
            stderr=subprocess.STDOUT, preexec_fn=end_with_parent,
        )

    def _cpu(self) -> float:
        return sum(cpu(pid) for server in self._servers for pid in (server.pid, *_children_of(server.pid)))

    def read(self, seconds: float) -> Reading:
        """Return one reading."""
        return _together(self._children, seconds, self._cpu)

    def close(self) -> None:
        """End its processes."""
        for child in self._children:
            child.close()
        for server in self._servers:
            server.terminate()
            server.wait()


class DjangoAs2Machine(DjangoAs2):
    """As many such pairs side by side as there are processors, each with databases of its own: the whole machine.

    Two senders on one database fail with "database is locked".
    """

    name, pairs = "django-pyas2 machine", os.cpu_count() or 1


class Rabbit:
    """RabbitMQ and pika, publish to acknowledged: classic or quorum queue, whichever is faster."""

    name = "rabbitmq"

    def __init__(self, folder: Path, record: bytes) -> None:
        self._broker, self._record = rabbit.Broker(folder), record
        self._ends: dict[str, tuple[Child, Child]] = {}
        rates = {}
        for kind in ("classic", "quorum"):
            self._ends[kind] = self._open(kind)
            self._run(kind, 2000)
            rates[kind] = self._run(kind, 10_000).rate
        self.kind = max(rates, key=lambda kind: rates[kind])
        self._rate = rates[self.kind]

    def _open(self, kind: str) -> tuple[Child, Child]:
        connection = rabbit.connect(self._broker.port)
        connection.channel().queue_declare(kind, durable=True, arguments={"x-queue-type": kind})
        connection.close()
        ends = tuple(Child("tests.bench.rabbit", role, str(self._broker.port), kind) for role in ("publish", "consume"))
        for end in ends:
            end.say(self._record.decode())
            end.hear()
        return ends[0], ends[1]

    def read(self, seconds: float) -> Reading:
        """Return one reading."""
        reading = self._run(self.kind, max(1000, int(self._rate * seconds)))
        self._rate = reading.rate
        return reading

    def _run(self, kind: str, messages: int) -> Reading:
        window, before = Window(), cpu(self._broker.pid)
        ends = self._ends[kind]
        for end in reversed(ends):
            end.say(str(messages))
        told = [json.loads(end.hear()) for end in ends]
        spent = sum(one["cpu"] for one in told) + cpu(self._broker.pid) - before
        rate = messages / (max(one["ended"] for one in told) - told[0]["begun"])
        return Reading(rate, spent * 1e6 / messages, window.others(spent), window.stolen())

    def close(self) -> None:
        """End its processes."""
        for ends in self._ends.values():
            for end in ends:
                end.close()
        self._broker.close()


def _children_of(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(one) for one in told.split()]


def _reachable(port: int) -> None:
    """Return once somebody listens on a port of this machine."""
    import socket

    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise SystemExit("gunicorn does not come up") from None
            time.sleep(0.1)


YARDSTICKS: dict[str, Callable[[Path, bytes], Yardstick]] = {
    one.name: one for one in (As2, DjangoAs2, DjangoAs2Machine, Rabbit)
}


def missing(name: str) -> str | None:
    """Return what is not installed that a yardstick needs, None if all is there."""
    if name == Rabbit.name:
        return None if rabbit.here() and find_spec("pika") else "rabbitmq-server (Debian) and pika"
    if name.startswith(DjangoAs2.name):
        return None if find_spec("pyas2") and find_spec("gunicorn") else "django-pyas2 and gunicorn (make bench)"
    if name == "tables":
        there = which("pgloader") and PostgreSQL.binary() != "postgres" and Path(MariaDB.binary()).exists()
        return None if there and DLT.exists() else "postgresql, mariadb-server, pgloader (Debian) and dlt (make bench)"
    return None
