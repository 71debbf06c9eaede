"""TLS as it looks from outside: records, and the two hellos, which are in clear (RFC 8446 §4.1, §5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HANDSHAKE, APPLICATION, CHANGE, ALERT = 22, 23, 20, 21
CLIENT_HELLO, SERVER_HELLO = 1, 2
VERSIONS, GROUPS, SIGNATURES, KEY_SHARE, TICKET, PSK, EARLY = 43, 10, 13, 51, 35, 41, 42
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a HelloRetryRequest."""


@dataclass(frozen=True)
class Hello:
    """A ClientHello or ServerHello: its suites (one of a server), and its extensions by number."""

    suites: tuple[int, ...]
    extensions: dict[int, bytes]
    random: bytes

    def numbers(self, extension: int, front: int) -> tuple[int, ...]:
        """Return an extension that is a list of 16-bit numbers after `front` octets of length."""
        return _numbers(self.extensions[extension][front:])


def records(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (type, body) of every whole record; raise ValueError for what is no TLS."""
    at = 0
    while at + 5 <= len(octets):
        kind, major, length = octets[at], octets[at + 1], int.from_bytes(octets[at + 3 : at + 5], "big")
        if kind not in (HANDSHAKE, APPLICATION, CHANGE, ALERT) or major != 3 or length > (1 << 14) + 256:
            raise ValueError(f"no TLS record at {at}")
        if at + 5 + length > len(octets):
            return
        yield kind, octets[at + 5 : at + 5 + length]
        at += 5 + length


def hello(octets: bytes, kind: int) -> Hello:
    """Return the hello a stream begins with."""
    first, body = next(records(octets))
    assert first == HANDSHAKE and body[0] == kind, (first, body[:1])
    return read_hello(body[4:], kind)


def read_hello(body: bytes, kind: int) -> Hello:
    """Return a hello from its body, without the handshake's own head."""
    at = 34
    at += 1 + body[at]
    if kind == CLIENT_HELLO:
        length = int.from_bytes(body[at : at + 2], "big")
        suites = _numbers(body[at + 2 : at + 2 + length])
        at += 2 + length
        at += 1 + body[at]
    else:
        suites = _numbers(body[at : at + 2])
        at += 3
    found, at = {}, at + 2
    while at + 4 <= len(body):
        number, length = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        found[number] = body[at + 4 : at + 4 + length]
        at += 4 + length
    return Hello(suites, found, body[2:34])


def _numbers(octets: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets) - 1, 2))
