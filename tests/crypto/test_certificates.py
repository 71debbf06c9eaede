"""Certificates: what is written is read back, what is not a certificate of ours is refused."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from asn1crypto import core, pem, x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateRevocationListBuilder, CRLNumber, Name

from node.crypto import issuance, revocation
from node.crypto.certificates import LIMIT, USCC_EXTENSION, inspect, parse, split
from node.crypto.issuance import Holder, Revocation, Term, leaf, revocation_list, serial
from node.crypto.revocation import parse_crls
from node.model import codes
from node.model.certificate import Role
from node.model.trouble import Refused
from tests.crypto.papers import (
    CRYPTO,
    DAY,
    NOW,
    ORG,
    YEAR,
    Paper,
    lists,
    make_leaf,
    make_root,
    names,
    the_authority,
    the_leaf,
    the_root,
)


def refused(data: bytes) -> bool:
    with pytest.raises(Refused) as caught:
        parse(data, CRYPTO.sm3)
    return caught.value.code is codes.CERT_FORM


def with_usage(
    bits: set[str], purposes: list[str] | None = None, extra: tuple[x509.Extension, ...] = (),
    parts: list[tuple[str, str]] | None = None,
) -> bytes:
    """Return a leaf with exactly these key usage bits and purposes, whatever a role would have."""
    above = the_authority()
    facts = inspect(above.der, CRYPTO.sm3)
    extensions = [issuance._extension("key_usage", x509.KeyUsage(bits), critical=True)] if bits else []
    if purposes is not None:
        extensions.append(issuance._extension("extended_key_usage", x509.ExtKeyUsageSyntax(purposes)))
    holder = Holder(parts or names("dept-a"), CRYPTO.sm2_generate().public)
    issuer = x509.Name.load(facts.subject)
    return issuance._certificate(holder, YEAR, issuer, above.key, CRYPTO.sm3, os.urandom, [*extensions, *extra])


@pytest.mark.parametrize("role", list(Role))
def test_each_leaf_has_its_one_role(role: Role) -> None:
    paper = the_leaf(role)
    found = paper.certificate
    assert found.roles == {role}
    assert found.public == paper.key.public
    assert found.fingerprint == CRYPTO.sm3(paper.der).hex()
    assert found.org == ORG
    assert (found.not_before, found.not_after) == (YEAR.not_before, YEAR.not_after)
    assert found.issuer == inspect(the_authority().der, CRYPTO.sm3).subject
    assert found.subject == "CN=dept-a,O=测试单位,C=CN"


def test_a_tls_leaf_names_its_node_and_hosts() -> None:
    paper = make_leaf(the_authority(), Role.TLS, "dept-a", hosts=("node.example.gov.cn", "192.0.2.7", "2001:db8::7"))
    assert inspect(paper.der, CRYPTO.sm3).hosts == ("dept-a", "node.example.gov.cn", "192.0.2.7", "2001:db8::7")
    assert inspect(the_leaf(Role.SIGN).der, CRYPTO.sm3).hosts == ()


def test_an_authority_has_no_role_of_a_node() -> None:
    facts = inspect(the_authority().der, CRYPTO.sm3)
    assert facts.authority and not facts.self_issued
    assert facts.certificate.roles == frozenset()
    assert inspect(the_root().der, CRYPTO.sm3).self_issued


def test_usage_bits_are_those_of_gm_t_0015() -> None:
    assert b"\x04\x04\x03\x02\x06\xc0" in the_leaf(Role.SIGN).der
    assert b"\x04\x04\x03\x02\x03\x38" in the_leaf(Role.ENCRYPT).der


def test_a_purpose_of_tls_leaves_no_other_role() -> None:
    assert parse(with_usage({"digital_signature", "non_repudiation"}, ["client_auth"]), CRYPTO.sm3).roles == {Role.TLS}
    assert parse(with_usage({"digital_signature"}, ["email_protection"]), CRYPTO.sm3).roles == {Role.SIGN}
    assert parse(with_usage({"key_agreement"}, ["server_auth"]), CRYPTO.sm3).roles == frozenset()


def test_two_usages_are_shown_as_two_roles_and_none_as_none() -> None:
    both = parse(with_usage({"digital_signature", "key_encipherment"}), CRYPTO.sm3)
    assert both.roles == {Role.SIGN, Role.ENCRYPT}
    assert parse(with_usage(set()), CRYPTO.sm3).roles == frozenset()


def test_an_organization_identifier_counts_only_where_the_extension_is_missing() -> None:
    bare = [*names("dept-a"), ("organization_identifier", ORG)]
    assert parse(with_usage({"digital_signature"}, parts=bare), CRYPTO.sm3).org == ORG
    other = [*names("dept-a"), ("organization_identifier", "NTRCN-" + ORG)]
    assert parse(with_usage({"digital_signature"}, parts=other), CRYPTO.sm3).org is None
    stated = issuance._extension(USCC_EXTENSION, core.PrintableString(ORG[::-1].replace("X", "9")))
    assert parse(with_usage({"digital_signature"}, extra=(stated,), parts=bare), CRYPTO.sm3).org != ORG


def test_pem_and_der_are_one_certificate() -> None:
    der = the_leaf(Role.SIGN).der
    armored = pem.armor("CERTIFICATE", der)
    assert parse(armored, CRYPTO.sm3) == parse(der, CRYPTO.sm3)
    assert parse(b"Subject: as openssl prints it\n" + armored, CRYPTO.sm3).der == der
    assert split(armored + armored, "CERTIFICATE") == [der, der]


def test_what_is_not_one_certificate_is_refused() -> None:
    der = the_leaf(Role.SIGN).der
    armored = pem.armor("CERTIFICATE", der)
    assert refused(b"")
    assert refused(b"no certificate")
    assert refused(der + b"\0")
    assert refused(der[:-1])
    assert refused(armored + armored)
    assert refused(pem.armor("X509 CRL", lists()[0]))
    assert refused(lists()[0])
    assert refused(b"\x30\x80" + der[4:] + b"\0\0")


def test_a_certificate_over_the_limit_is_refused_before_it_is_read() -> None:
    long = issuance._extension("1.2.3.4", core.OctetString(b"\0" * LIMIT))
    assert refused_at_issue(long)
    assert refused(b"\x30\x83\x01\x00\x00" + b"\0" * 65536)


def refused_at_issue(extension: x509.Extension) -> bool:
    with pytest.raises(Refused) as caught:
        with_usage({"digital_signature"}, extra=(extension,))
    return caught.value.code is codes.CERT_FORM


@pytest.mark.parametrize("change", [
    lambda der: der.replace(bytes.fromhex("2a811ccf5501822d"), bytes.fromhex("2a8648ce3d030107"), 1),  # P-256
    lambda der: der.replace(bytes.fromhex("2a811ccf55018375"), bytes.fromhex("2a811ccf55018378"), 1),  # inner: RSA+SM3
    lambda der: der.replace(the_leaf(Role.SIGN).key.public, the_leaf(Role.SIGN).key.public[:64] + b"\0", 1),
    lambda der: der.replace(the_leaf(Role.SIGN).key.public, b"\x02" + the_leaf(Role.SIGN).key.public[1:], 1),
    lambda der: der.replace(b"\x13\x12" + ORG.encode(), b"\x13\x12" + ORG.lower().encode(), 1),
    lambda der: der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1),  # version 2
])
def test_another_curve_algorithm_point_code_or_version_is_refused(change: Callable[[bytes], bytes]) -> None:
    der = the_leaf(Role.SIGN).der
    assert change(der) != der
    assert refused(change(der))


def test_a_certificate_of_another_kind_of_key_is_refused(server: Callable[[str, str], str], tmp_path: Path) -> None:
    subprocess.run(
        [server("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-subj", "/CN=x", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True)
    assert refused((tmp_path / "cert.pem").read_bytes())


def test_flipped_bits_are_refused_or_read_but_never_crash(seed: int) -> None:
    chance, der = random.Random(seed), the_leaf(Role.TLS).der
    for _ in range(400):
        bent = bytearray(der)
        bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
        try:
            assert parse(bytes(bent), CRYPTO.sm3).fingerprint != the_leaf(Role.TLS).certificate.fingerprint
        except Refused as trouble:
            assert trouble.code is codes.CERT_FORM


def test_serials_are_positive_long_and_fresh() -> None:
    assert serial(lambda n: b"\xff" * n).bit_length() == 127
    assert serial(lambda n: b"\x00" * n).bit_length() == 127
    assert len({serial(os.urandom) for _ in range(1000)}) == 1000


def test_dates_after_2049_are_written_in_the_longer_form() -> None:
    far = Term(NOW, 2_600_000_000_000)
    paper = make_root(term=far)
    assert paper.certificate.not_after == far.not_after
    assert b"\x18\x0f2052" in paper.der


def test_an_authority_does_not_issue_with_anothers_key_or_off_the_curve() -> None:
    holder = Holder(names("dept-a"), CRYPTO.sm2_generate().public)
    wrong = Paper(the_authority().der, the_root().key)
    with pytest.raises(Exception) as caught:
        leaf(holder, Role.SIGN, YEAR, wrong.issuer)
    assert getattr(caught.value, "code", None) is codes.KEY_ROLE
    with pytest.raises(Exception) as caught:
        leaf(holder, Role.SIGN, YEAR, the_leaf(Role.SIGN).issuer)
    assert getattr(caught.value, "code", None) is codes.KEY_ROLE
    with pytest.raises(Refused):
        leaf(Holder(names("dept-a"), b"\4" + b"\1" * 64), Role.SIGN, YEAR, the_authority().issuer)


def test_a_revocation_list_is_read_back() -> None:
    entries = [Revocation(7, NOW - DAY, "key_compromise"), Revocation(5, NOW - 2 * DAY)]
    der = the_authority().revoking(*entries, number=12)
    (found,) = parse_crls(der, CRYPTO.sm3)
    assert (found.number, found.this_update, found.next_update) == (12, NOW - DAY, NOW + DAY)
    assert (found.revoked_at(7), found.revoked_at(5), found.revoked_at(6)) == (NOW - DAY, NOW - 2 * DAY, None)
    assert found.signed_by(the_authority().key.public, CRYPTO)
    assert not found.signed_by(the_root().key.public, CRYPTO)
    assert parse_crls(pem.armor("X509 CRL", der) * 2, CRYPTO.sm3)[1].der == der


def test_an_unfit_revocation_list_is_refused() -> None:
    der = the_authority().revoking()
    critical = der.replace(b"\x55\x1d\x14\x04", b"\x55\x1d\x1c\x04", 1)  # its number becomes an issuing point
    for bad in (b"", der[:-1], der + b"\0", critical, the_leaf(Role.SIGN).der, pem.armor("CERTIFICATE", der)):
        with pytest.raises(Refused) as caught:
            parse_crls(bad, CRYPTO.sm3)
        assert caught.value.code is codes.CRL_FORM
    with pytest.raises(ValueError):
        revocation_list(the_authority().issuer, 1, [Revocation(5, NOW, "bored")], NOW, NOW + DAY)


def test_a_list_of_another_algorithm_or_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(timezone.utc)
    builder = CertificateRevocationListBuilder(Name([]), now, now + timedelta(1))
    other = builder.add_extension(CRLNumber(1), False).sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    monkeypatch.setattr(revocation, "LIMIT", len(der := the_authority().revoking()))
    assert len(parse_crls(der, CRYPTO.sm3)) == 1
    monkeypatch.setattr(revocation, "LIMIT", len(der) - 1)
    for bad in (other.public_bytes(Encoding.DER), der, der * 2):
        with pytest.raises(Refused) as caught:
            parse_crls(bad, CRYPTO.sm3)
        assert caught.value.code is codes.CRL_FORM


def test_openssl_finds_our_certificates_strictly_right(server: Callable[[str, str], str], tmp_path: Path) -> None:
    """The system's OpenSSL takes a signer identity for the leaf only, so one authority stands above it here."""
    openssl, top = server("openssl", "openssl"), make_root()
    (tmp_path / "root.pem").write_bytes(pem.armor("CERTIFICATE", top.der))
    for role in Role:
        path = tmp_path / f"{role.value}.pem"
        path.write_bytes(pem.armor("CERTIFICATE", make_leaf(top, role).der))
        done = subprocess.run(
            [openssl, "verify", "-x509_strict", "-vfyopt", "distid:1234567812345678",
             "-CAfile", tmp_path / "root.pem", path],
            capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        text = subprocess.run([openssl, "x509", "-in", path, "-noout", "-text"], capture_output=True, text=True).stdout
        assert "SM2-with-SM3" in text and "Key Usage: critical" in text and "Basic Constraints" not in text
    (tmp_path / "crl.pem").write_bytes(pem.armor("X509 CRL", top.revoking(Revocation(5, NOW, "superseded"), number=9)))
    text = subprocess.run(
        [openssl, "crl", "-in", tmp_path / "crl.pem", "-noout", "-text"], capture_output=True, text=True).stdout
    assert "Superseded" in text and "X509v3 CRL Number" in text and "SM2-with-SM3" in text
