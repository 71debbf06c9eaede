"""What stands in the three stores: waiting groups, parcels, lanes, arrivals (DESIGN §3, §5).

What is made once for every submission is a named tuple, for the reason given in `node.model.record`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from node.model.instant import Instant
from node.model.parcel import Lane, Manifest, Position, Stage
from node.model.record import Head, SpecificationId, Stream, Version

GROUP_RECORDS = 1024
GROUP_OCTETS = 1 << 20
"""A group, and so a parcel, is cut at this many records or octets of lines; a parcel takes whole groups."""


class Answer(NamedTuple):
    """What a caller was told about a submission, to be told again byte for byte."""

    submission: str
    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.submission!r}, {self.status})"


class Submission(NamedTuple):
    """One accepted call of the local API: its records hold the versions first … first + count − 1."""

    id: str
    caller: str
    resource: str
    stream: Stream
    first: Version
    count: int  # type: ignore[assignment]  # hides `tuple.count`, which nobody calls
    refused: int
    created: Instant


class Waiting(NamedTuple):
    """Records of one kind for one lane, about to wait: a parcel never mixes specification, purpose or grant.

    `first` is the version of the first line when the records were submitted here (the others follow by one);
    `origins` is canonical JSON of the origin entries of routed records, empty otherwise (WIRE §2); `parcel_records` is
    how many lines may share a group, and so a parcel.
    """

    spec: SpecificationId
    lines: Sequence[bytes]
    admitted: Instant
    first: Version | None = None
    purpose: str = ""
    grant: str = ""
    origins: bytes = b""
    priority: int = 5
    parcel_records: int = GROUP_RECORDS

    def __repr__(self) -> str:
        return f"Waiting({self.spec}, {len(self.lines)} from {self.first})"


@dataclass(frozen=True, slots=True)
class Group:
    """A waiting group read back from the outbox."""

    id: int
    lane: Lane
    spec: SpecificationId
    purpose: str
    grant: str
    lines: Sequence[bytes] = field(repr=False)
    origins: bytes = field(repr=False)
    admitted: Instant


class EntryState(str, Enum):
    """The life of a parcel in the outbox (table: node/spool/states.py)."""

    SEALED = "sealed"
    SENT = "sent"
    ACCEPTED = "accepted"
    DONE = "done"
    PARKED = "parked"
    VOIDED = "voided"


class ArrivalState(str, Enum):
    """The life of a parcel in the inbox (table: node/spool/states.py)."""

    STORED = "stored"
    JUDGED = "judged"
    HELD = "held"
    DONE = "done"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A parcel whose bytes are fixed: a retry sends exactly these.  `secret` is S of WIRE §2."""

    statement: Manifest
    digest: str
    manifest: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """A parcel in the outbox, without its bytes."""

    parcel: str
    lane: Lane
    epoch: int
    seq: int
    digest: str
    envelope: str
    kind: str
    count: int
    octets: int
    state: EntryState
    created: Instant
    sent: Instant | None
    accepted: Instant | None
    finished: Instant | None
    attempts: int
    refused: int
    code: str | None


@dataclass(frozen=True, slots=True)
class LaneState:
    """A sending lane: `head` is the last parcel sealed; `cursor` the seq to send next.

    `base` is the digest its present epoch began after: the `prev` of seq 1.

    `waiting` counts records not yet sealed; `held` is the code of what a person must change; `token` only grows.
    """

    lane: Lane
    priority: int
    head: Position
    base: str
    cursor: int
    waiting: int
    waiting_octets: int
    oldest: Instant | None
    held: str | None
    token: int


@dataclass(frozen=True, slots=True)
class Rest:
    """How long a peer is left alone, and after how many failures."""

    until: Instant = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A verdict mapped home: which of our records was refused, by row id, and why."""

    leaf: int
    row: str
    rule: str
    field: str


@dataclass(frozen=True, slots=True)
class Span:
    """Where part of a submission is: records `first` … are the leaves `leaf` … of `parcel` (None: waiting)."""

    receiver: str
    first: int
    count: int
    leaf: int
    parcel: str | None
    state: EntryState | None


@dataclass(frozen=True, slots=True)
class Received:
    """A parcel that passed admission, about to be stored with its *accepted* receipt."""

    statement: Manifest
    digest: str
    manifest: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    received_at: Instant
    receipt: bytes = field(repr=False)
    validation: str
    archive: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A parcel in the inbox, without its bytes; `supersedes` as its statement says, `validation` as our *accepted*."""

    parcel: str
    lane: Lane
    epoch: int
    seq: int
    digest: str
    envelope: str
    kind: str
    count: int
    octets: int
    state: ArrivalState
    received: Instant
    finished: Instant | None
    refused: int
    code: str | None
    validation: str
    supersedes: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a lane's or an arrival's head; void once a greater token was given for its lane."""

    lane: Lane
    token: int
    parcel: str | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """A receipt of ours, with the encrypted verdict list that travels beside it (empty if none)."""

    parcel: str
    stage: Stage
    statement: bytes = field(repr=False)
    verdicts: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Met:
    """What we last heard of a peer in a verified hello; `since` is when its present boot was first heard.

    `cloned` once an earlier boot spoke after a later one (table: node/spool/boots.py).
    """

    node: str
    epoch: int
    boot: str
    at: Instant
    cloned: bool = False
    since: Instant = 0


class Arriving(NamedTuple):
    """One good record on its way to a sink."""

    leaf: int
    head: Head
    key: tuple[str, ...]
    line: bytes

    def __repr__(self) -> str:
        return f"Arriving({self.leaf}, {self.head.record})"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The good records of one parcel, handed to a sink once; `evidence` proves them against their origin (WIRE §2)."""

    claim: Claim
    parcel: str
    lane: Lane
    spec: SpecificationId
    purpose: str
    records: Sequence[Arriving]
    evidence: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """One delivery as the warehouse's history keeps it, in commit order; `leaves[k]` is the leaf of `lines[k]`."""

    id: int
    resource: str
    parcel: str
    sender: str
    stream: Stream
    spec: SpecificationId
    at: Instant
    leaves: Sequence[int]
    lines: Sequence[bytes] = field(repr=False)
    evidence: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Row:
    """The current state of one business key; `line` is None once it was deleted."""

    origin: str
    version: Version
    line: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One step of one lane in the chain of a store; `head` covers this entry and all before it."""

    lane: Lane
    size: int
    head: str
    step: str
    subject: str
    digest: str
    count: int
    at: Instant
