"""What is nested, as cells of one row: `a/b` is b in a, `a[2]` the second a."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DEPTH = 16


class Deep(Exception):
    """It is nested too deeply."""


def cells(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield every leaf of objects and lists with its name."""
    if depth > DEPTH:
        raise Deep
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from cells(inner, f"{name}/{key}" if name else key, depth + 1)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value, 1):
            yield from cells(inner, name if number == 1 else f"{name}[{number}]", depth + 1)
    else:
        yield name, value
