"""A parcel and its signed statements: manifest, receipt, probe, collect (WIRE §1 to §5).

All digests and roots are lower-case hex of SM3; all times are `Instant`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from node.model.instant import Instant
from node.model.record import SpecificationId, Stream

NOTHING = "0" * 64
"""The digest before the first parcel of a lane, and the head of an empty checkpoint."""


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a statement; `cert` is SM3 of the DER of its signing (sender) or encryption (receiver) certificate."""

    org: str
    node: str
    cert: str


class Lane(NamedTuple):
    """Order, chain and reconciliation are per lane."""

    domain: str
    sender: str
    receiver: str
    resource: str
    stream: Stream


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parcel stands in its lane: `seq` starts at 1 in each epoch, `prev` is the parcel digest before it."""

    epoch: int
    seq: int
    prev: str


@dataclass(frozen=True, slots=True)
class Position:
    """The head of a lane: the last (epoch, seq) and the statement digest that stands there."""

    epoch: int
    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """The EnvelopedData octets a manifest speaks of."""

    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A full or snapshot set told in several parcels."""

    id: str
    part: int
    last: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """The signed statement of a parcel (WIRE §2)."""

    domain: str
    sender: Party
    receiver: Party
    parcel: str
    kind: str
    resource: str
    stream: Stream
    spec: SpecificationId
    place: Place
    created: Instant
    priority: int
    leaf: str
    count: int
    root: str
    envelope: Envelope
    bind: str
    expires: Instant | None = None
    supersedes: str | None = None
    via: Sequence[str] = ()
    batch: Batch | None = None
    ext: Mapping[str, Any] = field(default_factory=dict)
    crit: Sequence[str] = ()

    @property
    def lane(self) -> Lane:
        """The lane this parcel travels in."""
        return Lane(self.domain, self.sender.node, self.receiver.node, self.resource, self.stream)


class Stage(str, Enum):
    """What a receipt says of its parcel; knowledge only grows in this order."""

    ACCEPTED = "accepted"
    PROCESSED = "processed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How much of the issuer's ledger its last checkpoint covers."""

    size: int = 0
    head: str = NOTHING


@dataclass(frozen=True, slots=True)
class VerdictList:
    """Names the encrypted list that travels beside a *processed* receipt with refusals."""

    envelope: str
    list: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A signed statement about one parcel; it belongs to no lane and causes no receipt (WIRE §4).

    `counts` holds `applied`, `older` and `refused` of a processed parcel.
    """

    domain: str
    sender: Party
    receiver: Party
    stage: Stage
    parcel: str
    digest: str
    envelope: str
    epoch: int
    seq: int
    received_at: Instant
    checkpoint: Checkpoint
    validation: str
    code: str | None = None
    counts: Mapping[str, int] | None = None
    verdicts: VerdictList | None = None
    ext: Mapping[str, Any] = field(default_factory=dict)
    crit: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LaneHead:
    """One lane in a probe: the sender's last *accepted* head, or the receiver's head."""

    sender: str
    receiver: str
    resource: str
    stream: Stream
    epoch: int
    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What each side of a hello signs (WIRE §3)."""

    domain: str
    sender: Party
    receiver: Party
    epoch: int
    boot: str
    time: Instant
    lanes: Sequence[LaneHead]
    ext: Mapping[str, Any] = field(default_factory=dict)
    crit: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Collect:
    """A node asks for what waits for it (WIRE §5)."""

    domain: str
    sender: Party
    receiver: Party
    epoch: int
    boot: str
    time: Instant
    ext: Mapping[str, Any] = field(default_factory=dict)
    crit: Sequence[str] = ()


class Outcome(str, Enum):
    """What a receiver decided about one record."""

    APPLIED = "applied"
    OLDER = "older"
    REFUSED = "refused"


class Verdict(NamedTuple):
    """The receiver's word on the record at leaf `index`; `rule` and `field` only of a refused one."""

    index: int  # type: ignore[assignment]  # hides `tuple.index`, which nobody calls
    outcome: Outcome
    rule: str = ""
    field: str = ""
