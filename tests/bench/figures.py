"""What was measured as figures with their goals: a list for `build/bench.json` and a table to read."""

from __future__ import annotations

import json
import statistics
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

AT_LEAST, AT_MOST = "≥", "≤"
BUSY = 0.15
"""A round is marked when others had more than this share of the machine."""
ENTRIES = "entries"
"""The unit of a figure whose detail is what there is to say."""
MEETS = {True: "达到 met", False: "未达到 NOT MET", None: ""}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; `goal` is `≥ n` or `≤ n`, None where there is none, and `meets` follows from it."""

    name: str
    value: float
    unit: str
    goal: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    zh: str = ""

    @property
    def meets(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        sign, _, bound = self.goal.partition(" ")
        return self.value >= float(bound) if sign == AT_LEAST else self.value <= float(bound)


def of(
    name: str, values: Sequence[float], unit: str, goal: str | None = None, zh: str = "",
    others: Sequence[float] = (), **detail: Any,
) -> Figure:
    """Return the median of the rounds as a figure; the rounds themselves stand in its detail, busy ones marked."""
    rounds = [significant(value) for value in values]
    told: dict[str, Any] = {"rounds": rounds, **detail}
    if others:
        told["others"] = [significant(share) for share in others]
        told["busy"] = [number + 1 for number, share in enumerate(others) if share > BUSY]
    return Figure(name, significant(statistics.median(values)), unit, goal, told, zh)


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
    order = ("name", "zh", "value", "unit", "goal", "meets", "detail")
    text = json.dumps([{key: one[key] for key in order} for one in listed], ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def table(figures: Sequence[Figure]) -> str:
    """Return the figures for people: those with goals first, Chinese with English beside."""
    goals = [_row(one) for one in figures if one.goal is not None]
    rest = [_row(one) for one in figures if one.goal is None]
    met = sum(one.meets is True for one in figures)
    head = f"目标 goals：{met}/{len(goals)} 达到 met；* 他人占用本机超过 others had more than {BUSY:.0%}"
    return "\n".join([head, *goals, "", "其他 others", *rest])


def _row(one: Figure) -> str:
    rounds = one.detail.get("rounds", ())
    spread = f"{min(rounds):,g}..{max(rounds):,g}" if len(rounds) > 1 else ""
    busy = len(one.detail.get("busy", ()))
    mark = f" *{busy}/{len(rounds)}" if busy else ""
    row = f"{_pad(one.zh, 46)} {one.name:<62} {one.value:>10,g} {one.unit:<11} {one.goal or '':>7}  "
    row += f"{MEETS[one.meets]}  {spread}{mark}"
    note = one.detail.get("note")
    if one.unit == ENTRIES:
        note = "; ".join(f"{name} {value}" for name, value in one.detail.items())
    return row.rstrip() + (f"\n    {note}" if note else "")


def _pad(text: str, width: int) -> str:
    taken = sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
    return text + " " * (width - taken)
