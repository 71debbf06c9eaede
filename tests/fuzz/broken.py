"""Targets that are broken on purpose: the campaign's own test runs them, `make fuzz` never does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Hashable
from random import Random

from tests.fuzz.target import Mutator, Target


def run(data: bytes) -> Hashable:
    """End the process, or hang, if the input says so."""
    if data == b"dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if data == b"hangs":
        time.sleep(1000)
    return len(data) % 2


def _now_and_then(seed: bytes) -> Mutator:
    def mutate(data: bytes, chance: Random) -> bytes:
        return seed if chance.random() < 0.01 else b"a"

    return mutate


def _target(name: str, seed: bytes) -> Target:
    return Target(name, "broken on purpose", lambda: [b"ok", b"fine"], run, _now_and_then(seed))


TARGETS = (_target("broken-dies", b"dies"), _target("broken-hangs", b"hangs"), _target("broken-not", b"ok"))
