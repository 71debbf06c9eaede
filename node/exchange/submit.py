"""Submit: validated records become waiting records, and their caller an answer, in one transaction.

Rule 1: the same idempotency key with the same body gets the stored answer; with another body, an error.
Rule 2: record ids and versions are born here, in body order, and never change.
Rule 3: the answer is told only after the unit has committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from node.model import codes
from node.model.ids import uuid7, uuids7
from node.model.instant import Instant, stamp
from node.model.parcel import Lane
from node.model.record import Record, Refusal, SpecificationId, Stream
from node.model.registry import Resource
from node.model.spool import Answer, Submission, Waiting
from node.model.trouble import trouble
from node.ports import Chance, OutboxUnit
from node.validate import join_born


@dataclass(frozen=True, slots=True)
class Supply:
    """One call of the local API after validation: `body` is as received, `records` in body order."""

    caller: str
    key: str
    body: bytes = field(repr=False)
    resource: Resource
    spec: SpecificationId
    stream: Stream
    records: Sequence[Record]
    refusals: Sequence[Refusal]


def submit(unit: OutboxUnit, supply: Supply, domain: str, origin: str, now: Instant, chance: Chance) -> Answer:
    """Return the answer to `supply`: the stored one, or a new one stored with its records.

    Raises Refused(KEY_REUSED) when the idempotency key was used with another body, Hold(SUPERSEDED) on an old copy.
    """
    told = unit.answered(supply.caller, supply.resource.code, supply.key, supply.body)
    if told is not None:
        return told
    if unit.superseded():
        raise trouble(codes.SUPERSEDED)  # the versions an old copy gives out were given out before
    first = unit.allot(supply.resource.code, len(supply.records))
    ids = uuids7(now, chance(10 * len(supply.records)))
    lines = join_born(supply.records, ids, origin, first, stamp(now))
    for receiver in supply.resource.receivers if lines else ():
        lane = Lane(domain, origin, receiver, supply.resource.code, supply.stream)
        unit.wait(lane, Waiting(
            supply.spec, lines, now, first, priority=supply.resource.priority,
            parcel_records=supply.resource.parcel_records,
        ))
    answer = _answer(uuid7(now, chance(10)), supply)
    count, refused = len(supply.records), len(supply.refusals)
    submission = Submission(
        answer.submission, supply.caller, supply.resource.code, supply.stream, first, count, refused, now
    )
    unit.answer(submission, supply.key, supply.body, answer)
    return answer


def _answer(submission: str, supply: Supply) -> Answer:
    refused = [describe(refusal) for refusal in supply.refusals]
    told = {"submission": submission, "accepted": len(supply.records), "refused": refused}
    if supply.records:
        return Answer(submission, 202, orjson.dumps(told))
    nothing = trouble(codes.ALL_REFUSED)
    return Answer(submission, nothing.code.status, orjson.dumps({**nothing.members(), **told}))


def describe(refusal: Refusal) -> dict[str, object]:
    """Return a refusal as callers read it: index, key (the row id), and every problem."""
    problems = [
        {"field": p.field, "rule": p.rule, "zh": p.says.zh, "en": p.says.en, "severity": p.severity}
        for p in refusal.problems
    ]
    return {"index": refusal.index, "key": refusal.row, "problems": problems}
