"""Fate: what became of a submission, to the final verdicts, in the source's own row ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from node.model.spool import EntryState, Span, Submission
from node.ports import OutboxUnit

_WORDS = {
    None: "waiting",
    EntryState.SEALED: "sealed",
    EntryState.SENT: "sent",
    EntryState.ACCEPTED: "accepted",
    EntryState.DONE: "processed",
    EntryState.PARKED: "refused",
    EntryState.VOIDED: "voided",
}
_FINAL = (EntryState.DONE, EntryState.PARKED, EntryState.VOIDED)  # records of a lost epoch wait again, and are not void


def fate(unit: OutboxUnit, id: str, caller: str | None) -> dict[str, Any] | None:
    """Return a submission's fate as members; None for one that is unknown, or another caller's (None: any caller).

    `receivers` has, for each receiver, how many records stand in which state, and each refused record by `key`.
    """
    found = unit.submission(id)
    if found is None or caller not in (None, found[0].caller):
        return None
    submission, answer = found
    told = json.loads(answer.body)
    spans = unit.spans(submission)
    receivers = {span.receiver for span in spans}
    return {
        "submission": id,
        "resource": submission.resource,
        "stream": submission.stream.value,
        "accepted": submission.count,
        "refused": told.get("refused", []),
        "versions": _versions(submission),
        "receivers": {name: _at(unit, name, spans) for name in sorted(receivers)},
        # What is nowhere any more was finished and forgotten by retention: nothing else is ever forgotten (O6).
        "final": all(span.state in _FINAL for span in spans),
    }


def _versions(submission: Submission) -> list[list[int]]:
    first = submission.first
    return [[first.epoch, first.n], [first.epoch, first.n + submission.count - 1]] if submission.count else []


def _at(unit: OutboxUnit, receiver: str, spans: Sequence[Span]) -> dict[str, Any]:
    states: dict[str, int] = {}
    refused: list[dict[str, str]] = []
    parcels: list[str] = []
    for span in spans:
        if span.receiver != receiver:
            continue
        states[_WORDS[span.state]] = states.get(_WORDS[span.state], 0) + span.count
        if span.parcel is None:
            continue
        if span.parcel not in parcels:
            parcels.append(span.parcel)
        refused += [
            {"key": one.row, "rule": one.rule, "field": one.field}
            for one in unit.refused(span.parcel)
            if span.leaf <= one.leaf < span.leaf + span.count
        ]
    return {"states": states, "parcels": parcels, "refused": refused}
