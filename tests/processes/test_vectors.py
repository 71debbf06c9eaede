"""Every vector against a node that runs: the answer is its row's, nothing is a fault, and the lane goes on."""

from __future__ import annotations

from pathlib import Path

from tests.vectors.play import Player, index, rows
from tests.vectors.site import Site


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
