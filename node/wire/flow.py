"""Time and back-pressure of one connection: an alarm that is cheap to move, and an outflow that never piles up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITransport
from zope.interface import implementer

SLICE = 128 * 1024
"""How much of a large body is handed to the transport at once, in octets."""


class Alarm:
    """One deadline, moved often and reached seldom.

    Moving it later touches no timer: the one that runs looks at the deadline when it rings.  So a busy connection
    pays for a timer once in a while and not once per request.
    """

    __slots__ = ("_clock", "_ring", "_at", "_call")

    def __init__(self, clock: IReactorTime, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._at: float | None = None
        self._call: IDelayedCall | None = None

    def set(self, at: float) -> None:
        """Ring at the instant `at` of the clock's seconds, instead of any instant set before."""
        self._at = at
        call = self._call
        if call is None:
            self._call = self._clock.callLater(max(0.0, at - self._clock.seconds()), self._due)
        elif call.getTime() > at:
            call.reset(max(0.0, at - self._clock.seconds()))

    def clear(self) -> None:
        """Do not ring."""
        self._at = None

    def close(self) -> None:
        """Do not ring, and leave no timer behind."""
        self._at = None
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _due(self) -> None:
        self._call = None
        if self._at is None:
            return
        left = self._at - self._clock.seconds()
        if left > 0:
            self._call = self._clock.callLater(left, self._due)
        else:
            self._at = None
            self._ring()


@implementer(IPushProducer)
class Outflow:
    """Buffers on their way out, handed to the transport only as fast as it sends them.

    A body of 16 MiB is cut into slices as it leaves, so neither the transport nor TLS holds a second copy of it.
    A small answer goes to the socket at once, which saves a turn of the reactor and its asking for the socket; once the
    kernel took less than all of one, everything goes through the transport's buffer, for good.
    `moved` is called whenever the transport has taken what it was given and more was waiting, and once all is gone.
    """

    __slots__ = ("_transport", "_waiting", "_held", "_closing", "_moved", "_at_once")

    def __init__(self, transport: ITransport, moved: Callable[[], None]) -> None:
        self._transport = transport
        self._waiting: deque[memoryview] = deque()
        self._held = False
        self._closing = False
        self._moved = moved
        # TCP's class has it. TLS's has not, but an instance of that hands on whatever it lacks to the TCP below it:
        # asked itself, it would give us the socket, and everything would leave in clear and break the handshake.
        own = hasattr(type(transport), "writeSomeData")
        self._at_once: Callable[[bytes], int | Exception] | None = getattr(transport, "writeSomeData") if own else None
        transport.registerProducer(self, True)  # type: ignore[attr-defined]  # ITransport leaves IConsumer out

    @property
    def pressed(self) -> bool:
        """Whether the other end does not read as fast as we write."""
        return self._held or bool(self._waiting)

    def write(self, parts: Sequence[bytes]) -> None:
        """Send the buffers in order; nothing is sent after `finish`."""
        if self._closing:
            return
        if not self._held and not self._waiting and sum(map(len, parts)) <= SLICE:
            if self._at_once is None:
                self._transport.writeSequence(parts)
            else:
                self._send(b"".join(parts))
            return
        self._at_once = None
        self._waiting.extend(memoryview(part) for part in parts)
        self._pump()

    def _send(self, octets: bytes) -> None:
        """Give octets to the socket; what it does not take, and an error of it, are the transport's matter."""
        assert self._at_once is not None
        sent = self._at_once(octets)
        if sent.__class__ is not int or sent < len(octets):
            self._at_once = None
            self._transport.write(octets[sent:] if sent.__class__ is int else octets)

    def finish(self) -> None:
        """Close the connection once everything is sent."""
        if not self._closing:
            self._closing = True
            self._pump()

    def stop(self) -> None:
        """Forget what waits: the connection is gone."""
        self._closing = True
        self._waiting.clear()

    def pauseProducing(self) -> None:
        """The transport's buffer is full."""
        self._held = True

    def resumeProducing(self) -> None:
        """The transport's buffer is empty."""
        self._held = False
        self._pump()
        self._moved()

    def stopProducing(self) -> None:
        """The transport takes nothing more."""
        self.stop()

    def _pump(self) -> None:
        while self._waiting and not self._held:
            part = self._waiting.popleft()
            if len(part) > SLICE:
                self._waiting.appendleft(part[SLICE:])
                part = part[:SLICE]
            self._transport.write(bytes(part))
        if self._closing and not self._waiting and not self._held:
            # While a producer is registered the transport would keep the connection open for it.
            self._transport.unregisterProducer()  # type: ignore[attr-defined]  # as above
            self._transport.loseConnection()
