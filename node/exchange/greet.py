"""Greet: two nodes say who they are, which epoch and boot speaks, and where each lane stands (WIRE §3 "Hello").

Rule 1: per lane the sender tells the last head it holds an *accepted* for, the receiver its head.
Rule 2: what a lane does next is the table of `node.spool.alignment`.
Rule 3: an epoch below one already seen is superseded; a boot that speaks again after a later one is a clone: both stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.envelope import read_probe, write
from node.exchange.authority import attest, ourselves, party, recognise
from node.exchange.means import Means
from node.model import codes
from node.model.instant import Instant
from node.model.parcel import Lane, LaneHead, Position, Probe
from node.model.registry import Peer
from node.model.spool import Claim, LaneState, Met
from node.model.trouble import Code, Trouble, trouble
from node.ports import InboxUnit, OutboxUnit
from node.spool.alignment import START, Course, course, next_epoch

FOR_PEOPLE = frozenset({codes.SUPERSEDED.name, codes.FORK.name, codes.HELD.name})
_OF_OLD_COPIES = frozenset({codes.SUPERSEDED.name, codes.CLONED.name, codes.FORK.name})
"""Why a lane is held until a person has looked."""


@dataclass(frozen=True, slots=True)
class Life:
    """Which life of this node speaks."""

    epoch: int
    boot: str


def sending(unit: OutboxUnit, peer: str) -> tuple[Life, list[LaneHead]]:
    """Return our life, and the last accepted head of each lane to `peer`."""
    heads = [_head(state.lane, unit.accepted(state.lane) or START) for state in unit.lanes(peer)]
    return Life(unit.epoch(), unit.boot()), heads


def receiving(unit: InboxUnit, peer: str) -> list[LaneHead]:
    """Return the head of each lane from `peer`."""
    return [_head(lane, position) for lane, position in unit.heads(peer)]


def _head(lane: Lane, at: Position) -> LaneHead:
    return LaneHead(lane.sender, lane.receiver, lane.resource, lane.stream, at.epoch, at.seq, at.digest)


def probe(peer: Peer, life: Life, lanes: Sequence[LaneHead], means: Means, now: Instant) -> bytes:
    """Return our signed probe to `peer`."""
    said = Probe(means.identity.domain, ourselves(means), party(peer), life.epoch, life.boot, now, tuple(lanes))
    return write(said, means.identity.signing, means.identity.sign)


def listen(statement: bytes, means: Means, channel: str | None, now: Instant) -> Probe:
    """Return a peer's probe found good; raise Refused, or Hold: certificates, CLOCK."""
    said = attest(recognise(read_probe(statement, means.crypto), means, channel), means, now).statement
    if abs(said.time - now) > means.skew:
        raise trouble(codes.CLOCK)
    return said


def meet(unit: InboxUnit, node: str, epoch: int, boot: str, now: Instant) -> Met:
    """Note the epoch and boot a peer's good statement bears; a clone is noted, and told by `cloned`.

    Raises Hold(SUPERSEDED) for an epoch below the one already seen.
    """
    before = unit.met(node)
    if before is not None and epoch < before.epoch:
        raise trouble(codes.SUPERSEDED)
    return unit.meet(node, epoch, boot, now)


def give_up(unit: InboxUnit, peer: str, epoch: int) -> list[Lane]:
    """Let forked lanes from a peer go on whose head is of an epoch below the one its good hello tells.

    It gave the other branch up; and it may have nothing more to send that would say so lane by lane.
    """
    found = [
        lane for lane, head in unit.heads(peer) if head.epoch < epoch and unit.held(lane) == codes.FORK.name
    ]
    for lane in found:
        unit.hold_lane(lane, None)
    return found


def cloned(met: Met) -> Trouble | None:
    """Return what a peer that runs twice is told, by us to either copy."""
    return trouble(codes.CLONED, peer=met.node) if met.cloned else None


def release(unit: OutboxUnit, peer: str | None = None) -> None:
    """Let held lanes, all or those to one peer, try again: if the cause is still there they are held again.

    What a person stopped, and what found out that we are an old copy, stays held.
    """
    for state in unit.lanes(peer):
        if state.held and state.held not in FOR_PEOPLE:
            unit.hold(state.lane, None)


def stop(unit: OutboxUnit, peer: str, code: Code) -> None:
    """Hold every lane to a peer that told us that we are an old copy, or one of two; an older hold stands."""
    if code is codes.SUPERSEDED:
        unit.supersede()
    for state in unit.lanes(peer):
        if state.held is None:
            unit.hold(state.lane, code.name)


@dataclass(frozen=True, slots=True)
class Aligned:
    """What a hello changed in our sending lanes; `superseded` lanes are held: we are an old copy."""

    rewound: Sequence[Lane] = ()
    reopened: Sequence[Lane] = ()
    superseded: Sequence[Lane] = ()


def align(unit: OutboxUnit, said: Probe, now: Instant, lease: Instant, upstream: bool = True) -> Aligned:
    """Bring our lanes to the peer in line with its heads; a lane another worker holds waits for the next hello.

    `upstream` says whether it is a peer we connect to.  The word of such a one that we are an old copy stops the
    whole node; of one that connects to us it holds the lanes to it alone, or any department could stop the centre.
    """
    theirs = {
        (head.resource, head.stream): Position(head.epoch, head.seq, head.digest)
        for head in said.lanes
        if head.receiver == said.sender.node and head.sender == said.receiver.node
    }
    taken: dict[Course, list[Lane]] = {each: [] for each in Course}
    for state in unit.lanes(said.sender.node):
        there = theirs.get((state.lane.resource, state.lane.stream), START)
        taken[steer(unit, state, there, now, lease, upstream=upstream)].append(state.lane)
    taken[Course.SUPERSEDED] += _never_ours(unit, said) if upstream else []
    return Aligned(taken[Course.REWIND], taken[Course.REOPEN], taken[Course.SUPERSEDED])


def _never_ours(unit: OutboxUnit, said: Probe) -> list[Lane]:
    """Return the lanes of this node epoch that the peer has parcels of and we never had: we are an old copy."""
    found = [
        Lane(said.domain, head.sender, head.receiver, head.resource, head.stream) for head in said.lanes
        if head.receiver == said.sender.node and head.sender == said.receiver.node and head.epoch >= unit.epoch()
    ]
    strange = [lane for lane in found if unit.lane(lane) is None]
    if strange:
        unit.supersede()
    return strange


def steer(
    unit: OutboxUnit,
    state: LaneState,
    there: Position,
    now: Instant,
    lease: Instant,
    purged: bool = False,
    upstream: bool = True,
) -> Course:
    """Bring one lane in line with the head its receiver told; return what was done (`upstream`: see `align`).

    `purged`: it took a place of ours and has forgotten the receipt, so only a new epoch goes on (WIRE §3).
    """
    # A parcel that was sealed again may have been taken all the same: its receipt is to come.
    sealed = unit.stood(state.lane, there)
    at = there.digest if sealed else unit.digest_at(state.lane, there.epoch, there.seq)
    chosen = course(state, unit.epoch(), unit.accepted(state.lane), there, at)
    if (purged or _broken(unit, state.lane, there)) and chosen is not Course.SUPERSEDED:
        chosen = Course.REOPEN
    if chosen is Course.LEVEL:
        return chosen
    if chosen is Course.SUPERSEDED:
        if upstream:
            unit.supersede()
        unit.hold(state.lane, codes.SUPERSEDED.name)
        return chosen
    claim = unit.claim(state.lane, now, lease)
    if claim is None:
        return Course.LEVEL
    done = _turn(unit, claim, state, there, chosen, now)
    unit.release(claim)
    return done


def _broken(unit: OutboxUnit, lane: Lane, there: Position) -> bool:
    """Return whether the head is of one statement for its place, and we hold an *accepted* for another of that place.

    The receiver ran twice, or was restored in between, and each took one: no chain goes on from both.
    """
    taken, at = unit.accepted(lane), unit.digest_at(lane, there.epoch, there.seq)
    reached = taken is not None and (taken.epoch, taken.seq) >= (there.epoch, there.seq)
    return reached and at not in (None, there.digest) and unit.stood(lane, there)


def _turn(unit: OutboxUnit, claim: Claim, state: LaneState, there: Position, chosen: Course, now: Instant) -> Course:
    if chosen is Course.REWIND:
        try:
            unit.rewind(claim, there)
            return chosen
        except Trouble as refusal:
            if refusal.code is not codes.PURGED:
                raise
    unit.reopen(claim, next_epoch(state, unit.epoch(), there), there, now)
    if unit.epoch() > state.head.epoch and state.held in _OF_OLD_COPIES:
        unit.hold(state.lane, None)  # restored by a person since: we are the one copy again
    return Course.REOPEN
