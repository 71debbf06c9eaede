"""A record on its way: draft, record, head, version, refusal (DESIGN §2).

What is made once for every record is a named tuple: a frozen dataclass sets each field by a call, three times as dear.
An enumeration that stands in keys takes its hash from `str`, to which it is equal: Enum's own is a call of Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from node.model.sentence import Sentence

Twin = Mapping[str, Any]
"""A record's canonical JSON form: members are texts, lists of texts, groups, or lists of groups."""


class Operation(str, Enum):
    """What a record does to the row of its business key."""

    UPSERT = "upsert"
    DELETE = "delete"

    __hash__ = str.__hash__


class Stream(str, Enum):
    """Why a record travels; each stream is a lane of its own."""

    LIVE = "live"
    BACKFILL = "backfill"
    RESUPPLY = "resupply"

    __hash__ = str.__hash__


class Version(NamedTuple):
    """Which of two states of one key is newer: greater wins.  Born at submission, never changed."""

    epoch: int
    n: int


@dataclass(frozen=True, slots=True)
class SpecificationId:
    """One version of one interface, as a manifest names it; `digest` covers the XSD and all it includes."""

    id: str
    version: str
    digest: str

    def __str__(self) -> str:
        return f"{self.id}/{self.version}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that one field broke; says nothing of the field's content."""

    field: str
    rule: str
    says: Sentence
    severity: str = "refuse"


class Draft(NamedTuple):
    """One record as it arrived: nothing is proved of it.

    `form` is `json`, `xml` or `plain`; `tree` is the JSON object's bytes or the parsed twin, the element of an XML
    draft, or the twin that plain XML spells; `problems` are faults already met while parsing (they stand for the whole
    draft).
    """

    index: int  # type: ignore[assignment]  # hides `tuple.index`, which nobody calls
    form: str
    tree: Any
    problems: Sequence[Problem] = ()

    def __repr__(self) -> str:
        return f"Draft({self.index}, {self.form})"


class Record(NamedTuple):
    """A draft that passed its specification; only `node.validate` makes one.

    `index` is its place in its submission, or its leaf in its parcel; `body` is the twin as canonical JSON;
    `row`, `operation`, `happened` (business time as written) and `correlation` are read from it;
    `key` holds the business key's values in the specification's order.
    """

    index: int  # type: ignore[assignment]  # hides `tuple.index`, which nobody calls
    body: bytes
    row: str
    operation: Operation
    happened: str
    key: tuple[str, ...]
    correlation: str | None = None

    def __repr__(self) -> str:
        return f"Record({self.index}, {self.row!r}, {self.operation.value})"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a draft is no record; `row` is its row id if that much could be read."""

    index: int
    row: str | None
    problems: Sequence[Problem]


class Head(NamedTuple):
    """What the exchange adds to a record, and never changes on the way (WIRE §2)."""

    record: str
    row: str
    origin: str
    version: Version
    operation: Operation
    happened: str
    captured: str | None
    admitted: str
    correlation: str | None = None
    ext: Mapping[str, Any] = MappingProxyType({})
