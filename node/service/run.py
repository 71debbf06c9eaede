"""Run: one node in the foreground, from its settings to a drained stop; systemd's process."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from node.config import Settings
from node.model.trouble import Trouble
from node.service.build import Running, now
from node.service.watch import Watch

OK, UNAVAILABLE, CONFIG = 0, 69, 78


def run(settings: Settings, reread: Callable[[], Settings], new_epoch: bool = False) -> int:
    """Run the node until SIGTERM or SIGINT; return the exit status (sysexits): 0, 69 or 78.

    SIGHUP reads the settings again: peers, grants, resources, trust and CRLs change without a restart.
    """
    from twisted.internet import reactor

    return Process(settings, reread, reactor).run(new_epoch)


class Process:
    """The node as a process: its signals and its exit status."""

    def __init__(self, settings: Settings, reread: Callable[[], Settings], reactor: Any) -> None:
        self._settings, self._reread, self._reactor = settings, reread, reactor
        self._watch = Watch(settings, reactor, now)
        self._running: Running | None = None
        self._status = OK
        self._stopping = False

    def run(self, new_epoch: bool) -> int:
        """Build, start, wait for a signal, stop; return the exit status."""
        try:
            self._running = Running(self._settings, self._reactor, self._watch, new_epoch)
        except Trouble as met:
            self._watch.log("error", met.code.name, say=met.sentence.zh, cure=met.cure.zh)
            return UNAVAILABLE if met.code.status == 503 and met.code.name == "EXN-STORE-BUSY" else CONFIG
        self._reactor.callWhenRunning(self._begin)
        self._reactor.run(installSignalHandlers=False)
        self._watch.stopped()
        return self._status

    def _begin(self) -> None:
        for number, act in ((signal.SIGTERM, self._stop), (signal.SIGINT, self._stop), (signal.SIGHUP, self._reload)):
            signal.signal(number, lambda *_, act=act: self._reactor.callFromThread(act))
        assert self._running is not None
        started = Deferred.fromCoroutine(self._start(self._running))
        started.addErrback(self._failed)

    async def _start(self, running: Running) -> None:
        await running.start()
        self._watch.started()

    def _failed(self, failure: Any) -> None:
        met = failure.value
        name = met.code.name if isinstance(met, Trouble) else "EXN-FAULT"
        self._watch.log("error", name, at="start", bug=met)
        self._status = UNAVAILABLE
        self._reactor.stop()

    def _stop(self) -> None:
        if self._stopping or self._running is None:
            return
        self._stopping = True
        self._watch.stopping()
        stopped = Deferred.fromCoroutine(self._running.stop())
        stopped.addErrback(lambda failure: self._watch.log("error", "EXN-FAULT", at="stop", bug=failure.value))
        stopped.addBoth(lambda _: self._reactor.stop())

    def _reload(self) -> None:
        assert self._running is not None
        try:
            self._running.reload(self._reread())
        except Exception as met:
            name = met.code.name if isinstance(met, Trouble) else "EXN-CONFIG"
            self._watch.log("error", name, at="reload", say=str(getattr(met, "sentence", "")))
            self._watch.reloaded(False)
        else:
            self._watch.log("info", "config.reloaded")
            self._watch.reloaded(True)
