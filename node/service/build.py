"""Build: one node from its settings; nothing listens before everything it needs was found good."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort

import xsd
from node.config import Settings
from node.crypto.tls import assert_pinnable
from node.deliver.asker import Asker
from node.deliver.greeter import Greeter
from node.deliver.pump import Pump
from node.deliver.router import Router
from node.deliver.sweep import Retention, Sweep
from node.exchange.means import Means
from node.intake.collector import Collector
from node.intake.opener import Opener
from node.model.trouble import Trouble
from node.service.disk import Disk
from node.service.links import Wires
from node.service.listeners import Listeners
from node.service.papers import Papers, authorities, read_papers
from node.service.stores import Stores, open_stores
from node.service.watch import Watch
from node.validate import Specifications
from node.wire.link import PeerLink
from node.workers import Bell, Committer, Desk, Timers, Workers

Work = Callable[[], Coroutine[Any, Any, None]]


def now() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


class Running:
    """One node: its desk, its loops and its ports."""

    def __init__(self, settings: Settings, reactor: Any, watch: Watch, new_epoch: bool = False) -> None:
        assert_pinnable()
        self.settings, self.reactor, self.watch = settings, reactor, watch
        counter, log = self.counter, self.log = watch.counter, watch.log
        self.papers: Papers = read_papers(settings, lambda said: log("warning", "crypto.fallback", say=said.zh))
        storage = self.papers.keyring.storage()
        self.stores: Stores = open_stores(
            settings.node.state, storage, self.papers.crypto, now, os.urandom, counter
        )
        if new_epoch:
            self.stores.outbox.open_epoch(now())
        self.workers = Workers(reactor)
        self.wires = Wires(self.papers.keyring, self.papers.trust, self.papers.crypto, now)
        self.desk = self._desk(self.papers)
        self.links: list[PeerLink] = []
        self.loops: list[Deferred[None]] = []
        self.listeners = Listeners(self)
        self.ports: list[IListeningPort] = []

    def _desk(self, papers: Papers) -> Desk:
        settings, reactor, stores = self.settings, self.reactor, self.stores
        node, waits = settings.node, settings.timers
        means = Means(
            identity=papers.keyring.identity(node.domain, node.code, node.org),
            crypto=papers.crypto,
            registry=papers.registry,
            trust=papers.trust,
            specifications=Specifications.load(xsd.FOLDER, papers.crypto.sm3),
            chance=os.urandom,
            skew=settings.clock.skew,
        )
        return Desk(
            means=means,
            outbox=Committer(stores.outbox, reactor),
            inbox=Committer(stores.inbox, reactor),
            warehouse=Committer(stores.warehouse, reactor),
            sink=None,
            workers=self.workers,
            bell=Bell(reactor),
            reactor=reactor,
            now=now,
            counter=self.counter,
            log=self.log,
            shortage=Disk(node.state, settings.disk, reactor.seconds, self.counter),
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
        """Open the ports and start the loops."""
        self.workers.start()
        self.ports = await self.listeners.open()
        for name, work in self._works():
            self.loops.append(self.desk.keep(name, work).addErrback(lambda failure: None))

    def _works(self) -> list[tuple[str, Work]]:
        desk, settings = self.desk, self.settings
        keep = settings.retention
        sweep = Sweep(desk, Retention(keep.answers, keep.done, keep.done, keep.receipts), settings.timers.purge / 1000)
        opener = Opener(desk)
        works: list[tuple[str, Work]] = [
            ("opener", opener.run), ("reconsider", opener.reconsider),
            ("router", Router(desk).run), ("sweep", sweep.run),
        ]
        for section in settings.peer:
            if section.address is None:
                continue
            link = self._link(section.node)
            asker = Asker(desk, link)
            works += [
                (f"greeter:{section.node}", Greeter(desk, link).run), (f"pump:{section.node}", Pump(desk, link).run),
                (f"asker:{section.node}", asker.poll), (f"giver:{section.node}", asker.give),
            ]
            if section.collects:
                works.append((f"collector:{section.node}", Collector(desk, link).run))
        return works

    def _link(self, node: str) -> PeerLink:
        desk = self.desk
        section = next(one for one in self.settings.peer if one.node == node)
        link: PeerLink = self.wires.link(
            self.reactor, section, lambda: desk.means.registry, lambda: self._changed(link)
        )
        self.links.append(link)
        return link

    def _changed(self, link: PeerLink) -> None:
        self.counter.gauge("peer_up", float(link.up), peer=link.peer)
        self.desk.bell.ring(f"link:{link.peer}")

    def reload(self, settings: Settings) -> None:
        """Take peers, grants, resources, trust and lists from new settings; names, keys and ports need a restart.

        Everything is read before anything changes.  Connections whose certificate is good no more are closed.
        """
        papers = read_papers(settings, lambda said: None)
        self.papers.trust.renew(*authorities(settings, papers.crypto))
        self.desk.means = replace(
            self.desk.means,
            registry=papers.registry,
            specifications=Specifications.load(xsd.FOLDER, papers.crypto.sm3),
            skew=settings.clock.skew,
        )
        self.listeners.close_where(self._gone)
        for link in self.links:
            link.close_where(self._gone)
        self.desk.bell.ring("means", *(f"outbox:{peer.node}" for peer in papers.registry.peers()))

    def _gone(self, fingerprint: str) -> bool:
        """Return whether a TLS certificate is nobody's now, or good no more."""
        peer = self.desk.means.registry.channel(fingerprint)
        if peer is None or peer.suspended:
            return True
        certificate = next(one for one in peer.tls if one.fingerprint == fingerprint)
        try:
            self.papers.trust.check(certificate, now())
        except Trouble:
            return True
        return False

    async def stop(self) -> None:
        """Drain: take nothing new, finish what was begun, commit, close."""
        desk = self.desk
        desk.stopping = True
        desk.bell.ring("stopping")
        await self.listeners.drain(self.settings.timers.drain / 1000)
        for loop in self.loops:
            loop.cancel()
        for link in self.links:
            link.close()
        for committer in (desk.outbox, desk.inbox, desk.warehouse):
            await committer.stop()
        self.workers.stop()
        self.stores.close()
