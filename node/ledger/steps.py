"""The steps an account tells of (DESIGN §8.5, issue 2).

Rule 1: a step is noted in the transaction of its act, once.
Rule 2: what only a store sees, the store notes itself: SUPPLIED (per waiting group: many submissions may share one),
    VOIDED (`replace`, `reopen`), DISCARDED (`discard`), REISSUED (`reissue`), FORKED (`fork`) and DELIVERED (the
    warehouse's `apply`).
Rule 3: everything else is noted by the verb that did it.
Rule 4: a step is never renamed; who did it may follow a colon (`discarded:NAME`).
"""

from __future__ import annotations

SUPPLIED = "supplied"  # records wait in the outbox; the subject is the group, `group_subject`
ACCEPTED = "accepted"  # a parcel is on the receiver's disk: noted by both ends, each in its own store
PROCESSED = "processed"  # the receiver's final word, with verdicts
REFUSED = "refused"  # the receiver's final word: never as it stands
DELIVERED = "delivered"  # a sink has taken the good records
VOIDED = "voided"  # a sealed parcel was given up, or sealed again
DISCARDED = "discarded"  # a named person threw a parked parcel away
REISSUED = "reissued"  # a receipt of ours was signed anew, its key was revoked
FORKED = "forked"  # a second parcel claimed a taken place

STEPS = frozenset({SUPPLIED, ACCEPTED, PROCESSED, REFUSED, DELIVERED, VOIDED, DISCARDED, REISSUED, FORKED})


def by(step: str, who: str) -> str:
    """Return the step as done by a named person."""
    return f"{step}:{who}"


def known(step: str) -> bool:
    """Return whether `step` is one of ours, with or without a name behind it."""
    return step.partition(":")[0] in STEPS


def group_subject(group: int) -> str:
    """Return the subject of a waiting group, which is neither a submission nor a parcel."""
    return f"group-{group}"
