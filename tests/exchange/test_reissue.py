"""A receipt whose key was revoked since it was given is signed anew, and no other (worlds, nemesis `revoke_key`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from node.crypto.chain import CertificateTrust
from node.envelope import read_receipt
from node.exchange.means import Means
from node.exchange.reissue import reissue, revoked
from node.model import codes
from node.model.certificate import Role
from node.model.parcel import Outcome, Stage, Verdict
from node.model.spool import EntryState, Given
from node.workers.handed import again, current
from tests.crypto.papers import CRYPTO, NOW, lists, revoke, the_authority, the_leaf, the_root
from tests.exchange.acts import entry_of, heard, receipt, renewed, sent, supplied
from tests.stage.desk import CENTRE, finish, means_of
from tests.stage.pair import Pair

YEAR = 366 * 86_400_000


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.close()


def distrusting(means: Means) -> Means:
    """Return means whose revocation list names the centre's first signing certificate."""
    entry = revoke(the_leaf(Role.SIGN, CENTRE))
    return replace(means, trust=CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], lists(entry)))


def given(pair: Pair, **more: Any) -> Given:
    """Return a final receipt that the centre gave under its first certificate."""
    supplied(pair.dept)
    outgoing = sent(pair.dept)
    statement, listed = receipt(outgoing, pair.centre.desk.means, pair.dept.desk.means, Stage.PROCESSED, **more)
    return Given(outgoing.entry.parcel, Stage.PROCESSED, statement, listed)


def test_only_a_revoked_key_that_is_ours_no_more_makes_it_signed_anew(pair: Pair) -> None:
    one, old = given(pair), pair.centre.desk.means
    new = replace(old, identity=renewed(CENTRE, Role.SIGN)[0].identity)
    assert revoked([one], old, NOW) == [], "nothing is revoked"
    assert revoked([one], new, NOW) == [], "renewed, not revoked"
    assert revoked([one], new, NOW + YEAR) == [], "ended, not revoked"
    assert revoked([one], distrusting(old), NOW) == [], "we have no other key yet"
    assert revoked([one], distrusting(new), NOW) == [one]
    assert revoked([reissue(one, new)], distrusting(new), NOW) == []


def test_it_says_what_it_said_and_finishes_the_parcel(pair: Pair) -> None:
    one = given(pair, verdicts=[Verdict(0, Outcome.REFUSED, "length", "PersonName")])
    identity, peer = renewed(CENTRE, Role.SIGN)
    dept = pair.dept.desk
    dept.means = distrusting(replace(dept.means, registry=means_of("dept-a", [peer]).registry))
    with pytest.raises(Exception) as caught:
        heard(pair.dept, one.statement, one.verdicts)
    assert getattr(caught.value, "code", None) in (codes.CERT_REVOKED, codes.UNREGISTERED)
    fresh = reissue(one, identity)
    then, now = (read_receipt(each.statement, CRYPTO).statement for each in (one, fresh))
    assert now.sender.cert == identity.identity.signing.fingerprint != then.sender.cert
    assert replace(now, sender=then.sender) == then and fresh.verdicts == one.verdicts
    assert heard(pair.dept, fresh.statement, fresh.verdicts) is not None
    entry = entry_of(pair.dept, one.parcel)
    assert (entry.state, entry.refused) == (EntryState.DONE, 1)


def test_it_is_kept_before_it_is_handed_over_and_given_again_from_then_on(pair: Pair) -> None:
    supplied(pair.dept)
    outgoing = sent(pair.dept)
    pair.accept(outgoing)
    centre, parcel = pair.centre.desk, outgoing.entry.parcel
    with pair.centre.stores.inbox.unit() as unit:
        (one,) = unit.given(parcel)
    assert finish(current(centre, [one]), pair.clock) == [one]
    centre.means = distrusting(replace(centre.means, identity=renewed(CENTRE, Role.SIGN)[0].identity))
    (fresh,) = finish(current(centre, [one]), pair.clock)
    assert fresh.statement != one.statement
    with pair.centre.stores.inbox.unit() as unit:
        assert list(unit.given(parcel)) == [fresh]
        assert [entry.step for entry in unit.traced(parcel)] == ["accepted", "reissued"]
    assert pair.centre.journal.names("warning") == ["receipts.reissued"]
    assert finish(current(centre, [fresh]), pair.clock) == [fresh]
    assert finish(again(centre, fresh.statement), pair.clock) == fresh.statement


def test_of_two_callers_who_have_it_signed_anew_at_once_both_hand_over_the_first(pair: Pair) -> None:
    """A peer was left with other octets than its issuer kept (worlds, seed 10478)."""
    supplied(pair.dept)
    outgoing = sent(pair.dept)
    pair.accept(outgoing)
    centre, parcel = pair.centre.desk, outgoing.entry.parcel
    with pair.centre.stores.inbox.unit() as unit:
        (one,) = unit.given(parcel)
    centre.means = distrusting(replace(centre.means, identity=renewed(CENTRE, Role.SIGN)[0].identity))
    first, second = (Deferred.fromCoroutine(current(centre, [one])) for _ in range(2))
    found = [finish(each, pair.clock)[0] for each in (first, second)]
    with pair.centre.stores.inbox.unit() as unit:
        assert found == [*unit.given(parcel)] * 2
        assert [entry.step for entry in unit.traced(parcel)] == ["accepted", "reissued"]
