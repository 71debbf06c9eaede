"""A node under cProfile: `python -m tests.bench.profiled OUT run -c FILE` writes what bounds it when it ends.

Times are of the processor, waits cost nothing.  The reactor's thread is profiled from SIGUSR1 on, so that neither the
start nor the first bursts are in it; threads of the pool all the time (from Python 3.12 on only one thread can be).
The profiler makes every call of Python dearer, small functions most: shares are right in rank, not in size.
"""

from __future__ import annotations

import cProfile
import pstats
import signal
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

LINES = 60


def by_file(stats: pstats.Stats) -> str:
    """Return the time spent in each file's own code, most first."""
    spent: dict[str, float] = defaultdict(float)
    found: dict[Any, Any] = stats.stats  # type: ignore[attr-defined]  # it is there, and in no stub
    for (file, _, name), (_, _, own, _, _) in found.items():
        spent[_short(file) if file != "~" else name] += own
    whole = sum(spent.values())
    rows = sorted(spent.items(), key=lambda row: -row[1])[:LINES]
    return "\n".join(f"{own:9.3f} s {100 * own / whole:5.1f} %  {file}" for file, own in rows)


def _short(file: str) -> str:
    for mark in ("/site-packages/", "/node/"):
        if mark in file:
            return mark.strip("/").replace("site-packages", "") + "/" + file.rpartition(mark)[2]
    return file if file.startswith("<") else file.rpartition("/")[2]


def text(profiles: list[cProfile.Profile]) -> str:
    """Return the profiles of all threads together, for people."""
    out = StringIO()
    stats = pstats.Stats(profiles[0], stream=out)
    for more in profiles[1:]:
        with suppress(TypeError):  # a thread that did nothing
            stats.add(more)
    out.write("by file, own time\n" + by_file(stats) + "\n\n")
    stats.sort_stats("tottime").print_stats(LINES)
    stats.sort_stats("cumulative").print_stats(2 * LINES)
    return out.getvalue()


def main() -> None:
    """Run the node under the profiler."""
    out, sys.argv = Path(sys.argv[1]), ["exchange-node", *sys.argv[2:]]
    profiles = [cProfile.Profile(time.thread_time)]
    run = threading.Thread.run

    def profiled(thread: threading.Thread) -> None:
        mine = cProfile.Profile(time.thread_time)
        try:
            mine.enable()
        except ValueError:
            return run(thread)
        profiles.append(mine)
        try:
            run(thread)
        finally:
            mine.disable()

    threading.Thread.run = profiled  # type: ignore[method-assign]  # for this process alone
    from node.__main__ import main as node

    signal.signal(signal.SIGUSR1, lambda number, frame: profiles[0].enable())
    try:
        node()
    finally:
        profiles[0].disable()
        out.write_text(text(profiles), encoding="utf-8")


if __name__ == "__main__":
    main()
