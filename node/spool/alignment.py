"""Where a sending lane goes on after its receiver told its head (WIRE §3 "Hello"); rules, no store.

Rule 1: a node epoch above the lane's own means that we were restored: the lane opens a new epoch after their head.
Rule 2: their head below what they accepted from us is a lost tail: it is sent again while it is kept.
Rule 3: their head above ours, or another digest at a place of ours, means that we are an old copy: we stop.
"""

from __future__ import annotations

from enum import Enum

from node.model.parcel import NOTHING, Position
from node.model.spool import LaneState

START = Position(0, 0, NOTHING)
"""The head of a lane that has taken nothing yet."""


class Course(Enum):
    """What the lane does."""

    LEVEL = "level"
    REWIND = "rewind"
    REOPEN = "reopen"
    SUPERSEDED = "superseded"


def course(ours: LaneState, node_epoch: int, accepted: Position | None, theirs: Position, there: str | None) -> Course:
    """Return the course of a lane; `there` is the digest we sealed at the place of their head, None if not kept."""
    epoch = ours.head.epoch
    if node_epoch > max(epoch, theirs.epoch):
        return Course.REOPEN
    if theirs.epoch > epoch:
        return Course.SUPERSEDED
    taken = accepted.seq if accepted is not None and accepted.epoch == epoch else 0
    if theirs.epoch == epoch:
        if theirs.seq > ours.head.seq or (there is not None and there != theirs.digest):
            return Course.SUPERSEDED
        return Course.REWIND if theirs.seq < taken else Course.LEVEL
    if ours.base != theirs.digest:
        return Course.REOPEN
    return Course.REWIND if taken else Course.LEVEL


def next_epoch(ours: LaneState, node_epoch: int, theirs: Position) -> int:
    """Return the epoch a fork opens: above every one either end has seen, never below the node's."""
    return max(node_epoch, ours.head.epoch + 1, theirs.epoch + 1)
