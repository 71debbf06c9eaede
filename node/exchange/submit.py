"""Submit: validated records become waiting records, and their caller an answer, in one transaction.

Rule 1: the same idempotency key with the same body gets the stored answer; with another body, an error.
Rule 2: record ids and versions are born here, in body order, and never change.
Rule 3: the answer is told only after the unit has committed.
Rule 4: calls submitted together get what each would get alone; what has a fixed price is paid once for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import orjson

from node.model import codes
from node.model.ids import uuids7
from node.model.instant import Instant, stamp
from node.model.parcel import Lane
from node.model.record import Record, Refusal, SpecificationId, Stream, Version
from node.model.registry import Resource
from node.model.spool import Answer, Submission, Waiting
from node.model.trouble import Trouble, trouble
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


class Submitted(NamedTuple):
    """What became of a supply: its answer, or why it gets none; `new` if it was stored now, and is no replay."""

    answer: Answer | Trouble
    new: bool


def submit(unit: OutboxUnit, supply: Supply, domain: str, origin: str, now: Instant, chance: Chance) -> Answer:
    """Return the answer to `supply`: the stored one, or a new one stored with its records.

    Raises Refused(KEY_REUSED) when the idempotency key was used with another body, Hold(SUPERSEDED) on an old copy.
    """
    answer, _ = submit_all(unit, (supply,), domain, origin, now, chance)[0]
    if isinstance(answer, Trouble):
        raise answer
    return answer


def submit_all(
    unit: OutboxUnit, supplies: Sequence[Supply], domain: str, origin: str, now: Instant, chance: Chance
) -> list[Submitted]:
    """Return what becomes of each supply; KEY_REUSED is told to the one it concerns.

    Raises what concerns more than one (SUPERSEDED; KEY_RUNNING for a key that comes twice), or comes to light when
    records are written: then the unit is to be rolled back, and each supply is to be submitted alone.
    """
    known = [_known(unit, supply) for supply in supplies]
    fresh = [supply for supply, told in zip(supplies, known, strict=True) if told is None]
    if fresh and unit.superseded():
        raise trouble(codes.SUPERSEDED)  # the versions an old copy gives out were given out before
    if len({(one.caller, one.resource.code, one.key) for one in fresh}) < len(fresh):
        raise trouble(codes.KEY_RUNNING)
    # Only neighbours are stored together: versions are given out in the order of the calls.
    stored = (
        Submitted(answer, True) for _, alike in groupby(fresh, _kind)
        for answer in _store(unit, list(alike), domain, origin, now, chance)
    )
    return [told or next(stored) for told in known]


def _kind(supply: Supply) -> tuple[str, str, Stream]:
    return supply.resource.code, supply.spec.digest, supply.stream


def _known(unit: OutboxUnit, supply: Supply) -> Submitted | None:
    try:
        answer = unit.answered(supply.caller, supply.resource.code, supply.key, supply.body)
    except Trouble as why:
        return Submitted(why, False)
    return None if answer is None else Submitted(answer, False)


def _store(
    unit: OutboxUnit, supplies: Sequence[Supply], domain: str, origin: str, now: Instant, chance: Chance
) -> list[Answer]:
    """Store new supplies of one resource, specification and stream; return their answers."""
    _, _, _, resource, spec, stream, _, _ = supplies[0]
    records = [record for supply in supplies for record in supply.records]
    first = unit.allot(resource.code, len(records))
    ids = uuids7(now, chance(10 * (len(supplies) + len(records))))
    lines = join_born(records, ids[len(supplies):], origin, first, stamp(now))
    put(unit, lines, resource, spec, stream, first, domain, origin, now)
    answers = []
    epoch, n = first
    for id, (caller, key, body, _, _, _, given, refusals) in zip(ids, supplies):
        count = len(given)
        answer = answered(id, count, refusals)
        submission = Submission(id, caller, resource.code, stream, Version(epoch, n), count, len(refusals), now)
        unit.answer(submission, key, body, answer)
        answers.append(answer)
        n += count
    return answers


def put(
    unit: OutboxUnit, lines: Sequence[bytes], resource: Resource, spec: SpecificationId, stream: Stream,
    first: Version, domain: str, origin: str, now: Instant,
) -> None:
    """Let lines that were born here wait for every receiver of their resource; `first` is the version of the first."""
    for receiver in resource.receivers if lines else ():
        waiting = Waiting(spec, lines, now, first, priority=resource.priority, parcel_records=resource.parcel_records)
        unit.wait(Lane(domain, origin, receiver, resource.code, stream), waiting)


def answered(submission: str, accepted: int, refusals: Sequence[Refusal]) -> Answer:
    """Return what is told of a submission: how many were accepted, and every refusal."""
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
