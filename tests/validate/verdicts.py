"""Verdicts that were recorded when a specification was published: `python -m tests.validate.verdicts ID` records them.

A specification names kinds of rules, and what a kind means stands in code, which no digest of the specification covers.
So what a kind means may not change either: a check that shall be stricter, or laxer, is a new kind, which a new version
names.  The files of `recorded/` hold it to that: records, and what each version told of them when it was published.

Rule 1: a file is written once.  Who sees its test fail has changed the verdict of a published version.
Rule 2: a file depends on no maker of samples: it holds whole records, and others as their difference (RFC 7396).
Rule 3: of a number of a person, though nobody's, the first digit is escaped: no such number stands in the repository.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from node.model.record import Twin
from node.validate import Specification, faults, plant, sample, to_json, warnings
from node.validate.shape import Leaf, leaves
from tests.house.scan import in_bytes
from tests.validate.held import NAMES, TODAY, draft, spec

FOLDER = Path(__file__).parent / "recorded"
SEED = 31
REMOVED = None
_DATES = ("00010101", "18991231", "19000229", "20000229", "20230229", "20240229", "20240601", "20240602", "20240603",
          "99991231")
_CLOCKS = ("T101112", "T000000", "101112")
_NUMBERS = ("0", "-0", "-1", "1", "01", "0.1", "1.10", "9" * 18, "9" * 19)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, and what is told of it: `field rule severity` of each problem, in order."""

    twin: Any
    told: tuple[str, ...]


def path_of(name: str) -> Path:
    """Return the file of a specification's verdicts."""
    return FOLDER / (name.replace("/", "-") + ".jsonl")


@cache
def recorded(name: str) -> Sequence[Entry]:
    """Return what was recorded of a specification."""
    bases: list[Any] = []
    found = []
    for line in path_of(name).read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        if "twin" in one:
            bases.append(one["twin"])
        else:
            found.append(Entry(patched(bases[one["of"]], one["with"]), tuple(one["told"])))
    return found


def told(of: Specification, twin: Any) -> tuple[str, ...]:
    """Return what a specification tells of a record today."""
    return tuple(f"{one.field or '-'} {one.rule} {one.severity}" for one in of.problems(draft(twin), TODAY))


def patched(target: Any, patch: Any) -> Any:
    """Return the target with a JSON merge patch applied."""
    if not isinstance(patch, Mapping):
        return patch
    made = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is REMOVED:
            made.pop(name, None)
        else:
            made[name] = patched(made.get(name), value)
    return made


def patch_to(base: Twin, twin: Twin) -> dict[str, Any]:
    """Return the merge patch that makes `twin` of `base`."""
    made: dict[str, Any] = {name: REMOVED for name in base if name not in twin}
    for name, value in twin.items():
        old = base.get(name)
        if old != value:
            nested = isinstance(old, Mapping) and isinstance(value, Mapping)
            made[name] = patch_to(dict(old or {}), value) if nested else value
    return made


# --- recording --------------------------------------------------------------------------------------------------


def record(name: str) -> None:
    """Write a specification's file, unless it is there."""
    of = spec(name)
    bases = _bases(of)
    lines: list[dict[str, Any]] = [{"twin": twin} for twin in bases]
    seen: set[bytes] = set()
    for number, twin in [*enumerate(bases), *_planted(of, bases), *_edges(of, bases)]:
        patch = patch_to(bases[number], twin)
        assert patched(bases[number], patch) == twin
        if to_json(twin) not in seen:
            seen.add(to_json(twin))
            lines.append({"of": number, "with": patch, "told": told(of, twin)})
    FOLDER.mkdir(exist_ok=True)
    with path_of(name).open("xb") as file:
        file.write(b"".join(_escaped(json.dumps(line, ensure_ascii=False)) + b"\n" for line in lines))


def _bases(of: Specification) -> list[Twin]:
    """Return good records in which every field stands somewhere, and a delete."""
    left = {path for path, _ in leaves(of.shape.record)}
    found: list[Twin] = [sample(of, SEED, number, revision=number) for number in range(4)]
    for number in range(4, 400):
        twin = sample(of, SEED, number, revision=number % 2, octets=(0, 700)[number % 2])
        fresh = {path for path in left if at(twin, path.split("/")) is not None}
        if fresh and not told(of, twin):
            found.append(twin)
            left -= fresh
    assert not left, left
    return [*found, sample(of, SEED, 0, operation="D")]


def _escaped(line: str) -> bytes:
    data = bytearray(line.encode())
    for at in sorted(in_bytes(bytes(data)), reverse=True):
        data[at:at + 1] = b"\\u00%02x" % data[at]
    return bytes(data)


def _planted(of: Specification, bases: Sequence[Twin]) -> Iterator[tuple[int, Any]]:
    for number, fault in enumerate((*faults(of), *warnings(of))):
        base = number % (len(bases) - 1)  # not the delete
        yield base, plant(of, bases[base], fault, number)


def _edges(of: Specification, bases: Sequence[Twin]) -> Iterator[tuple[int, Any]]:
    """Yield records with one value each that lies at the edge of what is taken, on either side."""
    for path, leaf in leaves(of.shape.record):
        steps = path.split("/")
        holders = [number for number, twin in enumerate(bases) if at(twin, steps) is not None]
        for turn, text in enumerate(_texts(of, leaf, [str(at(bases[number], steps)) for number in holders])):
            number = holders[turn % len(holders)]
            yield number, _put(bases[number], steps, text)


def at(twin: Any, steps: Sequence[str]) -> Any:
    """Return the text at a field, the first of what repeats; None if there is none."""
    for step in steps:
        twin = twin.get(step) if isinstance(twin, Mapping) else None
        twin = twin[0] if isinstance(twin, list) and twin else twin
    return twin


def _put(twin: Twin, steps: Sequence[str], text: str | None) -> dict[str, Any]:
    """Return a copy with another text at a field, in the first place of what repeats; None takes the field away."""
    made, (step, *below) = dict(twin), steps
    if text is None and not below:
        del made[step]
        return made
    old = made[step]
    first = old[0] if isinstance(old, list) else old
    new = _put(first, below, text) if below else text
    made[step] = [new, *old[1:]] if isinstance(old, list) else new
    return made


def _texts(of: Specification, leaf: Leaf, here: Sequence[str]) -> Iterator[str | None]:
    """Yield edge values of one field; None takes it away."""
    yield None
    for text in here[:2]:
        yield from (text.lower(), text[:-1] + ("1" if text[-1:] != "1" else "2"), text[1:] or "x", text + "0")
    if leaf.numeric:
        yield from _NUMBERS
    elif {"Date8", "Date"} & set(leaf.types):
        yield from (_dashed(day) if "Date" in leaf.types else day for day in _DATES)
    elif "Moment" in leaf.types:
        yield from (day + clock for day, clock in zip(_DATES, _CLOCKS * 4))
        yield from (_dashed(day) + "T23:59:59+08:00" for day in _DATES[5:])
    elif leaf.facets.max_length and leaf.facets.max_length <= 500:
        yield from ("字" * leaf.facets.max_length, "字" * (leaf.facets.max_length + 1))
    yield from leaf.facets.enumeration or ()
    for use in leaf.rules:
        if use.kind in ("table", "region") and "from" not in use.params:
            table = of.tables[use.params["table"]]
            codes, old = sorted(table.rows), sorted(set(table.rows) - table.current)
            yield from (*codes[::max(1, len(codes) // 3)], codes[-1], *old[:1])


def _dashed(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


if __name__ == "__main__":
    for each in sys.argv[1:] or [one for one in NAMES if not path_of(one).exists()]:
        record(each)
