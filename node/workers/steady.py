"""Steady time: a reactor's own seconds are the wall clock, so a clock that is set would move every wait.

Rule: it is called once per process, before anything was scheduled; waits, leases of polls and the test whether the
wall clock jumped all read `reactor.seconds` (DESIGN §8.11).
"""

from __future__ import annotations

import time
from typing import Any


def make_steady(reactor: Any) -> None:
    """Let a reactor count its seconds by the machine's monotonic clock; raise ValueError once something waits."""
    if reactor.getDelayedCalls():
        raise ValueError("the waits begun so far were counted by another clock")
    reactor.seconds = time.monotonic
