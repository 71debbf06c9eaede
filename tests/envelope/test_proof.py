"""Proof files: one record shown offline, and what is not shown, said."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from functools import partial

import orjson
import pytest

from node.crypto.certificates import parse
from node.envelope import Beside, Origin, accepted, check_proof, evidence, processed, prove, prove_origin
from node.envelope import refused as refusing
from node.envelope import write
from node.envelope.canonical import armour
from node.model import codes
from node.model.certificate import Certificate
from node.model.instant import Instant
from node.model.parcel import Checkpoint, Outcome, Verdict
from node.model.trouble import Refused, Trouble, trouble
from tests.crypto.papers import NOW, trust
from tests.envelope.people import ALICE, BOB, CAROL, CRYPTO, lines_of, opened, sealed

read = partial(parse, sm3=CRYPTO.sm3)
TRUST = trust()
LINES = lines_of(5)
OPENED = opened(sealed(LINES))
ARCHIVE = TRUST.archive(ALICE.signing.certificate)
VALIDATION = CRYPTO.sm3(ARCHIVE).hex()
GIVEN = (OPENED.manifest, BOB.as_sender, ALICE.as_receiver, NOW, Checkpoint(), VALIDATION)
ACCEPTED = write(accepted(*GIVEN), *BOB.signer)
PROCESSED = write(processed(*GIVEN, [Verdict(i, Outcome.APPLIED) for i in range(5)], None), *BOB.signer)
ARCHIVES = {one.fingerprint: TRUST.archive(one) for one in (ALICE.signing.certificate, BOB.signing.certificate)}
WHOLE = Beside([ACCEPTED, PROCESSED], ARCHIVES)


def judge(one: Certificate, at: Instant, archive: bytes | None, others: Sequence[bytes]) -> Collection[str]:
    if archive is None:
        return {"chain", "revocation"}
    return {gap.value for gap in TRUST.check_archived(one, at, archive)}


def proof_of(index: int, beside: Beside = WHOLE) -> bytes:
    return prove(OPENED.manifest, OPENED.secret, OPENED.lines, index, beside, CRYPTO)


@pytest.mark.parametrize("index", range(5))
def test_each_record_is_proved_alone(index: int) -> None:
    report = check_proof(proof_of(index), read, judge, CRYPTO)
    assert (report.line, report.index) == (LINES[index], index)
    assert [found.name for found in report.shown] == [
        "signature", "record", "accepted", "chain", "chain", "processed"
    ]
    assert {found.name for found in report.not_shown} == {"time"} and not report.whole


def test_a_proof_shows_no_other_record() -> None:
    data = proof_of(2)
    said = orjson.loads(data)
    for index, line in enumerate(LINES):
        assert (armour(line) == said["line"]) == (index == 2)
        assert OPENED.salts[index].hex() == said["salt"] or OPENED.salts[index].hex().encode() not in data
    assert OPENED.secret.hex().encode() not in data


def test_without_receipts_acceptance_time_chain_and_revocation_are_not_shown() -> None:
    report = check_proof(proof_of(0, Beside()), read, judge, CRYPTO)
    assert {found.name for found in report.not_shown} == {"acceptance", "time", "chain", "revocation"}
    bare = check_proof(proof_of(0, Beside([ACCEPTED])), read, judge, CRYPTO)
    assert {found.name for found in bare.not_shown} == {"time", "chain", "revocation"}
    for found in (*report.shown, *report.not_shown):
        assert found.says.zh and found.says.en and "{" not in found.says.zh + found.says.en


def test_a_refused_parcel_says_so() -> None:
    receipt = write(refusing(*GIVEN, codes.UNSUPPORTED), *BOB.signer)
    report = check_proof(proof_of(0, Beside([receipt], ARCHIVES)), read, judge, CRYPTO)
    assert "refused" in [found.name for found in report.shown]


def test_any_changed_octet_breaks_the_proof(seed: int) -> None:
    """But in the archive of the receipt's own signer, which nothing signs: it can only show less."""
    dice = random.Random(seed)
    data = proof_of(3)
    loose = armour(ARCHIVES[BOB.signing.certificate.fingerprint]).encode()
    start = data.index(loose)
    for at in dice.sample([*range(start), *range(start + len(loose), len(data))], 400):
        broken = bytearray(data)
        broken[at] = dice.choice(sorted(set(b"0123456789abcdef") - {broken[at]}))
        try:
            report = check_proof(bytes(broken), read, judge, CRYPTO)
        except Trouble:
            continue
        assert "chain" in {gap.name for gap in report.not_shown}, f"octet {at}"  # an archive under another fingerprint


def test_a_receipt_or_archive_of_another_parcel_is_refused() -> None:
    other = opened(sealed(lines_of(1)))
    about_other = write(accepted(other.manifest, *GIVEN[1:]), *BOB.signer)
    by_carol = write(accepted(GIVEN[0], CAROL.as_sender, *GIVEN[2:]), *CAROL.signer)
    for beside in (
        Beside([about_other]), Beside([by_carol]),
        Beside([ACCEPTED], {ALICE.signing.certificate.fingerprint: ARCHIVES[BOB.signing.certificate.fingerprint]}),
    ):
        with pytest.raises(Refused) as refusal:
            check_proof(proof_of(0, beside), read, judge, CRYPTO)
        assert refusal.value.code.name == "EXN-PROOF"


def test_a_certificate_not_good_then_ends_it() -> None:
    def revoked(one: Certificate, at: Instant, archive: bytes | None, others: Sequence[bytes]) -> Collection[str]:
        raise trouble(codes.CERT_REVOKED, fingerprint=one.fingerprint)

    with pytest.raises(Trouble) as refusal:
        check_proof(proof_of(0), read, revoked, CRYPTO)
    assert refusal.value.code.name == "EXN-CERT-REVOKED"


def test_what_is_not_of_the_parcel_is_not_proved() -> None:
    for secret, lines, index in (
        (bytes(32), LINES, 0), (OPENED.secret, LINES[:4], 0), (OPENED.secret, LINES[::-1], 0),
        (OPENED.secret, LINES, 5), (OPENED.secret, LINES, -1),
    ):
        with pytest.raises(Refused) as refusal:
            prove(OPENED.manifest, secret, lines, index, WHOLE, CRYPTO)
        assert refusal.value.code.name == "EXN-PROOF"


def test_a_routed_record_is_proved_against_its_origin() -> None:
    keep = [1, 3, 4]
    (entry,) = evidence(OPENED, ["dept-a"] * 5, keep, CRYPTO)
    lines = [LINES[at] for at in keep]
    for place, index in enumerate(keep):
        report = check_proof(prove_origin(entry, lines, place, WHOLE, CRYPTO), read, judge, CRYPTO)
        assert (report.line, report.index, report.manifest.digest) == (
            LINES[index], index, OPENED.manifest.digest
        )
    thinner = Origin(entry.manifest, entry.count, entry.at, entry.rest[1:])
    for bad, held, place in ((thinner, lines, 0), (entry, lines, 3), (entry, lines[::-1], 0), (entry, lines[:2], 0)):
        with pytest.raises(Refused):
            prove_origin(bad, held, place, WHOLE, CRYPTO)


@pytest.mark.parametrize(
    ("was", "now"), [(b'"index":3', b'"index":2'), (b'"n":5', b'"n":6'), (b"exn.proof.1", b"exn.proof.2")]
)
def test_a_proof_of_another_form_is_refused(was: bytes, now: bytes) -> None:
    data = proof_of(3)
    assert data.count(was) == 1
    with pytest.raises(Refused):
        check_proof(data.replace(was, now), read, judge, CRYPTO)
