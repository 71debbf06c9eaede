"""Run: one node in the foreground, from its settings to a drained stop; systemd's process."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from node.config import Settings
from node.model import codes
from node.model.trouble import Kind, Trouble
from node.service.build import Running, now
from node.service.watch import Watch
from node.workers import make_steady

OK, UNAVAILABLE, SOFTWARE, CONFIG = 0, 69, 70, 78

SWITCH = 0.0005
"""Seconds a thread may keep the interpreter from the reactor: seals and openings run beside it, and what must be quick
waits a few of these for them.  Measured: a tenth of Python's own 5 ms costs nothing, a hundredth a fifth."""
LIBRARY = (codes.SELFTEST, codes.NO_LIBCRYPTO)


def run(settings: Settings, reread: Callable[[], Settings], new_epoch: bool = False) -> int:
    """Run the node until SIGTERM or SIGINT; return the exit status (sysexits): 0, 69, 70 or 78.

    SIGHUP reads the settings again: peers, grants, resources, trust and CRLs change without a restart.
    """
    from twisted.internet import reactor

    sys.setswitchinterval(SWITCH)
    make_steady(reactor)
    return Process(settings, reread, reactor).run(new_epoch)


class Process:
    """The node as a process: its signals and its exit status."""

    def __init__(self, settings: Settings, reread: Callable[[], Settings], reactor: Any) -> None:
        self._settings, self._reread, self._reactor = settings, reread, reactor
        self._watch = Watch(settings, reactor, now)
        self._running: Running | None = None
        self._status = OK
        self._stopping = self._reloading = self._again = False

    def run(self, new_epoch: bool) -> int:
        """Build, start, wait for a signal, stop; return the exit status."""
        try:
            self._running = Running(self._settings, self._reactor, self._watch, new_epoch)
        except Trouble as met:
            self._watch.log("error", met.code.name, say=met.sentence.zh, cure=met.cure.zh, **met.details)
            return UNAVAILABLE if met.code.kind is Kind.RETRY or met.code in LIBRARY else CONFIG
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
        _spare_the_collector()

    def _failed(self, failure: Any) -> None:
        """Nothing is served: say why, put everything back, end."""
        met = failure.value
        if isinstance(met, Trouble):
            self._watch.log("error", met.code.name, at="start", say=met.sentence.zh, cure=met.cure.zh, **met.details)
        else:
            self._watch.log("error", codes.FAULT.name, at="start", bug=met)
        self._status = UNAVAILABLE
        self._stop()

    def _stop(self) -> None:
        if self._stopping or self._running is None:
            return
        self._stopping = True
        self._watch.stopping()
        stopped = Deferred.fromCoroutine(self._running.stop())
        stopped.addErrback(self._stuck)
        stopped.addBoth(lambda _: self._reactor.stop())

    def _stuck(self, failure: Any) -> None:
        self._watch.log("error", codes.FAULT.name, at="stop", bug=failure.value)
        self._status = SOFTWARE

    def _reload(self) -> None:
        """Read the settings again; a wish that comes meanwhile is granted afterwards."""
        if self._stopping or self._running is None:
            return
        if self._reloading:
            self._again = True
            return
        self._reloading, self._again = True, False
        reloading = Deferred.fromCoroutine(self._running.reload(self._reread))
        reloading.addCallbacks(self._reloaded, self._unchanged)
        reloading.addBoth(self._next)

    def _reloaded(self, waiting: list[str]) -> None:
        self._watch.log("info", "config.reloaded")
        if waiting:
            self._watch.log("warning", "config.restart", tables=", ".join(waiting))
        self._watch.reloaded(True)

    def _unchanged(self, failure: Any) -> None:
        """What was read is not good: everything stays as it was."""
        met, log = failure.value, self._watch.log
        for fault in getattr(met, "faults", ()):
            at = {"at": fault.key, "file": fault.file.name, "line": fault.line}
            log("error", codes.CONFIG.name, count=1, say=fault.says.zh, **at)
        if not isinstance(met, Trouble):
            log("error", codes.FAULT.name, at="reload", bug=met)
        else:
            log("error", met.code.name, at="reload", say=met.sentence.zh, cure=met.cure.zh, **met.details)
        self._watch.reloaded(False)

    def _next(self, result: Any) -> Any:
        self._reloading = False
        if self._again:
            self._reload()
        return result


def _spare_the_collector() -> None:
    """Let the garbage collector walk only what was made after the start, and less often.

    All that was loaded until now lives as long as the process; walking it again and again took a tenth of a receiver's
    time.  Almost nothing here makes cycles, so a generation may grow larger before it is looked at.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
