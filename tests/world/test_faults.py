"""The checker can fail: faults planted into the node, each of which worlds must find within a few seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from node.exchange import authority, greet, handle, head, route, seal, settle
from node.exchange.head import Place
from node.exchange.submit import Supply
from node.intake.local import Local
from node.model.parcel import Outcome
from node.model.record import Operation
from node.warehouse.rules import Held, Home, State
from node.workers import Alarms
from tests.fakes.outbox import MemoryOutbox
from tests.world import lives
from tests.world.city import City
from tests.world.nemesis import Nemeses

Plant = Callable[[pytest.MonkeyPatch], None]
MOST = 40
"""Seeds within which every fault must be found; most are in the first two."""


def always_applied(patch: pytest.MonkeyPatch) -> None:
    """The sink applies whatever comes, also what it applied before."""

    def apply(self: State, number: int, key: bytes, row: bytes, version: Any, operation: Operation) -> Outcome:
        self.homes[row] = Home(key, version)
        self.moved.add(row)
        self._put(key, Held(version, row, operation is Operation.DELETE), number)
        return Outcome.APPLIED

    patch.setattr(State, "apply", apply)


def older_wins(patch: pytest.MonkeyPatch) -> None:
    """The comparison of versions is turned round."""
    good = State.apply

    def apply(self: State, number: int, key: bytes, row: bytes, version: Any, operation: Operation) -> Outcome:
        there = self.held.get(key)
        if there is not None and there.version < version:
            return Outcome.OLDER
        return good(self, number, key, row, version, operation)

    patch.setattr(State, "apply", apply)


def any_place(patch: pytest.MonkeyPatch) -> None:
    """The receiver takes a parcel at whatever place it comes."""
    good = head._place
    late = (Place.BEHIND, Place.FORK, Place.PURGED, Place.SUPERSEDED)
    patch.setattr(head, "_place", lambda *given: Place.NEXT if good(*given) in late else good(*given))


def any_receipt(patch: pytest.MonkeyPatch) -> None:
    """A receipt is believed whoever gives it, and whatever digest it bears."""
    good = settle.settle

    def believing(unit: Any, heard: Any, now: int) -> Any:
        said = heard.receipt.statement
        if unit.entry(said.parcel) is None:
            return good(unit, heard, now)
        return unit.learn(said.parcel, said.stage, said.code, heard.receipt.der, [], now)

    patch.setattr(settle, "settle", believing)


def no_grant(patch: pytest.MonkeyPatch) -> None:
    """A grant is not looked at when a parcel is handed out."""
    patch.setattr(seal, "_granted", lambda groups, means, now: None)


def answered_early(patch: pytest.MonkeyPatch) -> None:
    """A caller is answered before the commit."""

    class Undone(Exception):
        pass

    def store(self: Local, judged: Any, *call: Any) -> Deferred[Any]:
        answers: list[Any] = []
        desk, supply = self._desk, Supply(*call, *judged)

        def before(unit: Any) -> Any:
            answers.extend(self._put(unit, [supply]))
            raise Undone

        done: Deferred[Any] = desk.outbox.run(before)
        done.addErrback(lambda failure: answers[-1] if answers else failure)
        late = partial(desk.outbox.run, lambda unit: self._put(unit, [supply]))
        desk.reactor.callLater(0.5, lambda: late().addErrback(lambda failure: None))
        return done.addCallback(self._stored, supply)

    patch.setattr(Local, "_store", store)


def unverified(patch: pytest.MonkeyPatch) -> None:
    """Signatures are not checked."""
    good = authority.verify

    class Believing:
        def sm2_verify(self, *given: object) -> bool:
            return True

    patch.setattr(authority, "verify", lambda one, certificate, crypto: good(one, certificate, Believing()))


def unjudged(patch: pytest.MonkeyPatch) -> None:
    """The second door judges nothing."""
    good = handle._record

    def record(leaf: int, part: Any, proven: bool, specification: Any, today: Any) -> Any:
        found = good(leaf, part, proven, specification, today)
        return found if not isinstance(found, list) or part is None else (part[1], (part[1].row,))

    patch.setattr(handle, "_record", record)


def skipped(patch: pytest.MonkeyPatch) -> None:
    """The router's bookmark moves past a block it did not put."""
    good = route._through
    patch.setattr(route, "_through", lambda block, *given: None if block.id % 3 == 0 else good(block, *given))


def one_epoch(patch: pytest.MonkeyPatch) -> None:
    """A restore opens no new epoch."""
    patch.setattr(MemoryOutbox, "open_epoch", lambda self, now: None)


def never_released(patch: pytest.MonkeyPatch) -> None:
    """A held lane does not go on when the cause is gone."""
    patch.setattr(greet, "release", lambda unit, peer=None: None)


def always_ringing(patch: pytest.MonkeyPatch) -> None:
    """A held lane tells it again at each try."""
    patch.setattr(Alarms, "rings", lambda self, lane, code: True)


FAULTS: Sequence[tuple[Plant, tuple[str, ...]]] = (
    (always_applied, ("weather", "trip")),
    (older_wins, ("weather",)),
    (any_place, ("restore", "weather")),
    (any_receipt, ("lie",)),
    (no_grant, ("revoke", "cut", "suspend")),
    (answered_early, ("crash", "trip")),
    (unverified, ("lie",)),
    (unjudged, ("bend",)),
    (skipped, ("weather",)),
    (one_epoch, ("restore",)),
    (never_released, ("revoke", "suspend")),
    (always_ringing, ("revoke", "suspend")),
)


@pytest.mark.parametrize(("plant", "climate"), FAULTS, ids=[plant.__name__ for plant, _ in FAULTS])
def test_worlds_find_a_planted_fault(
    plant: Plant, climate: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, failures: list[Any]
) -> None:
    class Known(Nemeses):
        """Only the nemeses that show this fault, and those often."""

        def __init__(self, city: City) -> None:
            super().__init__(city)
            self._climate = dict.fromkeys(climate, 0.4)

    monkeypatch.setattr(lives, "Nemeses", Known)
    plant(monkeypatch)
    found = next((told for told in map(lives.live, range(1, MOST)) if told.error is not None), None)
    failures.clear()
    assert found is not None, f"{MOST} worlds did not find it"
    print(f"found in seed {found.seed}: {found.error}")
