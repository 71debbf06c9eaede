"""Trust: who is good now, who was good then, and what an archive shows of it."""

from __future__ import annotations

import os
import random

import pytest
from asn1crypto import x509

from node.crypto import chain, issuance
from node.crypto.archive import LIMIT, MEMBERS, read_archive, write_archive
from node.crypto.certificates import inspect, parse
from node.crypto.chain import CertificateTrust, Unshown
from node.crypto.issuance import Holder, Revocation, Term, authority, revocation_list
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.instant import Instant
from node.model.trouble import Code, Hold, Refused, Trouble
from node.ports import Trust
from tests.crypto.papers import (
    CRYPTO,
    DAY,
    NOW,
    YEAR,
    Paper,
    lists,
    make_authority,
    make_leaf,
    make_root,
    names,
    revoke,
    the_authority,
    the_leaf,
    the_root,
    trust,
)

SIGNER = the_leaf(Role.SIGN)
GOOD = frozenset({Unshown.TIME})
OPEN = frozenset({Unshown.TIME, Unshown.REVOCATION})
LATER = frozenset({Unshown.TIME, Unshown.REVOKED_LATER})


def verdict(held: CertificateTrust, certificate: Certificate, at: Instant = NOW) -> Code | None:
    try:
        held.check(certificate, at)
    except Trouble as trouble:
        assert isinstance(trouble, Hold)
        return trouble.code
    return None


def shown(held: CertificateTrust, certificate: Certificate, at: Instant, archive: bytes) -> frozenset[Unshown] | Code:
    try:
        return held.check_archived(certificate, at, archive)
    except Trouble as trouble:
        return trouble.code


@pytest.mark.parametrize("role", list(Role))
def test_a_good_certificate_of_any_role_is_good_again_and_again(role: Role) -> None:
    held: Trust = trust()
    for _ in range(3):
        held.check(the_leaf(role).certificate, NOW)


def test_a_certificate_straight_under_a_root_is_good() -> None:
    top = make_root()
    paper = make_leaf(top, Role.SIGN)
    assert verdict(CertificateTrust(CRYPTO, [top.der], (), [top.revoking()]), paper.certificate) is None


def test_another_roots_certificate_does_not_chain() -> None:
    stranger = make_leaf(make_root(), Role.SIGN)
    assert verdict(trust(), stranger.certificate) is codes.CERT_CHAIN
    same_name = make_leaf(make_root("测试子CA"), Role.SIGN)
    assert verdict(trust(), same_name.certificate) is codes.CERT_CHAIN


def test_a_missing_intermediate_breaks_the_chain() -> None:
    held = CertificateTrust(CRYPTO, [the_root().der], (), [the_root().revoking()])
    assert verdict(held, SIGNER.certificate) is codes.CERT_CHAIN


def test_an_intermediate_alone_is_no_anchor() -> None:
    held = CertificateTrust(CRYPTO, [make_root().der], [the_authority().der], [the_authority().revoking()])
    assert verdict(held, SIGNER.certificate) is codes.CERT_CHAIN


def test_a_flipped_signature_does_not_chain() -> None:
    bent = SIGNER.der[:-1] + bytes([SIGNER.der[-1] ^ 1])
    assert verdict(trust(), parse(bent, CRYPTO.sm3)) is codes.CERT_CHAIN


def test_a_leaf_cannot_issue() -> None:
    above, key = inspect(SIGNER.der, CRYPTO.sm3), CRYPTO.sm2_generate()
    usage = issuance._extension("key_usage", x509.KeyUsage({"digital_signature"}), critical=True)
    der = issuance._certificate(
        Holder(names("dept-x"), key.public), YEAR, x509.Name.load(above.subject), SIGNER.key, CRYPTO.sm3, os.urandom,
        [usage])
    blob = write_archive([der, SIGNER.der, the_authority().der, the_root().der], lists())
    assert shown(trust(), parse(der, CRYPTO.sm3), NOW, blob) is codes.CERT_CHAIN
    held = trust()
    with pytest.raises(Trouble) as caught:
        held.renew([the_root().der], [SIGNER.der], lists())
    assert caught.value.code is codes.KEY_ROLE


def test_an_authority_under_a_leaf_only_authority_does_not_chain() -> None:
    deep = make_authority(the_authority(), "更深一级CA")
    held = CertificateTrust(
        CRYPTO, [the_root().der], [the_authority().der, deep.der], [*lists(), deep.revoking()])
    assert verdict(held, make_leaf(deep, Role.SIGN).certificate) is codes.CERT_CHAIN


def test_validity_holds_at_each_instant_even_for_a_known_path() -> None:
    held = trust()
    assert verdict(held, SIGNER.certificate) is None
    assert verdict(held, SIGNER.certificate, YEAR.not_before - 1000) is codes.CERT_TIME
    assert verdict(held, SIGNER.certificate, YEAR.not_after + 1000) is codes.CERT_TIME
    assert verdict(held, SIGNER.certificate) is None
    assert verdict(trust(), SIGNER.certificate, YEAR.not_after + 1000) is codes.CERT_TIME


def test_an_expired_authority_takes_its_certificates_with_it() -> None:
    short = make_authority(the_root(), "短期CA", Term(NOW - DAY, NOW + DAY))
    held = CertificateTrust(CRYPTO, [the_root().der], [short.der], [
        the_root().revoking(due=NOW + 9 * DAY), short.revoking(due=NOW + 9 * DAY)])
    paper = make_leaf(short, Role.SIGN)
    assert verdict(held, paper.certificate, NOW + DAY) is None
    assert verdict(held, paper.certificate, NOW + DAY + 1000) is codes.CERT_TIME


def test_a_renewed_authority_of_the_same_name_and_key_carries_on() -> None:
    old = make_authority(the_root(), "换证CA", Term(NOW - 9 * DAY, NOW + DAY))
    term = Term(NOW - DAY, NOW + 99 * DAY)
    new = Paper(authority(Holder(names("换证CA"), old.key.public), term, the_root().issuer), old.key)
    held = CertificateTrust(CRYPTO, [the_root().der], [old.der, new.der], [
        the_root().revoking(due=NOW + 9 * DAY), old.revoking(due=NOW + 9 * DAY)])
    paper = make_leaf(old, Role.SIGN)
    assert verdict(held, paper.certificate, NOW) is None
    assert verdict(held, paper.certificate, NOW + 5 * DAY) is None


@pytest.mark.parametrize("at", [NOW - DAY // 2, NOW + DAY // 2])
def test_whoever_is_on_the_list_is_refused_now_whatever_date_it_gives(at: Instant) -> None:
    assert verdict(trust(revoke(SIGNER, at)), SIGNER.certificate) is codes.CERT_REVOKED
    assert verdict(trust(revoke(SIGNER, at)), the_leaf(Role.ENCRYPT).certificate) is None


def test_a_revoked_authority_takes_its_certificates_with_it() -> None:
    entry = revoke(the_authority())
    held = CertificateTrust(
        CRYPTO, [the_root().der], [the_authority().der], [the_root().revoking(entry), the_authority().revoking()])
    assert verdict(held, SIGNER.certificate) is codes.CERT_REVOKED


def test_each_missing_list_holds() -> None:
    for kept in ([], [the_root().revoking()], [the_authority().revoking()]):
        held = CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], kept)
        assert verdict(held, SIGNER.certificate) is codes.CRL_MISSING


def test_a_list_past_its_next_update_counts_as_missing_after_the_grace() -> None:
    assert verdict(trust(), SIGNER.certificate, NOW + DAY) is None
    assert verdict(trust(), SIGNER.certificate, NOW + DAY + 1) is codes.CRL_MISSING
    late = trust(grace=DAY)
    assert verdict(late, SIGNER.certificate, NOW + 2 * DAY) is None
    assert verdict(late, SIGNER.certificate, NOW + 2 * DAY + 1) is codes.CRL_MISSING
    assert verdict(trust(revoke(SIGNER), grace=DAY), SIGNER.certificate, NOW + 2 * DAY) is codes.CERT_REVOKED


def test_a_list_newer_than_the_receipt_still_answers_for_it() -> None:
    held = CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], [
        the_root().revoking(), the_authority().revoking(this=NOW)])
    assert verdict(held, SIGNER.certificate, NOW - DAY // 2) is None


def test_the_newest_list_counts_in_any_order() -> None:
    old, new = the_authority().revoking(), the_authority().revoking(revoke(SIGNER), number=2, this=NOW - DAY // 4)
    for given in ([old, new], [new, old]):
        held = CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], [the_root().revoking(), *given])
        assert verdict(held, SIGNER.certificate) is codes.CERT_REVOKED


def test_a_list_of_another_key_is_refused_and_the_old_state_stays() -> None:
    held = trust()
    namesake = make_root("测试子CA")
    for bad in (namesake.revoking(), the_authority().revoking()[:-1] + b"\0"):
        with pytest.raises(Refused) as caught:
            held.renew([the_root().der], [the_authority().der], [the_root().revoking(), bad])
        assert caught.value.code is codes.CRL_FORM
    assert held.generation == 1
    assert verdict(held, SIGNER.certificate) is None


def test_new_lists_and_roots_take_effect_at_once() -> None:
    held = trust()
    assert verdict(held, SIGNER.certificate) is None
    held.renew([the_root().der], [the_authority().der], lists(revoke(SIGNER)))
    assert held.generation == 2
    assert verdict(held, SIGNER.certificate) is codes.CERT_REVOKED
    held.renew([the_root().der], [the_authority().der], lists())
    assert verdict(held, SIGNER.certificate) is None
    held.renew([make_root().der], (), ())
    assert verdict(held, SIGNER.certificate) is codes.CERT_CHAIN


def test_only_self_signed_certificates_are_roots() -> None:
    for roots, ways in (([the_authority().der], []), ([the_root().der], [make_root("外来根").der])):
        with pytest.raises(Refused) as caught:
            CertificateTrust(CRYPTO, roots, ways)
        assert caught.value.code is codes.CERT_FORM


def test_an_archive_is_the_path_and_its_lists_and_always_the_same() -> None:
    held = trust()
    held.check(SIGNER.certificate, NOW)
    blob = held.archive(SIGNER.certificate)
    kept = read_archive(blob)
    assert kept.certificates == (SIGNER.der, the_authority().der, the_root().der)
    assert len(kept.crls) == 2
    assert write_archive(kept.certificates, kept.crls) == blob
    assert held.archive(SIGNER.certificate) == blob


def test_an_archive_can_be_had_after_a_restart() -> None:
    given = lists()
    first = CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], given)
    first.check(SIGNER.certificate, NOW)
    second = CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], given)
    assert second.archive(SIGNER.certificate) == first.archive(SIGNER.certificate)


def test_what_is_not_an_archive_is_refused() -> None:
    held = trust()
    blob = held.archive(SIGNER.certificate)
    kept = read_archive(blob)
    bad = [
        b"", blob + b"\0", blob[:-1], b"\x30\x00", blob.replace(b"\x02\x01\x01", b"\x02\x01\x02", 1),
        write_archive([], kept.crls), write_archive(kept.certificates * MEMBERS, ()),
        b"\x30\x84" + (LIMIT + 1).to_bytes(4, "big") + bytes(LIMIT + 1),
    ]
    for octets in bad:
        with pytest.raises(Refused) as caught:
            read_archive(octets)
        assert caught.value.code is codes.PROOF
    with pytest.raises(Refused) as caught:
        held.check_archived(the_leaf(Role.ENCRYPT).certificate, NOW, blob)
    assert caught.value.code is codes.PROOF


def verifier() -> CertificateTrust:
    """Return the trust of somebody offline who has the root and nothing else."""
    return CertificateTrust(CRYPTO, [the_root().der])


def test_a_proof_verifies_years_later_from_the_root_alone() -> None:
    blob = trust().archive(SIGNER.certificate)
    assert shown(verifier(), SIGNER.certificate, NOW, blob) == GOOD
    assert verdict(verifier(), SIGNER.certificate, NOW + 9999 * DAY) is codes.CERT_CHAIN


def test_an_archive_brings_no_root_of_its_own() -> None:
    top = make_root()
    paper = make_leaf(top, Role.SIGN)
    blob = CertificateTrust(CRYPTO, [top.der], (), [top.revoking()]).archive(paper.certificate)
    assert shown(verifier(), paper.certificate, NOW, blob) is codes.CERT_CHAIN


def test_evidence_received_outside_the_validity_is_refused() -> None:
    blob = trust().archive(SIGNER.certificate)
    assert shown(verifier(), SIGNER.certificate, YEAR.not_after, blob) == OPEN
    assert shown(verifier(), SIGNER.certificate, YEAR.not_after + 1000, blob) is codes.CERT_TIME
    assert shown(verifier(), SIGNER.certificate, YEAR.not_before - 1000, blob) is codes.CERT_TIME


def archive_with(*entries: Revocation, this: Instant = NOW - DAY, due: Instant = NOW + DAY) -> bytes:
    crls = [the_authority().revoking(*entries, this=this, due=due), the_root().revoking()]
    return write_archive([SIGNER.der, the_authority().der, the_root().der], crls)


def test_revoked_before_receipt_is_refused_and_after_receipt_is_told() -> None:
    before, after = archive_with(revoke(SIGNER, NOW - 1000)), archive_with(revoke(SIGNER, NOW + 1000), this=NOW + 2000)
    assert shown(verifier(), SIGNER.certificate, NOW, before) is codes.CERT_REVOKED
    assert shown(verifier(), SIGNER.certificate, NOW - 1000, before) is codes.CERT_REVOKED
    assert shown(verifier(), SIGNER.certificate, NOW, after) == LATER


def test_a_revoked_key_gains_nothing_by_dating_its_statement_back() -> None:
    """The date a sender writes is never asked: only the time of receipt, which lies after the revocation."""
    held, received_at = trust(revoke(SIGNER, NOW - DAY // 2)), NOW
    assert verdict(held, SIGNER.certificate, received_at) is codes.CERT_REVOKED
    assert shown(verifier(), SIGNER.certificate, received_at, archive_with(revoke(SIGNER, NOW - DAY // 2))) is \
        codes.CERT_REVOKED


def test_a_list_held_here_counts_against_an_archive_that_hides_it() -> None:
    held = trust(revoke(SIGNER, NOW - 1000))
    assert shown(held, SIGNER.certificate, NOW, archive_with()) is codes.CERT_REVOKED
    assert shown(held, SIGNER.certificate, NOW - 2000, archive_with()) == LATER


def test_a_revoked_authority_counts_in_evidence_too() -> None:
    crls = [the_authority().revoking(), the_root().revoking(revoke(the_authority(), NOW - 1000))]
    blob = write_archive([SIGNER.der, the_authority().der, the_root().der], crls)
    assert shown(verifier(), SIGNER.certificate, NOW, blob) is codes.CERT_REVOKED
    assert shown(verifier(), SIGNER.certificate, NOW - 2000, blob) == LATER


def test_missing_stale_or_forged_lists_leave_revocation_unshown() -> None:
    path = [SIGNER.der, the_authority().der, the_root().der]
    forged = revocation_list(make_authority(make_root()).issuer, 1, [], NOW - DAY, NOW + DAY)
    bent = the_authority().revoking()
    bent = bent[:-1] + bytes([bent[-1] ^ 1])
    for crls in ([], [the_root().revoking()], [forged, the_root().revoking()], [bent, the_root().revoking()]):
        assert shown(verifier(), SIGNER.certificate, NOW, write_archive(path, crls)) == OPEN
    stale = archive_with(this=NOW - 9 * DAY, due=NOW - 8 * DAY)
    assert shown(verifier(), SIGNER.certificate, NOW, stale) == OPEN


def test_a_list_issued_after_the_certificates_end_shows_nothing_of_it() -> None:
    """Authorities drop expired certificates from their lists."""
    later = archive_with(this=YEAR.not_after + DAY, due=YEAR.not_after + 2 * DAY)
    assert shown(verifier(), SIGNER.certificate, NOW, later) == OPEN


def test_flipped_bits_of_an_archive_never_turn_bad_into_good(seed: int) -> None:
    chance, blob = random.Random(seed), archive_with(revoke(SIGNER, NOW - 1000))
    for _ in range(150):
        bent = bytearray(blob)
        bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
        found = shown(verifier(), SIGNER.certificate, NOW, bytes(bent))
        assert isinstance(found, Code) or Unshown.REVOCATION in found


def test_paths_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "KEPT_PATHS", 2)
    held = trust()
    for role in Role:
        held.check(the_leaf(role).certificate, NOW)
    assert len(held._held.paths) == 1
