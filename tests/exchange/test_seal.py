"""Seal: what a lane sends next, and when the same bytes, a new sealing or a void leave instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from node.envelope import read_manifest
from node.exchange import seal
from node.exchange.seal import Ahead, Drawn
from node.model import codes
from node.model.certificate import Role
from node.model.parcel import NOTHING, Stage
from node.model.registry import Peer
from node.model.spool import EntryState, Sealed
from node.model.trouble import Trouble
from tests.crypto.papers import CRYPTO
from tests.exchange.acts import (
    LEASE,
    entry_of,
    grant_of,
    heard,
    receipt,
    refusal,
    renewed,
    sent,
    state_of,
    statement_of,
    supplied,
    taken,
    with_grants,
)
from tests.stage.desk import CENTRE, means_of, peer_of
from tests.stage.pair import Pair, lane_of


@pytest.fixture(params=["memory", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(None if request.param == "memory" else tmp_path)
    yield made
    made.close()


def test_everything_that_waits_goes_into_one_parcel_at_the_lanes_next_place(pair: Pair) -> None:
    supplied(pair.dept, 3)
    supplied(pair.dept, 2, 3)
    first = sent(pair.dept)
    said = statement_of(first, pair.dept.desk.means).statement
    assert (said.count, said.place.seq, said.place.prev, said.supersedes) == (5, 1, NOTHING, None)
    pair.accept(first)
    supplied(pair.dept, 1, 5)
    second = statement_of(sent(pair.dept), pair.dept.desk.means).statement
    assert (second.place.seq, second.place.prev) == (2, first.entry.digest)


def test_one_parcel_is_under_way_and_a_retry_sends_the_identical_bytes(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    supplied(pair.dept, 1, 1)
    again = sent(pair.dept)
    assert (again.manifest, again.payload) == (first.manifest, first.payload)
    assert (first.entry.attempts, again.entry.attempts, entry_of(pair.dept, first.entry.parcel).attempts) == (0, 1, 2)


def test_a_parcel_never_mixes_specification_purpose_or_grant(pair: Pair) -> None:
    means = with_grants(pair.dept.desk.means, grant_of(CENTRE), grant_of(CENTRE, purpose="audit"))
    supplied(pair.dept, 1)
    supplied(pair.dept, 1, 1, purpose="govern", grant="population:centre:govern")
    supplied(pair.dept, 1, 2, purpose="audit", grant="population:centre:audit")
    purposes = []
    for _ in range(3):
        parcel = sent(pair.dept, means)
        opened = pair.posted(parcel.manifest, parcel.payload)
        assert opened.status == 200
        assert heard(pair.dept, opened.body) is not None
        with pair.dept.stores.outbox.unit() as unit:
            purposes += [(group.purpose, group.grant) for group in unit.groups(parcel.entry.parcel)]
    assert purposes == [
        ("", ""), ("govern", "population:centre:govern"), ("audit", "population:centre:audit"),
    ]


def test_nothing_leaves_while_another_has_the_lane_it_is_held_or_its_epoch_is_old(pair: Pair) -> None:
    assert taken(pair.dept) is None
    supplied(pair.dept)
    outbox, now = pair.dept.stores.outbox, pair.dept.desk.now()
    with outbox.unit() as unit:
        claim = unit.claim(lane_of(), now, LEASE)
        assert claim is not None
    assert taken(pair.dept) is None
    assert taken(pair.dept, at=LEASE) is not None
    with outbox.unit() as unit:
        unit.hold(lane_of(), "EXN-HELD")
    assert taken(pair.dept, at=LEASE) is None


@pytest.mark.parametrize("peers, code", [
    ([], "EXN-UNREGISTERED"), ([peer_of(CENTRE, suspended=True)], "EXN-SUSPENDED"),
])
def test_nothing_leaves_for_a_peer_that_is_gone_or_suspended(pair: Pair, peers: list[Peer], code: str) -> None:
    supplied(pair.dept)
    token = state_of(pair.dept).token
    assert refusal(pair.dept, means_of("dept-a", peers)) == code
    assert state_of(pair.dept).token == token


# --- grants -----------------------------------------------------------------------------------------------------------


def test_a_grant_that_ended_holds_before_sealing_and_before_every_resend(pair: Pair) -> None:
    grant = grant_of(CENTRE, until=pair.dept.desk.now() + 5000)
    means = with_grants(pair.dept.desk.means, grant)
    supplied(pair.dept, purpose="govern", grant=grant.name)
    token = state_of(pair.dept).token
    assert refusal(pair.dept, means, at=5000) == "EXN-GRANT"
    assert refusal(pair.dept, with_grants(means)) == "EXN-GRANT"
    assert (state_of(pair.dept).waiting, state_of(pair.dept).token) == (1, token)  # nothing was written
    first = sent(pair.dept, means, at=4999)
    assert refusal(pair.dept, means, at=5000) == "EXN-GRANT"
    longer = with_grants(means, replace(grant, until=grant.until * 2))
    assert sent(pair.dept, longer, at=6000).manifest == first.manifest


# --- certificates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["our signing", "their encryption", "both"])
def test_an_unaccepted_parcel_is_sealed_again_at_the_same_place_after_a_renewal(pair: Pair, which: str) -> None:
    supplied(pair.dept, 2)
    supplied(pair.dept, 1, 2)
    first = sent(pair.dept)
    means = pair.dept.desk.means
    if which != "their encryption":
        means = replace(means, identity=renewed("dept-a", Role.SIGN)[0].identity)
    if which != "our signing":
        means = replace(means, registry=means_of("dept-a", [renewed(CENTRE, Role.ENCRYPT)[1]]).registry)
    second = sent(pair.dept, means)
    old, new = (statement_of(one, means).statement for one in (first, second))
    assert (new.place, new.supersedes, new.count) == (old.place, first.entry.digest, 3)
    assert new.parcel != old.parcel and new.envelope != old.envelope
    assert entry_of(pair.dept, first.entry.parcel).state is EntryState.VOIDED
    assert (second.entry.attempts, state_of(pair.dept).head.digest) == (0, second.entry.digest)
    assert sent(pair.dept, means).manifest == second.manifest


@pytest.mark.parametrize("papers", [(), (Role.SIGN,)])
def test_what_was_accepted_is_never_sealed_again_at_its_place(pair: Pair, papers: tuple[Role, ...]) -> None:
    """Lost by a restored peer it is sent as it is, or, under other papers, in a new epoch after what the peer has."""
    supplied(pair.dept)
    first = sent(pair.dept)
    pair.accept(first)
    head = state_of(pair.dept).head
    with pair.dept.stores.outbox.unit() as unit:
        claim = unit.claim(lane_of(), pair.dept.desk.now(), LEASE)
        assert claim is not None
        unit.rewind(claim, replace(head, seq=0, digest=NOTHING))
        unit.release(claim)
    means = replace(pair.dept.desk.means, identity=renewed("dept-a", *papers)[0].identity)
    if not papers:
        assert sent(pair.dept, means).manifest == first.manifest
        return
    assert taken(pair.dept, means) is None
    again = sent(pair.dept, means)
    assert (again.entry.epoch, again.entry.seq, again.entry.count) == (head.epoch + 1, 1, first.entry.count)
    assert read_manifest(again.manifest, CRYPTO).statement.place.prev == NOTHING
    assert read_manifest(again.manifest, CRYPTO).statement.supersedes is None
    with pair.dept.stores.outbox.unit() as unit:
        assert unit.digest_at(lane_of(), head.epoch, 1) is None, "given up there"


# --- given up ---------------------------------------------------------------------------------------------------------


def given_up(pair: Pair, parcel: str) -> Sealed:
    desk = pair.dept.desk
    with pair.dept.stores.outbox.unit() as unit:
        entry = unit.entry(parcel)
        assert entry is not None
        made = seal.give_up(unit, entry, desk.means, desk.now(), LEASE)
    assert made is not None
    return made


def test_a_void_takes_the_place_of_what_was_given_up_and_is_renewed_with_the_certificate(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    made = given_up(pair, first.entry.parcel)
    assert (made.statement.kind, made.statement.supersedes, made.statement.count) == ("void", first.entry.digest, 0)
    assert sent(pair.dept).manifest == made.manifest
    means = replace(pair.dept.desk.means, identity=renewed("dept-a", Role.SIGN)[0].identity)
    again = sent(pair.dept, means)
    said = statement_of(again, means).statement
    assert (said.kind, said.place, said.supersedes) == ("void", made.statement.place, first.entry.digest)
    assert entry_of(pair.dept, first.entry.parcel).state is EntryState.VOIDED


def test_a_parcel_thrown_away_before_it_was_accepted_leaves_its_place_to_a_void(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    supplied(pair.dept, 1, 1)
    with pair.dept.stores.outbox.unit() as unit:
        unit.park(first.entry.parcel, "EXN-HELD", pair.dept.desk.now())
    assert taken(pair.dept) is None
    with pair.dept.stores.outbox.unit() as unit:
        unit.discard(first.entry.parcel, "somebody", pair.dept.desk.now())
    void = sent(pair.dept)
    said = statement_of(void, pair.dept.desk.means).statement
    assert (said.kind, said.place.seq, said.supersedes) == ("void", 1, first.entry.digest)
    pair.accept(void)
    assert statement_of(sent(pair.dept), pair.dept.desk.means).statement.place.seq == 2


def test_an_ended_grant_does_not_keep_a_void_from_leaving(pair: Pair) -> None:
    grant = grant_of(CENTRE)
    means = with_grants(pair.dept.desk.means, grant)
    supplied(pair.dept, purpose="govern", grant=grant.name)
    first = sent(pair.dept, means)
    made = given_up(pair, first.entry.parcel)
    assert sent(pair.dept, with_grants(means)).manifest == made.manifest


def test_what_was_accepted_is_not_given_up(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    pair.accept(first)
    with pytest.raises(Trouble) as caught:
        given_up(pair, first.entry.parcel)
    assert caught.value.code is codes.FENCED


def test_keeping_needs_the_newest_claim(pair: Pair) -> None:
    supplied(pair.dept)
    desk, outbox = pair.dept.desk, pair.dept.stores.outbox
    with outbox.unit() as unit:
        drawn = seal.take(unit, lane_of(), desk.means, desk.now(), LEASE)
    assert isinstance(drawn, Drawn) and drawn.octets > 500
    sealed = seal.close(drawn, desk.means, desk.now())
    with outbox.unit() as unit:
        assert unit.claim(lane_of(), desk.now() + LEASE, LEASE) is not None
    with pytest.raises(Trouble) as caught, outbox.unit() as unit:
        seal.keep(unit, drawn, sealed, desk.now())
    assert caught.value.code is codes.FENCED
    assert state_of(pair.dept).waiting == 1


def test_a_late_receipt_of_the_first_sealing_gives_it_its_place_back(pair: Pair) -> None:
    supplied(pair.dept)
    first = sent(pair.dept)
    means = replace(pair.dept.desk.means, identity=renewed("dept-a", Role.SIGN)[0].identity)
    second = sent(pair.dept, means)
    late = receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.ACCEPTED)
    entry = heard(pair.dept, *late)
    assert entry is not None and entry.state is EntryState.ACCEPTED
    assert entry_of(pair.dept, second.entry.parcel).state is EntryState.VOIDED
    assert state_of(pair.dept).head.digest == first.entry.digest
    assert taken(pair.dept, means) is None


def test_nothing_is_sealed_to_a_certificate_gone_bad(pair: Pair) -> None:
    """The channel and the signature are checked elsewhere; what we encrypt to is checked here."""
    peer = pair.dept.desk.means.registry.peer(CENTRE)
    assert peer is not None
    supplied(pair.dept)
    late = peer.encryption.not_after + 1 - pair.dept.desk.now()
    assert refusal(pair.dept, at=late) == codes.CERT_TIME.name


# --- prepared ahead ---------------------------------------------------------------------------------------------------


def prepared(pair: Pair, least: int = 1) -> Ahead | None:
    with pair.dept.stores.outbox.unit() as unit:
        groups = seal.look(unit, lane_of(), pair.dept.desk.means, least)
    return seal.prepare(groups, pair.dept.desk.means, pair.dept.desk.now()) if groups else None


def drawn(pair: Pair, ahead: Ahead | None) -> Drawn:
    with pair.dept.stores.outbox.unit() as unit:
        found = seal.take(unit, lane_of(), pair.dept.desk.means, pair.dept.desk.now(), LEASE, ahead)
    assert isinstance(found, Drawn)
    return found


def test_what_was_packed_ahead_is_sealed_at_the_place_that_is_next_by_then(pair: Pair) -> None:
    supplied(pair.dept, 3)
    ahead = prepared(pair)
    assert ahead is not None
    supplied(pair.dept, 2, 3)
    found = drawn(pair, ahead)
    assert found.ahead is ahead.packed and found.octets == 0
    sealed = seal.close(found, pair.dept.desk.means, pair.dept.desk.now())
    with pair.dept.stores.outbox.unit() as unit:
        outgoing = seal.keep(unit, found, sealed, pair.dept.desk.now())
        unit.release(found.claim)
    said = statement_of(outgoing, pair.centre.desk.means).statement
    assert (said.place.seq, said.count, said.parcel) == (1, 3, ahead.packed.address.parcel)
    assert heard(pair.dept, *receipt(outgoing, pair.centre.desk.means, pair.dept.desk.means)) is not None
    assert sent(pair.dept).entry.count == 2, "what came later waits its turn"


def test_what_was_packed_ahead_is_dropped_when_its_groups_left_otherwise(pair: Pair) -> None:
    supplied(pair.dept, 3)
    ahead = prepared(pair)
    gone = sent(pair.dept)
    supplied(pair.dept, 2, 3)
    assert heard(pair.dept, *receipt(gone, pair.centre.desk.means, pair.dept.desk.means)) is not None
    assert drawn(pair, ahead).ahead is None


def test_what_was_packed_for_another_certificate_is_dropped(pair: Pair) -> None:
    supplied(pair.dept, 3)
    ahead = prepared(pair)
    pair.dept.desk.means = replace(pair.dept.desk.means, identity=renewed("dept-a", Role.SIGN)[0].identity)
    assert drawn(pair, ahead).ahead is None


def test_nothing_is_packed_ahead_of_too_little_or_in_a_held_lane(pair: Pair) -> None:
    supplied(pair.dept, 1)
    assert prepared(pair, least=1 << 20) is None
    with pair.dept.stores.outbox.unit() as unit:
        unit.hold(lane_of(), codes.GRANT.name)
    assert prepared(pair) is None
