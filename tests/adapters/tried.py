"""How many seeds a test is tried with: few each time, and many more of the same by `make long`."""

from __future__ import annotations

from typing import Any

import pytest


def seeds(few: int, many: int) -> list[Any]:
    """Return the first few seeds, and those behind them marked `long`."""
    return [*range(few), *further(*range(few, many))]


def further(*more: Any) -> list[Any]:
    """Return values of a parameter that only `make long` tries."""
    return [pytest.param(one, marks=pytest.mark.long) for one in more]
