"""The ports a node listens on: peers, the department's own systems, operations."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import DeferredList
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort

from node.config import Endpoint, Settings
from node.crypto import keyfile
from node.intake.gateway import Gateway
from node.intake.local import Local
from node.model import codes
from node.model.certificate import Certificate
from node.model.trouble import Trouble, trouble
from node.service.links import Callers, Gate, Wires
from node.service.watch import Watch
from node.validate import Limits
from node.wire import connection
from node.wire.address import server_at
from node.wire.problem import Faults
from node.wire.routes import Routes
from node.wire.server import Server
from node.wire.tls import over_tls
from node.workers import Desk


class Listeners:
    """Opens and drains the servers of one node."""

    def __init__(
        self, settings: Settings, desk: Desk, wires: Wires, callers: Callers | None, watch: Watch, channel: Certificate
    ) -> None:
        self._settings, self._desk, self._wires = settings, desk, wires
        self._mutual, self._watch, self._channel = callers, watch, channel
        self._faults = Faults(self._fault, os.urandom)
        self._observe = watch.counter.answered
        self._servers: list[Server] = []
        self._ports: list[IListeningPort] = []
        self._peers: Server | None = None
        self._callers: Server | None = None

    async def open(self) -> list[IListeningPort]:
        """Listen on every configured address; return the ports.  Raises Hold(LISTEN) naming the one that failed."""
        settings = self._settings
        gate = self._mutual.gate() if self._mutual is not None else None
        self._callers = await self._listen(settings.api.listen, self._local(), gate)
        gateway = settings.gateway
        if gateway is not None:
            limits = connection.Limits(connections=gateway.connections)
            gate = self._wires.gate(gateway.profile)
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
        desk = self._desk
        server = Server(
            routes, desk.reactor, self._faults, limits, gate.check if gate else None, self._turned_away, desk.now
        )
        factory: Any = over_tls(server, gate.context) if gate else server
        self._ports.append(await self._bind(place, factory))
        self._servers.append(server)
        desk.log("info", "node.listening", address=str(place))
        return server

    async def _bind(self, place: Endpoint, factory: Any) -> IListeningPort:
        # An empty host is every address: IPv6 takes IPv4 along, and where the system has no IPv6, IPv4 alone.
        hosts = [place.host] if place.host else ["::", "0.0.0.0"]
        for host in hosts:
            try:
                return await server_at(self._desk.reactor, str(Endpoint(host, place.port))).listen(factory)
            except CannotListenError:
                continue
        raise trouble(codes.LISTEN, address=str(place))

    def _local(self) -> Routes:
        api = self._settings.api
        routes = Routes(self._observe)
        limits = Limits(octets=api.body, records=api.records, record_octets=api.record)
        if self._mutual is not None:
            Local(self._desk, {}, limits, mutual=True).add_to(routes)
        else:
            Local(self._desk, {"token": _token(self._settings.token)}, limits).add_to(routes)
        return routes

    def _gateway(self) -> Routes:
        routes = Routes(self._observe)
        Gateway(self._desk).add_to(routes)
        return routes

    def _admin(self) -> Routes:
        routes = Routes(self._observe)
        self._watch.pages(routes, self._desk, self._channel)
        return routes

    def _fault(self, number: str, place: str) -> None:
        self._desk.log("error", "EXN-FAULT", fault=number, place=place)

    def _turned_away(self, address: str, why: Trouble) -> None:
        self._desk.log("warning", why.code.name, address=address)


def _token(path: Path) -> bytes:
    """Return the local API's token, made at the first start in a file only this account can read."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        keyfile.write(path, secrets.token_urlsafe(32).encode("ascii") + b"\n")
    return keyfile.read(path).strip()
