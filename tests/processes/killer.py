"""Kills nodes with SIGKILL: while they work, while they start, and while they stop."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from dataclasses import dataclass, field

from tests.processes.exchange import Exchange


@dataclass
class Killer:
    """Kills one node so many times, in a thread of its own; `moments` counts when."""

    exchange: Exchange
    node: str
    chance: random.Random
    kills: int
    moments: Counter[str] = field(default_factory=Counter)
    failed: list[BaseException] = field(default_factory=list)

    @property
    def killed(self) -> int:
        """How often it killed so far."""
        return self.moments.total()

    def run(self) -> None:
        """Kill and start again until done; what goes wrong is in `failed`."""
        try:
            while self.killed < self.kills:
                self._wait(self.chance.uniform(0.05, 0.9))
                if self.chance.random() < 0.2:
                    self.exchange.crew.signal(self.node, signal.SIGTERM)
                    self._wait(self.chance.uniform(0.0, 0.3))
                    self._kill("stopping")
                else:
                    self._kill("working")
                if self.chance.random() < 0.4 and self.killed < self.kills:
                    self.exchange.crew.spawn(self.node)
                    self._wait(self.chance.uniform(0.0, 1.2))
                    self._kill("starting")
                self.exchange.start(self.node)
        except BaseException as error:
            self.failed.append(error)

    def _kill(self, moment: str) -> None:
        self.exchange.crew.kill(self.node)
        self.moments[moment] += 1

    @staticmethod
    def _wait(seconds: float) -> None:
        threading.Event().wait(seconds)  # the moment is the point: nothing announces it
