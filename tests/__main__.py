"""All tests, two folders at a time on two cores: `make test`, or `python -m tests [--at-once N] [pytest's arguments]`.

Each folder is a run of pytest of its own, the long ones first; a folder's output is shown when it ends, whole if
something failed.  Files are kept in memory where there is room (tests/memory.py).  With arguments for pytest it is one
run of pytest, as if that had been called.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tests import memory

HERE = Path(__file__).parent
LONG = (
    "adapters", "world", "processes", "cli", "validate", "regressions", "bench", "crypto", "envelope", "powercut",
    "fuzz", "exchange",
)
"""The folders that take longest, longest first: begun last, one of them would run alone."""
_COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?|xfailed|xpassed)")


@dataclass(frozen=True, slots=True)
class Ended:
    """One folder's run: its exit status, its output and how many tests ended how."""

    folder: str
    status: int
    output: str
    seconds: float

    @property
    def counts(self) -> Counter[str]:
        """How many passed, failed, were skipped: pytest's own closing line."""
        found = _COUNT.findall(self.output.rsplit("\n", 2)[-2] if "\n" in self.output else "")
        return Counter({name.rstrip("s") if name == "errors" else name: int(count) for count, name in found})


def folders() -> list[str]:
    """Return the folders that hold tests, the long ones first."""
    found = sorted({path.relative_to(HERE).parts[0] for path in HERE.glob("*/**/test_*.py")})
    return [*(name for name in LONG if name in found), *(name for name in found if name not in LONG)]


def run(folder: str, environ: Mapping[str, str]) -> Ended:
    """Run one folder's tests, with more variables."""
    begun = time.monotonic()
    kept = [f"--basetemp={environ['TMPDIR']}/{folder}"] if "TMPDIR" in environ else []
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *kept, f"tests/{folder}"], cwd=HERE.parent, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, check=False, env={**os.environ, **environ},
        )
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    return Ended(folder, done.returncode, said, time.monotonic() - begun)


def ended(at_once: int) -> Iterator[Ended]:
    """Yield each folder's run as it ends."""
    with memory.kept() as environ, ThreadPoolExecutor(at_once) as pool:
        for done in as_completed([pool.submit(run, folder, environ) for folder in folders()]):
            yield done.result()


def main() -> int:
    """Run what is asked for; return 0 only if every folder ran tests and none failed."""
    at_once, chosen = max(2, os.cpu_count() or 1), sys.argv[1:]
    if chosen[:1] == ["--at-once"]:
        at_once, chosen = int(chosen[1]), chosen[2:]
    if chosen:
        return subprocess.run([sys.executable, "-m", "pytest", *chosen], cwd=HERE.parent, check=False).returncode
    begun, total, bad = time.monotonic(), Counter[str](), list[str]()
    for one in ended(at_once):
        total += one.counts
        if one.status:
            bad.append(one.folder)
            print(one.output, flush=True)
        told = ", ".join(f"{count} {name}" for name, count in one.counts.items())
        print(f"tests/{one.folder:<14} {told or one.output[-200:]}  {one.seconds:.0f} s", flush=True)
    failed = total["failed"] + total["error"]
    print(f"{len(bad)} 个目录未通过 folders failed: {', '.join(bad) or '-'}; {time.monotonic() - begun:.0f} s")
    print(f"{total['passed']} passed, {failed} failed, {total['skipped']} skipped")
    return 1 if bad or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
