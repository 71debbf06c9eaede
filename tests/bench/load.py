"""The load: a process of its own that posts records over a few kept connections, one request under way on each.

    python -m tests.bench.load SEED MOULDS     a job per line on standard input, a result per line on standard output

A job is made ready first (`ready`), then waits for a line to go: the making of records is never in the measure.
Times are of the wall clock in ns, which the nodes' own instants (ms) can be compared with on one machine.
"""

from __future__ import annotations

import json
import secrets
import selectors
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.bench.records import Records

MEDIA = {"json": "application/x-ndjson", "xml": "application/xml"}


@dataclass(slots=True)
class Link:
    """One connection with the request under way on it."""

    socket: socket.socket
    sent: int = 0
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    answer: bytes = b""


def request(job: dict[str, Any], resource: str, body: bytes) -> bytes:
    """Return one POST."""
    return (
        f"POST /v1/resources/{resource}/records HTTP/1.1\r\nHost: 127.0.0.1:{job['port']}\r\n"
        f"Authorization: Bearer {job['token']}\r\nContent-Type: {MEDIA[job['form']]}\r\n"
        f"Idempotency-Key: {secrets.token_hex(12)}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def many(records: list[bytes]) -> bytes:
    """Return XML records as one document: alone as it is, else a list without the declarations inside."""
    if len(records) == 1:
        return records[0]
    inner = b"".join(record.partition(b"?>")[2] for record in records)
    return b'<?xml version="1.0" encoding="UTF-8"?><PopulationBasicList xmlns="urn:exn:population-basic:1">' + (
        inner + b"</PopulationBasicList>"
    )


def requests(job: dict[str, Any], supply: Records) -> deque[bytes]:
    """Return the requests of a job."""
    size, left, resources = job["per_post"], job["records"], job["resources"]
    join = many if job["form"] == "xml" else b"\n".join
    made: deque[bytes] = deque()
    while left > 0:
        resource = resources[len(made) % len(resources)]
        made.append(request(job, resource, join(supply.take(min(size, left)))))
        left -= size
    return made


def whole(answer: bytes) -> bytes | None:
    """Return the body of an answer that has come whole, None before."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return None
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    if len(body) < length:
        return None
    if not head.startswith(b"HTTP/1.1 202"):
        raise SystemExit(f"not accepted: {head[:60]!r} {body[:400]!r}")
    return body


def submission(body: bytes) -> str:
    """Return the id that an answer gives; every record of it must have been accepted."""
    told = json.loads(body)
    if told["refused"]:
        raise SystemExit(f"refused: {told['refused'][:1]}")
    return str(told["submission"])


class Load:
    """Sends a job's requests, each connection its next as soon as it was answered."""

    def __init__(self, job: dict[str, Any], waiting: deque[bytes]) -> None:
        self._waiting, self._under_way = waiting, 0
        self._chooser = selectors.DefaultSelector()
        self._links = [Link(socket.create_connection(("127.0.0.1", job["port"]))) for _ in range(job["connections"])]
        for link in self._links:
            link.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link.socket.setblocking(False)
            self._chooser.register(link.socket, selectors.EVENT_READ, link)
        self.answered: list[tuple[int, int, bytes]] = []

    def close(self) -> None:
        """Close the connections."""
        for link in self._links:
            link.socket.close()
        self._chooser.close()

    def all(self) -> None:
        """Send everything that waits and take the answers."""
        for link in self._links:
            self._next(link)
        while self._under_way:
            for key, events in self._chooser.select():
                if events & selectors.EVENT_WRITE:
                    self._push(key.data)
                if events & selectors.EVENT_READ:
                    self._read(key.data)

    def paced(self, pause: float) -> None:
        """Send one request after the other over one connection, `pause` seconds between their beginnings."""
        while self._waiting:
            due = time.perf_counter() + pause
            self._next(self._links[0])
            while self._under_way:
                for key, _ in self._chooser.select():
                    self._read(key.data, alone=True)
            time.sleep(max(0.0, due - time.perf_counter()))

    def _next(self, link: Link) -> None:
        if self._waiting:
            link.unsent, link.answer, link.sent = memoryview(self._waiting.popleft()), b"", time.time_ns()
            self._under_way += 1
            self._push(link)

    def _push(self, link: Link) -> None:
        try:
            link.unsent = link.unsent[link.socket.send(link.unsent):]
        except BlockingIOError:
            pass
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.unsent else 0)
        if self._chooser.get_key(link.socket).events != events:
            self._chooser.modify(link.socket, events, link)

    def _read(self, link: Link, alone: bool = False) -> None:
        said = link.socket.recv(65536)
        if not said:
            raise SystemExit("the node closed the connection")
        link.answer += said
        body = whole(link.answer)
        if body is not None:
            self.answered.append((link.sent, time.time_ns(), body))
            self._under_way -= 1
            if not alone:
                self._next(link)


def run(job: dict[str, Any], load: Load) -> dict[str, Any]:
    """Do a job that is ready; return what there is to say of it."""
    begun, cpu = time.time_ns(), time.process_time()
    if job.get("pause"):
        load.paced(job["pause"])
    else:
        load.all()
    ended, spent = time.time_ns(), time.process_time() - cpu
    told = [(sent, back, submission(body)) for sent, back, body in load.answered]
    return {
        "begun": begun, "ended": ended, "cpu": spent, "posts": len(told),
        "answered": told if job.get("pause") else [], "waits": sorted(back - sent for sent, back, _ in told),
    }


def main() -> None:
    """Do the jobs that come."""
    seed, moulds = int(sys.argv[1]), int(sys.argv[2])
    supplies = {form: Records(form, seed + number, moulds) for number, form in enumerate(("json", "xml"))}
    print(json.dumps({form: supply.octets for form, supply in supplies.items()}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        if "show" in job:
            print(json.dumps([record.decode() for record in supplies["json"].take(job["show"])]), flush=True)
            continue
        load = Load(job, requests(job, supplies[job["form"]]))
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(run(job, load)), flush=True)
        load.close()


if __name__ == "__main__":
    main()
