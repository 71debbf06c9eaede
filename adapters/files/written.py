"""Records as a file for an old system: CSV, NDJSON or XML, each with its operation, origin, version and row.

Rule 1: `_op` is U (new or changed) or D (deleted); of two records of one `_origin` and `_key` that with the greater
        `_epoch`, then `_number`, is the newer.  A delete has no fields; a key of several parts is an array of JSON.
Rule 2: a value that the charset or the format cannot hold refuses its record, by the field; the others are written.
Rule 3: with `guard` a cell of CSV that a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from adapters.contract import Incoming
from adapters.files.nested import Deep, cells

MARKS = ("_op", "_origin", "_epoch", "_number", "_row", "_key")
_CODECS = {"gb18030": "gb18030", "gbk": "gbk", "utf-8-bom": "utf-8-sig", "utf-8": "utf-8"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]").search
ENDINGS = {"csv": ".csv", "ndjson": ".ndjson", "xml": ".xml"}


class Unfit(NamedTuple):
    """A field that cannot be written, and why."""

    field: str
    zh: str
    en: str


def flat(record: Incoming, what: Mapping[str, Any]) -> dict[str, str] | Unfit:
    """Return a record's cells as texts, or which of them cannot be written."""
    try:
        found = {name: _text(value) for name, value in cells(dict(record.fields))}
    except Deep:
        return Unfit("", "嵌套过深", "it is nested too deeply")
    wanted = what.get("columns")
    codec = _CODECS[what.get("encoding", "gb18030" if what["format"] == "csv" else "utf-8")]
    for name, text in found.items():
        if wanted and name not in wanted:
            continue
        if fault := _fault(text, codec, what["format"]) or _fault(name, codec, what["format"]):
            return Unfit(name, *fault)
    if fault := _fault("".join(marks(record)), codec, what["format"]):
        return Unfit("", *fault)
    return found


def _fault(text: str, codec: str, form: str) -> tuple[str, str] | None:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return "目标字符集写不出此内容", "the target's charset cannot hold the content"
    if form == "csv" and "\0" in text or form == "xml" and _NO_XML(text):
        return "目标格式写不出此内容", "the target's format cannot hold the content"
    return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def marks(record: Incoming) -> tuple[str, ...]:
    """Return what stands beside the fields of a record."""
    key = record.key[0] if len(record.key) == 1 else json.dumps(record.key, ensure_ascii=False)
    epoch, number = record.version
    return "D" if record.delete else "U", record.origin, str(epoch), str(number), record.row, key


def pieces(good: Sequence[tuple[Incoming, dict[str, str]]], what: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the octets of the file, a record at a time."""
    columns = list(what.get("columns") or dict.fromkeys(name for _, row in good for name in row))
    codec = _CODECS[what.get("encoding", "gb18030" if what["format"] == "csv" else "utf-8")]
    lines = {"csv": _csv, "ndjson": _ndjson, "xml": _xml}[what["format"]](good, columns, what)
    for number, line in enumerate(lines):
        yield line.encode(codec if number == 0 or codec != "utf-8-sig" else "utf-8")


def _csv(good: Sequence[tuple[Incoming, dict[str, str]]], columns: list[str], what: Mapping[str, Any]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=what.get("separator", ","), lineterminator="\r\n")
    guard = what.get("guard", False)

    def line(row: Sequence[str]) -> str:
        writer.writerow(["'" + cell if guard and cell.startswith(_FORMULA) else cell for cell in row])
        said = out.getvalue()
        out.seek(0)
        out.truncate()
        return said

    if what.get("header", True):
        yield line([*MARKS, *columns])
    for record, row in good:
        yield line([*marks(record), *(row.get(name, "") for name in columns)])


def _ndjson(
    good: Sequence[tuple[Incoming, dict[str, str]]], columns: list[str], what: Mapping[str, Any]
) -> Iterator[str]:
    for record, row in good:
        fields = {name: row[name] for name in columns if name in row} if "columns" in what else dict(record.fields)
        epoch, number = record.version
        beside = dict(zip(MARKS, marks(record))) | {"_epoch": epoch, "_number": number, "_key": record.key}
        yield json.dumps(beside | {"fields": fields}, ensure_ascii=False, default=str) + "\n"


def _xml(good: Sequence[tuple[Incoming, dict[str, str]]], columns: list[str], what: Mapping[str, Any]) -> Iterator[str]:
    encoding = {"gb18030": "GB18030", "gbk": "GBK"}.get(what.get("encoding", ""), "UTF-8")
    yield f'<?xml version="1.0" encoding="{encoding}"?>\n<records>\n'
    for record, row in good:
        beside = " ".join(f"{name[1:]}={quoteattr(text)}" for name, text in zip(MARKS, marks(record)))
        inner = "".join(
            f"<field name={quoteattr(name)}>{_escaped(row[name])}</field>" for name in columns if name in row)
        yield f"<record {beside}>{inner}</record>\n"
    yield "</records>\n"


def _escaped(text: str) -> str:
    return escape(text, {"\r": "&#13;"})
