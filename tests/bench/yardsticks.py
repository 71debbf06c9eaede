"""The peers we measure ourselves against, each a yardstick that is read once a round."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.bench.child import Child
from tests.bench.machine import Window


@dataclass(frozen=True, slots=True)
class Reading:
    """Messages per second, µs of cpu per message over all processes that take part, and the share others had."""

    rate: float
    cost: float
    others: float
    stolen: float


class Yardstick(Protocol):
    """A peer: `name` in the table and in `--only`."""

    name: str

    def read(self, seconds: float) -> Reading:
        """Return one reading over about so many seconds."""

    def close(self) -> None:
        """End its processes."""


class As2:
    """pyas2lib in memory, one process per processor (`tests.bench.peer`)."""

    name = "pyas2lib"

    def __init__(self, folder: Path, record: bytes) -> None:
        self._children = [Child("tests.bench.peer") for _ in range(os.cpu_count() or 1)]
        for child in self._children:
            child.say(record.decode())
            child.hear()

    def read(self, seconds: float) -> Reading:
        """Return one reading."""
        window = Window()
        for child in self._children:
            child.say(str(seconds))
        told = [json.loads(child.hear()) for child in self._children]
        done, cpu = sum(one["messages"] for one in told), sum(one["cpu"] for one in told)
        rate = sum(one["messages"] / one["seconds"] for one in told)
        return Reading(rate, cpu * 1e6 / done, window.others(cpu), window.stolen())

    def close(self) -> None:
        """End its processes."""
        for child in self._children:
            child.close()


YARDSTICKS: dict[str, type[As2]] = {As2.name: As2}
