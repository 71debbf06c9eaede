"""A department's loops against a peer: the real centre, or one that answers whatever a test wants, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred

from node.deliver.asker import Asker
from node.deliver.greeter import Greeter
from node.deliver.pump import Pump
from node.envelope import Letter, write_letter
from node.model.registry import Peer
from node.model.trouble import Trouble
from node.wire.media import LETTER
from node.wire.message import Request, Response
from node.wire.problem import problem
from node.wire.routes import Routes
from node.workers import Timers
from tests.stage.desk import CENTRE, means_of
from tests.stage.joined import House, Line
from tests.stage.pair import Pair

Answers = Callable[[Request], Response]
TIMERS = Timers(rest_first=1.0, rest_most=60.0, hello=60.0, idle=15.0, poll=25.0)
PATHS = ("/v1/hello", "/v1/parcels", "/v1/receipts", "/v1/collect")


def nothing(request: Request) -> Response:
    """An empty letter."""
    return Response(200, write_letter(Letter()), [(b"Content-Type", LETTER)])


class Play:
    """One department with its link to the centre; `answers` by path come before the real gateway's."""

    def __init__(self, pair: Pair | None = None, timers: Timers = TIMERS) -> None:
        self.pair = pair or Pair()
        self.dept, self.clock = self.pair.dept, self.pair.clock
        self.dept.desk.timers = timers
        self.pair.centre.desk.timers = timers
        self.answers: dict[str, Answers] = {}
        self.asked: Counter[str] = Counter()
        self.house = House(self.pair.centre, self._fill)
        self.line = Line(self.house, "dept-a", CENTRE, lambda: self.dept.desk.bell.ring(f"link:{CENTRE}"))
        self.link = self.line.link
        self.pump, self.asker = Pump(self.dept.desk, self.link), Asker(self.dept.desk, self.link)
        self.greeter = Greeter(self.dept.desk, self.link)
        self._loops: list[Deferred[None]] = []

    def _fill(self, routes: Routes) -> None:
        real = Routes()
        self.pair.gateway.add_to(real)
        for path, work in zip(PATHS, (
            self.pair.gateway.hello, self.pair.gateway.parcels, self.pair.gateway.receipts, self.pair.gateway.collect
        ), strict=True):
            routes.add("POST", path, self._counted(path, work), 20 << 20)

    def _counted(
        self, path: str, work: Callable[[Request], Coroutine[Any, Any, Response]]
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        async def answer(request: Request) -> Response:
            self.asked[path] += 1
            chosen = self.answers.get(path)
            return chosen(request) if chosen else await work(request)

        return answer

    def start(self, *works: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run these loops until the end of the play."""
        for work in works:
            self._loops.append(self.dept.desk.keep("play", work).addErrback(lambda failure: None))
        self.go(0)

    def go(self, seconds: float, step: float = 0.25) -> None:
        """Let time pass."""
        self.line.carry()
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.line.carry()

    def end(self) -> None:
        """End the loops and close everything."""
        self.dept.desk.stopping = True
        for loop in self._loops:
            loop.cancel()
        self.line.client.close()
        self.line.carry()
        assert not self.house.faults, self.house.faults
        assert "EXN-FAULT" not in self.dept.journal.names()
        self.pair.close()

    def register(self, *peers: str | Peer) -> None:
        """Give the department another registry."""
        desk = self.dept.desk
        desk.means = replace(desk.means, registry=means_of("dept-a", peers).registry)


def says(met: Trouble, retry_after: int | None = None, **members: Any) -> Answers:
    """Return answers that turn a request away."""
    return lambda request: problem(met, b"", retry_after, **members)
