"""Build: one node from its settings; nothing listens before everything it needs was found good."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort

from node.config import Settings
from node.crypto.tls import assert_pinnable
from node.deliver.checker import Checker
from node.deliver.router import Router
from node.deliver.sweep import Retention, Sweep
from node.exchange.means import Means
from node.exchange.resupply import try_again
from node.intake.opener import Opener
from node.model.trouble import Trouble
from node.service.adapters import Adapters, read_adapters
from node.service.control import Control
from node.service.disk import Disk
from node.service.links import Callers, Wires, good
from node.service.listeners import Listeners
from node.service.mappings import read_mappings
from node.service.papers import Papers, read_between, read_callers, read_papers, read_specifications
from node.service.peers import Peers
from node.service.renewal import awaiting_restart, read_renewal
from node.service.stores import Stores, open_stores
from node.service.watch import Watch
from node.workers import Bell, Committer, Desk, Timers, Workers

Work = Callable[[], Coroutine[Any, Any, None]]


def now() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


class Running:
    """One node: its desk, its loops and its ports."""

    def __init__(self, settings: Settings, reactor: Any, watch: Watch, new_epoch: bool = False) -> None:
        assert_pinnable()
        self.settings, self.reactor, self.watch, self.now = settings, reactor, watch, now
        counter, log = self.counter, self.log = watch.counter, watch.log
        self.papers: Papers = read_papers(settings, lambda said: log("warning", "crypto.fallback", say=said.zh))
        log("info", "crypto.opened", library=self.papers.crypto.library)
        self.callers = self._callers()
        storage = self.papers.keyring.storage()
        self.stores: Stores = open_stores(
            settings.node.state, storage, self.papers.crypto, now, os.urandom, counter
        )
        if new_epoch:
            self.stores.outbox.open_epoch(now())
        self.workers = Workers(reactor)
        self.wires = Wires(self.papers.keyring, self.papers.trust, self.papers.crypto, now, self._refused)
        self.disk = Disk(settings.node.state, settings.disk, reactor.seconds, counter)
        self.desk = self._desk(self.papers)
        self.peers = Peers(self.desk, self.wires)
        self.adapters, self.installed = Adapters(self.desk), read_adapters(settings)
        self.loops: list[Deferred[None]] = []
        channel, _ = self.papers.keyring.tls()
        self.listeners = Listeners(settings, self.desk, self.wires, self.callers, watch, channel)
        self.ports: list[IListeningPort] = []
        self.control = Control(self.desk, settings.control, lambda: {"running": True})

    def _callers(self) -> Callers | None:
        crypto, tls = self.papers.crypto, self.settings.api.tls
        read = read_callers(self.settings, crypto)
        return Callers(*read, crypto, now, tls.profile, self._refused) if read is not None and tls is not None else None

    def _refused(self, why: Trouble) -> None:
        """Log why a handshake failed, and whose certificate it was if we know it."""
        peer = self.desk.means.registry.channel(str(why.details.get("fingerprint")))
        self.log("error", why.code.name, at="tls", peer=peer.node if peer else "-", **why.details)

    def _desk(self, papers: Papers) -> Desk:
        settings, reactor, stores = self.settings, self.reactor, self.stores
        node, waits = settings.node, settings.timers
        held = read_specifications(settings, papers.crypto)
        means = Means(
            identity=papers.keyring.identity(node.domain, node.code, node.org),
            crypto=papers.crypto,
            registry=papers.registry,
            trust=papers.trust,
            specifications=held,
            chance=os.urandom,
            skew=settings.clock.skew,
            mappings=read_mappings(settings, held, papers.crypto),
            betweens=read_between(settings, held),
        )
        return Desk(
            means=means,
            outbox=Committer(stores.outbox, reactor),
            inbox=Committer(stores.inbox, reactor),
            warehouse=Committer(stores.warehouse, reactor),
            workers=self.workers,
            bell=Bell(reactor),
            reactor=reactor,
            now=now,
            counter=self.counter,
            log=self.log,
            shortage=self.disk,
            timers=Timers(
                hello=waits.hello / 1000,
                poll=waits.poll / 1000,
                idle=waits.idle / 1000,
                post=waits.post / 1000,
                overdue_ms=waits.overdue,
                lease_ms=waits.lease,
                rest_first=waits.rest_first / 1000,
                rest_most=waits.rest_most / 1000,
            ),
        )

    async def start(self) -> None:
        """Open the ports and start the loops.  Raises Hold(LISTEN)."""
        self.workers.start()
        await self._try_again()  # the settings may have been changed while we were down
        self.ports = await self.listeners.open()
        for name, work in self._works():
            # A loop ends only by being cancelled; what it met on the way it has logged itself.
            self.loops.append(self.desk.keep(name, work).addErrback(lambda failure: None))
        self.peers.follow(self.settings.peer)
        self.adapters.start(self.installed)
        self.control.start(self.reactor)

    def _works(self) -> Sequence[tuple[str, Work]]:
        desk, keep, every = self.desk, self.settings.retention, self.settings.timers.purge / 1000
        kept = Retention(keep.answers, keep.done, keep.done, keep.receipts, findings=keep.findings)
        opener = Opener(desk)
        return (
            ("opener", opener.run), ("reconsider", opener.reconsider), ("router", Router(desk).run),
            ("checker", Checker(desk).run), ("sweep", Sweep(desk, kept, every).run),
        )

    async def reload(self, reread: Callable[[], Settings]) -> list[str]:
        """Take what may change while we run (`node.service.renewal`); return the tables that wait for a restart.

        Raises what `read_renewal` raises, and then nothing has changed.  Connections whose certificate is good no more
        are closed, and what was held tries again.
        """
        new = await self.workers.run(read_renewal, reread, self.papers.crypto)
        waiting = awaiting_restart(self.settings, new.settings)
        self.papers.trust.renew(*new.authorities)
        if self.callers is not None and new.callers is not None:
            self.callers.trust.renew(*new.callers)
            self.listeners.close_callers(self.callers.gone)
        self.disk.renew(new.settings.disk)
        self.watch.announce(new.settings)
        self.desk.means = replace(
            self.desk.means, registry=new.registry, specifications=new.specifications, skew=new.settings.clock.skew,
            mappings=new.mappings, betweens=new.betweens,
        )
        self.listeners.close_where(self._gone)
        self.peers.close_where(self._gone)
        self.peers.follow(new.settings.peer)
        self.adapters.follow(new.adapters)
        await self._try_again()
        self._ring()
        return waiting

    async def _try_again(self) -> None:
        """Let what waited for a change of the settings go on."""
        desk = self.desk
        supplied = await desk.outbox.run(lambda unit: try_again(unit, desk.means, desk.now()))
        if supplied:
            desk.log("warning", "parcels.resupplied", count=supplied)

    def _ring(self) -> None:
        """Have everyone look again, whatever they wait for."""
        nodes = [peer.node for peer in self.desk.means.registry.peers()]
        kinds = ("outbox", "receipts", "greet", "link", "inbox-means")
        self.desk.bell.ring("means", "inbox", "warehouse", *(f"{kind}:{node}" for kind in kinds for node in nodes))

    def _gone(self, fingerprint: str) -> bool:
        """Return whether a TLS certificate is nobody's now, or good no more."""
        peer = self.desk.means.registry.channel(fingerprint)
        if peer is None or peer.suspended:
            return True
        certificate = next(one for one in peer.tls if one.fingerprint == fingerprint)
        return not good(self.papers.trust, certificate, now())

    async def stop(self) -> None:
        """Drain: take nothing new, finish what was begun, commit, close."""
        desk = self.desk
        desk.stopping = True
        self._ring()  # long polls end now, not when their time is over
        await self.control.stop()
        await self.listeners.drain(self.settings.timers.drain / 1000)
        await self.adapters.stop()
        for loop in self.loops:
            loop.cancel()
        self.peers.close()
        for committer in (desk.outbox, desk.inbox, desk.warehouse):
            await committer.stop()
        self.workers.stop()
        self.stores.close()
