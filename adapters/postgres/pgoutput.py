"""What PostgreSQL's own plugin `pgoutput` writes of changes, protocol version 1: octets in, messages out.

    decoder = Decoder("public", "t_hukou")
    for octets in messages:
        match decoder.decode(octets):
            case Change(relation, old, new): ...
            case Commit(end): ...

Rule 1: nothing here reads, waits or converts; a cell is the octets as they came, None, UNCHANGED or CUT.
Rule 2: what does not fit the protocol to its last octet raises Malformed, whatever it is, and nothing else is raised.
Rule 3: of tables that were not asked for nothing is taken apart, and nothing kept but that they are another's.
Rule 4: of a message that was `cut` to its beginning the cells behind the cut are CUT.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from struct import Struct, error

RELATIONS = 100_000
"""Most tables of one log."""

_OID = Struct(">I")
_COUNT = Struct(">H")
_BEGIN = Struct(">QqI")
_COMMIT = Struct(">BQQq")
_TRUNCATE = Struct(">IB")
_ATTRIBUTE = Struct(">Ii")
_LONGEST_NAME = 1024
_FOREIGN = frozenset(b"OYM")
"""Origin, Type and Message: nothing in them is needed."""


class Malformed(ValueError):
    """These octets are not what the protocol says; the text names the place, never the octets."""


class Absent(Enum):
    """A cell that the log does not hold."""

    UNCHANGED = "unchanged"
    """A large value which this change left as it was."""
    CUT = "cut"
    """It stood behind the length at which the message was cut."""


UNCHANGED, CUT = Absent.UNCHANGED, Absent.CUT

Cell = bytes | None | Absent
Cells = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column as it was when the row was written; `key` if the replica identity holds it, `kind` the type's number."""

    name: str
    key: bool
    kind: int


@dataclass(frozen=True, slots=True)
class Relation:
    """The table asked for, as it was when the rows behind this message were written."""

    number: int
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction begins whose commit was written at this place of the log."""

    at: int


@dataclass(frozen=True, slots=True)
class Commit:
    """It ends; the log goes on at this place."""

    end: int


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the table: `old` alone is a delete, `new` alone an insert or an update that left its identity alone.

    Cells of `old` that are no part of the identity are None unless `full`; `insert` if the row was not there before.
    """

    relation: Relation
    old: Cells | None
    new: Cells | None
    full: bool = False
    insert: bool = False


@dataclass(frozen=True, slots=True)
class Truncate:
    """The table was emptied."""


Message = Begin | Commit | Relation | Change | Truncate


class Decoder:
    """Takes messages apart in the order of the log, of one table."""

    def __init__(self, schema: str, table: str) -> None:
        self._wanted = schema, table
        self._relations: dict[int, Relation | None] = {}

    def decode(self, octets: bytes, cut: bool = False) -> Message | None:
        """Return a message, None if it is none of this table's; raise Malformed for what is none at all."""
        try:
            return self._decode(_Octets(octets, cut))
        except (error, UnicodeDecodeError):
            raise Malformed("a message ends early, or a name is no text") from None

    def _decode(self, octets: _Octets) -> Message | None:
        kind = octets.byte()
        if kind in b"IUD":
            return self._change(kind, octets)
        if kind in _FOREIGN:
            return None
        said: Message | None
        if kind == 0x42:  # B
            said = Begin(octets.take(_BEGIN)[0])
        elif kind == 0x43:  # C
            said = Commit(octets.take(_COMMIT)[2])
        elif kind == 0x52:  # R
            said = self._relation(octets)
        elif kind == 0x54:  # T
            said = self._truncate(octets)
        else:
            raise Malformed("a message of an unknown kind")
        octets.end()
        return said

    def _relation(self, octets: _Octets) -> Relation | None:
        (number,) = octets.take(_OID)
        name = octets.text(), octets.text()
        octets.byte()
        (wide,) = octets.take(_COUNT)
        attributes = tuple(_attribute(octets) for _ in range(wide))
        found = Relation(number, attributes) if name == self._wanted else None
        if number not in self._relations and len(self._relations) >= RELATIONS:
            raise Malformed("more tables than a log may have")
        self._relations[number] = found
        return found

    def _known(self, number: int) -> Relation | None:
        try:
            return self._relations[number]
        except KeyError:
            raise Malformed("a table that was not described") from None

    def _truncate(self, octets: _Octets) -> Truncate | None:
        many, _ = octets.take(_TRUNCATE)
        if many * 4 != octets.left:
            raise Malformed("a list of tables of another length")
        named = [self._known(octets.take(_OID)[0]) for _ in range(many)]
        return Truncate() if any(named) else None

    def _change(self, kind: int, octets: _Octets) -> Change | None:
        relation = self._known(octets.take(_OID)[0])
        if relation is None:
            return None
        old: Cells | None = None
        mark = octets.byte()
        full = mark == 0x4F  # O
        wide = len(relation.attributes)
        if mark in b"KO":
            if kind == 0x49:
                raise Malformed("an insert with an old row")
            old = octets.cells(wide)
            if kind == 0x44:
                octets.end()
                return Change(relation, old, None, full)
            if octets.is_cut:
                return Change(relation, old, (CUT,) * wide, full)
            mark = octets.byte()
        if mark != 0x4E or kind == 0x44:  # N
            raise Malformed("a row marked as none is")
        new = octets.cells(wide)
        octets.end()
        return Change(relation, old, new, full, kind == 0x49)


class _Octets:
    """A message and how far it has been read."""

    def __init__(self, octets: bytes, cut: bool) -> None:
        self._octets, self._at, self._cut = octets, 0, cut

    @property
    def left(self) -> int:
        """How many octets are left."""
        return len(self._octets) - self._at

    @property
    def is_cut(self) -> bool:
        """Whether this is the end of what was kept of a message, and not of the message."""
        return self._cut and not self.left

    def take(self, shape: Struct) -> tuple[int, ...]:
        """Return numbers of this shape."""
        found = shape.unpack_from(self._octets, self._at)
        self._at += shape.size
        return found

    def byte(self) -> int:
        """Return one octet."""
        if not self.left:
            raise Malformed("a message ends early")
        self._at += 1
        return self._octets[self._at - 1]

    def text(self) -> str:
        """Return a name, which ends with a zero."""
        end = self._octets.find(0, self._at, self._at + _LONGEST_NAME)
        if end < 0:
            raise Malformed("a name without end")
        found = self._octets[self._at:end].decode()
        self._at = end + 1
        return found

    def cells(self, wide: int) -> Cells:
        """Return a row of so many cells."""
        if self._cut and self.left < _COUNT.size:
            self._at = len(self._octets)
            return (CUT,) * wide
        if self.take(_COUNT)[0] != wide:
            raise Malformed("a row of another width than its table")
        octets, at, end = self._octets, self._at, len(self._octets)
        found: list[Cell] = []
        for _ in range(wide):
            mark = octets[at] if at < end else 0
            if mark == 0x74 and at + 5 <= end:  # t
                begin = at + 5
                at = begin + int.from_bytes(octets[at + 1:begin], "big")
                found.append(octets[begin:at] if at <= end else CUT)
            elif mark == 0x6E or mark == 0x75:  # n, u
                at += 1
                found.append(None if mark == 0x6E else UNCHANGED)
            elif self._cut and (mark == 0x74 or at >= end):
                at = end + 1
                found.append(CUT)
            else:
                raise Malformed("a cell marked as none is, or without its length")
        if at > end and not self._cut:
            raise Malformed("a cell longer than its message")
        self._at = min(at, end)
        return tuple(found)

    def end(self) -> None:
        """Hold that nothing is left."""
        if self.left:
            raise Malformed("a message goes on behind its end")


def _attribute(octets: _Octets) -> Attribute:
    key = bool(octets.byte() & 1)
    name = octets.text()
    kind, _ = octets.take(_ATTRIBUTE)
    return Attribute(name, key, kind)
