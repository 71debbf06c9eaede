"""What was measured as figures with their goals: a list for `build/bench.json` and a table to read."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

AT_LEAST, AT_MOST = "≥", "≤"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; `goal` is `≥ n` or `≤ n`, None where there is none, and `meets` follows from it."""

    name: str
    value: float
    unit: str
    goal: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def meets(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        sign, _, bound = self.goal.partition(" ")
        return self.value >= float(bound) if sign == AT_LEAST else self.value <= float(bound)


def of(name: str, values: Sequence[float], unit: str, goal: str | None = None, **detail: Any) -> Figure:
    """Return the median of the rounds as a figure; the rounds themselves stand in its detail."""
    rounds = [significant(value) for value in values]
    return Figure(name, significant(statistics.median(values)), unit, goal, {"rounds": rounds, **detail})


def significant(value: float) -> float:
    """Return a number to four places that count, whole from a thousand on."""
    return float(round(value)) if abs(value) >= 1000 else float(f"{value:.4g}")


def centile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [{**asdict(figure), "meets": figure.meets} for figure in figures]
    order = ("name", "value", "unit", "goal", "meets", "detail")
    text = json.dumps([{key: one[key] for key in order} for one in listed], ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def table(figures: Sequence[Figure]) -> str:
    """Return the figures for people."""
    lines = [f"{'figure':<58} {'value':>11} {'unit':<10} {'goal':>8}  meets  rounds: least to most"]
    for one in figures:
        rounds = one.detail.get("rounds", ())
        spread = f"{min(rounds):,g} to {max(rounds):,g}" if len(rounds) > 1 else ""
        meets = {True: "yes", False: "NO", None: ""}[one.meets]
        lines.append(f"{one.name:<58} {one.value:>11,g} {one.unit:<10} {one.goal or '':>8}  {meets:<5}  {spread}")
        if note := one.detail.get("note"):
            lines.append(f"    {note}")
    return "\n".join(lines)
