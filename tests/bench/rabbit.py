"""RabbitMQ with a broker of our own: persistent messages, confirms, a durable queue, acknowledged consumption.

    python -m tests.bench.rabbit publish|consume PORT QUEUE     a record on the first line, then jobs of a number of
                                                                messages; `ready`, then a JSON line for each job

The best stable configuration we found: as many messages under way as `WINDOW`, confirms as they come, acknowledgements
a hundred at a time.  A message counts when the consumer's acknowledgement of it has been written.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node.cli.demo.site import free_ports
from tests.bench.child import end_with_parent

WINDOW, TOGETHER = 1000, 100
HOME = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START = 180.0


def here() -> bool:
    """Return whether the broker is installed."""
    return HOME.exists() and shutil.which("erl") is not None


class Broker:
    """A broker in a folder of its own: own name, own ports, own epmd; nothing of it is left after `close`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.port, distribution, names = free_ports(3)
        self.folder = folder
        (folder / "none.conf").write_text(f"listeners.tcp.local = 127.0.0.1:{self.port}\n", encoding="ascii")
        (folder / "enabled").write_text("[].\n", encoding="ascii")
        (folder / "env.conf").write_text("", encoding="ascii")
        (folder / ".erlang.cookie").write_text(secrets.token_hex(16), encoding="ascii")
        (folder / ".erlang.cookie").chmod(0o400)
        self._environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(names), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"bench{names}@localhost", "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"), "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": str(folder / "log" / "broker.log"), "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"), "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_ALLOW_INPUT": "1",
        }
        (folder / "log").mkdir()
        self._names = self._run("epmd", "-port", str(names), "-address", "127.0.0.1")
        self._server = self._run(str(HOME))
        self._wait()

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, env=self._environment, cwd=self.folder, stdin=subprocess.PIPE,
            stdout=(self.folder / "log" / "out").open("ab"), stderr=subprocess.STDOUT, preexec_fn=end_with_parent,
        )

    def _wait(self) -> None:
        until = time.monotonic() + START
        while time.monotonic() < until and self._server.poll() is None:
            try:
                connect(self.port).close()
                return
            except Exception:  # whatever pika raises while nobody listens yet
                time.sleep(0.2)
        self.close()
        raise SystemExit(f"the broker does not come up:\n{(self.folder / 'log' / 'out').read_text()[-2000:]}")

    @property
    def pid(self) -> int:
        """The process id of the broker's virtual machine."""
        return self._server.pid

    def close(self) -> None:
        """End broker and epmd."""
        for process in (self._server, self._names):
            process.kill()
            process.wait()


def connect(port: int) -> Any:
    """Return a blocking connection."""
    import pika

    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, heartbeat=0, socket_timeout=30))


class Worker:
    """One end of a queue on pika's own event loop; `job` does so many messages and returns when all are through."""

    def __init__(self, port: int, queue: str, record: bytes) -> None:
        import pika

        self._queue, self._record, self._left = queue, record, 0
        self._connection = pika.SelectConnection(
            pika.ConnectionParameters("127.0.0.1", port, heartbeat=0),
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._opened),
            on_open_error_callback=self._failed, on_close_callback=self._failed,
        )
        self._loop = self._connection.ioloop
        self._loop.start()

    def _failed(self, connection: Any, why: Any) -> None:
        raise SystemExit(f"the broker closed the connection: {why}")

    def _opened(self, channel: Any) -> None:
        """Make the channel ready, then stop the loop."""
        raise NotImplementedError

    def job(self, messages: int) -> None:
        """Do so many."""
        self._left = messages
        self._begin()
        self._loop.start()

    def _begin(self) -> None:
        """Start a job."""


class Publisher(Worker):
    """Publishes with at most `WINDOW` messages unconfirmed."""

    def _opened(self, channel: Any) -> None:
        import pika

        self._channel, self._sent, self._oldest, self._open = channel, 0, 1, set[int]()
        self._properties = pika.BasicProperties(delivery_mode=2)
        channel.confirm_delivery(self._confirm, callback=lambda frame: self._loop.stop())

    def _confirm(self, frame: Any) -> None:
        if type(frame.method).__name__ != "Ack":
            raise SystemExit("the broker did not take a message")
        tag = frame.method.delivery_tag
        if frame.method.multiple:
            self._open.difference_update(range(self._oldest, tag + 1))
            self._oldest = tag + 1
        else:
            self._open.discard(tag)
        self._begin()
        if not self._open:
            self._loop.stop()

    def _begin(self) -> None:
        while self._left and len(self._open) < WINDOW:
            self._left -= 1
            self._sent += 1
            self._open.add(self._sent)
            self._channel.basic_publish("", self._queue, self._record, self._properties)


class Consumer(Worker):
    """Consumes, and acknowledges `TOGETHER` at a time."""

    def _opened(self, channel: Any) -> None:
        channel.basic_qos(prefetch_count=WINDOW)
        channel.basic_consume(self._queue, self._take, callback=lambda frame: self._loop.stop())

    def _take(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        if body != self._record:
            raise SystemExit("the broker gave another message")
        self._left -= 1
        if not self._left or not self._left % TOGETHER:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if not self._left:
            self._loop.call_later(0, self._loop.stop)  # after the acknowledgement is written


def main() -> None:
    """Do jobs."""
    role: Callable[..., Worker] = {"publish": Publisher, "consume": Consumer}[sys.argv[1]]
    worker = role(int(sys.argv[2]), sys.argv[3], sys.stdin.readline().strip().encode())
    print("ready", flush=True)
    for line in sys.stdin:
        begun, cpu = time.time(), time.process_time()
        worker.job(int(line))
        print(json.dumps({"begun": begun, "ended": time.time(), "cpu": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main()
