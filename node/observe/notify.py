"""Words to systemd over NOTIFY_SOCKET (sd_notify(3)), and the watchdog that is fed only after a real probe."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from node.observe.health import Check, run
from node.ports import Log


class Notifier:
    """Speaks to whoever started us; says nothing where nobody listens."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address[:1] == "@" else address
        mine = environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        wait = environ.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(wait) / 1e6 if mine and wait.isdigit() and int(wait) else None
        """Within how many seconds the watchdog must be fed; None if there is none."""

    def say(self, *lines: str) -> bool:
        """Send lines such as `READY=1`; return whether they were taken."""
        if not self._address:
            return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
            speaker.setblocking(False)
            try:
                speaker.sendto("\n".join(line.replace("\n", " ") for line in lines).encode("utf-8"), self._address)
            except OSError:
                return False
        return True

    def ready(self, status: str) -> bool:
        """The node serves."""
        return self.say("READY=1", f"STATUS={status}")

    def status(self, status: str) -> bool:
        """One line for `systemctl status`."""
        return self.say(f"STATUS={status}")

    def reloading(self, monotonic: int) -> bool:
        """The configuration is being read again; `monotonic` in microseconds."""
        return self.say("RELOADING=1", f"MONOTONIC_USEC={monotonic}")

    def stopping(self, status: str) -> bool:
        """The node finishes what it began."""
        return self.say("STOPPING=1", f"STATUS={status}")

    def extend(self, seconds: float) -> bool:
        """Starting or stopping takes this much longer."""
        return self.say(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def alive(self) -> bool:
        """Feed the watchdog."""
        return self.say("WATCHDOG=1")


class Watchdog:
    """Feeds systemd's watchdog as long as `probe` ends well: a stuck reactor or a dead disk is then restarted.

    The probe vouches for the disk only.  What a person must mend (a certificate, a list) turns readiness red and is no
    reason to be killed.
    """

    def __init__(self, notifier: Notifier, probe: Check, clock: IReactorTime, log: Log) -> None:
        self._notifier = notifier
        self._probe = probe
        self._log = log
        self._loop = LoopingCall(self._feed)
        self._loop.clock = clock
        self._healthy = True

    def start(self) -> None:
        """Probe and feed twice in each of the watchdog's intervals, if there is a watchdog."""
        seconds = self._notifier.watchdog_seconds
        if seconds is not None:
            self._loop.start(seconds / 2, now=True)

    def stop(self) -> None:
        """Stop feeding."""
        if self._loop.running:
            self._loop.stop()

    def _feed(self) -> Deferred[None]:
        # A LoopingCall waits for its Deferred, so a probe that hangs starves the watchdog: that is its purpose.
        return Deferred.fromCoroutine(run(self._probe)).addCallbacks(self._fed, self._starved)

    def _fed(self, result: None) -> None:
        self._healthy = True
        self._notifier.alive()

    def _starved(self, failure: object) -> None:
        if self._healthy:
            self._healthy = False
            self._log("error", "EXN-DISK-SYNC", at="watchdog", bug=getattr(failure, "value", None))
