"""Submit: validated records become waiting records, and their caller an answer, in one transaction.

Rule 1: the same idempotency key with the same body gets the stored answer; with another body, an error.
Rule 2: record ids and versions are born here, in body order, and never change.
Rule 3: the answer is told only after the unit has committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from node.model import codes
from node.model.ids import uuids7
from node.model.instant import Instant, stamp
from node.model.parcel import Lane
from node.model.record import Record, Refusal, SpecificationId, Stream
from node.model.registry import Resource
from node.model.spool import Answer, Submission, Waiting
from node.model.trouble import trouble
from node.ports import Chance, OutboxUnit
from node.validate import join_born


class Supply(NamedTuple):
    """One call of the local API after validation: `body` is as received, `records` in body order."""

    caller: str
    key: str
    body: bytes
    resource: Resource
    spec: SpecificationId
    stream: Stream
    records: Sequence[Record]
    refusals: Sequence[Refusal]

    def __repr__(self) -> str:
        return f"Supply({self.resource.code}, {len(self.records)} records)"


def submit(unit: OutboxUnit, supply: Supply, domain: str, origin: str, now: Instant, chance: Chance) -> Answer:
    """Return the answer to `supply`: the stored one, or a new one stored with its records.

    Raises Refused(KEY_REUSED) when the idempotency key was used with another body, Hold(SUPERSEDED) on an old copy.
    """
    caller, key, body, resource, spec, stream, records, refusals = supply
    told = unit.answered(caller, resource.code, key, body)
    if told is not None:
        return told
    if unit.superseded():
        raise trouble(codes.SUPERSEDED)  # the versions an old copy gives out were given out before
    count = len(records)
    first = unit.allot(resource.code, count)
    id, *ids = uuids7(now, chance(10 * (1 + count)))
    lines = join_born(records, ids, origin, first, stamp(now))
    for receiver in resource.receivers if lines else ():
        waiting = Waiting(
            spec, lines, now, first, priority=resource.priority, parcel_records=resource.parcel_records
        )
        unit.wait(Lane(domain, origin, receiver, resource.code, stream), waiting)
    answer = _answer(id, count, refusals)
    unit.answer(Submission(id, caller, resource.code, stream, first, count, len(refusals), now), key, body, answer)
    return answer


def _answer(submission: str, accepted: int, refusals: Sequence[Refusal]) -> Answer:
    refused = [describe(refusal) for refusal in refusals]
    told = {"submission": submission, "accepted": accepted, "refused": refused}
    if accepted:
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
