"""What a draft is made from: a table's columns as the source describes them, and rows that were sampled of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.validate.mapping.fields import NUMBER
from node.validate.mapping.rows import parse_row
from node.validate.mapping.texts import column as take_column
from node.validate.mapping.wording import Unfit
from node.validate.mapping.words import is_column

ROWS = 200
"""Most rows that are looked at."""
LONGEST = 4000
"""Most characters of a cell that is looked at."""
COLUMNS = 500
"""Most columns that are looked at."""

NOTHING = ("NULL", "null", "Null", "无", "空", "-", "--", "—", "/", "\\", "N/A", "未知项")
"""Texts that old tables write where there is nothing."""


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column as the source describes it; `cells` are the texts found in it, the frequent ones first."""

    name: str
    kind: str = ""
    comment: str = ""
    key: bool = False
    null: bool = True
    indexed: bool = False
    cells: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def given(self) -> int:
        """How many cells hold something."""
        return sum(self.cells.values())


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table with its columns; `rows` are those that were sampled, as objects."""

    name: str
    columns: tuple[SourceColumn, ...]
    comment: str = ""
    rows: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    nothing: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def read_table(described: Mapping[str, Any], lines: Sequence[bytes]) -> SourceTable:
    """Return a table as an adapter describes it (`adapters.contract.Table`), with some of its rows, JSON each.

    A row that is no JSON object, and a column whose name no mapping could say, is left out.
    """
    rows = tuple(row for line in lines[:ROWS] if isinstance(row := _row(line), dict))
    said = described.get("columns") or [{"name": name} for name in dict.fromkeys(name for row in rows for name in row)]
    columns = [one for one in said if isinstance(one, Mapping)]
    good = list({str(one["name"]): one for one in columns if can_be_named(one.get("name"))}.values())[:COLUMNS]
    named = {str(one["name"]) for one in good}
    found = [(one, _cells(str(one["name"]), rows)) for one in good]
    nothing = tuple(word for word in NOTHING if any(cells[word] for _, cells in found))
    return SourceTable(
        str(described.get("name", "")), tuple(_column(one, cells, nothing) for one, cells in found),
        str(described.get("comment") or ""), rows, nothing,
        tuple(dict.fromkeys(str(one.get("name")) for one in columns if str(one.get("name")) not in named)),
    )


def can_be_named(name: Any) -> bool:
    """Whether a mapping can name such a column."""
    return is_column(name) and NUMBER not in name and name.isprintable()


def _row(line: bytes) -> Any:
    try:
        return parse_row(line)
    except Unfit:
        return None


def _cells(name: str, rows: Sequence[Mapping[str, Any]]) -> Counter[str]:
    take, found = take_column(name, {}, frozenset(("",))), Counter[str]()
    for row in rows:
        try:
            text = take(row)
        except Unfit:
            continue
        if text is not None and len(text) <= LONGEST:
            found[text] += 1
    return found


def _column(said: Mapping[str, Any], cells: Counter[str], nothing: Sequence[str]) -> SourceColumn:
    return SourceColumn(
        str(said["name"]), str(said.get("kind") or "")[:100], str(said.get("comment") or "")[:1000],
        bool(said.get("key")), bool(said.get("null", True)), bool(said.get("indexed")),
        {text: count for text, count in cells.most_common() if text not in nothing},
    )
