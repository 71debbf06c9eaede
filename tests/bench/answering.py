"""What the processes of the yardsticks do with their standard input: seconds in, what was done in them out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable


def answer(once: Callable[[], object]) -> None:
    """Do it once to warm up, say `ready`, then answer each number of seconds with what was done in them."""
    once()
    print("ready", flush=True)
    for line in sys.stdin:
        begun, cpu, done = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - begun < float(line):
            once()
            done += 1
        seconds = time.perf_counter() - begun
        print(json.dumps({"messages": done, "seconds": seconds, "cpu": time.process_time() - cpu}), flush=True)
