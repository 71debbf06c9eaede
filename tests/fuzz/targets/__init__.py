"""All targets by name: each file of this folder names its `TARGET`, or several as `TARGETS`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from tests.fuzz import broken
from tests.fuzz.target import Target


def _files() -> list[Path]:
    return [path for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem != "__init__"]


def _of(path: Path) -> tuple[Target, ...]:
    module = import_module(f"{__name__}.{path.stem}")
    return getattr(module, "TARGETS", None) or (module.TARGET,)


def _all() -> Iterator[Target]:
    for path in _files():
        yield from _of(path)


def find(name: str) -> Target:
    """Return a target; only its own file is imported, since a campaign starts a process for each."""
    for path in _files():
        if path.stem == name.partition("-")[0] or f'Target("{name}"' in path.read_text(encoding="utf-8"):
            for target in _of(path):
                if target.name == name:
                    return target
    return {target.name: target for target in broken.TARGETS}[name]


@cache
def targets() -> Mapping[str, Target]:
    """Return every target by its name."""
    found: dict[str, Target] = {}
    for target in _all():
        assert target.name not in found, target.name
        found[target.name] = target
    return found
