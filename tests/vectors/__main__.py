"""`python -m tests.vectors [--at HOST:PORT]`: play the vectors to a receiver and print what it answered otherwise."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.vectors.play import Player, index
from tests.vectors.site import Site


def main() -> int:
    """Return 0 if every row was answered as it says."""
    parser = argparse.ArgumentParser(prog="python -m tests.vectors", description=__doc__)
    parser.add_argument("--at", metavar="HOST:PORT", help="a receiver that stands in tests/vectors/world/index.json")
    told = parser.parse_args().at
    if told is not None:
        host, _, port = told.rpartition(":")
        return _play(Player((host.strip("[]"), int(port))))
    with tempfile.TemporaryDirectory(prefix="vectors-") as folder:
        site = Site(Path(folder), index("world")["resources"])
        site.start()
        try:
            return _play(Player(("127.0.0.1", site.port), site))
        finally:
            site.stop()


def _play(player: Player) -> int:
    player.run()
    for line in player.wrong:
        print(line)
    print(f"{player.played} vectors, {len(player.wrong)} answers that are not as their rows say")
    return 1 if player.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
