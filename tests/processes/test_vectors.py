"""Every vector against a node that runs: the answer is its row's, nothing is a fault, and the lane goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.play import FOLDER, Player, index, rows
from tests.vectors.site import Site
from tests.wire.talk import Heard


def test_a_running_node_answers_every_vector_as_its_row_says(tmp_path: Path) -> None:
    site = Site(tmp_path, index("world")["resources"])
    site.start()
    try:
        player = Player(("127.0.0.1", site.port), site)
        player.run()
    finally:
        site.stop()
    assert not player.wrong, "\n".join(player.wrong)
    assert player.played == len(list(rows())) > 220
    faults = [line for line in site.log() if line["event"] == "EXN-FAULT"]
    assert not faults, faults


@pytest.mark.parametrize("file, status, change, noticed", [
    ("gap.exnp", 409, {}, False), ("gap.exnp", 200, {}, True), ("gap.exnp", 500, {"code": "EXN-FAULT"}, True),
    ("gap.exnp", 409, {"code": "EXN-FORK"}, True), ("gap.exnp", 409, {"seq": 7}, True),
    ("gap.exnp", 409, {"head": "1" * 64}, True), ("gap.exnp", 409, {"detail": "厦门市"}, True),
    ("epoch-new.exnp", 200, {}, True), ("replay.exnp", 200, {}, True),
])
def test_the_player_notices_an_answer_that_is_not_as_its_row_says(
    file: str, status: int, change: dict[str, Any], noticed: bool
) -> None:
    row = next(row for row in index("exchange")["vectors"] if row["file"] == file)
    said = {name: row["answer"].get(name) for name in ("code", "epoch", "seq", "head")} | change
    player = Player(("127.0.0.1", 0), receipts={"exchange/replay-0.exnp": b"the receipt"})
    heard = Heard(status, {}, json.dumps(said, ensure_ascii=False).encode())
    player.judge(f"exchange/{file}", row, (FOLDER / "exchange" / file).read_bytes(), heard)
    assert bool(player.wrong) == noticed
