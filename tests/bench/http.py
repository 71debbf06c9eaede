"""What one HTTP request costs: cpu-µs per 1 KiB POST, of the server and of the client, plain.

    python -m tests.bench.http [--requests N] [--connections C] [--rounds R]

The server runs in a process of its own and is asked for its cpu time; the load is a loop over non-blocking sockets,
one request under way on each.  The client's figure is a `PeerClient` in this process against the same server.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import statistics
import subprocess
import sys
import time

from tests.bench.child import end_with_parent

BODY = os.urandom(512).hex().encode()
BODY_MOST = 8 << 20


def serve() -> None:
    """Serve until the standard input ends."""
    from twisted.internet import reactor, stdio
    from twisted.internet.protocol import Protocol

    from node.wire.message import Request, Response
    from node.wire.problem import Faults
    from node.wire.routes import Routes
    from node.wire.server import Server

    class Stop(Protocol):
        def connectionLost(self, reason: object = None) -> None:
            reactor.stop()  # type: ignore[attr-defined]  # the module stands for the reactor

    def take(request: Request) -> Response:
        return Response(202, b'{"submission":"0198"}', ((b"Content-Type", b"application/json"),))

    async def await_it(request: Request) -> Response:
        return take(request)

    def cpu(request: Request) -> Response:
        return Response(200, b"%d" % time.process_time_ns())

    routes = Routes(lambda template, method, status, seconds: None)
    routes.add("POST", "/v1/resources/{resource}/records", take, BODY_MOST)
    routes.add("POST", "/v1/awaited", await_it, BODY_MOST)
    routes.add("GET", "/cpu", cpu)
    server = Server(routes, reactor, Faults(print, os.urandom), wall=lambda: time.time_ns() // 1_000_000)
    port = reactor.listenTCP(0, server, backlog=512, interface="127.0.0.1")  # type: ignore[attr-defined]  # as above
    stdio.StandardIO(Stop())
    print(port.getHost().port, flush=True)
    reactor.run()  # type: ignore[attr-defined]  # as above


def message(path: str, body: bytes = BODY) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:8700\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: 0198-4c\r\nAuthorization: Bearer {'t' * 32}\r\nAccept: */*\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def ask(port: int, what: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.sendall(what)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += link.recv(4096)
        head, _, body = answer.partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < size:
            body += link.recv(4096)
        return body


def cpu_of(port: int) -> int:
    return int(ask(port, b"GET /cpu HTTP/1.1\r\nHost: a\r\n\r\n"))


def load(port: int, what: bytes, requests: int, connections: int) -> float:
    """Send the requests, one under way per connection; return the seconds it took."""
    chooser, left = selectors.DefaultSelector(), requests
    for _ in range(connections):
        link = socket.create_connection(("127.0.0.1", port))
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chooser.register(link, selectors.EVENT_READ)
    begun, done = time.monotonic(), 0
    for key in list(chooser.get_map().values()):
        key.fileobj.send(what)  # type: ignore[union-attr]  # a socket
        left -= 1
    while done < requests:
        for key, _ in chooser.select():
            link = key.fileobj  # type: ignore[assignment]  # a socket
            answer = link.recv(4096)
            if not answer.startswith(b"HTTP/1.1 202 "):
                raise SystemExit(f"not taken: {answer[:400]!r}")
            done += 1
            if left > 0:
                left -= 1
                link.send(what)
    seconds = time.monotonic() - begun
    for key in list(chooser.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]  # a socket
    return seconds


class Ingest:
    """The nodes' HTTP server in a process of its own, with a handler that does nothing."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.bench.http", "--serve"]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=end_with_parent
        )
        assert self._child.stdout is not None
        self.port = int(self._child.stdout.readline())

    def cost(self, body: bytes, requests: int, connections: int, path: str = "/v1/awaited") -> float:
        """Return the server's cpu-µs per request, and leave the client's out."""
        before = cpu_of(self.port)
        load(self.port, message(path, body), requests, connections)
        return (cpu_of(self.port) - before) / 1000 / requests

    def close(self) -> None:
        """End it."""
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.close()
        self._child.stdout.close()
        self._child.wait(10)


def measure_client(port: int, requests: int) -> float:
    """Return cpu-µs per request of a `PeerClient` with 16 requests under way."""
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred, gatherResults

    from node.wire.address import client_of
    from node.wire.client import PeerClient

    client = PeerClient("peer", client_of(reactor, f"127.0.0.1:{port}"), f"127.0.0.1:{port}", reactor, size=16)
    spent: list[float] = []

    async def one(count: int) -> None:
        for _ in range(count):
            await client.request("POST", "/v1/resources/population/records", (), (BODY,), timeout=30)

    def stop(result: object) -> None:
        client.close()
        reactor.stop()  # type: ignore[attr-defined]  # the module stands for the reactor
        if result is not None and not isinstance(result, list):
            print(result)

    def begin() -> None:
        begun = time.process_time()
        all_of = gatherResults([Deferred.fromCoroutine(one(requests // 16)) for _ in range(16)])
        all_of.addCallback(lambda done: spent.append(time.process_time() - begun) or done)
        all_of.addBoth(stop)

    reactor.callWhenRunning(begin)  # type: ignore[attr-defined]  # as above
    reactor.run()  # type: ignore[attr-defined]  # as above
    return spent[0] * 1e6 / requests


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    if chosen.serve:
        serve()
        return
    server = Ingest()
    try:
        load(server.port, message("/v1/awaited"), 2_000, chosen.connections)
        for name, path in (("direct", "/v1/resources/population/records"), ("awaited", "/v1/awaited")):
            costs, rates = [], []
            for _ in range(chosen.rounds):
                begun = time.monotonic()
                costs.append(server.cost(BODY, chosen.requests, chosen.connections, path))
                rates.append(chosen.requests / (time.monotonic() - begun))
            print(f"server, {name:8} cpu-us/request {statistics.median(costs):6.1f}   "
                  f"requests/s (wall) {statistics.median(rates):8.0f}")
        print(f"client           cpu-us/request {measure_client(server.port, chosen.requests):6.1f}")
    finally:
        server.close()


if __name__ == "__main__":
    main()
