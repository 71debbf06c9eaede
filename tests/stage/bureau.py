"""A centre that receives the records of cases: they are put into its warehouse as deliveries, and its checker runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from node.deliver.checker import Checker
from node.model.finding import Finding
from node.model.ids import uuid7
from node.model.parcel import Lane
from node.model.record import Stream
from node.model.registry import Resource
from node.model.spool import Arriving, Claim, Delivery
from node.validate import split_line
from node.validate.between import Betweens, load_between
from tests.stage.desk import CENTRE, DOMAIN, Staged, finish, set_up, specifications
from tests.stage.forging import line_of, spec_id
from tests.validate.between import story
from xsd import FOLDER

HOUR = 3600.0
WAIT = 24 * HOUR


def rules(wait: int | None = None) -> Betweens:
    """Return the published rules between records."""
    return load_between(FOLDER, specifications(), wait=wait)


class Bureau:
    """The centre with its checker; `folder` None keeps its stores in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        catalogue = [Resource(code, f"{interface}/1.0") for interface, code in story.RESOURCES.items()]
        self.clock = Clock()
        self.staged = set_up(CENTRE, ["dept-a", "dept-b"], stores=folder, clock=self.clock, resources=catalogue)
        self._numbers: Iterator[int] = count(1)
        self._rules = rules()
        self.start()

    def start(self) -> None:
        """Start the checker's loop."""
        self.desk = self.staged.desk
        self.desk.means = replace(self.desk.means, betweens=self._rules)
        self.loop: Deferred[None] = self.desk.keep("checker", Checker(self.desk).run)
        self.loop.addErrback(lambda failure: None)

    def change(self, betweens: Betweens) -> None:
        """Reload with other rules."""
        self._rules = betweens
        self.desk.means = replace(self.desk.means, betweens=betweens)
        self.desk.bell.ring("means")

    def crash(self) -> None:
        """Crash, and start again from what is on disk."""
        self.desk.stopping = True
        self.loop.cancel()
        self.staged: Staged = self.staged.crash()
        self.start()

    def come(self, interface: str, twin: dict[str, Any] | None = None, origin: str = "dept-a") -> None:
        """Let one record be applied."""
        made = story.judged(interface, story.twin(interface) if twin is None else twin)
        n, now = next(self._numbers), self.desk.now()
        body = story.twin(interface) if twin is None else twin
        line = line_of(body, now, origin, n, correlation=made.correlation)
        self.apply(interface, Arriving(0, split_line(line)[1], made.key, line), origin)

    def apply(self, interface: str, record: Arriving, origin: str) -> None:
        """Apply a delivery of one record; again if it is cut off, as the inbox does."""
        lane = Lane(DOMAIN, origin, CENTRE, story.RESOURCES[interface], Stream.LIVE)
        parcel = uuid7(self.desk.now(), next(self._numbers).to_bytes(10, "big"))
        made = Delivery(Claim(lane, 1, parcel), parcel, lane, spec_id(f"{interface}/1.0"), "", [record], b"")
        while True:
            try:
                finish(self.desk.warehouse.run(lambda unit: unit.apply(made, self.desk.now())), self.clock)
                break
            except Exception as cut:
                if type(cut).__name__ != "PowerCut":
                    raise
                self.crash()
        self.desk.bell.ring("warehouse")

    def go(self, seconds: float, step: float = 60.0) -> None:
        """Let time pass; a node whose power is cut starts again."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            for _ in range(3):
                self.clock.advance(0)
            if getattr(self.staged.stores.warehouse, "dead", False):
                self.crash()

    def told(self, unclosed: bool = False) -> list[Finding]:
        """Return the findings that were told."""
        with self.staged.stores.warehouse.unit() as unit:
            return list(unit.findings(None, unclosed, 0, 999))

    def rules_open(self) -> set[str]:
        """Return the rules that have an open finding."""
        return {one.rule for one in self.told(unclosed=True)}

    def close(self) -> None:
        """End the loop; nothing was a bug."""
        self.desk.stopping = True
        self.loop.cancel()
        names = self.staged.journal.names()
        self.staged.close()
        assert "EXN-FAULT" not in names, self.staged.journal.events
