"""Events of the binary log of MySQL and MariaDB: octets in, events out.

    decoder = Decoder("hukou", "T_HUKOU", checksum=True)
    for octets in packets:
        event = decoder.decode(octets)

Rule 1: nothing here reads or waits; cells are made by `binlog_cells`.
Rule 2: what is none of the format raises Malformed, and nothing else is raised; each event's checksum is held.
Rule 3: what may hold changes of the table in a form not known here is told as Unknown, and never passed over.
Rule 4: of tables that were not asked for nothing is taken apart.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from struct import Struct, error

LONGEST = 64 << 20
"""Most octets of an event, and of what is packed in one."""
COLUMNS = 4096
_HEADER = Struct("<IBIIIH")
_QUERY = Struct("<IIBHH")
_CHECKSUM = 4
_IGNORABLE = 0x80

_KNOWN_BY_HEART = frozenset([
    3, 5, 13, 14, 17, 27, 28, 29, 33, 34, 35, 36, 37, 42, 160, 161, 162, 163, 164])
"""Events that hold no change: stops, variables, marks of transactions, heartbeats, comments."""


class Malformed(ValueError):
    """These octets are no event; the text names the place, never the octets."""


class Kind(Enum):
    """What rows of an event are."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Described:
    """A table as its rows are written: for each column its type, the octets about it, and what else was told."""

    types: bytes
    about: Sequence[bytes]
    names: Sequence[str]
    signs: Sequence[bool]
    charsets: Sequence[int]
    labels: Sequence[Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the table: `before` and `after` are the columns that an image has; `octets` the images, one by one."""

    kind: Kind
    table: Described
    before: Sequence[int]
    after: Sequence[int]
    octets: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """A statement, and the database it was given in."""

    schema: str
    text: str


@dataclass(frozen=True, slots=True)
class Rotate:
    """The log goes on in another file."""

    file: str
    at: int


@dataclass(frozen=True, slots=True)
class Format:
    """A file begins, which was made at this second."""

    made: int


@dataclass(frozen=True, slots=True)
class End:
    """A transaction is over."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A part of a distributed transaction is over, whose outcome is not known yet."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that may hold changes of the table and is not understood."""

    number: int


Event = Rows | Query | Rotate | Format | End | Prepared | Unknown

_ROWS: Mapping[int, tuple[Kind, int]] = {
    23: (Kind.INSERT, 1), 24: (Kind.UPDATE, 1), 25: (Kind.DELETE, 1),
    30: (Kind.INSERT, 2), 31: (Kind.UPDATE, 2), 32: (Kind.DELETE, 2),
    166: (Kind.INSERT, 1), 167: (Kind.UPDATE, 1), 168: (Kind.DELETE, 1),
    169: (Kind.INSERT, 2), 170: (Kind.UPDATE, 2), 171: (Kind.DELETE, 2),
}
_PACKED = frozenset(range(165, 172))
_QUERIES = frozenset([2, 165])
_LOADED, _ROTATE, _FORMAT, _XID, _MAP, _XA, _PARTIAL = 18, 4, 15, 16, 19, 38, 39


class Decoder:
    """Takes events apart in the order of the log, of one table."""

    def __init__(self, schema: str, table: str, checksum: bool) -> None:
        self._wanted = schema, table
        self._checksum = checksum
        self._tables: dict[int, Described | None] = {}
        self._shaped = frozenset(_CHARACTER)
        self.at = 0
        """Where the last event ended in its file; 0 for one that is in no file."""

    def decode(self, octets: bytes) -> Event | None:
        """Return an event, None if nothing in it concerns the table; raise Malformed for what is none."""
        try:
            return self._decode(octets)
        except (error, IndexError, UnicodeDecodeError, zlib.error):
            raise Malformed("an event ends early, or is not written as it should be") from None

    def _decode(self, octets: bytes) -> Event | None:
        _, number, _, size, self.at, flags = _HEADER.unpack_from(octets)
        if size != len(octets) or size > LONGEST:
            raise Malformed("an event of another length than it says")
        checked = self._checksum or number == _FORMAT
        if checked and zlib.crc32(octets[:-_CHECKSUM]) != int.from_bytes(octets[-_CHECKSUM:], "little"):
            raise Malformed("an event whose checksum is wrong")
        body = octets[_HEADER.size:len(octets) - _CHECKSUM if checked else len(octets)]
        if number == _FORMAT:
            self._checksum = body[-1] != 0
            self._shaped = _CHARACTER | {_GEOMETRY} if b"MariaDB" in body[2:52] else _CHARACTER
            self._tables.clear()
            return Format(int.from_bytes(octets[:4], "little"))
        if number == _MAP:
            self._map(body)
            return None
        return self._event(number, flags, body)

    def _event(self, number: int, flags: int, body: bytes) -> Event | None:
        if number in _ROWS:
            return self._rows(number, body)
        if number in _QUERIES or number == _LOADED:
            return _query(number, body)
        if number == _XID:
            return End()
        if number == _ROTATE:
            return Rotate(body[8:].decode(), int.from_bytes(body[:8], "little"))
        if number == _XA:
            return End() if body[0] else Prepared()
        if number == _PARTIAL:
            return Unknown(number) if self._described(body) else None
        return None if number in _KNOWN_BY_HEART or flags & _IGNORABLE else Unknown(number)

    def _described(self, body: bytes) -> Described | None:
        try:
            return self._tables[int.from_bytes(body[:6], "little")]
        except KeyError:
            raise Malformed("rows of a table that was not described") from None

    def _map(self, body: bytes) -> None:
        number, octets = int.from_bytes(body[:6], "little"), _Octets(body, 8)
        name = octets.take(octets.byte()).decode(), octets.skip(1).take(octets.byte()).decode()
        if len(self._tables) > 100_000:
            self._tables.clear()
        self._tables[number] = (
            _described(octets.skip(1), self._shaped) if name == self._wanted else None)

    def _rows(self, number: int, body: bytes) -> Rows | None:
        table = self._described(body)
        if table is None:
            return None
        kind, version = _ROWS[number]
        octets = _Octets(body, 8)
        if version == 2:
            octets.skip(int.from_bytes(octets.take(2), "little") - 2)
        wide = octets.number()
        if wide != len(table.types):
            raise Malformed("rows of another width than their table")
        first = _set(octets.take((wide + 7) // 8), wide)
        second = _set(octets.take((wide + 7) // 8), wide) if kind is Kind.UPDATE else first
        rest = octets.rest()
        return Rows(kind, table, first, second, _unpacked(rest) if number in _PACKED else rest)


class _Octets:
    """The body of an event and how far it has been read."""

    def __init__(self, octets: bytes, at: int = 0) -> None:
        self._octets, self._at = octets, at

    @property
    def left(self) -> int:
        """How many octets are left."""
        return len(self._octets) - self._at

    def take(self, many: int) -> bytes:
        """Return so many octets."""
        end = self._at + many
        if many < 0 or end > len(self._octets):
            raise Malformed("an event ends early")
        found = self._octets[self._at:end]
        self._at = end
        return found

    def skip(self, many: int) -> _Octets:
        """Pass over so many octets."""
        self.take(many)
        return self

    def byte(self) -> int:
        """Return one octet."""
        return self.take(1)[0]

    def number(self) -> int:
        """Return a number in as many octets as it needs."""
        first = self.byte()
        if first < 251:
            return first
        if first not in (252, 253, 254):
            raise Malformed("a number written as none is")
        return int.from_bytes(self.take({252: 2, 253: 3, 254: 8}[first]), "little")

    def numbers(self) -> list[int]:
        """Return the numbers that are left."""
        found = []
        while self.left:
            found.append(self.number())
        return found

    def texts(self) -> list[bytes]:
        """Return the texts that are left."""
        found = []
        while self.left:
            found.append(self.take(self.number()))
        return found

    def rest(self) -> bytes:
        """Return what is left."""
        return self.take(self.left)


def _query(number: int, body: bytes) -> Query:
    _, _, long, _, status = _QUERY.unpack_from(body)
    octets = _Octets(body, _QUERY.size + (13 if number == _LOADED else 0))
    octets.skip(status)
    schema = octets.take(long).decode("utf-8", "replace")
    said = octets.skip(1).rest()
    return Query(schema, (_unpacked(said) if number in _PACKED else said).decode("utf-8", "replace"))


def _unpacked(octets: bytes) -> bytes:
    """Return what MariaDB packed with zlib: a mark, the length in as many octets as the mark says, then the data."""
    wide = octets[0] & 0x07
    long = int.from_bytes(octets[1:1 + wide], "big")
    if octets[0] & 0xF8 != 0x80 or not 0 < wide <= 4 or long > LONGEST:
        raise Malformed("a packed event of an unknown form")
    unpacker = zlib.decompressobj()
    found = unpacker.decompress(octets[1 + wide:], long + 1)
    if len(found) != long or not unpacker.eof:
        raise Malformed("a packed event of another length than it says")
    return found


def _set(bits: bytes, wide: int) -> list[int]:
    """Return the numbers of the bits that are set, the lowest first."""
    return [at for at in range(wide) if bits[at >> 3] >> (at & 7) & 1]


_ABOUT: Mapping[int, int] = {
    4: 1, 5: 1, 15: 2, 16: 2, 17: 1, 18: 1, 19: 1, 245: 1, 246: 2, 247: 2, 248: 2, 252: 1, 253: 2, 254: 2, 255: 1,
    140: 1, 141: 2, 242: 1,
}
"""How many octets are told about a column of a type."""

_NUMERIC = frozenset([1, 2, 3, 4, 5, 8, 9, 13, 246])
_CHARACTER = frozenset([15, 252, 253, 254])
_ENUM, _SETTYPE, _GEOMETRY = 247, 248, 255


def _described(octets: _Octets, shaped: frozenset[int]) -> Described:
    wide = octets.number()
    if wide > COLUMNS:
        raise Malformed("more columns than a table may have")
    told = octets.take(wide)
    inner = _Octets(octets.take(octets.number()))
    about, types = [], bytearray(told)
    for at, kind in enumerate(told):
        one = inner.take(_ABOUT.get(kind, 0))
        if kind == 254 and one[0] in (_ENUM, _SETTYPE):
            types[at] = one[0]
        about.append(one)
    octets.skip((wide + 7) // 8)
    extra = _extra(octets)
    return Described(bytes(types), about, [one.decode() for one in _Octets(extra.get(4, b"")).texts()],
                     _signs(types, extra.get(1, b"")), _charsets(types, extra, shaped), _labels(types, extra))


def _extra(octets: _Octets) -> Mapping[int, bytes]:
    """Return what else is told, by its number."""
    found: dict[int, bytes] = {}
    rest = _Octets(octets.rest())
    while rest.left:
        number = rest.byte()
        found[number] = rest.take(rest.number())
    return found


def _signs(types: Sequence[int], bits: bytes) -> Sequence[bool]:
    """Return for each column whether it is a number without sign."""
    found, numeric = [False] * len(types), [at for at, kind in enumerate(types) if kind in _NUMERIC]
    if bits:
        for number, at in enumerate(numeric):
            found[at] = bool(bits[number >> 3] >> (7 - (number & 7)) & 1)
    return found


def _charsets(types: Sequence[int], extra: Mapping[int, bytes], shaped: frozenset[int]) -> Sequence[int]:
    """Return for each column the number of its collation, 0 where none was told."""
    found = [0] * len(types)
    for standard, single, kinds in ((2, 3, shaped), (10, 11, frozenset([_ENUM, _SETTYPE]))):
        places = [at for at, kind in enumerate(types) if kind in kinds]
        if standard in extra:
            first, *others = _Octets(extra[standard]).numbers()
            apart = dict(zip(others[::2], others[1::2]))
            told = [apart.get(number, first) for number in range(len(places))]
        else:
            told = _Octets(extra.get(single, b"")).numbers()
        for at, number in zip(places, told):
            found[at] = number
    return found


def _labels(types: Sequence[int], extra: Mapping[int, bytes]) -> Sequence[Sequence[bytes]]:
    """Return for each column its words, of those that have any."""
    found: list[Sequence[bytes]] = [()] * len(types)
    for kind, number in ((_SETTYPE, 5), (_ENUM, 6)):
        places = (at for at, one in enumerate(types) if one == kind)
        for at, words in zip(places, _words(_Octets(extra.get(number, b"")))):
            found[at] = words
    return found


def _words(octets: _Octets) -> Iterator[Sequence[bytes]]:
    while octets.left:
        yield [octets.take(octets.number()) for _ in range(min(octets.number(), 1 << 16))]
