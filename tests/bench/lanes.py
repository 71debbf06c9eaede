"""A thousand lanes wait, and an urgent record comes: how long until it leaves, in parcels' times.

A department with a thousand resources has something to say in each; one more resource has priority 0.  While it drains
them, urgent records are posted one by one, and each should leave before one more parcel has gone.
"""

from __future__ import annotations

import http.client
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from node.cli.demo.site import Plan
from tests.bench.outage import fill
from tests.bench.pair import CENTRE, DEPARTMENT, Pair
from tests.bench.records import SPECIFICATION, Records

URGENT = "urgent"
WITHIN = 300.0


@dataclass(frozen=True, slots=True)
class Urgent:
    """`waits`: ms from the 202 to the first octet sent, `ways`: to *accepted*; `parcel`: ms of the others' parcels."""

    lanes: int
    waits: list[float]
    ways: list[float]
    parcel: float


def urgent(folder: Path, lanes: int, each: int, asked: int) -> Urgent:
    """Let `each` records wait in `lanes` lanes, and post `asked` urgent ones while they drain."""
    resources = [f"r{number}" for number in range(lanes)]
    codes = [*resources, URGENT]
    pair = Pair(folder, Plan(
        CENTRE, [DEPARTMENT], dict.fromkeys(codes, SPECIFICATION), dict.fromkeys(codes, [DEPARTMENT]), {}
    ))
    config = pair.site.seats[DEPARTMENT].config
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace(f'code = "{URGENT}"\n', f'code = "{URGENT}"\npriority = 0\n'), encoding="utf-8")
    try:
        fill(pair, lanes * each, each, *resources)
        pair.start()
        posted = _post(pair, asked)
        waiting = int(pair.read("outbox", "SELECT count(*) FROM lanes WHERE waiting > 0")[0][0])
        if waiting < 2:
            raise SystemExit("the lanes were drained before the urgent records came: let more wait")
        _wait_accepted(pair, asked)
        return _told(pair, lanes, posted)
    finally:
        pair.kill()


def _post(pair: Pair, asked: int) -> list[float]:
    """Post urgent records one by one; return when each was answered, in ms of the wall clock."""
    seat, supply, answered = pair.site.seats[DEPARTMENT], Records("json", 79, 10), []
    line = http.client.HTTPConnection("127.0.0.1", seat.api, timeout=60)
    for record in supply.take(asked):
        headers = {"Authorization": f"Bearer {pair.token}", "Content-Type": "application/x-ndjson",
                   "Idempotency-Key": os.urandom(12).hex()}
        line.request("POST", f"/v1/resources/{URGENT}/records", record, headers)
        answer = line.getresponse()
        answered.append(time.time_ns() / 1e6)
        if answer.status != 202:
            raise SystemExit(f"not accepted: {answer.status} {answer.read()!r}")
        answer.read()
        time.sleep(0.1)
    line.close()
    return answered


def _wait_accepted(pair: Pair, asked: int) -> None:
    """Return once all urgent records are accepted; the others need not be waited for."""
    until = time.monotonic() + WITHIN
    sql = "SELECT count(*) FROM entries e JOIN lanes l ON l.id = e.lane WHERE l.resource = ? AND e.accepted NOT NULL"
    while pair.read("outbox", sql, URGENT)[0][0] < asked:
        if time.monotonic() > until:
            raise SystemExit("the urgent records do not arrive")
        time.sleep(0.2)


def _told(pair: Pair, lanes: int, posted: list[float]) -> Urgent:
    rows = pair.read(
        "outbox", "SELECT e.sent, e.accepted FROM entries e JOIN lanes l ON l.id = e.lane WHERE l.resource = ?"
        " ORDER BY e.created", URGENT,
    )
    others = pair.read(
        "outbox", "SELECT e.accepted - e.sent FROM entries e JOIN lanes l ON l.id = e.lane WHERE l.resource != ?"
        " AND e.accepted > ? AND e.sent < ?", URGENT, int(posted[0]), int(posted[-1]),
    )
    if not others:
        raise SystemExit("the lanes were drained before the urgent records came: let more wait")
    if len(rows) != len(posted):
        raise SystemExit(f"{len(posted)} urgent records went in {len(rows)} parcels: post them further apart")
    return Urgent(
        lanes, [max(0.0, sent - at) for at, (sent, _) in zip(posted, rows, strict=True)],
        [accepted - at for at, (_, accepted) in zip(posted, rows, strict=True)],
        statistics.median([float(took) for (took,) in others]),
    )
