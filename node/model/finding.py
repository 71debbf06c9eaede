"""Findings (核对发现): what the records of one case say together that they should not; nothing was refused for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from node.model.instant import Instant
from node.model.record import SpecificationId


class RowName(NamedTuple):
    """What a finding says of a record: whose row it is, and never what it holds."""

    resource: str
    origin: str
    row: str


class Reference(NamedTuple):
    """A record that is named by its business key: of which interface, and the key's only value."""

    interface: str
    key: str

    def __repr__(self) -> str:
        return f"Reference({self.interface})"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a case broke: `rows` are the first records concerned, `count` how many there were.

    It is *waiting* from `seen` on, may yet be cured unnoticed, is *open* from `opened` on, told once, and is `closed`
    when the cause is gone.  `id` 0 is one not kept yet.
    """

    id: int
    rule: str
    correlation: str
    rows: tuple[RowName, ...]
    count: int
    seen: Instant
    opened: Instant | None = None
    closed: Instant | None = None


class CaseDue(NamedTuple):
    """A case to be looked at: the digest of its correlation, and the block that changed it last."""

    digest: bytes
    block: int


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A current record of a case; `id` is its cursor."""

    id: int
    resource: str
    spec: SpecificationId
    line: bytes = field(repr=False)
