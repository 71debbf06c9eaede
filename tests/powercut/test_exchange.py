"""The power of one node fails at a sync of a full exchange; it comes back, all come to rest, no promise is broken.

Here every twentieth sync, by seed; `make soak` asks each of them with each fate.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from node.store import engine
from tests.powercut.platter import Fate
from tests.powercut.play import Cut, play
from tests.powercut.vfs import Shim
from tests.stage.desk import CENTRE
from tests.world.city import A, B

STRIDE = 20


@pytest.mark.parametrize("node", [A, CENTRE, B])
def test_an_exchange_survives_a_cut_at_a_sync_of(
    node: str, tmp_path: Path, shim: Shim, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(engine, "LOG", 16 * engine.PAGE)  # checkpoints often, so that they are cut as well
    dice = Random(f"{seed}{node}")
    cuts = 0
    for sync in range(1 + dice.randrange(STRIDE), 1000, STRIDE):
        cut = Cut(node, sync, dice.random() < 0.5, dice.choice(list(Fate)), seed)
        if play(tmp_path / f"{sync}", shim, cut) is None:
            break
        cuts += 1
    assert cuts >= 4, "a run got through only after several were cut"
