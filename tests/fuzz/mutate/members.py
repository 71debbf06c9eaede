"""Changes of a canonical JSON text that keep it canonical: one member gets another plausible value, comes or goes.

Dumb changes of a statement end at its form; these go on to what the statement means.
"""

from __future__ import annotations

from random import Random
from typing import Any

import orjson

from tests.fuzz.mutate.octets import octets

WORDS: tuple[Any, ...] = (
    "live", "backfill", "resupply", "records", "void", "command", "accepted", "processed", "refused", "dept-a",
    "dept-c", "centre", "population", "region-code", "none", "zstd", "upsert", "delete", "recall", "exn.leaf.1",
    "1.0", "2.0",
    "0" * 64, "ab" * 32, "f" * 32, "0" * 32, "01a206c0-7316-73f6-aa3e-76256c39168a", "2026-05-28T20:26:40.000Z",
    "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "2026-02-30T00:00:00.000Z", "2019-02-28T10:11:12+08:00",
    "EXN-BEHIND", "", "a", "91110000MA00A0000X", True, False, [], {}, ["dept-a"], ["x", "x"],
)
NUMBERS = (0, 1, 2, 9, 10, 255, 65_535, 65_536, 1_700_000_000, 1_780_000_000, 1 << 31, (1 << 53) - 1)
NAMES = ("ext", "crit", "via", "supersedes", "expires", "batch", "code", "counts", "verdicts", "origins", "happened",
         "a")
WHOLE: dict[str, Any] = {
    "ext": {"a": {"b": [1, "x"]}}, "crit": ["a"], "via": ["centre"] * 8,
    "counts": {"applied": 1, "older": 0, "refused": 1},
    "batch": {"id": "01a206c0-7316-73f6-aa3e-76256c39168a", "last": True, "part": 1},
    "verdicts": {"envelope": "ab" * 32, "list": "cd" * 32},
    "happened": {"first": "2026-05-28T20:26:40.000Z", "last": "2026-05-28T20:26:40.000Z"},
}


def members(data: bytes, chance: Random) -> bytes:
    """Return the text with one to three members changed, written canonically again."""
    try:
        tree = orjson.loads(data)
    except orjson.JSONDecodeError:
        return octets(data, chance)
    for _ in range(chance.choice((1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            break
        _change(*chance.choice(places), chance)
    try:
        return orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return octets(data, chance)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every (object or array, its key or index)."""
    found: list[tuple[Any, Any]] = []
    inner = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    for key, value in inner:
        found.append((tree, key))
        found += _places(value)
    return found


def _change(holder: Any, key: Any, chance: Random) -> None:
    value, act = holder[key], chance.randrange(6)
    if act == 0 and isinstance(holder, dict):
        name = chance.choice(NAMES)
        holder[name] = orjson.loads(orjson.dumps(WHOLE.get(name, chance.choice(WORDS))))
    elif act == 1 and key != "@type":
        del holder[key]
    elif act == 2 and isinstance(holder, list):
        holder.insert(chance.randrange(len(holder) + 1), orjson.loads(orjson.dumps(value)))
    elif type(value) is int:
        holder[key] = chance.choice((*NUMBERS, value + 1, max(0, value - 1)))
    elif isinstance(value, str) and chance.random() < 0.4 and value:
        at = chance.randrange(len(value))
        holder[key] = value[:at] + chance.choice("0a9f-Z") + value[at + 1 :]
    else:
        holder[key] = orjson.loads(orjson.dumps(chance.choice(WORDS)))
