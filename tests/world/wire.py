"""The wire between machines: it loses, doubles, delays and reorders requests and answers, and it is cut.

Rule 1: it never changes an octet: the channel below is TLS.
Rule 2: a request may arrive though its sender has given up, and be answered though nobody hears it.
Rule 3: a caller whose machine is alive hears within its timeout: an answer, or that the peer is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from node.model import codes
from node.model.trouble import trouble
from node.wire.client import Answer
from node.wire.message import Response
from tests.world.lifetime import WorldClock

if TYPE_CHECKING:
    from tests.world.machine import Life, Machine

STRAY = 45.0
"""Seconds after which a request that strayed has arrived, or never does."""


@dataclass
class Weather:
    """How bad the wire is: chances of each mishap per request, and delays in seconds."""

    lose: float = 0.0
    lose_answer: float = 0.0
    double: float = 0.0
    stray: float = 0.0
    """A copy of the request arrives much later, when its sender has long gone on."""
    delay: float = 0.01
    long: float = 0.0
    """Chance that a delay is many times as long, so that what was sent later arrives first."""


@dataclass
class Seen:
    """What went over the wire, for whoever judges the run."""

    request: Callable[[Life, str, str, bytes], None] = lambda caller, callee, path, body: None
    answer: Callable[[Life, str, str, Response], None] = lambda callee, caller, path, response: None


@dataclass(eq=False)
class Call:
    """One request under way; `done` is what its caller waits for."""

    caller: Life
    callee: Machine
    path: str
    media: bytes
    body: bytes
    done: Deferred[Answer]
    running: list[tuple[Life, Deferred[Response]]] = field(default_factory=list)

    def fail(self) -> None:
        """Tell the caller that the peer is not there, if it still waits."""
        if self.caller.time.stalled:
            self.caller.time.awake(self.fail)
        elif not self.done.called:
            self.done.errback(trouble(codes.PEER_DOWN, peer=self.callee.name))


class Wire:
    """All connections of the world."""

    def __init__(self, clock: WorldClock, dice: Random) -> None:
        self.clock, self.dice = clock, dice
        self.weather = Weather()
        self.seen = Seen()
        self.requests = 0
        self.clones: dict[str, Machine] = {}
        """Second machines: what is meant for one of this name reaches either."""
        self._cut: set[frozenset[str]] = set()
        self._calls: dict[Call, None] = {}

    def post(self, call: Call, timeout: float) -> Deferred[Answer]:
        """Carry one request."""
        self.requests += 1
        self._calls[call] = None
        timer = self.clock.callLater(timeout, call.fail)

        def over(result: object) -> object:
            if timer.active():
                timer.cancel()
            self._calls.pop(call, None)
            for life, running in call.running:
                if life.alive:
                    running.cancel()  # as the server does when the client is gone
            return result

        call.done.addBoth(over)
        weather, dice = self.weather, self.dice
        if self.is_cut(call.caller.name, call.callee.name):
            self.clock.callLater(self._delay(), call.fail)
            return call.done
        if dice.random() < weather.lose:
            self._goes_silent(call)
        else:
            self.clock.callLater(self._delay(), self._arrive, call)
        if dice.random() < weather.double:
            self.clock.callLater(self._delay(), self._arrive_unheard, call)
        if dice.random() < weather.stray:
            self.clock.callLater(dice.uniform(5, STRAY), self._arrive_unheard, call)
        return call.done

    def cut(self, one: str, other: str) -> None:
        """Nothing gets through between two machines; what is under way is lost."""
        self._cut.add(frozenset((one, other)))
        for call in list(self._calls):
            if self.is_cut(call.caller.name, call.callee.name):
                call.fail()

    def mend(self, one: str, other: str) -> None:
        """End a cut."""
        self._cut.discard(frozenset((one, other)))

    def calm(self) -> None:
        """End all cuts and all weather."""
        self._cut.clear()
        self.weather = Weather()

    def is_cut(self, one: str, other: str) -> bool:
        """Return whether nothing gets through."""
        return frozenset((one, other)) in self._cut

    def fallen(self, life: Life) -> None:
        """A machine lost its power: connections to it break; those it had made vanish with it."""
        for call in list(self._calls):
            if call.caller is life:
                call.fail()
            elif call.callee is life.machine or any(at is life for at, _ in call.running):
                self.clock.callLater(self._delay(), call.fail)

    def _reached(self, callee: Machine) -> Life | None:
        """Return the life that a request for a machine comes to, None if it is down."""
        clone = self.clones.get(callee.name)
        return clone.life if clone is not None and self.dice.random() < 0.5 else callee.life

    def _goes_silent(self, call: Call) -> None:
        """Let the caller find out by its timeout, or by a reset some time before."""
        if self.dice.random() < 0.7:
            self.clock.callLater(self.dice.uniform(0, 5), call.fail)

    def _delay(self) -> float:
        delay = self.dice.uniform(0, self.weather.delay)
        return delay * self.dice.uniform(5, 50) if self.dice.random() < self.weather.long else delay

    def _arrive(self, call: Call) -> None:
        if call.done.called:
            return
        life = self._reached(call.callee)
        if life is None or self.is_cut(call.caller.name, call.callee.name):
            call.fail()
            return
        if life.time.stalled:
            life.time.awake(lambda: self._arrive(call))
            return
        self.seen.request(call.caller, call.callee.name, call.path, call.body)
        running = life.answer(call.caller.name, call.path, call.media, call.body)
        call.running.append((life, running))
        running.addBoth(self._answered, call, life)

    def _arrive_unheard(self, call: Call) -> None:
        life = self._reached(call.callee)
        if life is not None and life.time.stalled:
            life.time.awake(lambda: self._arrive_unheard(call))
        elif life is not None and not self.is_cut(call.caller.name, call.callee.name):
            self.seen.request(call.caller, call.callee.name, call.path, call.body)
            running = life.answer(call.caller.name, call.path, call.media, call.body)
            running.addBoth(lambda result: self._saw(call, life, result))

    def _saw(self, call: Call, life: Life, response: Response | Failure) -> None:
        if life.alive and isinstance(response, Response):
            self.seen.answer(life, call.caller.name, call.path, response)

    def _answered(self, response: Response | Failure, call: Call, life: Life) -> None:
        call.running.clear()
        self._saw(call, life, response)  # it left, though nobody may wait for it any more (seed 9575)
        if not life.alive or call.done.called:
            return
        if isinstance(response, Failure):
            call.fail()
            return
        if self.dice.random() < self.weather.lose_answer:
            self._goes_silent(call)
        else:
            self.clock.callLater(self._delay(), self._hear, call, response)

    def _hear(self, call: Call, response: Response) -> None:
        if call.done.called:
            return
        if call.caller.time.stalled:
            call.caller.time.awake(lambda: self._hear(call, response))
            return
        if self.is_cut(call.caller.name, call.callee.name):
            call.fail()
            return
        headers = {name.lower(): value for name, value in response.headers}
        body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
        call.done.callback(Answer(response.status, headers, body))


class WireClient:
    """The part of `PeerClient` that a `PeerLink` uses, over the wire of the world."""

    def __init__(self, wire: Wire, life: Life, callee: Machine) -> None:
        self.peer = callee.name
        self._wire, self._life, self._callee = wire, life, callee

    async def request(
        self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]] = (), parts: Sequence[bytes] = (),
        timeout: float = 30.0, limit: int = 64 * 1024,
    ) -> Answer:
        """Post one request."""
        assert method == "POST"
        if not self._life.alive:
            raise trouble(codes.PEER_DOWN, peer=self.peer)
        media = dict(headers)[b"Content-Type"]
        call = Call(self._life, self._callee, path, media, b"".join(parts), Deferred())
        answer = await self._wire.post(call, timeout)
        if len(answer.body) > limit:
            raise trouble(codes.PEER_ANSWER, peer=self.peer)
        return answer

    def close(self) -> None:
        """Nothing is kept open."""
