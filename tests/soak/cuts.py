"""The power cut at every sync point: of each store alone, and of each node in a full exchange, with every fate.

    python -m tests.soak.cuts NODE PAGES FATES SHARE OF SEED     the worker of one share; a line of JSON at the end
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from node.store import engine
from tests.powercut import test_stores
from tests.powercut.platter import Fate
from tests.powercut.play import Cut, play
from tests.powercut.vfs import Shim, library
from tests.soak.pieces import Options, Piece
from tests.stage.desk import CENTRE
from tests.world.city import A, B

LOGS = {"usual-log": engine.LOG // engine.PAGE, "checkpoints-often": 16}
"""Pages of log after which it is checkpointed: as the product has it, and so few that checkpoints are cut, too."""
WORKERS = 2
MOST = 5000
FATES = [Fate.NONE, Fate.SECTORS, Fate.ALL, Fate.PAGES]


def pieces(options: Options) -> Iterator[Piece]:
    """Yield the stores, and each node under either log."""
    if not options.cuts:
        return
    for log, pages in LOGS.items():
        yield Piece("cuts", f"stores-{log}", partial(stores, pages, options.cuts, options.seed))
        for node in (A, CENTRE, B):
            yield Piece("cuts", f"{node}-{log}", partial(exchange, node, pages, options.cuts, options.seed))


def stores(pages: int, fates: int, seed: int, folder: Path) -> tuple[Mapping[str, Any], list[str]]:
    """Cut each store at each of its sync points."""
    engine.LOG = pages * engine.PAGE
    folder.mkdir(parents=True)
    cuts: Counter[str] = Counter()
    with _shim() as shim:
        for name in test_stores.STORES:
            cuts += test_stores.everywhere(folder / name, shim, name, seed, lambda dice: FATES[:fates])
    return {"cuts": _named(cuts)}, []


def exchange(node: str, pages: int, fates: int, seed: int, folder: Path) -> tuple[Mapping[str, Any], list[str]]:
    """Cut a node at each sync point of a full exchange, in several processes."""
    words = [sys.executable, "-m", "tests.soak.cuts", node, f"{pages}", f"{fates}"]
    workers = [
        subprocess.Popen([*words, f"{share}", f"{WORKERS}", f"{seed}"], stdout=subprocess.PIPE, text=True)
        for share in range(WORKERS)
    ]
    cuts, syncs, broken = Counter[str](), 0, []
    for worker in workers:
        said = worker.communicate()[0].strip()
        if worker.returncode or not said:
            broken.append(f"{node}: a worker ended with {worker.returncode}")
            continue
        told = json.loads(said.splitlines()[-1])
        cuts += Counter(told["cuts"])
        syncs += told["syncs"]
        broken += told["broken"]
    return {"cuts": _named(cuts), "syncs": syncs}, broken


def _named(cuts: Counter[str]) -> dict[str, int]:
    return {name or "(folder)": cuts[name] for name in sorted(cuts)}


def _shim() -> Any:
    sqlite = library()
    assert sqlite is not None, "Python's sqlite3 has its library built in: its files cannot be listened to"
    return Shim(sqlite).listening()


def share(node: str, pages: int, fates: int, first: int, of: int, seed: int) -> dict[str, Any]:
    """Cut at every `of`th sync point from the `first` on, before and after it, with each fate."""
    engine.LOG = pages * engine.PAGE
    cuts, syncs, broken = Counter[str](), 0, []
    with tempfile.TemporaryDirectory(prefix="powercut-") as name, _shim() as shim:
        for sync in range(1 + first, MOST, of):
            for cut in _cuts(node, sync, fates, seed):
                try:
                    place = play(Path(name) / f"{sync}", shim, cut)
                except Exception as error:
                    broken.append("; ".join([repr(error)[:2000], *error.__notes__]))
                    continue
                if place is None:
                    return {"cuts": cuts, "syncs": syncs, "broken": broken}
                cuts[place] += 1
            syncs += 1
    raise AssertionError("no run got through")


def _cuts(node: str, sync: int, fates: int, seed: int) -> Iterator[Cut]:
    order = Random(f"{seed} {node} {sync}").sample(FATES, len(FATES))[:fates]
    for after in (False, True):
        yield from (Cut(node, sync, after, fate, seed) for fate in order)


if __name__ == "__main__":
    print(json.dumps(share(sys.argv[1], *map(int, sys.argv[2:]))))
