"""A campaign: a process for each target, two at a time, watched for inputs that hang or kill it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from tests.fuzz.report import TargetRun

SLOTS = 2
START = 6.0
"""Seconds that the first processes are thought to need before their first input; later ones as these did."""
HANG, SET_UP = 120.0, 300.0
"""Seconds without a new input after which a process hangs; and those it has before its first."""
_COVERAGE = re.compile(r"\bcov: (\d+)")


@dataclass
class _Slot:
    """One process under way."""

    target: str
    process: subprocess.Popen[bytes]
    log: Path
    current: Path
    until: float
    count: int
    moved: float
    began: float


class Campaign:
    """Runs targets one after the other in so many slots; `out` keeps inputs, findings and logs."""

    def __init__(self, out: Path, engine: str, seed: int) -> None:
        self._out, self._engine, self._seed = out, engine, seed
        self._starts: list[float] = []

    def run(self, names: Sequence[str], seconds: float) -> list[TargetRun]:
        """Divide the seconds over the targets; return what each came to, in the order given."""
        end, left, found = time.monotonic() + seconds, list(names), dict[str, TargetRun]()
        slots: list[_Slot] = []
        try:
            while left or slots:
                while left and len(slots) < SLOTS:
                    share = (end - time.monotonic()) * min(SLOTS, len(left)) / len(left)
                    slots.append(self._start(left.pop(0), max(3.0, share - self._start_up())))
                time.sleep(0.2)
                for slot in [slot for slot in slots if self._over(slot)]:
                    slots.remove(slot)
                    found[slot.target] = self._told(slot)
                    self._line(found[slot.target])
        finally:
            for slot in slots:
                slot.process.kill()
                slot.process.wait()
        return [found[name] for name in names]

    def _start(self, name: str, seconds: float) -> _Slot:
        runs = self._out / "runs"
        runs.mkdir(parents=True, exist_ok=True)
        for stale in (runs / f"{name}.json", runs / f"{name}.current"):
            stale.unlink(missing_ok=True)
        log = runs / f"{name}.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.worker", "--target", name, "--seconds", f"{seconds:.0f}",
                 "--seed", str(self._seed), "--engine", self._engine, "--out", str(self._out)],
                stdout=sink, stderr=sink,
            )
        now = time.monotonic()
        return _Slot(name, process, log, runs / f"{name}.current", now + seconds + SET_UP, 0, now, now)

    def _start_up(self) -> float:
        """Return how long a process is in coming: what a busy machine takes must not eat the last targets' share."""
        return sum(self._starts) / len(self._starts) if self._starts else START

    def _over(self, slot: _Slot) -> bool:
        """Return whether a process has ended; end one that hangs."""
        if slot.process.poll() is not None:
            return True
        now, count = time.monotonic(), _count(slot.current)
        if count != slot.count:
            if not slot.count:
                self._starts.append(now - slot.began)
            slot.count, slot.moved = count, now
        if now - slot.moved > (HANG if count else SET_UP) or now > slot.until:
            slot.process.send_signal(signal.SIGABRT)  # faulthandler writes where it stands
            try:
                slot.process.wait(10)
            except subprocess.TimeoutExpired:
                slot.process.kill()
                slot.process.wait()
            return True
        return False

    def _told(self, slot: _Slot) -> TargetRun:
        """Return what a process told, and a finding if it did not end well."""
        path = self._out / "runs" / f"{slot.target}.json"
        run = TargetRun(slot.target, self._engine)
        if path.exists():
            run = TargetRun(**orjson.loads(path.read_bytes()))
        log = slot.log.read_text(encoding="utf-8", errors="replace")
        counts = _COVERAGE.findall(log)
        run.coverage = int(counts[-1]) if counts else 0
        if slot.process.returncode != 0:
            run.findings.append({
                "name": f"the process ended with {slot.process.returncode}", "input": str(self._kept(slot)),
                "trace": log[-4000:],
            })
        slot.current.unlink(missing_ok=True)
        return run

    def _kept(self, slot: _Slot) -> Path:
        """Keep the input that a process ended with."""
        folder = self._out / "crashes" / slot.target
        folder.mkdir(parents=True, exist_ok=True)
        octets = slot.current.read_bytes() if slot.current.exists() else b""
        data = octets[12 : 12 + int.from_bytes(octets[8:12], "big")]
        path = folder / f"ended-{sha256(data).hexdigest()[:8]}"
        path.write_bytes(data)
        return path

    def _line(self, run: TargetRun) -> None:
        print(f"{run.target}: {run.executions} executions, {run.features} outcomes, {len(run.findings)} findings",
              flush=True)


def _count(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return int.from_bytes(file.read(8), "big")
    except OSError:
        return 0
