"""Functions of C libraries, called through ctypes with their types declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def typed(library: Any, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """Return a function of a loaded library; raise AttributeError if it has none of that name.

    Without declared types ctypes cuts pointers and sizes to 32 bits.
    """
    function: Callable[..., Any] = getattr(library, name)
    function.restype, function.argtypes = result, arguments  # type: ignore[attr-defined]  # ctypes' functions have them
    return function
