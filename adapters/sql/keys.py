"""Keys of many rows, packed as small as they become without losing one: what is not packed comes out as it went in.

Keys stand in the order in which the source gives them, a part of the key at a time.  Neighbours are alike, so of a
whole number its distance to the one before is kept, and of a text only where it begins to differ from the one before.

| Kind of a part | When all are | Kept as |
|---|---|---|
| `i` | whole numbers | distances |
| `d` | texts of as many decimal digits | whole numbers |
| `u` | UUIDs in small letters | their 16 octets |
| `s` | texts | what is shared, and the rest |
| `j` | anything else a place may hold | JSON |

Rule 1: `unpack(pack(keys)) == keys`, with the types of the values.
Rule 2: octets that `pack` has not written are `Malformed`, and never make more than `most` keys.
"""

from __future__ import annotations

import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os.path import commonprefix
from typing import Any
from uuid import UUID

from adapters.sql.places import Place, read_place, write_place

MOST_OCTETS = 64 << 20
"""Most octets that packed keys may grow to."""

WIDEST = 60
"""Most digits of a text that is kept as a number."""

_LZMA: list[dict[str, Any]] = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 18, "lc": 4, "lp": 0, "pb": 0}]
_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_DIGITS = re.compile("[0-9]+").fullmatch


class Malformed(ValueError):
    """These octets are no packed keys."""


def pack(keys: Sequence[Place]) -> bytes:
    """Return the keys, all of the same number of parts, as few octets."""
    parts = [_packed([key[at] for key in keys]) for at in range(len(keys[0]) if keys else 0)]
    return b"".join((_number(len(keys)), _number(len(parts)), *parts))


def unpack(octets: bytes, most: int) -> list[Place]:
    """Return what `pack` was given; raise Malformed, also for more than `most` keys."""
    source = Octets(octets)
    try:
        count, parts = source.number(), source.number()
        if count > most or parts > len(octets):
            raise Malformed
        columns = [_unpacked(source, count) for _ in range(parts)]
    except (IndexError, KeyError, TypeError, ValueError, OverflowError, RecursionError, zlib.error, lzma.LZMAError):
        raise Malformed from None
    if any(len(column) != count for column in columns) or bool(parts) != bool(count) or source.left():
        raise Malformed
    return list(zip(*columns))


class Octets:
    """Octets that are taken from the start."""

    def __init__(self, octets: bytes) -> None:
        self._octets, self._at = octets, 0

    def number(self) -> int:
        """Take a whole number that is not negative."""
        value = shift = 0
        while True:
            octet = self._octets[self._at]
            self._at += 1
            value |= (octet & 127) << shift
            if octet < 128:
                return value
            shift += 7

    def take(self, count: int) -> bytes:
        """Take so many octets; raise IndexError if there are not so many."""
        taken = self._octets[self._at:self._at + count]
        if len(taken) != count:
            raise IndexError
        self._at += count
        return taken

    def rest(self) -> bytes:
        """Take all that is left."""
        return self.take(len(self._octets) - self._at)

    def left(self) -> bool:
        """Whether there are more."""
        return self._at < len(self._octets)


def _number(value: int) -> bytes:
    if value < 128:
        return bytes((value,))
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def numbers(values: Iterable[int]) -> bytes:
    """Return whole numbers, none negative, as octets; `Octets.number` takes them again."""
    return b"".join(map(_number, values))


def squeeze(octets: bytes) -> bytes:
    """Return octets compressed by what compresses them best, with their length."""
    found = min((b"r" + octets, b"z" + zlib.compress(octets, 9),
                 b"x" + lzma.compress(octets, lzma.FORMAT_RAW, filters=_LZMA)), key=len)
    return _number(len(found)) + found


def unsqueeze(source: Octets) -> Octets:
    """Take what `squeeze` made."""
    octets = source.take(source.number())
    how, rest = octets[:1], octets[1:]
    if how == b"r":
        return Octets(rest)
    opener: Any = zlib.decompressobj() if how == b"z" else lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_LZMA)
    made = opener.decompress(rest, MOST_OCTETS)
    if how == b"z" and not opener.eof or how not in (b"z", b"x"):
        raise Malformed
    return Octets(made)


def _packed(column: Sequence[Any]) -> bytes:
    """Return one part of all keys, as the kind that becomes the smallest."""
    return min((kind.encode() + b"".join(map(squeeze, _PACK[kind](column))) for kind in _kinds(column)), key=len)


def _kinds(column: Sequence[Any]) -> str:
    if all(type(value) is int for value in column):
        return "i"
    if not all(type(value) is str for value in column):
        return "j"
    if all(map(_UUID, column)):
        return "u"
    alike = len(set(map(len, column))) == 1 and len(column[0]) <= WIDEST and all(map(_DIGITS, column))
    return "ds" if alike else "s"


def _unpacked(source: Octets, count: int) -> list[Any]:
    return _UNPACK[source.take(1).decode("ascii")](source, count)


def _distances(column: Sequence[int]) -> Iterator[bytes]:
    before, made = 0, []
    for value in column:
        step = value - before
        made.append(step << 1 if step >= 0 else (-step << 1) - 1)
        before = value
    yield numbers(made)


def _from_distances(source: Octets, count: int) -> list[int]:
    opened, value, made = unsqueeze(source), 0, []
    for _ in range(count):
        step = opened.number()
        value += -(step + 1 >> 1) if step & 1 else step >> 1
        made.append(value)
    return made


def _digits(column: Sequence[str]) -> Iterator[bytes]:
    yield numbers([len(column[0])])
    yield from _distances([int(value) for value in column])


def _from_digits(source: Octets, count: int) -> list[str]:
    width = unsqueeze(source).number()
    if width > WIDEST:
        raise Malformed
    return [f"{value:0{width}}" for value in _from_distances(source, count)]


def _uuids(column: Sequence[str]) -> Iterator[bytes]:
    yield b"".join(UUID(value).bytes for value in column)


def _from_uuids(source: Octets, count: int) -> list[str]:
    opened = unsqueeze(source)
    return [str(UUID(bytes=opened.take(16))) for _ in range(count)]


def _texts(column: Sequence[str]) -> Iterator[bytes]:
    before, shared, rest = "", [], []
    for value in column:
        shared.append(len(commonprefix((before, value))))
        rest.append(value[shared[-1]:].encode("utf-8", "surrogatepass"))
        before = value
    yield numbers(shared)
    yield numbers(map(len, rest))
    yield b"".join(rest)


def _from_texts(source: Octets, count: int) -> list[str]:
    shared, lengths, rest = unsqueeze(source), unsqueeze(source), unsqueeze(source)
    value, made = "", []
    for _ in range(count):
        value = value[:shared.number()] + rest.take(lengths.number()).decode("utf-8", "surrogatepass")
        made.append(value)
    return made


def _json(column: Sequence[Any]) -> Iterator[bytes]:
    said = json.dumps(write_place(tuple(column)), separators=(",", ":")).encode()
    yield numbers([len(said)])
    yield said


def _from_json(source: Octets, count: int) -> list[Any]:
    length, said = unsqueeze(source).number(), unsqueeze(source)
    return list(read_place(json.loads(said.take(length))))


_PACK: Mapping[str, Callable[[Sequence[Any]], Iterator[bytes]]] = {
    "i": _distances, "d": _digits, "u": _uuids, "s": _texts, "j": _json,
}
_UNPACK: Mapping[str, Callable[[Octets, int], list[Any]]] = {
    "i": _from_distances, "d": _from_digits, "u": _from_uuids, "s": _from_texts, "j": _from_json,
}
