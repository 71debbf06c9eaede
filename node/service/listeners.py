"""The ports a node listens on: peers, the department's own systems, operations."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import DeferredList
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort

from node.config import Endpoint
from node.crypto import keyfile
from node.intake.gateway import Gateway
from node.intake.local import Local
from node.model import codes
from node.model.trouble import Trouble, trouble
from node.service.links import Gate
from node.validate import Limits
from node.wire import connection
from node.wire.address import server_at
from node.wire.problem import Faults
from node.wire.routes import Routes
from node.wire.server import Server
from node.wire.tls import over_tls

if TYPE_CHECKING:
    from node.service.build import Running


class Listeners:
    """Opens and drains the servers of one node."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._faults = Faults(self._fault, os.urandom)
        self._observe = running.watch.counter.answered
        self._servers: list[Server] = []
        self._ports: list[IListeningPort] = []
        self._peers: Server | None = None
        self._callers: Server | None = None

    async def open(self) -> list[IListeningPort]:
        """Listen on every configured address; return the ports.  Raises Hold(LISTEN) naming the one that failed."""
        running = self._running
        settings, callers = running.settings, running.callers
        gate = callers.gate() if callers is not None else None
        self._callers = await self._listen(settings.api.listen, self._local(), gate)
        gateway = settings.gateway
        if gateway is not None:
            limits = connection.Limits(connections=gateway.connections)
            gate = running.wires.gate(gateway.profile)
            self._peers = await self._listen(gateway.listen, self._gateway(), gate, limits)
        await self._listen(settings.admin.listen, self._admin(), None)
        return self._ports

    async def drain(self, within: float) -> None:
        """Close the ports, finish running requests, drop connections after `within` seconds."""
        for port in self._ports:
            port.stopListening()
        await DeferredList([server.drain(within) for server in self._servers])

    def close_where(self, gone: Callable[[str], bool]) -> int:
        """Abort connections of peers' certificates that are good no more; return how many."""
        return self._peers.close_where(gone) if self._peers is not None else 0

    def close_callers(self, gone: Callable[[str], bool]) -> int:
        """Abort connections of callers' certificates that are good no more; return how many."""
        return self._callers.close_where(gone) if self._callers is not None else 0

    async def _listen(
        self, place: Endpoint, routes: Routes, gate: Gate | None, limits: connection.Limits = connection.Limits()
    ) -> Server:
        running = self._running
        server = Server(
            routes, running.reactor, self._faults, limits, gate.check if gate else None, self._turned_away, running.now,
        )
        factory: Any = over_tls(server, gate.context) if gate else server
        self._ports.append(await self._bind(place, factory))
        self._servers.append(server)
        running.log("info", "node.listening", address=str(place))
        return server

    async def _bind(self, place: Endpoint, factory: Any) -> IListeningPort:
        # An empty host is every address: IPv6 takes IPv4 along, and where the system has no IPv6, IPv4 alone.
        hosts = [place.host] if place.host else ["::", "0.0.0.0"]
        for host in hosts:
            try:
                return await server_at(self._running.reactor, str(Endpoint(host, place.port))).listen(factory)
            except CannotListenError:
                continue
        raise trouble(codes.LISTEN, address=str(place))

    def _local(self) -> Routes:
        running, api = self._running, self._running.settings.api
        routes = Routes(self._observe)
        limits = Limits(octets=api.body, records=api.records, record_octets=api.record)
        if running.callers is not None:
            Local(running.desk, {}, limits, mutual=True).add_to(routes)
        else:
            Local(running.desk, {"token": _token(running.settings.token)}, limits).add_to(routes)
        return routes

    def _gateway(self) -> Routes:
        routes = Routes(self._observe)
        Gateway(self._running.desk).add_to(routes)
        return routes

    def _admin(self) -> Routes:
        routes = Routes(self._observe)
        self._running.watch.pages(routes, self._running)
        return routes

    def _fault(self, number: str, place: str) -> None:
        self._running.log("error", "EXN-FAULT", fault=number, place=place)

    def _turned_away(self, address: str, why: Trouble) -> None:
        self._running.log("warning", why.code.name, address=address)


def _token(path: Path) -> bytes:
    """Return the local API's token, made at the first start in a file only this account can read."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        keyfile.write(path, secrets.token_urlsafe(32).encode("ascii") + b"\n")
    return keyfile.read(path).strip()
