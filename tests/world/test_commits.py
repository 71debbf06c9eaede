"""The power is cut at the first commit, then the second, until a run gets through; the promises hold each time.

One small fixed play: both departments submit, live and back-fill, one record is bent, and the centre passes all on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from node.model.record import Stream
from tests.stage.desk import CENTRE, keyring
from tests.world.city import A, B, City
from tests.world.disk import NAMES as STORES
from tests.world.disk import Disk, SqliteDisk
from tests.world.promises import check
from tests.world.source import region

MOST = 200
"""More commits than the play has in any store: a run must get through before."""


def play(node: str, store: str, commit: int, after: bool, disk: Callable[[City, int], Disk] | None = None) -> bool:
    """Play once with a cut at a commit of one store; return whether the run got that far."""
    city = City(7)
    if disk is not None:
        city.machines[node].disk = disk(city, commit)
    city.start()
    life = city.machines[node].life
    assert life is not None
    life.stores.of(store).fail_at(commit, after=after)
    source = city.sources[A]
    try:
        first = [region("r1", "110101", "one", False), region("r2", "110102", "gone", True)]
        source.supply("region-code", Stream.LIVE, first)
        source.supply("region-code", Stream.BACKFILL, [region("r1", "110103", "moved", False)])
        city.sources[B].supply("region-code", Stream.LIVE, [region("r1", "110101", "other", False)])
        city.run(0.1)
        source.bend()
        source.supply("region-code", Stream.LIVE, [region("r3", "110101", "two", False)], planted=1)
        city.settle(600)
        check(city)
    finally:
        city.end()
    return city.machines[node].lives > 1


def cut_everywhere(node: str, store: str, after: bool, disk: Callable[[City, int], Disk] | None = None) -> int:
    """Cut at each commit in turn; return after how many the play gets through."""
    for commit in range(1, MOST):
        if not play(node, store, commit, after, disk):
            return commit
    raise AssertionError("no run got through")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("node", [A, CENTRE, B])
def test_a_cut_at_any_commit_breaks_no_promise(node: str, store: str, after: bool) -> None:
    assert cut_everywhere(node, store, after) > 1


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("node", [A, CENTRE, B])
def test_a_cut_at_any_commit_of_real_files_breaks_no_promise(node: str, store: str, tmp_path: Path) -> None:
    made: list[SqliteDisk] = []

    def disk(city: City, commit: int) -> Disk:
        machine = city.machines[node]
        made.append(
            SqliteDisk(tmp_path / str(commit), keyring(node).storage(), machine.now, machine.dice.randbytes)
        )
        return made[-1]

    try:
        assert cut_everywhere(node, store, False, disk) > 1
    finally:
        for one in made:
            one.close()
