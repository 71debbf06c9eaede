"""Seal: a lane that may send gets the parcel at its cursor, or seals what waits into one (DESIGN §3).

    take ─► Outgoing (its bytes are fixed)      or      take ─► Drawn ─close─► Sealed ─keep─► Outgoing
    look ─► groups ─prepare─► Ahead             what `take` uses if those groups still come next

Rule 1: seq and prev are the lane's next place, saved with the parcel before the first byte leaves.
Rule 2: a retry sends the identical bytes; only a certificate that changed since makes a new statement (supersedes).
Rule 3: nothing leaves without a grant valid at that moment.
Rule 4: `keep` needs the newest claim of the lane.
Rule 5: what was prepared ahead claims nothing and promises nothing: it is a payload in memory, used only if the same
        groups are drawn for the same parties, and under a grant valid then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from node.envelope import (
    Address,
    Origin,
    Packed,
    ParcelDraft,
    Said,
    Signer,
    pack,
    read_origins,
    reseal,
    seal,
    sign,
    void,
)
from node.exchange.authority import ourselves, party
from node.exchange.means import Means
from node.model import codes
from node.model.ids import uuid7
from node.model.instant import Instant
from node.model.parcel import Lane, Manifest, Place, Position
from node.model.registry import Peer
from node.model.spool import GROUP_RECORDS, Claim, Entry, EntryState, Group, LaneState, Sealed
from node.model.trouble import trouble
from node.ports import OutboxUnit
from node.spool.alignment import next_epoch


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A parcel ready to leave, under a claim of its lane."""

    claim: Claim
    entry: Entry
    manifest: bytes = field(repr=False)
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ahead:
    """The payload of waiting groups, packed while the parcel before them is on its way."""

    groups: Sequence[Group] = field(repr=False)
    packed: Packed = field(repr=False)

    def fits(self, front: Sequence[int], peer: Peer, means: Means) -> bool:
        """Return whether these groups are the lane's front, and the payload's parties are those of now."""
        address = self.packed.address
        ids = [group.id for group in self.groups]
        return list(front[: len(ids)]) == ids and (address.sender, address.receiver) == (ourselves(means), party(peer))


@dataclass(frozen=True, slots=True)
class Drawn:
    """Waiting groups about to be sealed at `place`; `replaced` is the unaccepted entry they are sealed again for.

    `root` is the digest of the first parcel sealed at this place, which every later one supersedes: the receiver may
    have any of them.  `void` is the statement whose place a void takes: it was given up, there is nothing to seal.
    """

    claim: Claim
    lane: LaneState
    groups: Sequence[Group]
    place: Place
    replaced: Entry | None = None
    root: str = ""
    void: Manifest | None = None
    ahead: Packed | None = field(default=None, repr=False)

    @property
    def octets(self) -> int:
        """The size of the lines that are still to be packed."""
        return 0 if self.ahead else sum(len(line) for group in self.groups for line in group.lines)


def receiver_of(lane: Lane, means: Means) -> Peer:
    """Return the peer a lane leads to; raise Hold: UNREGISTERED, SUSPENDED."""
    peer = means.registry.peer(lane.receiver)
    if peer is None:
        raise trouble(codes.UNREGISTERED)
    if peer.suspended:
        raise trouble(codes.SUSPENDED, peer=peer.node)
    return peer


def take(
    unit: OutboxUnit, lane: Lane, means: Means, now: Instant, lease: Instant, ahead: Ahead | None = None
) -> Outgoing | Drawn | None:
    """Claim the lane and return what it may send next; None when another has it or nothing waits.

    `ahead` is what was prepared for this moment; it is used if it still fits.

    Raises Hold before the claim: UNREGISTERED, SUSPENDED, GRANT.
    """
    peer = receiver_of(lane, means)
    state = unit.lane(lane)
    if state is None or state.held or unit.superseded() or state.head.epoch < unit.epoch():
        return None  # the last: restored, and the peer's head is not known yet; the next hello opens the lane anew
    entry = unit.due(lane)
    if entry is not None:
        return _again(unit, state, entry, peer, means, now, lease)
    most = parcel_records(lane, means)
    ready = ahead is not None and ahead.fits(unit.front(lane, most), peer, means)
    groups = ahead.groups if ahead is not None and ready else unit.draw(lane, most)
    _granted(groups, means, now)
    claim = unit.claim(lane, now, lease) if groups else None
    if claim is None:
        return None
    packed = ahead.packed if ahead is not None and ready else None
    place = Place(state.head.epoch, state.head.seq + 1, state.head.digest)
    return Drawn(claim, state, groups, place, ahead=packed)


def parcel_records(lane: Lane, means: Means) -> int:
    """Return how many records a parcel of this lane may hold."""
    resource = means.registry.resource(lane.resource)
    return resource.parcel_records if resource else GROUP_RECORDS


def look(unit: OutboxUnit, lane: Lane, means: Means, least: int) -> Sequence[Group]:
    """Return the groups that come next if `least` octets of lines wait already, else none; nothing is claimed."""
    state = unit.lane(lane)
    if state is None or state.held or state.waiting_octets < least:
        return ()
    return unit.draw(lane, parcel_records(lane, means))


def prepare(groups: Sequence[Group], means: Means, now: Instant) -> Ahead:
    """Return the payload of groups that come next, packed; no store is touched.

    Raises Hold as `close` does, and UNREGISTERED, SUSPENDED.
    """
    peer = receiver_of(groups[0].lane, means)
    means.trust.check(peer.encryption, now)
    address = Address(
        uuid7(now, means.chance(10)), ourselves(means), party(peer), groups[0].lane.resource, groups[0].spec
    )
    lines, said = _contents(groups)
    return Ahead(groups, pack(address, lines, said, [peer.encryption], means.crypto, means.chance))


def _again(
    unit: OutboxUnit, state: LaneState, entry: Entry, peer: Peer, means: Means, now: Instant, lease: Instant
) -> Outgoing | Drawn | None:
    """Claim the lane for the entry at its cursor: as it is, sealed again, or with a void in its place."""
    if entry.state is EntryState.PARKED:
        return None
    given_up = entry.kind == "void" or entry.state is EntryState.VOIDED
    groups = () if given_up else unit.groups(entry.parcel)
    _granted(groups, means, now)
    sealed = unit.sealed(entry.parcel)
    claim = unit.claim(state.lane, now, lease)
    if claim is None:
        return None
    said = sealed.statement
    # What was refused because its key is lost, and is lost now itself, nobody could take as it is: it is left out.
    moot = not (groups or given_up or entry.code == codes.OPEN.name)
    fits = (said.sender, said.receiver) == (ourselves(means), party(peer)) or moot
    if not fits and entry.accepted is not None:
        _open_anew(unit, claim, state, said.place, now)
        return None
    if fits and entry.state is not EntryState.VOIDED:
        return Outgoing(claim, entry, sealed.manifest, sealed.payload)
    return Drawn(claim, state, groups, said.place, entry, _root(said, entry), said if given_up else None)


def _open_anew(unit: OutboxUnit, claim: Claim, state: LaneState, first: Place, now: Instant) -> None:
    """Let what the peer accepted and lost wait again, in a new epoch that begins where the first of it stood.

    Its place was taken once, so nothing can supersede it there; and under the certificates of then, ended since, a
    restored peer would not take it again.
    """
    there = Position(first.epoch, first.seq - 1, first.prev)
    unit.reopen(claim, next_epoch(state, unit.epoch(), there), there, now)
    unit.release(claim)


def _root(said: Manifest, entry: Entry) -> str:
    return said.supersedes or entry.digest


def _granted(groups: Sequence[Group], means: Means, now: Instant) -> None:
    """Raise Hold(GRANT) unless every grant the groups were put under is valid now."""
    names = {group.grant for group in groups if group.grant}
    valid = {grant.name for grant in means.registry.grants() if now < grant.until} if names else set()
    for name in sorted(names - valid):
        raise trouble(codes.GRANT, grant=name)


def close(drawn: Drawn, means: Means, now: Instant) -> Sealed:
    """Return the groups sealed into one parcel; no store is touched.

    Raises Hold (CERT_CHAIN, CERT_TIME, CERT_REVOKED, CRL_MISSING): nothing is sealed to a certificate gone bad.
    """
    peer = receiver_of(drawn.lane.lane, means)
    means.trust.check(peer.encryption, now)
    if drawn.void is not None and drawn.replaced is not None:
        return _void(drawn.void, drawn.replaced, peer, means, now)
    draft = _draft(drawn, drawn.groups[0], peer, means, now)
    signer = Signer(means.identity.signing, means.identity.sign)
    if drawn.ahead is not None:
        return sign(draft, drawn.ahead, signer, means.crypto)
    lines, said = _contents(drawn.groups)
    recipients = [peer.encryption]
    if drawn.replaced is not None:
        return reseal(draft, drawn.root, lines, said, signer, recipients, means.crypto, means.chance)
    return seal(draft, lines, said, signer, recipients, means.crypto, means.chance)


def _contents(groups: Sequence[Group]) -> tuple[list[bytes], Said]:
    """Return the lines of groups of one kind, and what their payload says beside them."""
    origins: list[Origin] = [entry for group in groups for entry in read_origins(group.origins)]
    said = Said(purpose=groups[0].purpose, grant=groups[0].grant, origins=origins)
    return [line for group in groups for line in group.lines], said


def _draft(drawn: Drawn, group: Group, peer: Peer, means: Means, now: Instant) -> ParcelDraft:
    lane = drawn.lane
    return ParcelDraft(
        domain=lane.lane.domain,
        sender=ourselves(means),
        receiver=party(peer),
        parcel=drawn.ahead.address.parcel if drawn.ahead else uuid7(now, means.chance(10)),
        resource=lane.lane.resource,
        stream=lane.lane.stream,
        spec=group.spec,
        place=drawn.place,
        created=now,
        priority=lane.priority,
    )


def keep(unit: OutboxUnit, drawn: Drawn, sealed: Sealed, now: Instant) -> Outgoing:
    """Save the sealed parcel at its place and return it ready to leave; raise Retry(FENCED) for a void claim."""
    if drawn.replaced is not None:
        unit.replace(drawn.claim, drawn.replaced.parcel, sealed, now)
    else:
        unit.place(drawn.claim, sealed, [group.id for group in drawn.groups], now)
    entry = unit.entry(sealed.statement.parcel)
    assert entry is not None, "it was placed in this transaction"
    unit.sent(drawn.claim, entry.parcel, now)
    return Outgoing(drawn.claim, entry, sealed.manifest, sealed.payload)


def give_up(unit: OutboxUnit, entry: Entry, means: Means, now: Instant, lease: Instant) -> Sealed | None:
    """Put a signed void in the place of a sealed, unaccepted parcel; None while another holds the lane (WIRE §3).

    Its records are lost to the receiver by a person's decision, which the ledger keeps.
    """
    peer = receiver_of(entry.lane, means)
    claim = unit.claim(entry.lane, now, lease)
    if claim is None:
        return None
    sealed = _void(unit.sealed(entry.parcel).statement, entry, peer, means, now)
    unit.replace(claim, entry.parcel, sealed, now)
    unit.release(claim)
    return sealed


def _void(said: Manifest, entry: Entry, peer: Peer, means: Means, now: Instant) -> Sealed:
    draft = ParcelDraft(
        said.domain, ourselves(means), party(peer), uuid7(now, means.chance(10)), said.resource, said.stream,
        said.spec, said.place, now, said.priority,
    )
    return void(draft, _root(said, entry), Signer(means.identity.signing, means.identity.sign), means.crypto)
