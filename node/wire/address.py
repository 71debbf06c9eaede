"""Addresses as the configuration writes them: `host:port`, an IPv6 address in brackets."""

from __future__ import annotations

import re

from twisted.internet.endpoints import HostnameEndpoint, TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint

BACKLOG = 256
_SIX, _NAME = r"\[(?P<six>[0-9A-Fa-f:.]+(?:%[0-9A-Za-z_.-]+)?)\]", r"(?P<name>[0-9A-Za-z_.-]+)"
_FORM = re.compile(rf"(?:{_SIX}|{_NAME}):(?P<port>[0-9]{{1,5}})")


def split(address: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[address]:port`; raise ValueError for anything else."""
    match = _FORM.fullmatch(address)
    if match is None or int(match["port"]) > 65535:
        raise ValueError("not host:port")
    return match["six"] or match["name"], int(match["port"])


def server_at(reactor: object, address: str) -> IStreamServerEndpoint:
    """Return where to listen; `[::]:port` listens on IPv6, and on IPv4 too where the system maps it.

    Raises ValueError for a malformed address.
    """
    host, port = split(address)
    kind = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
    return kind(reactor, port, backlog=BACKLOG, interface=host)


def client_of(reactor: object, address: str, timeout: float = 10.0) -> IStreamClientEndpoint:
    """Return how to connect: a name is tried over IPv6 and IPv4; `timeout` in seconds.

    Raises ValueError for a malformed address.
    """
    host, port = split(address)
    return HostnameEndpoint(reactor, host.encode("ascii"), port, timeout=timeout)
