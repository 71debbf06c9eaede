"""The control socket: requests of commands on this machine."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from functools import cache
from pathlib import Path

from twisted.internet.testing import StringTransport

from node.service.control import READINGS, Control
from node.service.control_acts import ACTS
from tests.fuzz.mutate import any_of, json_text, members, octets
from tests.fuzz.target import MARKER, Target, hidden
from tests.intake.api import Api, twin
from tests.stage.pair import Pair

NOBODY = "01a206c0-7316-73f6-aa3e-76256c39168a"


@cache
def pair() -> Pair:
    """Return a department with something in its queues, and the centre."""
    made = Pair()
    Api(made.dept).submitted(twin(1), twin(2))
    made.accept(made.sealed())
    return made


def seeds() -> Iterator[bytes]:
    """Yield a request of every verb."""
    for verb in [*READINGS, *ACTS]:
        for queue in ("outbox", "inbox"):
            given = {"verb": verb, "queue": queue, "id": NOBODY, "who": "li", "lane": "dept-a/centre/population/live",
                     "peer": "centre", "limit": 10, "after": "", "row": "x", "record": NOBODY, "resource": "population"}
            yield json.dumps(given).encode()
    yield b'{"verb":"status"}'
    yield b'{"verb":"queue.retry","peer":"centre","who":"%b"}' % MARKER


def run(data: bytes) -> Hashable:
    """Ask over the socket's protocol; one line of JSON comes back, and never a fault."""
    made = pair()
    line = Control(made.dept.desk, Path("unused")).factory.buildProtocol(None)
    assert line is not None
    transport = StringTransport()
    line.makeConnection(transport)
    line.dataReceived(data)
    line.dataReceived(b"\n")
    for _ in range(50):
        made.clock.advance(0)
    told = transport.value()
    line.connectionLost()
    assert told.endswith(b"\n") and told.count(b"\n") == 1, "no answer"
    answer = json.loads(told)
    assert answer.get("code") != "EXN-FAULT", made.dept.journal.events[-1:]
    # Who did it is what the log is for; nothing else of a request is told there.
    told_of = [value for _, _, fields in made.dept.journal.events for name, value in fields.items() if name != "who"]
    hidden(*told_of)
    made.dept.journal.events.clear()
    return answer["ok"], answer.get("code"), str(answer.get("details"))[:60]


TARGET = Target("control", "requests of the control socket", seeds, run, any_of(members, members, json_text, octets),
                rounds=200)
