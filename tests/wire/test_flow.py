"""What leaves at once, and what goes through the transport's buffer."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

from node.wire.flow import SLICE, Outflow


class Socketed(StringTransport):
    """TCP's transport: a socket that takes as many octets as it is told to, and a buffer behind it."""

    def __init__(self, takes: int | Exception) -> None:
        super().__init__()
        self.takes, self.at_once = takes, 0

    def writeSomeData(self, data: bytes) -> Any:
        if isinstance(self.takes, Exception):
            return self.takes
        self.at_once += 1
        self.io.write(data[: self.takes])
        return min(self.takes, len(data))


def test_a_small_answer_goes_to_the_socket_at_once() -> None:
    transport = Socketed(1 << 20)
    flow = Outflow(transport, lambda: None)
    flow.write([b"head", b"body"])
    flow.write([b"next"])
    assert transport.value() == b"headbodynext" and transport.at_once == 2


@pytest.mark.parametrize("takes", [0, 3])
def test_what_the_socket_does_not_take_keeps_its_order_and_so_does_all_that_follows(takes: int) -> None:
    transport = Socketed(takes)
    flow = Outflow(transport, lambda: None)
    flow.write([b"headbody"])
    flow.write([b"next"])
    assert transport.value() == b"headbodynext" and transport.at_once == 1


def test_an_error_of_the_socket_is_the_transports_matter() -> None:
    transport = Socketed(ConnectionLost())
    flow = Outflow(transport, lambda: None)
    flow.write([b"all"])
    assert transport.value() == b"all"


def test_after_a_large_answer_nothing_overtakes_what_the_transport_may_still_hold() -> None:
    transport = Socketed(1 << 30)
    flow = Outflow(transport, lambda: None)
    flow.write([b"x" * (SLICE + 1)])
    flow.write([b"end"])
    assert transport.at_once == 0 and transport.value().endswith(b"xend")


def test_tls_is_never_passed_by() -> None:
    transport = StringTransport()
    Outflow(transport, lambda: None).write([b"one", b"two"])
    assert transport.value() == b"onetwo"


def test_the_socket_below_tls_is_never_reached_through_it() -> None:
    """Twisted's TLS answers for whatever its own class lacks with what the TCP below it has."""
    socket = Socketed(1 << 20)
    tls: Any = ProtocolWrapper(WrappingFactory(Factory()), Protocol())
    tls.transport = socket
    assert tls.writeSomeData is not None, "so asking the instance is not enough"
    Outflow(tls, lambda: None).write([b"secret"])
    assert socket.at_once == 0
