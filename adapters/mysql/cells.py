"""Cells of rows in the binary log of MySQL and MariaDB, made into what PyMySQL gives of a row that is selected.

Rule 1: a cell of which it is not certain that both would be the same (a charset that is not known here, JSON, a packed
        text) is DOUBT; whoever reads then selects the row.
Rule 2: a date that is none (`0000-00-00`, `2019-02-30`) is the text that the server writes.
Rule 3: dates and times are made of their texts by the very converters that the connection has for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from struct import Struct, error
from typing import Any

from adapters.mysql.binlog import Described, Malformed


class Doubt(Enum):
    """A cell that is to be selected."""

    DOUBT = "doubt"


DOUBT = Doubt.DOUBT

Read = Callable[[bytes, int], tuple[Any, int]]
"""Takes octets and where a cell begins; returns the cell, and where it ends."""

Local = Callable[[int], str]
"""Makes of seconds since 1970 what the clock of the server said, as `2019-02-28 09:30:00`."""

Converters = Mapping[int, Callable[[str], Any]]
"""What a driver makes of a text, by the number of its column's type."""

CODECS: Mapping[str, str] = {
    "utf8mb4": "utf-8", "utf8mb3": "utf-8", "utf8": "utf-8", "gbk": "gbk", "gb2312": "gb2312", "gb18030": "gb18030",
    "big5": "big5", "latin1": "cp1252", "ascii": "ascii", "ucs2": "utf-16-be", "utf16": "utf-16-be",
    "utf16le": "utf-16-le", "utf32": "utf-32-be",
}
"""Python's names of charsets; texts of others are selected."""

_BINARY = 63
_WHOLE: Mapping[int, int] = {1: 1, 2: 2, 9: 3, 3: 4, 8: 8}
_FLOAT, _DOUBLE = Struct("<f"), Struct("<d")
_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
"""How many octets so many digits take."""


class Cells:
    """How the cells of one table are read: `charsets` are names by the numbers of collations, `scales` decimals."""

    def __init__(
        self, table: Described, charsets: Mapping[int, str], scales: Mapping[str, int | None], local: Local,
        converters: Converters,
    ) -> None:
        self._charsets, self._scales, self._local, self._converters = charsets, scales, local, converters
        self.read: Sequence[Read] = [self._reader(table, at) for at in range(len(table.types))]

    def row(self, octets: bytes, at: int, present: Sequence[int]) -> tuple[dict[int, Any], int]:
        """Return the cells of an image by the numbers of their columns, and where it ends; raise Malformed."""
        if not present:
            raise Malformed("a row of no octets, of which there may be any number")
        try:
            nulls = octets[at:at + (len(present) + 7) // 8]
            at += len(nulls)
            found: dict[int, Any] = {}
            for number, column in enumerate(present):
                if nulls[number >> 3] >> (number & 7) & 1:
                    found[column] = None
                else:
                    found[column], at = self.read[column](octets, at)
        except (error, IndexError, ValueError, OverflowError):
            raise Malformed("a row is not written as its table says") from None
        if at > len(octets):
            raise Malformed("a row ends early")
        return found, at

    def _reader(self, table: Described, at: int) -> Read:
        kind, about = table.types[at], table.about[at]
        if kind in _WHOLE:
            return _whole(_WHOLE[kind], not table.signs[at])
        if kind in (4, 5):
            scale = self._scales.get(table.names[at]) if at < len(table.names) else None
            return _floating(kind, scale)
        if kind in (15, 252, 253, 254):
            return self._text(kind, about, table.charsets[at])
        if kind in (247, 248):
            return self._label(kind, about[1], table.labels[at], self._codec(table.charsets[at]))
        if kind == 246:
            return _decimal(about[0], about[1])
        if kind in _MOMENTS:
            public, made = _MOMENTS[kind]
            return _converted(made(about, self._local), self._converters.get(public, str))
        if kind == 13:
            return lambda octets, at: (octets[at] + 1900 if octets[at] else 0, at + 1)
        return _other(kind, about)

    def _codec(self, number: int) -> str | None:
        return CODECS.get(self._charsets.get(number, ""))

    def _text(self, kind: int, about: bytes, collation: int) -> Read:
        wide, pad = _lengths(kind, about)
        if collation == _BINARY:
            return lambda octets, at: _padded(_long(octets, at, wide), pad)
        codec = self._codec(collation)

        def read(octets: bytes, at: int) -> tuple[Any, int]:
            found, end = _long(octets, at, wide)
            return _decoded(found, codec), end

        return read

    def _label(self, kind: int, size: int, labels: Sequence[bytes], codec: str | None) -> Read:
        words = [_decoded(one, codec) for one in labels]
        doubtful = any(one is DOUBT for one in words)

        def read(octets: bytes, at: int) -> tuple[Any, int]:
            number = int.from_bytes(octets[at:at + size], "little")
            if doubtful or not words:
                return DOUBT, at + size
            if kind == 247:
                return words[number - 1] if number else "", at + size
            return ",".join(word for place, word in enumerate(words) if number >> place & 1), at + size

        return read


def _whole(size: int, signed: bool) -> Read:
    def read(octets: bytes, at: int) -> tuple[Any, int]:
        return int.from_bytes(octets[at:at + size], "little", signed=signed), at + size

    return read


def _floating(kind: int, scale: int | None) -> Read:
    shape = _FLOAT if kind == 4 else _DOUBLE

    def read(octets: bytes, at: int) -> tuple[Any, int]:
        (found,) = shape.unpack_from(octets, at)
        if scale is not None:
            return round(found, scale), at + shape.size
        return float(f"{found:.6g}") if kind == 4 else found, at + shape.size

    return read


def _lengths(kind: int, about: bytes) -> tuple[int, int]:
    """Return in how many octets a text's length is written, and to what length octets are filled up."""
    if kind == 252:
        return about[0], 0
    if kind == 15:
        return (2 if int.from_bytes(about, "little") > 255 else 1), 0
    most = ((about[0] & 0x30 ^ 0x30) << 4) + about[1]
    return (2 if most > 255 else 1), most


def _long(octets: bytes, at: int, wide: int) -> tuple[bytes, int]:
    begin = at + wide
    end = begin + int.from_bytes(octets[at:begin], "little")
    if end > len(octets):
        raise ValueError
    return octets[begin:end], end


def _padded(found: tuple[bytes, int], pad: int) -> tuple[bytes, int]:
    return found[0].ljust(pad, b"\0"), found[1]


def _decoded(octets: bytes, codec: str | None) -> Any:
    if codec is None:
        return DOUBT
    try:
        return octets.decode(codec)
    except UnicodeDecodeError:
        return DOUBT


def _decimal(precision: int, scale: int) -> Read:
    whole, part = divmod(precision - scale, 9), divmod(scale, 9)
    sizes = [*([(_DIGITS[whole[1]], whole[1])] if whole[1] else []), *[(4, 9)] * whole[0]]
    behind = [*[(4, 9)] * part[0], *([(_DIGITS[part[1]], part[1])] if part[1] else [])]
    size = sum(one for one, _ in (*sizes, *behind))

    def read(octets: bytes, at: int) -> tuple[Any, int]:
        found = bytearray(octets[at:at + size])
        minus = not found[0] & 0x80
        found[0] ^= 0x80
        if minus:
            found = bytearray(one ^ 0xFF for one in found)
        digits, place = [], 0
        for wide, many in (*sizes, *behind):
            digits.append(str(int.from_bytes(found[place:place + wide], "big")).zfill(many))
            place += wide
        text = "".join(digits[:len(sizes)]) or "0"
        fraction = "".join(digits[len(sizes):])
        return Decimal(f"{'-' if minus else ''}{text}{'.' + fraction if fraction else ''}"), at + size

    return read


def _millionths(octets: bytes, at: int, digits: int) -> tuple[int, int]:
    size = (digits + 1) // 2
    return int.from_bytes(octets[at:at + size], "big") * 100 ** (3 - size), at + size


def _converted(read: Read, convert: Callable[[str], Any]) -> Read:
    def converted(octets: bytes, at: int) -> tuple[Any, int]:
        found, end = read(octets, at)
        return convert(found), end

    return converted


def _fraction(millionths: int, digits: int) -> str:
    return f".{millionths:06}"[:digits + 1] if digits else ""


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _day(about: bytes, local: Local) -> Read:
    def read(octets: bytes, at: int) -> tuple[Any, int]:
        packed = int.from_bytes(octets[at:at + 3], "little")
        return f"{packed >> 9:04}-{packed >> 5 & 15:02}-{packed & 31:02}", at + 3

    return read


def _datetime(about: bytes, local: Local) -> Read:
    digits = about[0]

    def read(octets: bytes, at: int) -> tuple[Any, int]:
        packed = int.from_bytes(octets[at:at + 5], "big") - (1 << 39)
        millionths, end = _millionths(octets, at + 5, digits)
        year, month = divmod(packed >> 22, 13)
        clock = f"{packed >> 12 & 31:02}:{packed >> 6 & 63:02}:{packed & 63:02}{_fraction(millionths, digits)}"
        return f"{year:04}-{month:02}-{packed >> 17 & 31:02} {clock}", end

    return read


def _old_datetime(about: bytes, local: Local) -> Read:
    def read(octets: bytes, at: int) -> tuple[Any, int]:
        said = f"{int.from_bytes(octets[at:at + 8], 'little'):014}"
        return f"{said[:4]}-{said[4:6]}-{said[6:8]} {said[8:10]}:{said[10:12]}:{said[12:]}", at + 8

    return read


def _timestamp(about: bytes, local: Local) -> Read:
    digits = about[0]

    def read(octets: bytes, at: int) -> tuple[Any, int]:
        millionths, end = _millionths(octets, at + 4, digits)
        return _said(local, int.from_bytes(octets[at:at + 4], "big")) + _fraction(millionths, digits), end

    return read


def _old_timestamp(about: bytes, local: Local) -> Read:
    return lambda octets, at: (_said(local, int.from_bytes(octets[at:at + 4], "little")), at + 4)


def _said(local: Local, seconds: int) -> str:
    return local(seconds) if seconds else "0000-00-00 00:00:00"


def _time(about: bytes, local: Local) -> Read:
    digits, size = about[0], 3 + (about[0] + 1) // 2

    def read(octets: bytes, at: int) -> tuple[Any, int]:
        packed = int.from_bytes(octets[at:at + size], "big") - (1 << size * 8 - 1)
        minus, packed = "-" if packed < 0 else "", abs(packed)
        clock, rest = packed >> (size - 3) * 8, packed & (1 << (size - 3) * 8) - 1
        seconds = (clock >> 12) * 3600 + (clock >> 6 & 63) * 60 + (clock & 63)
        return minus + _clock(seconds) + _fraction(rest * 100 ** (6 - size), digits), at + size

    return read


def _old_time(about: bytes, local: Local) -> Read:
    def read(octets: bytes, at: int) -> tuple[Any, int]:
        found = int.from_bytes(octets[at:at + 3], "little", signed=True)
        minus, clock = "-" if found < 0 else "", abs(found)
        return f"{minus}{clock // 10_000:02}:{clock // 100 % 100:02}:{clock % 100:02}", at + 3

    return read


_MOMENTS: Mapping[int, tuple[int, Callable[[bytes, Local], Read]]] = {
    7: (7, _old_timestamp), 10: (10, _day), 11: (11, _old_time), 12: (12, _old_datetime), 17: (7, _timestamp),
    18: (12, _datetime), 19: (11, _time),
}
"""Of each type in the log: its number where a row is selected, and how it is read."""


def _other(kind: int, about: bytes) -> Read:
    if kind == 16:  # BIT
        size = about[1] + (about[0] > 0)
        return lambda octets, at: (octets[at:at + size], at + size)
    if kind == 255:  # GEOMETRY
        return lambda octets, at: _long(octets, at, about[0])
    if kind in (245, 140, 242):  # JSON, a packed text, a vector: which text it is, the server says
        return lambda octets, at: (DOUBT, _long(octets, at, about[0])[1])
    if kind == 141:
        return lambda octets, at: (DOUBT, _long(octets, at, 2 if int.from_bytes(about, "little") > 255 else 1)[1])
    raise Malformed("a column of an unknown type")
