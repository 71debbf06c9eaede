"""The adapters of a node: what they read and what they land, started and stopped as the settings name them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, DeferredLock

from node.config import Settings
from node.config.adapters import AdapterSection
from node.crypto import keyfile
from node.hosts import Told
from node.intake.lander import Lander
from node.intake.poller import Poller
from node.intake.process import AdapterProcess
from node.model.source import Instance, Source, Target
from node.workers import Desk, Workers

MOST = 64
"""Most processes that are asked at once."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A configured adapter with all it does."""

    instance: Instance
    sources: tuple[Source, ...]
    targets: tuple[Target, ...]


def read_adapters(settings: Settings) -> tuple[Installed, ...]:
    """Return the configured adapters with their secrets; raise Hold(KEY_FILE) for a secret's file that is not good."""
    return tuple(map(read_adapter, settings.adapter))


def read_adapter(section: AdapterSection) -> Installed:
    """Return one configured adapter with its secrets; raise Hold(KEY_FILE) for a secret's file that is not good."""
    secrets = {name: keyfile.read(path).strip().decode("utf-8", "replace") for name, path in section.secrets.items()}
    return Installed(section.instance(secrets), section.sources(), section.targets())


class _Running:
    """One adapter at work: a process that reads, another that lands, so that neither waits for the other."""

    def __init__(self, desk: Desk, runs: Workers, installed: Installed, into: dict[str, DeferredLock]) -> None:
        self.installed = installed

        def hear(told: Told) -> None:
            desk.reactor.callFromThread(  # type: ignore[attr-defined]  # the running node's reactor has threads
                desk.log, "info", "adapter.told", adapter=installed.instance.name, say=told.says.zh, kind=told.level)

        reads, lands = (AdapterProcess(installed.instance, runs, desk.reactor, hear) for _ in range(2))
        self.processes = (reads, lands)
        self.landers = {target.resource: Lander(desk, lands, target) for target in installed.targets}
        self.loops: list[Deferred[None]] = []
        for source in installed.sources:
            lock = into.setdefault(source.resource, DeferredLock())
            poller = Poller(desk, reads, source, lock)
            desk.counter.gauge("adapter_objective", source.objective / 1000, source=source.name)
            self.loops.append(desk.keep(f"poller:{source.name}", poller.run).addErrback(lambda failure: None))

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
        for loop in self.loops:
            loop.cancel()


class Adapters:
    """Runs every configured adapter."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._runs = Workers(desk.reactor, MOST)  # type: ignore[arg-type]  # as above
        self._running: dict[str, _Running] = {}
        self._into: dict[str, DeferredLock] = {}
        self._ending: list[Deferred[Any]] = []

    def start(self, installed: Sequence[Installed]) -> None:
        """Open the threads and start the adapters."""
        self._runs.start()
        self.follow(installed)

    def follow(self, installed: Sequence[Installed]) -> None:
        """Run exactly these adapters: those that changed are stopped and started anew."""
        wanted = {one.instance.name: one for one in installed}
        for name, running in list(self._running.items()):
            if wanted.get(name) != running.installed:
                self._let_go(name)
        for name, one in wanted.items():
            if name not in self._running:
                self._running[name] = _Running(self._desk, self._runs, one, self._into)
        self._desk.sinks = self._sinks()

    def _sinks(self) -> Mapping[str, Lander]:
        return {resource: one for running in self._running.values() for resource, one in running.landers.items()}

    def _let_go(self, name: str) -> None:
        running = self._running.pop(name)
        running.stop()
        for source in running.installed.sources:
            self._desk.sources.pop(source.name, None)
        self._ending += [Deferred.fromCoroutine(process.idle()) for process in running.processes]

    async def stop(self) -> None:
        """End every process, and wait until no thread is at one."""
        for name in list(self._running):
            self._let_go(name)
        await DeferredList(self._ending)
        self._runs.stop()
