"""Which format a file has, and whether what is configured of it is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from adapters.contract import Misconfigured
from adapters.files import book_rows, csv_rows, dbf_rows, fixed_rows, json_rows, xml_rows
from adapters.files.charset import CHARSETS
from adapters.files.flaw import Piece
from adapters.files.source import Source

Rows = Callable[[Source, Mapping[str, Any], int, int], Iterator[Piece]]

FORMATS: Mapping[str, Rows] = {
    "csv": csv_rows.rows, "fixed": fixed_rows.rows, "ndjson": json_rows.rows, "xml": xml_rows.rows,
    "dbf": dbf_rows.rows, "excel": book_rows.rows,
}
_NEEDED = {"fixed": "fields", "xml": "rows"}
_TEXT = 4 << 30
"""Octets a file may have, unpacked, unless the configuration says otherwise."""

_SUFFIXES = {
    "csv": "csv", "txt": "csv", "tsv": "csv", "dbf": "dbf", "xls": "excel", "xlsx": "excel", "xlsm": "excel",
    "xlsb": "excel", "ods": "excel", "xml": "xml", "ndjson": "ndjson", "jsonl": "ndjson",
}

SCHEMA: Mapping[str, Any] = {
    "format": {"enum": list(FORMATS)},
    "encoding": {"enum": list(CHARSETS)},
    "separator": {"type": "string", "minLength": 1, "maxLength": 1, "pattern": "^[^\\r\\n\"]$"},
    "quote": {"type": "string", "maxLength": 1},
    "excel": {"type": "boolean"},
    "header": {"type": "boolean"},
    "header_rows": {"type": "integer", "minimum": 1, "maximum": 10},
    "skip": {"type": "integer", "minimum": 0, "maximum": 100},
    "columns": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": 1000,
                "uniqueItems": True},
    "fields": {
        "type": "array", "minItems": 1, "maxItems": 1000,
        "items": {
            "type": "object", "required": ["name", "width"], "additionalProperties": False,
            "properties": {"name": {"type": "string", "minLength": 1},
                           "width": {"type": "integer", "minimum": 1, "maximum": 65536}},
        },
    },
    "sheet": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1}]},
    "rows": {"type": "string", "pattern": "^(/[^/\\s]+)+$"},
    "most": {"type": "integer", "minimum": 1024},
}
"""What of `[[adapter.read]] what` describes the format."""


def format_of(name: str) -> str | None:
    """Return the format that a name tells by its ending, None if it tells none."""
    parts = name.lower().removesuffix(".gz").rsplit(".", 1)
    return _SUFFIXES.get(parts[-1]) if len(parts) > 1 else None


def demand(what: Mapping[str, Any]) -> None:
    """Raise Misconfigured if what is said of the format is not enough."""
    form = what["format"]
    if (needed := _NEEDED.get(form)) and needed not in what:
        raise Misconfigured(f"格式{form}须有{needed}", f"the format {form} needs {needed}")
    if form in ("csv", "excel") and not what.get("header", True) and "columns" not in what:
        raise Misconfigured("没有列名的文件须用columns声明各列", "a file without names of columns needs columns")
    if form == "fixed" and len({one["name"] for one in what["fields"]}) < len(what["fields"]):
        raise Misconfigured("fields中有两列同名", "two of fields have one name")


def most(what: Mapping[str, Any]) -> int:
    """Return how many octets a file may have."""
    return int(what.get("most", book_rows.MOST if what["format"] == "excel" else _TEXT))
