"""A few processes that live worlds: seeds in blocks, in order, over both cores.

A pool of our own, because pytest-xdist stays out of this house (node/DECISIONS.md): here one test is a block of seeds.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Self

from tests.world.lives import Told, live_all

BLOCK = 10
"""Seeds that a process takes at once."""
LIFE = 100
"""Blocks after which a process is replaced, so that memory stays bounded over a night."""


class Pool:
    """Processes that live worlds; use it in a `with`."""

    def __init__(self, processes: int = 2) -> None:
        self.processes = processes
        self._executor = ProcessPoolExecutor(
            processes, multiprocessing.get_context("spawn"), max_tasks_per_child=LIFE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def lives(self, seeds: range) -> Iterator[Told]:
        """Yield what became of each seed, in order; few blocks are under way at once."""
        left = deque(seeds[at : at + BLOCK] for at in range(0, len(seeds), BLOCK))
        running: deque[Future[list[Told]]] = deque()
        while left or running:
            while left and len(running) < self.processes * 2:
                running.append(self._executor.submit(live_all, left.popleft()))
            yield from running.popleft().result()
