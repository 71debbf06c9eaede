"""dBase and FoxPro tables (.dbf), with their memo file (.dbt, .fpt) beside them.

Rule 1: a deleted record is passed over.  A record's line is its number in the table.
Rule 2: text is in the code page that the table names; GBK is read as GB18030.  Of a table that names none, `encoding`
        is asked, else GB18030 is taken.  A declared `encoding` goes first.
Rule 3: the file is read record by record; nothing grows with it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import IO, Any

from adapters.contract import Value
from adapters.files.dbf_memo import Memo
from adapters.files.flaw import UNDECODED, Broken, Flaw, Piece
from adapters.files.source import Source

MEMOS = (".fpt", ".dbt")
_PAGES = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x57: "cp1252", 0x4D: "gb18030", 0x7A: "gb18030", 0x78: "cp950",
    0x4F: "cp950", 0x13: "cp932", 0x7B: "cp932", 0xC8: "cp1250", 0xC9: "cp1251",
}
_FOXPRO = (0x30, 0x31, 0x32)
_NULLS = "0"
_DELETED = b"*"
_MONTH = 12


@dataclass(frozen=True, slots=True)
class Field:
    """One column: where it lies in a record, and which bits of the column of nulls are its own (-1: none)."""

    name: str
    kind: str
    begin: int
    end: int
    decimals: int
    short: int
    null: int


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the records."""

    version: int
    records: int
    begin: int
    length: int
    page: int
    fields: tuple[Field, ...]


def rows(source: Source, form: Mapping[str, Any], at: int, line: int) -> Iterator[Piece]:
    """Yield the rows behind the first `at` records."""
    with source.seekable() as file:
        head = read_head(file, form)
        charset = _charset(head, form)
        with Memo.open(source.beside(MEMOS), any(_is_memo(head, one) for one in head.fields)) as memo:
            file.seek(head.begin + at * head.length)
            for number in range(at + 1, head.records + 1):
                record = file.read(head.length)
                if len(record) < head.length:
                    raise Broken("表不完整", "the table is cut off", number)
                if record[:1] != _DELETED:
                    yield Piece(number, number + 1, number, _row(head, record, memo, charset))


def _charset(head: Head, form: Mapping[str, Any]) -> str:
    said: str = form.get("encoding", "auto")
    if said != "auto":
        return "utf-8" if said == "utf-8" else "gb18030"
    return _PAGES.get(head.page, "gb18030")


def read_head(file: IO[bytes], form: Mapping[str, Any]) -> Head:
    """Return what the head of a table says; raise Broken if it cannot be."""
    octets = file.read(32)
    if len(octets) < 32:
        raise Broken("不是dbf文件", "it is no dbf file")
    version = octets[0]
    records, begin, length = struct.unpack_from("<IHH", octets, 4)
    if not 32 < begin or not length:
        raise Broken("不是dbf文件", "it is no dbf file")
    fields = _fields(file.read(begin - 32), version, form)
    if not fields or fields[-1].end != length:
        raise Broken("dbf文件头与记录长度不符", "the head of the dbf file does not agree with its records")
    return Head(version, records, begin, length, octets[29], tuple(fields))


def _fields(octets: bytes, version: int, form: Mapping[str, Any]) -> list[Field]:
    found: list[Field] = []
    begin, bits = 1, 0
    for at in range(0, len(octets) - 31, 32):
        if octets[at] == 0x0D:
            break
        kind, size, decimals, flags = chr(octets[at + 11]), octets[at + 16], octets[at + 17], octets[at + 18]
        if kind == "C" and version not in _FOXPRO:
            size, decimals = size + 256 * decimals, 0
        short = null = -1
        if version in _FOXPRO:
            if kind in "VQ":
                short, bits = bits, bits + 1
            if flags & 2:
                null, bits = bits, bits + 1
        found.append(Field(_name(octets[at:at + 11]), kind, begin, begin + size, decimals, short, null))
        begin += size
    names = [one.name for one in found]
    if len(set(names)) < len(names) or not all(names):
        raise Broken("dbf文件的列名不可用", "the names of the dbf file's columns cannot be used")
    if lacking := [one for one in form.get("columns", ()) if one not in names]:
        raise Broken(f"缺少列{'、'.join(lacking)}", f"the file lacks {', '.join(lacking)}")
    return found


def _name(octets: bytes) -> str:
    try:
        return octets.partition(b"\0")[0].decode("gb18030").strip()
    except UnicodeDecodeError:
        raise Broken("dbf文件的列名不可用", "the names of the dbf file's columns cannot be used") from None


def _is_memo(head: Head, field: Field) -> bool:
    return field.kind == "M" or field.kind == "B" and head.version not in _FOXPRO


def _row(head: Head, record: bytes, memo: Memo, charset: str) -> dict[str, Value] | Flaw:
    nulls = next((int.from_bytes(record[one.begin:one.end], "little") for one in head.fields if one.kind == _NULLS), 0)
    row: dict[str, Value] = {}
    for one in head.fields:
        if one.kind in _NULLS + "GP":  # the bits of nulls; OLE objects and pictures, which are no rows
            continue
        cell = record[one.begin:one.end]
        try:
            if one.null >= 0 and nulls >> one.null & 1:
                row[one.name] = None
            elif _is_memo(head, one):
                row[one.name] = memo.text(cell, charset)
            elif one.short >= 0 and nulls >> one.short & 1:
                row[one.name] = _cell(one, cell[:min(cell[-1], len(cell) - 1)], charset)
            else:
                row[one.name] = _cell(one, cell, charset)
        except UnicodeDecodeError:
            return Flaw(one.name, *UNDECODED)
        except (ValueError, InvalidOperation, OverflowError, struct.error):
            return Flaw(one.name, "内容不合列的类型", "the content is not of the column's type")
    return row


def _cell(field: Field, cell: bytes, charset: str) -> Value:
    if field.kind in "CV":
        return cell.decode(charset).rstrip(" \0") if cell.strip(b" \0") else ""
    read = _KINDS.get(field.kind)
    if read is None:
        raise ValueError
    value: Value = read(cell, field)
    return value


def _number(cell: bytes, field: Field) -> Value:
    text = cell.strip(b" \0").decode("ascii")
    if not text or text == ".":
        return None
    if not text.replace("_", "x").lstrip("+-").replace(".", "", 1).replace("E", "").replace("e", "").replace(
            "+", "").replace("-", "").isdigit():
        raise ValueError
    value = Decimal(text)
    return int(value) if field.decimals == 0 and value == value.to_integral_value() else value


def _date(cell: bytes, field: Field) -> Value:
    text = cell.strip(b" \0").decode("ascii")
    if not text or not text.strip("0"):
        return None
    if len(text) != 8 or not text.isdigit():
        raise ValueError
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _truth(cell: bytes, field: Field) -> Value:
    said = cell.upper()
    if said in (b"T", b"Y"):
        return True
    if said in (b"F", b"N"):
        return False
    if said in (b"?", b" ", b"\0"):
        return None
    raise ValueError


def _moment(cell: bytes, field: Field) -> Value:
    if not cell.strip(b" \0"):
        return None
    day, milliseconds = struct.unpack("<II", cell)
    return datetime.fromordinal(day - _JULIAN) + timedelta(milliseconds=milliseconds)


_JULIAN = 1721425
"""The day's number of Julian count that comes before 0001-01-01, so that ordinals begin at 1."""

_KINDS: Mapping[str, Any] = {
    "N": _number, "F": _number, "D": _date, "L": _truth, "T": _moment, "@": _moment,
    "I": lambda cell, field: struct.unpack("<i", cell)[0],
    "+": lambda cell, field: struct.unpack("<i", cell)[0],
    "Y": lambda cell, field: Decimal(struct.unpack("<q", cell)[0]).scaleb(-4),
    "B": lambda cell, field: struct.unpack("<d", cell)[0],
    "O": lambda cell, field: struct.unpack("<d", cell)[0],
    "Q": lambda cell, field: cell,
}
