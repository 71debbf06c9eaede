"""The table of codes: a name that is assigned twice would give an old trouble a new code."""

from __future__ import annotations

import ast
from collections import Counter

from tests.house.plan import NODE


def test_no_code_takes_the_name_of_another() -> None:
    tree = ast.parse((NODE / "model" / "codes.py").read_text(encoding="utf-8"))
    names = Counter(
        target.id for spot in tree.body if isinstance(spot, ast.Assign) for target in spot.targets
        if isinstance(target, ast.Name)
    )
    assert len(names) > 50 and [name for name, times in names.items() if times > 1] == []
