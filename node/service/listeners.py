"""The ports a node listens on: peers, the department's own systems, operations."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import DeferredList
from twisted.internet.interfaces import IListeningPort

from node.crypto import keyfile
from node.intake.gateway import Gateway
from node.intake.local import Local
from node.model.trouble import Trouble
from node.validate import Limits
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

    async def open(self) -> list[IListeningPort]:
        """Listen on every configured address; return the ports."""
        settings = self._running.settings
        await self._listen(str(settings.api.listen), self._local(), None)
        if settings.gateway is not None:
            await self._listen(str(settings.gateway.listen), self._gateway(), settings.gateway.profile)
        await self._listen(str(settings.admin.listen), self._admin(), None)
        return self._ports

    async def drain(self, within: float) -> None:
        """Close the ports, finish running requests, drop connections after `within` seconds."""
        for port in self._ports:
            port.stopListening()
        await DeferredList([server.drain(within) for server in self._servers])

    def close_where(self, gone: Any) -> int:
        """Abort connections of certificates that are good no more; return how many."""
        return sum(server.close_where(gone) for server in self._servers)

    async def _listen(self, address: str, routes: Routes, profile: str | None) -> None:
        running = self._running
        context, check = running.wires.accept(profile) if profile else (None, None)
        server = Server(routes, running.reactor, self._faults, check=check, turned_away=self._turned_away)
        self._servers.append(server)
        factory: Any = over_tls(server, context) if context is not None else server
        self._ports.append(await server_at(running.reactor, address).listen(factory))

    def _local(self) -> Routes:
        running, api = self._running, self._running.settings.api
        routes = Routes(self._observe)
        limits = Limits(octets=api.body, records=api.records, record_octets=api.record)
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


def addresses(ports: Sequence[IListeningPort]) -> list[str]:
    """Return where the ports listen, for people."""
    return [str(port.getHost()) for port in ports]
