"""Waits are counted by the monotonic clock: a wall clock that is set moves none of them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from twisted.internet.selectreactor import SelectReactor

from node.workers.steady import make_steady


def test_a_reactor_counts_by_the_monotonic_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    reactor: Any = SelectReactor()
    try:
        make_steady(reactor)
        monkeypatch.setattr(time, "time", lambda: 4e9)  # the wall clock is set a hundred years ahead
        assert abs(reactor.seconds() - time.monotonic()) < 60
        waiting = reactor.callLater(3600, reactor.stop)
        rung: list[float] = []
        reactor.callLater(0, lambda: rung.append(reactor.seconds()))
        reactor.runUntilCurrent()
        assert rung and waiting.active() and 3500 < waiting.getTime() - reactor.seconds() <= 3600
        waiting.cancel()
    finally:
        reactor.removeAll()
        reactor.disconnectAll()


def test_it_is_too_late_once_something_waits() -> None:
    reactor: Any = SelectReactor()
    waiting = reactor.callLater(1, reactor.stop)
    with pytest.raises(ValueError):
        make_steady(reactor)
    waiting.cancel()
    reactor.removeAll()
