"""Things to keep in stores: lanes, waiting records, parcels, deliveries; nothing in them is really signed or sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import count

from node.model.ids import uuid7
from node.model.parcel import NOTHING, Envelope, Lane, Manifest, Party, Place, Position
from node.model.record import Head, Operation, SpecificationId, Stream, Version
from node.model.spool import (
    GROUP_RECORDS,
    Answer,
    Arriving,
    Claim,
    Delivery,
    Group,
    LaneState,
    Received,
    Sealed,
    Submission,
    Waiting,
)
from node.ports import OutboxUnit

T0 = 1_760_000_000_000
"""The instant at which most tests begin."""

DOMAIN, HERE, THERE, ELSEWHERE = "test", "dept-a", "centre", "dept-b"
LANE = Lane(DOMAIN, HERE, THERE, "population", Stream.LIVE)
BACKFILL = LANE._replace(stream=Stream.BACKFILL)
OTHER = LANE._replace(receiver=ELSEWHERE)
INCOMING = Lane(DOMAIN, THERE, HERE, "population", Stream.LIVE)
SPEC = SpecificationId("population-basic", "1.0", "ab" * 32)
NEXT_SPEC = SpecificationId("population-basic", "1.1", "cd" * 32)

_numbers = count(1)


def fresh_id(at: int = T0) -> str:
    """Return a new UUIDv7; later ones are greater."""
    number = next(_numbers)
    return uuid7(at, (number << 16).to_bytes(10, "big")[2:] + b"\0\0")


def digest(text: object) -> str:
    """Return 64 hex digits that stand for `text`."""
    return sha256(str(text).encode()).hexdigest()


def lines(number: int, of: str = "line") -> list[bytes]:
    """Return some lines, all different."""
    return [f'{{"body":{{"n":"{n}"}},"head":{{"of":"{of}"}}}}'.encode() for n in range(number)]


def waiting(of: Sequence[bytes], first: Version | None = None, at: int = T0, spec: SpecificationId = SPEC) -> Waiting:
    """Return lines about to wait."""
    return Waiting(spec, of, at, first)


def supply(
    unit: OutboxUnit, number: int = 1, lane: Lane = LANE, *, at: int = T0, key: str | None = None,
    caller: str = "app", parcel_records: int = GROUP_RECORDS,
) -> Submission:
    """Submit records as the local API does; return the submission."""
    first = unit.allot(lane.resource, number)
    unit.wait(lane, waiting(lines(number, f"v{first.n}"), first, at)._replace(parcel_records=parcel_records))
    submission = Submission(fresh_id(at), caller, lane.resource, lane.stream, first, number, 0, at)
    unit.answer(submission, key or submission.id, b"body", Answer(submission.id, 202, b"{}"))
    return submission


def sealed(
    state: LaneState, groups: Sequence[Group] = (), *, kind: str = "records", at: int = T0,
    instead_of: str | None = None, place: Place | None = None,
) -> Sealed:
    """Return a parcel for the lane's next place, or for the place of the parcel whose digest is given."""
    parcel = fresh_id(at)
    payload = b"payload of " + parcel.encode()
    number = sum(len(group.lines) for group in groups)
    if place is None:
        place = Place(state.head.epoch, state.head.seq + 1, state.head.digest)
    statement = Manifest(
        state.lane.domain, Party("1" * 18, state.lane.sender, digest("sign")),
        Party("2" * 18, state.lane.receiver, digest("encrypt")), parcel, kind, state.lane.resource, state.lane.stream,
        SPEC, place, at, state.priority, "exn.leaf.1", number, digest(("root", parcel)),
        Envelope(len(payload), digest(payload)), digest(("bind", parcel)), supersedes=instead_of,
    )
    return Sealed(statement, digest(parcel), b"manifest of " + parcel.encode(), payload, b"S" * 32)


def received(
    seq: int, prev: str = NOTHING, lane: Lane = INCOMING, *, epoch: int = 7, at: int = T0, priority: int = 5
) -> Received:
    """Return a parcel found good, about to be stored."""
    state = LaneState(lane, priority, Position(epoch, seq - 1, prev), NOTHING, 1, 0, 0, None, None, 0)
    made = sealed(state, at=at)
    statement = replace(made.statement, count=3)
    return Received(
        statement, made.digest, made.manifest, made.payload, at, b"receipt of " + made.digest.encode(),
        digest("archive"), b"archive",
    )


def arriving(
    leaf: int, n: int, key: str, row: str | None = None, operation: Operation = Operation.UPSERT, origin: str = HERE
) -> Arriving:
    """Return a good record: version n of a business key, from a row of the same name unless said otherwise."""
    head = Head(
        fresh_id(), row or f"row-{key}", origin, Version(7, n), operation, "2026-01-01T00:00:00+08:00", None,
        "2026-01-01T00:00:00.000Z",
    )
    return Arriving(leaf, head, (key, "x"), f'{{"body":{{"key":"{key}","n":"{n}"}}}}'.encode())


def delivery(records: Sequence[Arriving], *, token: int = 1, lane: Lane = LANE, parcel: str | None = None) -> Delivery:
    """Return the good records of one parcel."""
    parcel = parcel or fresh_id()
    return Delivery(Claim(lane, token, parcel), parcel, lane, SPEC, "", records, b"evidence of " + parcel.encode())
