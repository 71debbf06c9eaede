"""Watch: what one process shows of itself, built before the node and fed by it: log, metrics, health, systemd."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from node.config import Settings
from node.model import codes
from node.model.certificate import Certificate
from node.model.trouble import trouble
from node.observe import (
    Health,
    Journal,
    JsonLog,
    Lines,
    LogFile,
    Metrics,
    Notifier,
    Pulse,
    Watchdog,
    add_pages,
    catch_strays,
    signing,
    standard_error,
    syncing,
)
from node.observe.health import Check
from node.service.census import census
from node.spool.shortage import Shortage
from node.wire.routes import Routes
from node.workers import Desk


class Watch:
    """The outlets of one process."""

    def __init__(self, settings: Settings, reactor: Any, now: Callable[[], int]) -> None:
        self._settings, self._reactor, self._now = settings, reactor, now
        self.counter = Metrics()
        self.announce(settings)
        self.log = JsonLog(
            settings.node.code, now, _outlets(settings), settings.log.level, settings.node.language, self.counter
        )
        self._notifier = Notifier()
        self._pulse = Pulse(reactor, self.counter)
        self._watchdog: Watchdog | None = None
        self._release = catch_strays(self.log)

    def announce(self, settings: Settings) -> None:
        """Let metrics show the names the settings give."""
        peers = {peer.node for peer in settings.peer}
        self.counter.announce({
            "peer": peers, "node": peers, "subscriber": peers, "resource": {each.code for each in settings.resource},
            "specification": {each.specification for each in settings.resource}, "owner": {*peers, settings.node.code},
            "source": {*(each.name for each in settings.adapter), *(
                source.name for each in settings.adapter for source in each.sources())},
        })

    def pages(self, routes: Routes, desk: Desk, channel: Certificate) -> None:
        """Add health and metrics of a node to the admin routes; `channel` is its TLS certificate."""
        means = desk.means
        sync = partial(desk.workers.run, syncing(self._settings.node.state))
        checks: dict[str, Check] = {
            "sign": partial(desk.workers.run, signing(means.identity, means.crypto, os.urandom)),
            "sync": sync,
            "outbox": lambda: desk.outbox.run(lambda unit: None),
            "inbox": lambda: desk.inbox.run(lambda unit: None),
            "warehouse": lambda: desk.warehouse.run(lambda unit: None),
            "certificates": lambda: _certificates(desk, channel),
            "disk": lambda: _room(desk),
            "epoch": lambda: _epoch(desk),
        }
        health = Health(checks, self._reactor, self.log, self.counter)
        add_pages(routes, health, self.counter, [lambda: Deferred.fromCoroutine(census(desk))])
        self._watchdog = Watchdog(self._notifier, sync, self._reactor, self.log)

    def started(self) -> None:
        """The node serves."""
        self._pulse.start()
        if self._watchdog is not None:
            self._watchdog.start()
        self._notifier.ready("节点已就绪")
        self.log("info", "node.started")
        self.reloaded(True)

    def reloaded(self, good: bool) -> None:
        """The settings were read, for the first time or again; or they are not good, and the former ones stay."""
        self.counter.gauge("config_reload_ok", float(good))
        if good:
            self.counter.gauge("config_reload_at", self._now() / 1000)

    def stopping(self) -> None:
        """The node drains."""
        self._notifier.stopping("节点正在停止")
        self.log("info", "node.draining")

    def stopped(self) -> None:
        """The node has stopped."""
        self._pulse.stop()
        if self._watchdog is not None:
            self._watchdog.stop()
        self.log("info", "node.stopped")
        self._release()


def _outlets(settings: Settings) -> list[Lines]:
    """Return the file, the journal, or both; where neither is named, standard error, which systemd takes."""
    outlets: list[Lines] = [LogFile(settings.log.file)] if settings.log.file else []
    outlets += [Journal()] if settings.log.journal else []
    return outlets or [standard_error()]


def _certificates(desk: Desk, channel: Certificate) -> None:
    """Raise what `Trust.check` raises about our own certificates."""
    means = desk.means
    for certificate in (means.identity.signing, means.identity.encryption, channel):
        means.trust.check(certificate, desk.now())


def _room(desk: Desk) -> None:
    """Raise Retry(DISK) once the disk is too short for intake."""
    found = desk.shortage()
    if found is not Shortage.NONE:
        raise trouble(codes.DISK, what=found.name.lower())


async def _epoch(desk: Desk) -> None:
    """Raise Hold(SUPERSEDED) while a lane found out that we are an old copy, or one of two (WIRE §3, §5)."""
    old, lanes = await desk.outbox.run(lambda unit: (unit.superseded(), unit.lanes()))
    if old or any(state.held == codes.CLONED.name for state in lanes):
        raise trouble(codes.SUPERSEDED)
