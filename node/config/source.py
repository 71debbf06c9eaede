"""The files of a configuration: read, joined in order, and every key traced back to its file and line.

Rule 1: node.toml first, then conf.d/*.toml beside it in the order of their names.
Rule 2: a later file adds keys and replaces values; lists of tables (`[[peer]]`) grow.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.config.faults import Fault
from node.config.sentences import fault
from node.model.spots import Key, line_of, long_key, spots

LARGEST = 4 << 20
_SPOT = re.compile(r"\(at line (\d+), column (\d+)\)")


@dataclass(frozen=True)
class Source:
    """One file: what it says, and the line of each key in it."""

    path: Path
    said: Mapping[str, Any]
    lines: Mapping[Key, int]


@dataclass
class Joined:
    """All files as one tree, and where each key of the tree was written."""

    main: Path
    tree: dict[str, Any] = field(default_factory=dict)
    written: dict[Key, tuple[Source, Key]] = field(default_factory=dict)

    def add(self, source: Source) -> None:
        """Join the keys of a later file."""
        self._join(self.tree, source.said, (), source, ())

    def _join(self, tree: dict[str, Any], said: Mapping[str, Any], at: Key, source: Source, local: Key) -> None:
        for name, value in said.items():
            here, there = (*at, name), (*local, name)
            held = tree.get(name)
            if here not in self.written or _kind(held) is not _kind(value):
                self.written[here] = source, there  # what is of another kind replaces, and does not join
            if isinstance(value, dict):
                if not isinstance(held, dict):
                    held = tree[name] = {}
                self._join(held, value, here, source, there)
            elif _tables(value):
                grown: list[Any] = held if isinstance(held, list) and _tables(held) else []
                for index, table in enumerate(value, len(grown)):
                    self.written[(*here, index)] = (source, (*there, index - len(grown)))
                tree[name] = [*grown, *value]
            else:
                self.written[here] = (source, there)
                tree[name] = value

    def place(self, key: Key) -> tuple[Path, int | None]:
        """Return the file and line of a key, or of the nearest table around it."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.written:
                source, local = self.written[key[:length]]
                return source.path, line_of(source.lines, (*local, *key[length:]))
        return self.main, None


def _kind(value: Any) -> type:
    return dict if isinstance(value, dict) else list if _tables(value) else str


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def read(path: Path) -> Source | Fault:
    """Return one file, or the one fault for which it cannot be read at all."""
    try:
        with path.open("rb") as stream:
            octets = stream.read(LARGEST + 1)
    except OSError:
        return fault(path, None, "", "unreadable")
    if len(octets) > LARGEST:
        return fault(path, None, "", "unreadable")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        return fault(path, octets.count(b"\n", 0, error.start) + 1, "", "encoding")
    if line := long_key(text):
        return fault(path, line, "", "syntax", column=1)
    try:
        return Source(path, tomllib.loads(text), spots(text))
    except tomllib.TOMLDecodeError as error:
        # Of the library's message only the place is used; the rest may quote the line.
        found = _SPOT.search(str(error))
        line, column = (int(found[1]), int(found[2])) if found else (text.count("\n") + 1, 1)
        return fault(path, line, "", "syntax", column=column)
    except (RecursionError, ValueError):  # nested without end, or a number of more than 4300 digits
        return fault(path, None, "", "unreadable")
