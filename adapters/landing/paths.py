"""Fields of a record by their paths: `PersonName`, `Address.City`; through a list, a list of what each member has.

A column of the same name takes a field, in whatever letters; the parts of a path are joined by a dot or by _.  Fields
that no column takes so, one with the same letters and digits does: `support_rep_id` takes `SupportRepId`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

MOST = 1000
"""Most paths that are told apart."""

_DEPTH = 8


def getter(path: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return what finds a field, None where there is none."""
    parts = tuple(path.split("."))
    if len(parts) == 1:
        return lambda fields: fields.get(path)
    return lambda fields: _walk(fields, parts)


def _walk(found: Any, parts: tuple[str, ...]) -> Any:
    for at, part in enumerate(parts):
        if isinstance(found, list):
            return [_walk(one, parts[at:]) for one in found]
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def paths(fields: Mapping[str, Any], before: str = "", depth: int = 0) -> Iterator[str]:
    """Yield the path of every field of a record; of a list its own, and those of its members."""
    for name, value in fields.items():
        path = before + name
        if isinstance(value, Mapping):
            if depth < _DEPTH:
                yield from paths(value, path + ".", depth + 1)
            continue
        yield path
        if isinstance(value, list) and depth < _DEPTH:
            for one in value:
                if isinstance(one, Mapping):
                    yield from paths(one, path + ".", depth + 1)


def matched(columns: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Return for each column that is named as a field its path."""
    by_name = {name: path for path in known for name in (path.lower(), path.lower().replace(".", "_"))}
    named = list(columns)
    found = {column: by_name[column.lower()] for column in named if column.lower() in by_name}
    taken = set(found.values())
    loose = {_letters(path): path for path in by_name.values() if path not in taken}
    for column in named:
        if column not in found and (path := loose.pop(_letters(column), None)) is not None:
            found[column] = path
    return {column: found[column] for column in named if column in found}


def _letters(name: str) -> str:
    return name.lower().replace("_", "").replace(".", "")
