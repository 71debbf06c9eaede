"""Admit and the head rule: every row of WIRE §3's table, before the signature is looked at and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.crypto.chain import CertificateTrust
from node.envelope import void, write
from node.exchange import admit
from node.exchange.authority import attest, recognise
from node.exchange.head import Place, standing
from node.model import codes
from node.model.certificate import Role
from node.model.parcel import NOTHING, Position
from node.model.registry import Quota
from node.model.spool import Sealed
from node.model.trouble import Trouble
from tests.crypto.papers import CRYPTO, NOW, lists, revoke, the_authority, the_leaf, the_root
from tests.exchange.acts import renewed
from tests.intake.api import twin
from tests.stage.desk import CENTRE, means_of, peer_of
from tests.stage.forging import EPOCH, draft_of, line_of, parcel_of, signed_again, signer_of
from tests.stage.pair import Pair, lane_of


@pytest.fixture(params=["memory", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(None if request.param == "memory" else tmp_path)
    yield made
    made.close()


def forged(pair: Pair, seq: int, prev: str, n: int = 0, **given: Any) -> Sealed:
    means, now = pair.dept.desk.means, pair.dept.desk.now()
    return parcel_of(means, [line_of(twin(n), now, n=n + 1)], draft_of(means, now, seq, prev, **given))


def admitted(pair: Pair, sealed: Sealed, quota: Quota | None = None) -> str:
    """Return the code a parcel meets after its signature was found good, empty if it is stored or was before."""
    desk = pair.centre.desk
    peer = peer_of("dept-a") if quota is None else peer_of("dept-a", quota=quota)
    try:
        offered = admit.offer(sealed.manifest, sealed.payload, desk.means, "dept-a")
        received = admit.weigh(offered, desk.means, desk.now())
        with pair.centre.stores.inbox.unit() as unit:
            admit.keep(unit, received, peer)
    except Trouble as met:
        return met.code.name
    return ""


def unsigned(pair: Pair, sealed: Sealed) -> Sealed:
    """Return a parcel whose statement is the same and whose signature is another's."""
    means, other = pair.dept.desk.means, pair.centre.desk.means
    return replace(sealed, manifest=write(sealed.statement, means.identity.signing, other.identity.sign))


def glanced(pair: Pair, sealed: Sealed) -> str:
    """Return what is answered before the signature is looked at: `told`, a code, or nothing."""
    desk = pair.centre.desk
    bad = unsigned(pair, sealed)
    try:
        with pair.centre.stores.inbox.unit() as unit:
            found = admit.glance(unit, admit.offer(bad.manifest, bad.payload, desk.means, "dept-a"))
    except Trouble as met:
        return met.code.name
    return "told" if found else ""


def head(pair: Pair) -> Position | None:
    with pair.centre.stores.inbox.unit() as unit:
        return unit.head(lane_of())


def chain(pair: Pair, count: int = 3) -> list[Sealed]:
    """Return parcels stored one after the other."""
    made: list[Sealed] = []
    for seq in range(1, count + 1):
        made.append(forged(pair, seq, made[-1].digest if made else NOTHING, seq))
        assert admitted(pair, made[-1]) == ""
    return made


def test_every_row_of_the_head_table(pair: Pair) -> None:
    one, two, three = chain(pair)
    rows = {
        "head + 1, prev = head": (forged(pair, 4, three.digest, 9), "", ""),
        "head + 1, other prev": (forged(pair, 4, two.digest, 9), "", "EXN-FORK"),
        "seq ≤ head, same digest": (two, "told", ""),
        "seq ≤ head, other digest": (forged(pair, 2, one.digest, 9), "", "EXN-FORK"),
        "the same place as the head, other digest": (forged(pair, 3, two.digest, 9), "", "EXN-FORK"),
        "supersedes an accepted one": (forged(pair, 2, one.digest, 9, supersedes=two.digest), "told", ""),
        "supersedes an accepted one, at a free place": (
            forged(pair, 4, three.digest, 9, supersedes=two.digest), "told", ""),
        "supersedes one never accepted": (forged(pair, 4, three.digest, 9, supersedes="ab" * 32), "", ""),
        "seq > head + 1": (forged(pair, 6, three.digest, 9), "EXN-BEHIND", "EXN-BEHIND"),
        "higher epoch after the head": (forged_in(pair, EPOCH + 1, 1, three.digest), "", ""),
        "higher epoch after another head": (
            forged_in(pair, EPOCH + 1, 1, two.digest), "EXN-BEHIND", "EXN-BEHIND"),
        "higher epoch, not its first": (forged_in(pair, EPOCH + 1, 2, three.digest), "EXN-BEHIND", "EXN-BEHIND"),
        "lower epoch": (forged_in(pair, EPOCH - 1, 1, three.digest), "", "EXN-SUPERSEDED"),
        "lower epoch, next seq": (forged_in(pair, EPOCH - 1, 4, three.digest), "", "EXN-SUPERSEDED"),
    }
    for what, (sealed, before, _) in rows.items():
        assert glanced(pair, sealed) == before, what
    for what, (sealed, _, after) in rows.items():
        with pair.centre.stores.inbox.unit() as unit:
            found = standing(unit, sealed.statement, sealed.digest)
        told = "" if found.place in (Place.NEXT, Place.TOLD) else found.trouble().code.name
        assert told == after, what
        if after:
            assert admitted(pair, sealed) == after, what
            assert found.trouble().details == {"epoch": EPOCH, "seq": 3, "head": three.digest}, what
    assert head(pair) == Position(EPOCH, 3, three.digest)


def forged_in(pair: Pair, epoch: int, seq: int, prev: str) -> Sealed:
    made = draft_of(pair.dept.desk.means, pair.dept.desk.now(), seq, prev)
    place = replace(made.place, epoch=epoch)
    return forged(pair, seq, prev, 9, place=place)


def test_a_void_of_an_accepted_parcel_is_told_its_receipt_and_moves_nothing(pair: Pair) -> None:
    one, two = chain(pair, 2)
    means = pair.dept.desk.means
    draft = draft_of(means, pair.dept.desk.now(), 3, two.digest)
    made = void(draft, one.digest, signer_of(means), means.crypto)
    assert glanced(pair, made) == "told" and admitted(pair, made) == ""
    assert head(pair) == Position(EPOCH, 2, two.digest)


def test_the_receipt_of_another_lane_is_never_told(pair: Pair) -> None:
    (one,) = chain(pair, 1)
    other = forged(pair, 1, NOTHING, 5, resource="legal-entity", supersedes=one.digest)
    assert glanced(pair, other) == ""


def test_a_place_taken_between_the_glance_and_the_storing_is_judged_again(pair: Pair) -> None:
    desk = pair.centre.desk
    one, other = forged(pair, 1, NOTHING, 1), forged(pair, 1, NOTHING, 2)
    weighed = [
        admit.weigh(admit.offer(made.manifest, made.payload, desk.means, "dept-a"), desk.means, desk.now())
        for made in (one, one, other)
    ]
    peer = peer_of("dept-a")
    with pair.centre.stores.inbox.unit() as unit:
        first = admit.keep(unit, weighed[0], peer)
    with pair.centre.stores.inbox.unit() as unit:
        assert admit.keep(unit, weighed[1], peer) == first, "the same bytes, whichever came first"
    with pytest.raises(Trouble) as caught, pair.centre.stores.inbox.unit() as unit:
        admit.keep(unit, weighed[2], peer)
    assert caught.value.code is codes.FORK


def test_a_full_inbox_says_wait_and_keeps_nothing(pair: Pair) -> None:
    one = forged(pair, 1, NOTHING)
    assert admitted(pair, one, Quota(parcels=0)) == "EXN-QUOTA"
    assert admitted(pair, one, Quota(octets=10)) == "EXN-QUOTA"
    assert head(pair) is None
    assert admitted(pair, one) == ""
    assert admitted(pair, one, Quota(parcels=0)) == "", "what we have is told, however full"


@pytest.mark.parametrize("spoil, code", [
    (lambda pair, one: unsigned(pair, one), "EXN-SIGNATURE"),
    (lambda pair, one: replace(one, payload=one.payload[:-1] + bytes([one.payload[-1] ^ 1])), "EXN-DIGEST"),
    (lambda pair, one: replace(one, payload=one.payload + b"x"), "EXN-DIGEST"),
    (lambda pair, one: signed_again(pair.dept.desk.means, one, via=[CENTRE]), "EXN-NOT-ALLOWED"),
])
def test_what_is_wrong_with_a_parcel_stops_it_before_any_store_is_touched(pair: Pair, spoil: Any, code: str) -> None:
    assert admitted(pair, spoil(pair, forged(pair, 1, NOTHING))) == code
    assert head(pair) is None


def test_the_signature_is_looked_at_before_what_the_manifest_asks_for(pair: Pair) -> None:
    strange = signed_again(pair.dept.desk.means, forged(pair, 1, NOTHING), resource="elsewhere", via=[CENTRE])
    assert admitted(pair, unsigned(pair, strange)) == "EXN-SIGNATURE"
    assert admitted(pair, strange) == "EXN-NOT-ALLOWED"


def test_an_unknown_kind_is_stored_so_that_it_can_be_answered(pair: Pair) -> None:
    made = signed_again(pair.dept.desk.means, forged(pair, 1, NOTHING), kind="heartbeat")
    assert admitted(pair, made) == ""


def test_a_certificate_revoked_or_out_of_date_is_held_and_nothing_is_believed(pair: Pair) -> None:
    one = forged(pair, 1, NOTHING)
    means = pair.centre.desk.means
    revoked = CertificateTrust(
        CRYPTO, [the_root().der], [the_authority().der], lists(revoke(the_leaf(Role.SIGN, "dept-a")))
    )
    known = admit.offer(one.manifest, one.payload, means, "dept-a").known
    for trust, at, code in (
        (revoked, NOW, codes.CERT_REVOKED), (means.trust, NOW + 400 * 86_400_000, codes.CERT_TIME),
        (CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], []), NOW, codes.CRL_MISSING),
    ):
        with pytest.raises(Trouble) as caught:
            attest(known, replace(means, trust=trust), at)
        assert caught.value.code is code


def test_the_certificate_must_be_registered_for_that_very_node(pair: Pair) -> None:
    one = forged(pair, 1, NOTHING)
    means = pair.centre.desk.means
    unverified = admit.offer(one.manifest, one.payload, means, "dept-a").known.unverified
    stranger = means_of(CENTRE, [peer_of("dept-b", signing=peer_of("dept-a").signing)])
    for other in (means_of(CENTRE, ["dept-b"]), stranger, means_of(CENTRE, [renewed("dept-a", Role.SIGN)[1]])):
        with pytest.raises(Trouble) as caught:
            recognise(unverified, other, "dept-a")
        assert caught.value.code is codes.UNREGISTERED


def test_whichever_sealing_of_a_place_came_first_is_told_for_all_others(pair: Pair) -> None:
    """A sender may have sealed three times at one place and know of no receipt; the line delivers in any order."""
    prev = NOTHING
    for seq in (1, 2, 3):
        first = forged(pair, seq, prev)
        family = [first, *(forged(pair, seq, prev, supersedes=first.digest) for _ in range(2))]
        came = family[seq - 1]
        assert admitted(pair, came) == ""
        for other in family:
            assert (admitted(pair, other), glanced(pair, other)) == ("", "told")
        assert head(pair) == Position(EPOCH, seq, came.digest)
        prev = came.digest
    assert admitted(pair, forged(pair, 3, family[0].statement.place.prev)) == "EXN-FORK"


def test_a_fork_ends_with_a_new_epoch_upon_our_head(pair: Pair) -> None:
    first = forged(pair, 1, NOTHING)
    assert admitted(pair, first) == ""
    other = forged(pair, 1, NOTHING)
    desk = pair.centre.desk
    received = admit.weigh(admit.offer(other.manifest, other.payload, desk.means, "dept-a"), desk.means, desk.now())
    with pair.centre.stores.inbox.unit() as unit:
        admit.keep_fork(unit, received)
    assert admitted(pair, forged(pair, 2, first.digest)) == "EXN-FORK", "the lane is held"
    assert admitted(pair, forged_in(pair, EPOCH + 1, 1, other.digest)) == "EXN-BEHIND", "upon the other branch"
    assert admitted(pair, forged_in(pair, EPOCH + 1, 1, first.digest)) == ""
    with pair.centre.stores.inbox.unit() as unit:
        assert unit.held(lane_of()) is None and len(unit.forks()) == 1
