"""POST /v1/parcels: every answer of the head rule and of the order of checks, over real keys and stores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.envelope import Signer, frame, read_receipt, unframe, void, write
from node.exchange.seal import Outgoing
from node.model.parcel import NOTHING, Lane, Manifest, Place, Position, Stage
from node.model.registry import Peer, Quota, Resource
from node.model.spool import ArrivalState, Sealed
from node.spool.shortage import Shortage
from node.wire.media import PARCEL
from tests.intake.api import Api, twin
from tests.stage.desk import CENTRE, means_of, peer_of, resources_of
from tests.stage.forging import EPOCH, draft_of, line_of, parcel_of, signed_again, spec_id
from tests.stage.pair import Pair, lane_of
from tests.wire.talk import Heard, post


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair(registered=("dept-a", "dept-b"))
    yield made
    made.close()


def forged(pair: Pair, seq: int = 1, prev: str = NOTHING, n: int = 0, **given: Any) -> Sealed:
    """Return a good parcel of dept-a with one record, at any place."""
    means, now = pair.dept.desk.means, pair.dept.desk.now()
    return parcel_of(means, [line_of(twin(n), now, n=n + 1)], draft_of(means, now, seq, prev, **given))


def sent(pair: Pair, sealed: Sealed, caller: str | None = "dept-a") -> Heard:
    return pair.posted(sealed.manifest, sealed.payload, caller)


def head(pair: Pair, lane: Lane | None = None) -> Position | None:
    with pair.centre.stores.inbox.unit() as unit:
        return unit.head(lane or lane_of())


def stored(pair: Pair) -> int:
    with pair.centre.stores.inbox.unit() as unit:
        return len(unit.arrivals(None, "", 100))


def turned(pair: Pair, heard: Heard, status: int, code: str, kept: int = 0) -> None:
    """Assert how a parcel was turned away, and that nothing of it was kept."""
    assert (heard.status, heard.code) == (status, code), heard.json
    assert stored(pair) == kept


def test_a_good_parcel_is_stored_and_answered_accepted(pair: Pair) -> None:
    sealed = forged(pair)
    heard = sent(pair, sealed)
    assert heard.status == 200 and heard.headers["content-type"] == "application/vnd.exn.statement"
    said = read_receipt(heard.body, pair.dept.desk.means.crypto).statement
    assert (said.stage, said.parcel, said.digest) == (Stage.ACCEPTED, sealed.statement.parcel, sealed.digest)
    assert head(pair) == Position(EPOCH, 1, sealed.digest)
    assert pair.centre.tally.of("central_parcels", node="dept-a", outcome="accepted") == 1
    with pair.centre.stores.inbox.unit() as unit:
        assert unit.octets(said.parcel) == (sealed.manifest, sealed.payload)
        assert unit.archived(said.validation)


def test_a_repeated_parcel_gets_the_same_receipt_byte_for_byte(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    sealed = forged(pair)
    first = sent(pair, sealed).body
    pair.clock.advance(5)
    assert sent(pair, sealed).body == first
    pair.crash_centre()
    assert sent(pair, sealed).body == first
    pair.opened()
    assert sent(pair, sealed).body == first and stored(pair) == 1
    pair.close()


def test_the_same_statement_under_another_signature_is_the_same_parcel(pair: Pair) -> None:
    sealed = forged(pair)
    first = sent(pair, sealed).body
    again = signed_again(pair.dept.desk.means, sealed)
    assert again.manifest != sealed.manifest and again.digest == sealed.digest
    assert sent(pair, again).body == first


def test_another_parcel_at_a_taken_place_is_a_fork_and_stops_the_lane_once(pair: Pair) -> None:
    first, second = forged(pair), forged(pair, n=1)
    assert sent(pair, first).status == 200
    for _ in range(2):
        heard = sent(pair, second)
        turned(pair, heard, 409, "EXN-FORK", kept=1)
        assert (heard.json["epoch"], heard.json["seq"], heard.json["head"]) == (EPOCH, 1, first.digest)
    with pair.centre.stores.inbox.unit() as unit:
        assert [parcel for parcel, *_ in unit.forks()] == [second.statement.parcel]
        assert unit.held(lane_of()) == "EXN-FORK"
    turned(pair, sent(pair, forged(pair, 2, first.digest)), 409, "EXN-FORK", kept=1)
    assert sent(pair, first).status == 200  # what we have is still told
    assert pair.centre.journal.names("error") == ["EXN-FORK"]


def test_the_next_place_after_another_digest_is_a_fork(pair: Pair) -> None:
    first = forged(pair)
    sent(pair, first)
    turned(pair, sent(pair, forged(pair, 2, "ab" * 32)), 409, "EXN-FORK", kept=1)


def test_a_parcel_too_far_ahead_is_told_our_head_before_its_signature_is_looked_at(pair: Pair) -> None:
    first = forged(pair)
    sent(pair, first)
    ahead = forged(pair, 3, "ab" * 32)
    unsigned = ahead.manifest[:-1] + bytes([ahead.manifest[-1] ^ 1])
    for manifest in (ahead.manifest, unsigned):
        heard = pair.posted(manifest, ahead.payload)
        turned(pair, heard, 409, "EXN-BEHIND", kept=1)
        assert (heard.json["epoch"], heard.json["seq"], heard.json["head"]) == (EPOCH, 1, first.digest)


def test_a_first_parcel_that_is_not_the_first_of_its_lane_is_behind(pair: Pair) -> None:
    heard = sent(pair, forged(pair, 2, "ab" * 32))
    turned(pair, heard, 409, "EXN-BEHIND")
    assert (heard.json["epoch"], heard.json["seq"], heard.json["head"]) == (0, 0, NOTHING)


def test_a_place_whose_receipt_was_purged_is_told_so(pair: Pair) -> None:
    first = forged(pair)
    sent(pair, first)
    sent(pair, forged(pair, 2, first.digest, n=1))
    pair.opened(2)
    later = pair.centre.desk.now() + 10 * 86_400_000
    with pair.centre.stores.inbox.unit() as unit:
        unit.purge(later, later, 100)
        unit.purge(later, later, 100)
    heard = sent(pair, first)
    assert (heard.status, heard.code, heard.json["seq"]) == (409, "EXN-PURGED", 2)


def test_an_older_epoch_is_superseded_and_a_newer_one_begins_after_the_common_head(pair: Pair) -> None:
    first = forged(pair)
    sent(pair, first)
    means, now = pair.dept.desk.means, pair.dept.desk.now()
    newer = draft_of(means, now, place=Place(EPOCH + 5, 1, first.digest))
    assert sent(pair, parcel_of(means, [line_of(twin(1), now)], newer)).status == 200
    wrong = draft_of(means, now, place=Place(EPOCH + 9, 1, NOTHING))
    turned(pair, sent(pair, parcel_of(means, [line_of(twin(2), now)], wrong)), 409, "EXN-BEHIND", kept=2)
    turned(pair, sent(pair, forged(pair, 2, first.digest)), 409, "EXN-SUPERSEDED", kept=2)


def test_a_parcel_sealed_again_after_it_was_accepted_gets_the_first_ones_receipt(pair: Pair) -> None:
    first = forged(pair)
    receipt = sent(pair, first).body
    again = forged(pair)
    again = signed_again(pair.dept.desk.means, again, supersedes=first.digest)
    assert sent(pair, again).body == receipt and stored(pair) == 1


def voided(pair: Pair, instead: Sealed) -> Sealed:
    means, now, said = pair.dept.desk.means, pair.dept.desk.now(), instead.statement
    draft = draft_of(means, now, said.place.seq, said.place.prev)
    return void(draft, instead.digest, Signer(means.identity.signing, means.identity.sign), means.crypto)


def test_a_void_of_an_accepted_parcel_gets_its_receipt_and_changes_nothing(pair: Pair) -> None:
    first = forged(pair)
    receipt = sent(pair, first).body
    assert sent(pair, voided(pair, first)).body == receipt and stored(pair) == 1


def test_a_void_takes_the_place_of_what_was_never_sent_and_the_lane_goes_on(pair: Pair) -> None:
    void_parcel = voided(pair, forged(pair))
    assert sent(pair, void_parcel).status == 200
    pair.opened()
    with pair.centre.stores.inbox.unit() as unit:
        arrival = unit.arrival(void_parcel.statement.parcel)
        assert arrival is not None and arrival.state is ArrivalState.DONE and arrival.count == 0
    assert sent(pair, forged(pair, 2, void_parcel.digest)).status == 200


# --- who may send what ----------------------------------------------------------------------------------------------


def test_the_channel_must_be_the_senders(pair: Pair) -> None:
    turned(pair, sent(pair, forged(pair), "dept-b"), 403, "EXN-NOT-ALLOWED")
    turned(pair, sent(pair, forged(pair), "dept-x"), 403, "EXN-UNREGISTERED")
    turned(pair, sent(pair, forged(pair), None), 403, "EXN-UNREGISTERED")


def test_a_stranger_is_refused_before_its_parcel_is_sent(pair: Pair) -> None:
    request = post("/v1/parcels", b"", "Content-Type: application/vnd.exn.parcel", "Expect: 100-continue")
    heard = pair.house.say(request.replace(b"Content-Length: 0", b"Content-Length: 9000000"), caller="dept-x")
    assert [one.code for one in heard] == ["EXN-UNREGISTERED"]


def registered(pair: Pair, *peers: str | Peer, resources: list[Resource] | None = None) -> None:
    pair.centre.desk.means = means_of(CENTRE, peers, resources)


def test_a_sender_without_registration_or_suspended_is_held(pair: Pair) -> None:
    sealed = forged(pair)
    registered(pair, "dept-b")
    turned(pair, sent(pair, sealed, "dept-b"), 403, "EXN-UNREGISTERED")
    registered(pair, replace(peer_of("dept-a"), suspended=True))
    turned(pair, sent(pair, sealed), 403, "EXN-SUSPENDED")
    registered(pair, "dept-a")
    assert sent(pair, sealed).status == 200  # the same bytes, once the cause is gone


@pytest.mark.parametrize("changed", [
    {"resources": frozenset({"legal-entity"})}, {"kinds": frozenset({"void"})}, {"resources": frozenset()},
])
def test_what_a_peer_was_not_granted_is_held(pair: Pair, changed: dict[str, Any]) -> None:
    registered(pair, peer_of("dept-a", **changed))
    turned(pair, sent(pair, forged(pair)), 403, "EXN-NOT-ALLOWED")


def test_a_resource_this_node_does_not_know_is_held(pair: Pair) -> None:
    registered(pair, "dept-a", resources=[one for one in resources_of(CENTRE) if one.code != "population"])
    turned(pair, sent(pair, forged(pair)), 403, "EXN-NOT-ALLOWED")


@pytest.mark.parametrize("changed", [{"domain": "other.test"}, {"receiver": "dept-b"}])
def test_a_parcel_for_others_is_misaddressed(pair: Pair, changed: dict[str, Any]) -> None:
    said = forged(pair)
    if "receiver" in changed:
        changed = {"receiver": replace(said.statement.receiver, node="dept-b")}
    turned(pair, sent(pair, signed_again(pair.dept.desk.means, said, **changed)), 422, "EXN-MISADDRESSED")


def test_a_certificate_of_another_node_in_our_name_is_unregistered(pair: Pair) -> None:
    other = means_of("dept-b", [CENTRE])
    sealed = signed_again(other, forged(pair), sender=replace(
        forged(pair).statement.sender, cert=other.identity.signing.fingerprint
    ))
    turned(pair, sent(pair, sealed), 403, "EXN-UNREGISTERED")


def test_a_specification_we_do_not_hold_is_held_and_takes_no_place(pair: Pair) -> None:
    for spec in (replace(spec_id(), digest="ab" * 32), replace(spec_id(), version="9.9")):
        turned(pair, sent(pair, forged(pair, spec=spec)), 409, "EXN-SPECIFICATION")
    assert head(pair) is None and sent(pair, forged(pair)).status == 200


def test_a_parcel_sealed_to_a_certificate_whose_key_we_lack_is_held(pair: Pair) -> None:
    sealed = forged(pair)
    elsewhere = replace(sealed.statement.receiver, cert=peer_of("dept-b").encryption.fingerprint)
    turned(pair, sent(pair, signed_again(pair.dept.desk.means, sealed, receiver=elsewhere)), 503, "EXN-KEY-ROLE")


def test_a_parcel_that_went_through_us_before_goes_no_further(pair: Pair) -> None:
    sealed = signed_again(pair.dept.desk.means, forged(pair), via=(CENTRE,))
    turned(pair, sent(pair, sealed), 403, "EXN-NOT-ALLOWED")


# --- bytes ----------------------------------------------------------------------------------------------------------


def test_a_bad_signature_and_altered_octets_are_refused(pair: Pair) -> None:
    sealed = forged(pair)
    turned(pair, pair.posted(sealed.manifest[:-1] + b"\0", sealed.payload), 403, "EXN-SIGNATURE")
    for payload in (sealed.payload[:-1] + b"\0", sealed.payload + b"\0", b""):
        turned(pair, pair.posted(sealed.manifest, payload), 422, "EXN-DIGEST")


def test_a_frame_that_is_none_is_refused(pair: Pair) -> None:
    sealed = forged(pair)
    whole = frame(sealed.manifest, sealed.payload)
    for body in (b"", b"EXNP", whole[:-1], whole + b"\0", b"EXNP\x02" + whole[5:]):
        turned(pair, pair.said("/v1/parcels", body, PARCEL), 422, "EXN-FRAME")


def test_a_manifest_over_its_limit_is_413_before_anything_else(pair: Pair) -> None:
    body = b"EXNP\x01" + (1 << 20).to_bytes(4, "big") + bytes(1 << 20)
    turned(pair, pair.said("/v1/parcels", body, PARCEL), 413, "EXN-TOO-LARGE")


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_flipped_bit_is_refused_and_nothing_is_kept(pair: Pair, data: st.DataObject) -> None:
    sealed = _one(pair)
    whole = bytearray(frame(sealed.manifest, sealed.payload))
    at = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[at // 8] ^= 1 << at % 8
    heard = pair.said("/v1/parcels", bytes(whole), PARCEL)
    assert heard.status >= 400 and heard.status != 500 and stored(pair) == 0


_KEPT: dict[int, Sealed] = {}


def _one(pair: Pair) -> Sealed:
    return _KEPT.setdefault(id(pair), forged(pair))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300), path=st.sampled_from(["hello", "parcels", "collect", "receipts"]))
def test_any_bytes_from_a_registered_peer_are_refused_and_never_a_fault(pair: Pair, body: bytes, path: str) -> None:
    heard = pair.said(f"/v1/{path}", body, b"application/octet-stream")
    assert 400 <= heard.status < 500, heard.status


# --- what we can afford ---------------------------------------------------------------------------------------------


def test_a_peer_over_its_quota_waits_until_we_opened_what_we_have(pair: Pair) -> None:
    registered(pair, peer_of("dept-a", quota=Quota(parcels=1)))
    first = forged(pair)
    assert sent(pair, first).status == 200
    second = forged(pair, 2, first.digest, n=1)
    heard = sent(pair, second)
    turned(pair, heard, 429, "EXN-QUOTA", kept=1)
    assert heard.headers["retry-after"] == "5"
    pair.opened()
    assert sent(pair, second).status == 200


def test_a_quota_of_octets_counts_what_comes(pair: Pair) -> None:
    sealed = forged(pair)
    registered(pair, peer_of("dept-a", quota=Quota(octets=len(sealed.payload) - 1)))
    turned(pair, sent(pair, sealed), 429, "EXN-QUOTA")


def test_foreign_data_is_taken_while_only_our_own_intake_is_closed(pair: Pair) -> None:
    sealed = forged(pair)
    for shortage in (Shortage.FOREIGN, Shortage.RESERVE):
        pair.centre.shortage = shortage
        turned(pair, sent(pair, sealed), 507, "EXN-DISK")
    pair.centre.shortage = Shortage.INTAKE
    assert sent(pair, sealed).status == 200


def test_a_stopping_node_takes_no_parcel(pair: Pair) -> None:
    pair.centre.desk.stopping = True
    turned(pair, sent(pair, forged(pair)), 503, "EXN-DRAINING")


# --- the real sender ------------------------------------------------------------------------------------------------


def outgoing_of(pair: Pair, *indexes: int) -> Outgoing:
    Api(pair.dept).submitted(*map(twin, indexes), key=f"k{indexes}")
    return pair.sealed()


def test_what_the_department_seals_the_centre_accepts_in_order(pair: Pair) -> None:
    for n in range(3):
        pair.accept(outgoing_of(pair, n))
    pair.opened(3)
    letter = pair.accounted()
    assert len(letter.receipts) == 3  # the accepted ones were the answers; these are the final ones
    with pair.centre.stores.warehouse.unit() as unit:
        lines = [line for block in unit.history("population", 0, 10) for line in block.lines]
    assert [twin(n)["RecordId"].encode() in line for n, line in enumerate(lines)] == [True] * 3


def test_a_retry_sends_the_identical_bytes(pair: Pair) -> None:
    outgoing = outgoing_of(pair, 0)
    again = pair.sealed()
    assert (again.manifest, again.payload) == (outgoing.manifest, outgoing.payload)
    framed = unframe(frame(again.manifest, again.payload))
    assert (framed.manifest, framed.payload) == (again.manifest, again.payload)


def test_a_statement_of_another_kind_is_no_parcel(pair: Pair) -> None:
    sealed = forged(pair)
    receipt = sent(pair, sealed).body
    assert isinstance(sealed.statement, Manifest)
    for statement in (receipt, write(
        sealed.statement, pair.dept.desk.means.identity.signing, pair.dept.desk.means.identity.sign
    )):
        heard = pair.said("/v1/hello", statement, b"application/vnd.exn.statement")
        assert (heard.status, heard.code) == (422, "EXN-STATEMENT")
