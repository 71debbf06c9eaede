"""Handle: what the gate finds in an accepted parcel, and how it is closed; hostile content harms nobody else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from node.crypto.chain import CertificateTrust
from node.envelope import (
    Inner,
    Opened,
    Origin,
    Said,
    content_of,
    digest_of,
    evidence,
    open_parcel,
    open_verdicts,
    read_manifest,
    read_origins,
    read_receipt,
    seal,
    verify,
    verify_bytes,
    write,
)
from node.exchange import handle
from node.exchange.authority import party
from node.exchange.handle import Judgement
from node.exchange.means import Means
from node.model import codes
from node.model.certificate import Role
from node.model.instant import day
from node.model.parcel import Outcome, Stage, Verdict
from node.model.record import Version
from node.model.registry import Term
from node.model.spool import Arrival, ArrivalState, Claim, Sealed
from node.model.trouble import Hold, Trouble
from node.validate import Specifications, split_line
from tests.crypto.papers import CRYPTO, lists, make_leaf, revoke, the_authority, the_leaf, the_root
from tests.exchange.acts import renewed
from tests.intake.api import broken, twin
from tests.stage.desk import CENTRE, means_of, peer_of, resources_of
from tests.stage.forging import draft_of, line_of, parcel_of, signed_again, signer_of
from tests.stage.pair import Pair, lane_of


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair(registered=("dept-a", "dept-b"))
    yield made
    made.close()


def now(pair: Pair) -> int:
    return pair.dept.desk.now()


def today(pair: Pair) -> date:
    return day(now(pair))


def forged(pair: Pair, lines: Sequence[bytes], said: Said = Said(), by: Means | None = None, **given: Any) -> Sealed:
    """Return a well-made parcel with these lines, whatever they are."""
    means = by or pair.dept.desk.means
    return parcel_of(means, lines, draft_of(means, now(pair), **given), said)


def judge(
    pair: Pair, sealed: Sealed, means: Means | None = None, saved: Sequence[Verdict] | None = None,
    octets: tuple[bytes, bytes] | None = None,
) -> Judgement:
    """Return what the centre's gate finds."""
    claim = Claim(sealed.statement.lane, 1, sealed.statement.parcel)
    held = octets or (sealed.manifest, sealed.payload)
    return handle.judge(claim, held, means or pair.centre.desk.means, now(pair), today(pair), saved)


def hold_of(pair: Pair, sealed: Sealed, means: Means | None = None, **given: Any) -> str:
    with pytest.raises(Hold) as caught:
        judge(pair, sealed, means, **given)
    return caught.value.code.name


def rules(judged: Judgement) -> list[tuple[int, str]]:
    return [(verdict.index, verdict.rule) for verdict in judged.refused]


def good_leaves(judged: Judgement) -> list[int]:
    return [one.leaf for one in judged.delivery.records] if judged.delivery else []


def centre_means(*peers: Any) -> Means:
    return means_of(CENTRE, peers)


# --- lines ------------------------------------------------------------------------------------------------------------


def test_good_records_go_to_the_sink_with_key_purpose_and_evidence(pair: Pair) -> None:
    lines = [line_of(twin(n), now(pair), n=n + 1) for n in range(3)]
    judged = judge(pair, forged(pair, lines, Said(purpose="govern")))
    assert judged.delivery is not None and not judged.refused and judged.code is None
    assert [one.line for one in judged.delivery.records] == lines
    assert [one.head.version.n for one in judged.delivery.records] == [1, 2, 3]
    assert len({one.key for one in judged.delivery.records}) == 3
    assert judged.delivery.purpose == "govern"
    (entry,) = read_origins(judged.delivery.evidence)
    assert (entry.count, [index for index, _ in entry.at], list(entry.rest)) == (3, [0, 1, 2], [])


@pytest.mark.parametrize("rule, line", [
    ("line", lambda at: b"nothing like a line"),
    ("line", lambda at: line_of(twin(1), at).replace(b'"operation":"upsert"', b'"operation":"recall"')),
    ("line", lambda at: line_of(twin(1), at).replace(b'"version":[1700000000,1]', b'"version":[1700000000,1.0]')),
    ("head", lambda at: line_of(twin(1), at, row="another-row")),
    ("head", lambda at: line_of(twin(1), at, happened="2020-01-01T00:00:00+08:00")),
    ("head", lambda at: line_of(twin(1), at, correlation="case-7")),
    ("origin", lambda at: line_of(twin(1), at, origin="dept-b")),
    ("canonical", lambda at: line_of(twin(1), at).replace(b'{"body":{', b'{"body":{ ', 1)),
])
def test_a_line_is_refused_alone(pair: Pair, rule: str, line: Any) -> None:
    lines = [line_of(twin(0), now(pair)), line(now(pair)), line_of(twin(2), now(pair), n=3)]
    judged = judge(pair, forged(pair, lines))
    assert (rules(judged), good_leaves(judged), judged.code) == ([(1, rule)], [0, 2], None)


def test_every_broken_rule_of_a_record_is_told(pair: Pair) -> None:
    judged = judge(pair, forged(pair, [line_of(broken(0), now(pair))]))
    assert judged.delivery is None
    assert {(verdict.rule, verdict.field) for verdict in judged.refused} == {
        ("empty", "PersonName"), ("unknown", "Unheard"),
    }


@pytest.mark.parametrize("name", ['姓名"', "with blank", "quote\"and\\back", "x" * 900, "\u007f"])
def test_a_name_the_sender_invented_can_be_told_in_a_verdict_list(pair: Pair, name: str) -> None:
    judged = judge(pair, forged(pair, [line_of(twin(0) | {name: "x"}, now(pair))]))
    assert [verdict.rule for verdict in judged.refused] == ["unknown"]
    closing, told = concluded(pair, judged)
    assert closing.state is ArrivalState.DONE and [verdict.index for verdict in told] == [0]


def test_a_huge_version_of_anothers_record_is_refused_without_proof(pair: Pair) -> None:
    line = line_of(twin(0), now(pair), origin="dept-b", version=Version(2**40, 2**40))
    passing = centre_means(peer_of("dept-a", origins=frozenset({"*"})), "dept-b")
    for means in (None, passing):
        judged = judge(pair, forged(pair, [line]), means)
        assert (rules(judged), judged.delivery) == ([(0, "origin")], None)


# --- routed records ---------------------------------------------------------------------------------------------------


def from_origin(pair: Pair, count: int, keep: Sequence[int], node: str = "dept-b") -> tuple[list[bytes], list[Origin]]:
    """Return lines `keep` of a parcel that another department sealed for the centre, and the entries proving them."""
    means = means_of(node, [CENTRE])
    lines = [line_of(twin(n + 50), now(pair), node, n + 1) for n in range(count)]
    sealed = parcel_of(means, lines, draft_of(means, now(pair)))
    attested = verify(read_manifest(sealed.manifest, means.crypto), means.identity.signing, means.crypto)
    centre = pair.centre.desk.means
    opened = open_parcel(verify_bytes(attested, sealed.payload, means.crypto), centre.identity.unwrap, means.crypto)
    entries = evidence(opened, [node] * count, keep, means.crypto)
    return [lines[index] for index in keep], list(entries)


def passing(pair: Pair, origins: frozenset[str] = frozenset({"dept-b"})) -> Means:
    return centre_means(peer_of("dept-a", origins=origins), "dept-b")


def test_a_routed_record_with_its_proof_is_good_where_the_sender_may_pass_it_on(pair: Pair) -> None:
    foreign, entries = from_origin(pair, 5, [1, 4])
    lines = [foreign[0], line_of(twin(0), now(pair)), foreign[1]]
    sealed = forged(pair, lines, Said(origins=entries))
    judged = judge(pair, sealed, passing(pair))
    assert (good_leaves(judged), judged.refused) == ([0, 1, 2], [])
    assert judged.delivery is not None
    assert [entry.count for entry in read_origins(judged.delivery.evidence)] == [5, 3, 5]
    for origins in (frozenset[str](), frozenset({"dept-c"})):
        assert rules(judge(pair, sealed, passing(pair, origins))) == [(0, "origin"), (2, "origin")]


def _other_salt(entry: Origin) -> Origin:
    return replace(entry, at=[(index, os.urandom(32)) for index, _ in entry.at])


BAD_ENTRIES = {
    "another salt": _other_salt,
    "another count": lambda entry: replace(entry, count=entry.count + 1),
    "a leaf beyond the end": lambda entry: replace(entry, at=[(entry.count, salt) for _, salt in entry.at]),
    "a rest too many": lambda entry: replace(entry, rest=[*entry.rest, bytes(32)]),
    "no manifest": lambda entry: replace(entry, manifest=b"nothing"),
}


@pytest.mark.parametrize("spoil", BAD_ENTRIES.values(), ids=BAD_ENTRIES)
def test_an_entry_that_proves_nothing_refuses_its_lines_and_no_others(pair: Pair, spoil: Any) -> None:
    bad, bad_entries = from_origin(pair, 4, [2])
    good, good_entries = from_origin(pair, 3, [0])
    lines = [bad[0], line_of(twin(0), now(pair)), good[0]]
    sealed = forged(pair, lines, Said(origins=[spoil(bad_entries[0]), *good_entries]))
    judged = judge(pair, sealed, passing(pair))
    assert (rules(judged), good_leaves(judged)) == ([(0, "origin")], [1, 2])
    assert judged.delivery is not None
    assert [entry.count for entry in read_origins(judged.delivery.evidence)] == [3, 3]


def test_entries_that_fit_no_line_refuse_every_foreign_line_and_harm_nothing_else(pair: Pair) -> None:
    foreign, entries = from_origin(pair, 4, [1, 2])
    own = line_of(twin(0), now(pair))
    for lines, refused, good in (
        ([own], [], [0]), ([own, foreign[0]], [(1, "origin")], [0]), ([foreign[0]], [(0, "origin")], []),
    ):
        judged = judge(pair, forged(pair, lines, Said(origins=entries)), passing(pair))
        assert (rules(judged), good_leaves(judged)) == (refused, good)


def test_an_origin_whose_certificate_is_not_registered_yet_holds_the_parcel(pair: Pair) -> None:
    foreign, entries = from_origin(pair, 2, [0])
    sealed = forged(pair, foreign, Said(origins=entries))
    assert hold_of(pair, sealed, centre_means(peer_of("dept-a", origins=frozenset({"*"})))) == "EXN-UNREGISTERED"


def test_an_origin_whose_key_was_revoked_proves_nothing_and_holds_nobody_up(pair: Pair) -> None:
    """No later state makes it good again: a Hold would stop the lane with all others' records for ever."""
    foreign, entries = from_origin(pair, 2, [0])
    sealed = forged(pair, [*foreign, line_of(twin(7), now(pair))], Said(origins=entries))
    revoked = CertificateTrust(
        CRYPTO, [the_root().der], [the_authority().der], lists(revoke(the_leaf(Role.SIGN, "dept-b")))
    )
    judged = judge(pair, sealed, replace(passing(pair), trust=revoked))
    assert (rules(judged), good_leaves(judged)) == ([(0, "origin")], [1])


def test_records_of_one_origin_under_anothers_manifest_are_refused(pair: Pair) -> None:
    means = means_of("dept-b", [CENTRE])
    line = line_of(twin(0), now(pair), "dept-c")
    sealed = parcel_of(means, [line], draft_of(means, now(pair)))
    opened = opened_by(pair, sealed, means)
    entries = evidence(opened, ["dept-b"], [0], means.crypto)
    held = centre_means(peer_of("dept-a", origins=frozenset({"*"})), "dept-b", "dept-c")
    assert rules(judge(pair, forged(pair, [line], Said(origins=entries)), held)) == [(0, "origin")]


def opened_by(pair: Pair, sealed: Sealed, sender: Means) -> Opened:
    attested = verify(read_manifest(sealed.manifest, sender.crypto), sender.identity.signing, sender.crypto)
    centre = pair.centre.desk.means
    opened = open_parcel(verify_bytes(attested, sealed.payload, sender.crypto), centre.identity.unwrap, sender.crypto)
    assert isinstance(opened.inner, Inner)
    return opened


# --- whole parcels ----------------------------------------------------------------------------------------------------


def test_a_parcel_that_does_not_open_is_refused_whole_with_a_reason_for_the_log(pair: Pair) -> None:
    sealed = signed_again(pair.dept.desk.means, forged(pair, [line_of(twin(0), now(pair))]), bind="11" * 32)
    judged = judge(pair, sealed)
    assert (judged.code, judged.reason, judged.delivery) == (codes.OPEN, "bind", None)
    closing, _ = concluded(pair, judged)
    assert (closing.state, closing.receipt.stage, closing.code) == (ArrivalState.PARKED, Stage.REFUSED, "EXN-OPEN")
    said = read_receipt(closing.receipt.statement, pair.dept.desk.means.crypto).statement
    assert (said.code, said.counts, said.verdicts) == ("EXN-OPEN", None, None)
    assert b"bind" not in closing.receipt.statement


@pytest.mark.parametrize("kind", ["heartbeat", "query", "file-chunk", "something-new"])
def test_a_kind_this_version_does_not_know_is_refused_as_unsupported(pair: Pair, kind: str) -> None:
    judged = judge(pair, signed_again(pair.dept.desk.means, forged(pair, [line_of(twin(0), now(pair))]), kind=kind))
    assert (judged.code, judged.delivery) == (codes.UNSUPPORTED, None)


@pytest.mark.parametrize("where", [0, 1])
def test_stored_bytes_that_are_no_longer_those_are_our_disks_fault(pair: Pair, where: int) -> None:
    sealed = forged(pair, [line_of(twin(0), now(pair))])
    octets = [sealed.manifest, sealed.payload]
    for at in range(len(octets[where])):
        spoiled = list(octets)
        spoiled[where] = octets[where][:at] + bytes([octets[where][at] ^ 1 << at % 8]) + octets[where][at + 1:]
        assert hold_of(pair, sealed, octets=(spoiled[0], spoiled[1])) == "EXN-STORE-CORRUPT", at
    assert hold_of(pair, sealed, octets=(b"", b"")) == "EXN-STORE-CORRUPT"


def test_the_bytes_of_another_parcel_in_a_parcels_place_are_our_disks_fault(pair: Pair) -> None:
    one, other = (forged(pair, [line_of(twin(n), now(pair))]) for n in range(2))
    assert hold_of(pair, one, octets=(other.manifest, other.payload)) == "EXN-STORE-CORRUPT"


def test_a_sender_whose_certificate_was_replaced_since_is_judged_all_the_same(pair: Pair) -> None:
    sealed = forged(pair, [line_of(twin(0), now(pair))])
    new = make_leaf(the_authority(), Role.SIGN, "dept-a").certificate
    assert good_leaves(judge(pair, sealed, centre_means(peer_of("dept-a", signing=[new])))) == [0]


@pytest.mark.parametrize("peers, code", [
    ([], "EXN-UNREGISTERED"), ([peer_of("dept-a", suspended=True)], "EXN-SUSPENDED"),
])
def test_a_sender_that_is_gone_or_suspended_now_holds_what_it_sent(pair: Pair, peers: Any, code: str) -> None:
    assert hold_of(pair, forged(pair, [line_of(twin(0), now(pair))]), centre_means(*peers)) == code


def test_without_the_key_it_was_sealed_to_a_parcel_is_held(pair: Pair) -> None:
    means = pair.centre.desk.means
    keyless = replace(means, identity=means_of("dept-b", []).identity)
    assert hold_of(pair, forged(pair, [line_of(twin(0), now(pair))]), keyless) == "EXN-KEY-ROLE"


def test_what_was_sealed_to_a_key_that_is_lost_for_good_is_refused_whole_and_waits_for_nobody(pair: Pair) -> None:
    sealed = forged(pair, [line_of(twin(0), now(pair))])
    means = pair.centre.desk.means
    keyless = replace(means, identity=renewed(CENTRE, Role.ENCRYPT, old_key="missing")[0].identity)
    assert hold_of(pair, sealed, keyless) == "EXN-KEY-ROLE", "it may be found"
    lost = replace(means, identity=renewed(CENTRE, Role.ENCRYPT, old_key="lost")[0].identity)
    judged = judge(pair, sealed, lost)
    assert judged.code is codes.OPEN and judged.reason == "lost" and judged.delivery is None
    said = sealed.statement
    arrival = Arrival(
        said.parcel, said.lane, said.place.epoch, said.place.seq, sealed.digest, said.envelope.digest, "records", 1,
        len(sealed.payload), ArrivalState.STORED, now(pair), None, 0, None, "ab" * 32,
    )
    closing = handle.conclude(judged, arrival, (), lost)
    receipt = read_receipt(closing.receipt.statement, CRYPTO).statement
    assert (closing.state, receipt.stage, receipt.code) == (ArrivalState.DONE, Stage.REFUSED, "EXN-OPEN")


def test_an_envelope_without_the_receiver_its_own_manifest_names_is_refused_and_holds_nothing(pair: Pair) -> None:
    """No later state of ours could open it, so a sender could have held the lane for good."""
    means, at, other = pair.dept.desk.means, now(pair), peer_of("dept-b")
    draft = draft_of(means, at, receiver=party(other))
    lines, crypto = [line_of(twin(0), at)], means.crypto
    sealed = seal(draft, lines, Said(), signer_of(means), [other.encryption], crypto, os.urandom)
    sealed = signed_again(means, sealed, receiver=party(peer_of(CENTRE)))
    judged = judge(pair, sealed)
    assert judged.code is codes.OPEN and judged.reason == "recipients" and judged.delivery is None


@pytest.mark.parametrize("start, end, refused", [
    (None, None, False), (-10, 10, False), (None, 0, True), (1, None, True), (None, 1, False), (0, None, False),
])
def test_a_record_is_taken_if_its_version_was_when_it_was_admitted_however_late_it_comes(
    pair: Pair, start: int | None, end: int | None, refused: bool,
) -> None:
    at = now(pair)
    sealed = forged(pair, [line_of(twin(0), at)])
    term = Term("population-basic/1.0", *(None if one is None else at + one for one in (start, end)))
    resources = [
        replace(one, versions=(term,), specification="population-basic/1.9") if one.code == "population" else one
        for one in resources_of(CENTRE)
    ]
    means = means_of(CENTRE, ["dept-a"], resources)
    judged = judge(pair, sealed, means)
    said = [(one.index, one.rule, one.field) for one in judged.refused]
    assert said == ([(0, "version", "population-basic/1.9")] if refused else [])
    assert good_leaves(judged) == ([] if refused else [0])
    assert good_leaves(judge(pair, sealed, means, saved=())) == [0], "what was found before stands"


def test_a_specification_that_is_gone_holds_the_parcel(pair: Pair) -> None:
    sealed = forged(pair, [line_of(twin(0), now(pair))])
    without = replace(pair.centre.desk.means, specifications=Specifications({}))
    assert hold_of(pair, sealed, without) == codes.UNKNOWN_SPECIFICATION.name


# --- verdicts that were saved -----------------------------------------------------------------------------------------


def test_verdicts_saved_before_stand_whatever_changed_since(pair: Pair) -> None:
    foreign, entries = from_origin(pair, 2, [1])
    lines = [line_of(broken(0), now(pair)), foreign[0], line_of(twin(2), now(pair))]
    sealed = forged(pair, lines, Said(origins=entries))
    first = judge(pair, sealed, passing(pair))
    assert good_leaves(first) == [1, 2]
    again = judge(pair, sealed, passing(pair, frozenset()), saved=first.refused)
    assert (again.refused, good_leaves(again)) == (first.refused, [1, 2])
    strict = [Verdict(2, Outcome.REFUSED, "gate", "PersonName"), *first.refused]
    assert good_leaves(judge(pair, sealed, passing(pair), saved=strict)) == [1]


# --- the end ----------------------------------------------------------------------------------------------------------


def concluded(pair: Pair, judged: Judgement, applied: Sequence[Verdict] = ()) -> tuple[handle.Closing, list[Verdict]]:
    """Return how it ends, and the verdict list as the sender reads it."""
    said, means = judged.manifest.statement, pair.dept.desk.means
    arrival = Arrival(
        said.parcel, said.lane, said.place.epoch, said.place.seq, judged.manifest.digest, said.envelope.digest,
        said.kind, said.count, 1, ArrivalState.JUDGED, now(pair), None, 0, None, "ab" * 32,
    )
    closing = handle.conclude(judged, arrival, applied, pair.centre.desk.means)
    receipt = verify(
        read_receipt(closing.receipt.statement, means.crypto), pair.centre.desk.means.identity.signing, means.crypto
    )
    if receipt.statement.verdicts is None:
        return closing, []
    return closing, open_verdicts(receipt, closing.receipt.verdicts, means.identity.unwrap, means.crypto)


def test_the_final_word_is_made_of_the_gates_verdicts_and_the_sinks(pair: Pair) -> None:
    lines = [line_of(twin(0), now(pair)), line_of(broken(1), now(pair)), line_of(twin(2), now(pair))]
    judged = judge(pair, forged(pair, lines))
    applied = [Verdict(0, Outcome.APPLIED), Verdict(2, Outcome.OLDER)]
    closing, told = concluded(pair, judged, applied)
    assert closing.counts == {"applied": 1, "older": 1, "refused": 1}
    assert {(one.index, one.rule) for one in told} == {(1, "empty"), (1, "unknown")}
    said = read_receipt(closing.receipt.statement, pair.dept.desk.means.crypto).statement
    assert (said.digest, said.received_at, said.validation) == (judged.manifest.digest, now(pair), "ab" * 32)


def test_nothing_refused_means_no_list_and_nothing_of_a_person_in_the_receipt(pair: Pair) -> None:
    lines = [line_of(twin(0), now(pair))]
    judged = judge(pair, forged(pair, lines))
    closing, told = concluded(pair, judged, [Verdict(0, Outcome.APPLIED)])
    assert (told, closing.receipt.verdicts) == ([], b"")
    body = split_line(lines[0])[0]
    for value in (twin(0)["RecordId"], twin(0)["IdNumber"], twin(0)["PersonName"]):
        assert value.encode() in body and value.encode() not in closing.receipt.statement


def test_a_list_too_long_for_a_letter_tells_the_first_rule_of_every_record(pair: Pair) -> None:
    judged = judge(pair, forged(pair, [line_of(twin(0), now(pair))]))
    many = [
        Verdict(index, Outcome.REFUSED, f"rule-{rule}", "Field" * 30) for index in range(2000) for rule in range(60)
    ]
    closing, told = concluded(pair, replace(judged, refused=many))
    assert {one.index for one in told} == set(range(2000))
    assert {one.rule for one in told if one.index == 1999} == {"rule-0"}
    assert len(closing.receipt.verdicts) < 9 << 20 and closing.counts["refused"] == 2000


def test_a_receipt_speaks_of_the_content_and_not_of_its_wrapping(pair: Pair) -> None:
    sealed = forged(pair, [line_of(twin(0), now(pair))])
    means = pair.dept.desk.means
    wrapped = write(sealed.statement, means.identity.signing, means.identity.sign)
    assert wrapped != sealed.manifest and digest_of(content_of(sealed.statement), means.crypto) == sealed.digest
    assert judge(pair, replace(sealed, manifest=wrapped)).manifest.digest == sealed.digest


def test_finishing_needs_the_newest_claim(pair: Pair) -> None:
    sealed = forged(pair, [line_of(twin(0), now(pair))])
    assert pair.posted(sealed.manifest, sealed.payload).status == 200
    judged = judge(pair, sealed)
    inbox = pair.centre.stores.inbox
    with inbox.unit() as unit:
        first = unit.take(now(pair), 10)
        assert first is not None
    closing = handle.conclude(judged, first[1], [Verdict(0, Outcome.APPLIED)], pair.centre.desk.means)
    with inbox.unit() as unit:
        second = unit.take(now(pair) + 1000, 1000)
        assert second is not None and second[0].token > first[0].token
    with pytest.raises(Trouble) as caught, inbox.unit() as unit:
        handle.finish(unit, first[0], first[1], closing, now(pair))
    assert caught.value.code is codes.FENCED
    with inbox.unit() as unit:
        handle.finish(unit, second[0], second[1], closing, now(pair))
        assert unit.ledger(lane_of())[-1].step == "processed"
