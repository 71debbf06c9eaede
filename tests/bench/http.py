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

BODY = os.urandom(512).hex().encode()


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
    routes.add("POST", "/v1/resources/{resource}/records", take)
    routes.add("POST", "/v1/awaited", await_it)
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
            if not link.recv(4096):
                raise SystemExit("the server closed the connection")
            done += 1
            if left > 0:
                left -= 1
                link.send(what)
    seconds = time.monotonic() - begun
    for key in list(chooser.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]  # a socket
    return seconds


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
    command = [sys.executable, "-m", "tests.bench.http", "--serve"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdin is not None
    try:
        port = int(child.stdout.readline())
        load(port, message("/v1/awaited"), 2_000, chosen.connections)
        for name, path in (("direct", "/v1/resources/population/records"), ("awaited", "/v1/awaited")):
            costs, rates = [], []
            for _ in range(chosen.rounds):
                before = cpu_of(port)
                seconds = load(port, message(path), chosen.requests, chosen.connections)
                costs.append((cpu_of(port) - before) / 1000 / chosen.requests)
                rates.append(chosen.requests / seconds)
            print(f"server, {name:8} cpu-us/request {statistics.median(costs):6.1f}   "
                  f"requests/s (wall) {statistics.median(rates):8.0f}")
        print(f"client           cpu-us/request {measure_client(port, chosen.requests):6.1f}")
    finally:
        child.stdin.close()
        child.wait(10)


if __name__ == "__main__":
    main()
