"""What a soak is made of: parts, each a row of pieces whose results are kept, so that a soak goes on where it stopped.

Rule: a kept result counts only for the same commit, the same tree and the same sizes; the report tells which were kept.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Options:
    """The sizes of a soak."""

    kills: int = 300
    outage: int = 1_728_000
    """Records: a day at 20 a second."""
    per_post: int = 100
    seeds: int = 20_000
    cuts: int = 4
    """How many of the four fates of unsynced writes are tried at each sync."""
    seed: int = 0


@dataclass(slots=True)
class Result:
    """What a piece found: figures, and every promise that was broken."""

    part: str
    piece: str
    figures: dict[str, Any]
    broken: list[str]
    seconds: float
    began: str
    kept: bool = field(default=False)
    """Whether it was found by an earlier run that this one goes on from."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing to run in an empty folder; what it raises is a broken promise, too."""

    part: str
    name: str
    run: Callable[[Path], tuple[Mapping[str, Any], list[str]]]


class Kept:
    """The results of one state of the tree under one set of sizes, in a file."""

    def __init__(self, path: Path, options: Options, going_on: bool) -> None:
        self._path, self._lock = path, threading.Lock()
        self._said = {"tree": tree(), **asdict(options)}
        found = json.loads(path.read_text(encoding="utf-8")) if going_on and path.exists() else {}
        same = found.get("said") == self._said
        self._results = [Result(**{**one, "kept": True}) for one in found.get("results", [])] if same else []

    def run(
        self, pieces: Iterable[Piece], folder: Path, say: Callable[[str], None], at_once: int = 1,
    ) -> Iterator[Result]:
        """Yield the result of each piece in order, kept or fresh."""
        known = {(one.part, one.piece): one for one in self._results if not one.broken}
        self._results = [*known.values()]
        with ThreadPoolExecutor(at_once) as pool:
            yield from pool.map(lambda piece: self._one(piece, known, folder, say), [*pieces])

    def _one(
        self, piece: Piece, known: Mapping[tuple[str, str], Result], folder: Path, say: Callable[[str], None]
    ) -> Result:
        result = known.get((piece.part, piece.name))
        if result is None:
            result = _run(piece, folder)
            with self._lock:
                self._results.append(result)
                self._save()
        verdict = "broken" if result.broken else "kept" if result.kept else "held"
        say(f"{piece.part}: {piece.name}: {verdict}, {result.seconds:.0f} s")
        for one in result.broken:
            say(f"    {one}")
        return result

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        held = {"said": self._said, "results": [asdict(one) for one in self._results]}
        self._path.write_text(json.dumps(held, ensure_ascii=False, indent=1), encoding="utf-8")


def _run(piece: Piece, folder: Path) -> Result:
    began, since = time.strftime("%Y-%m-%dT%H:%M:%S%z"), time.monotonic()
    figures: Mapping[str, Any] = {}
    try:
        figures, broken = piece.run(folder / f"{piece.part}-{piece.name}")
    except Exception:
        broken = [traceback.format_exc(limit=-4)]
    return Result(piece.part, piece.name, {**figures}, broken, round(time.monotonic() - since, 1), began)


def tree() -> str:
    """Return the state of the tree: the commit, and a mark if what stands here is not that."""
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()

    return git("rev-parse", "HEAD") + (" + changes" if git("status", "--porcelain", "-uno") else "")
