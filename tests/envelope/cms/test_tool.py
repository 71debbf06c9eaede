"""The acts of the cms command on messages made here: forms of files, detached content, keys, trust, hostile bytes."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.crypto.certificates import parse
from node.crypto.openssl import OpenSslCrypto
from node.envelope.cms import der, names
from node.envelope.cms.enveloped import read_enveloped
from node.envelope.cms.reading import MEMBERS, octets_of, read_message
from node.envelope.cms.readings import normal
from node.envelope.cms.signed import read_signed
from node.envelope.cms.tool import Means, envelop_content, inspect, open_message, sign, verify
from node.model import codes
from node.model.certificate import Certificate
from node.model.instant import Instant
from node.model.trouble import Refused, Trouble, trouble
from tests.vectors import cms_parts as parts
from tests.vectors.cms_parts import CONTENT, OTHER, RECIPIENT, SECOND, SIGNER

CRYPTO = OpenSslCrypto()
MEANS = Means(CRYPTO, lambda octets: parse(octets, CRYPTO.sm3))
SIGNING_KEY, OPENING_KEY = (CRYPTO.sm2_load(who.d.to_bytes(32, "big")) for who in (SIGNER, RECIPIENT))
SIGNED = sign(CONTENT, SIGNER.certificate, SIGNING_KEY)
SEALED = envelop_content(CONTENT, [RECIPIENT.certificate, OTHER.certificate], CRYPTO, os.urandom)


def test_what_the_tool_signs_is_in_the_profile_and_verifies() -> None:
    assert read_signed(SIGNED).content == CONTENT
    report = verify(SIGNED, MEANS)
    assert (report.verdict, report.content, report.problems) == ("verified", CONTENT, ())
    assert {"profile", "no-ca"} <= {*report.caveats}


def test_what_the_tool_envelops_is_in_the_profile_and_opens_for_each_recipient() -> None:
    assert len(read_enveloped(SEALED).recipients) == 2
    for who in (RECIPIENT, OTHER):
        key = CRYPTO.sm2_load(who.d.to_bytes(32, "big"))
        for certificate in (None, who.certificate):
            report = open_message(SEALED, MEANS, key, certificate)
            assert (report.verdict, report.content) == ("opened", CONTENT)
        assert report.recipients[0].opens is not False or report.recipients[1].opens is True


def test_a_recipient_named_by_its_certificate_is_tried_first() -> None:
    report = open_message(SEALED, MEANS, OPENING_KEY, RECIPIENT.certificate)
    assert sorted((one.opens is True, one.opens is None) for one in report.recipients) == [(False, True), (True, False)]


@pytest.mark.parametrize("label", ["PKCS7", "CMS", "PKCS #7 SIGNED DATA"])
def test_pem_and_bare_base64_are_read_like_der(label: str) -> None:
    text = base64.encodebytes(SIGNED)
    ends = [b"-----" + word + label.encode() + b"-----\n" for word in (b"BEGIN ", b"END ")]
    pem = b"some words\n" + ends[0] + text + ends[1]
    for form, file in (("pem", pem), ("pem", pem.replace(b"\n", b"\r\n")), ("base64", text), ("der", SIGNED)):
        report = verify(file, MEANS)
        assert (report.form, report.verdict) == (form, "verified")
    assert octets_of(base64.b64encode(SIGNED))[1] == SIGNED


@pytest.mark.parametrize("file", [
    b"", b"0", b"\x30", b"hello, world", b"-----BEGIN CMS-----\nMIIB", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END",
    b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", b"AAA", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff",
    b"\x30\x80" * 40, b"\x1f" * 9, der.sequence(der.integer(1)), der.sequence(der.tlv(6, b"\x80")), b"-----BEGIN ",
])
def test_what_is_no_message_is_refused_with_a_reason(file: bytes) -> None:
    with pytest.raises(Refused) as caught:
        inspect(file, MEANS)
    assert caught.value.code is codes.CMS_UNREADABLE
    assert str(caught.value.details["reason"]).replace("-", "").isalnum()


def test_detached_content_is_given_apart_and_must_be_the_same_octets() -> None:
    detached = sign(CONTENT, SIGNER.certificate, SIGNING_KEY, detached=True)
    assert CONTENT not in detached
    assert verify(detached, MEANS).problems == ("no-content",)
    assert verify(detached, MEANS, CONTENT).verdict == "verified"
    assert verify(detached, MEANS, CONTENT + b" ").problems == ("signature",)
    assert verify(SIGNED, MEANS, CONTENT).verdict == "verified"
    assert verify(SIGNED, MEANS, CONTENT + b" ").problems == ("other-content",)


def test_a_given_certificate_must_be_a_signers() -> None:
    assert verify(SIGNED, MEANS, certificate=SIGNER.certificate).verdict == "verified"
    assert verify(SIGNED, MEANS, certificate=SECOND.certificate).problems == ("certificate-unused",)
    forged = replace(SECOND.certificate, issuer=SIGNER.certificate.issuer, serial=SIGNER.serial)
    assert verify(SIGNED, MEANS, certificate=forged).problems == ("signature",)


def test_an_unusable_certificate_is_told_and_does_not_verify() -> None:
    strange = parts.signed(certificates=der.context(0, der.sequence(der.integer(5))))
    report = verify(strange, MEANS)
    assert report.problems == ("not-sm2",)
    assert report.as_json()["certificates"] == [{"readable": False, "size": 5}]


class OneTrusted:
    """Trusts one certificate at one time."""

    def __init__(self, certificate: Certificate) -> None:
        self.certificate = certificate

    def read(self, der: bytes) -> Certificate:
        return parse(der, CRYPTO.sm3)

    def check(self, certificate: Certificate, at: Instant) -> None:
        if certificate != self.certificate or at != 7:
            raise trouble(codes.CERT_CHAIN, fingerprint=certificate.fingerprint)

    def archive(self, certificate: Certificate) -> bytes:
        return certificate.der


def test_with_a_ca_the_certificate_must_be_trusted_as_well() -> None:
    trusting = replace(MEANS, trust=OneTrusted(SIGNER.certificate), at=7)
    report = verify(SIGNED, trusting)
    assert report.verdict == "verified" and "no-ca" not in report.caveats
    assert verify(SIGNED, replace(trusting, at=8)).problems == ("not-trusted",)
    assert verify(SIGNED, replace(trusting, trust=OneTrusted(SECOND.certificate))).problems == ("not-trusted",)


def test_a_statement_of_the_exchange_is_not_signed() -> None:
    for kind in (b"parcel", b"receipt", b"probe", b""):
        with pytest.raises(Refused) as caught:
            sign(b'{"@type":"exn.' + kind, SIGNER.certificate, SIGNING_KEY)
        assert caught.value.code is codes.CMS_STATEMENT


def test_each_certificate_is_used_in_its_role_only_and_with_its_key() -> None:
    for certificate, key in ((RECIPIENT.certificate, OPENING_KEY), (SIGNER.certificate, OPENING_KEY)):
        with pytest.raises(Trouble) as caught:
            sign(CONTENT, certificate, key)
        assert caught.value.code is codes.KEY_ROLE
    with pytest.raises(Trouble) as caught:
        envelop_content(CONTENT, [SIGNER.certificate], CRYPTO, os.urandom)
    assert caught.value.code is codes.KEY_ROLE
    for recipients in ([], [RECIPIENT.certificate] * 3):
        with pytest.raises(Refused):
            envelop_content(CONTENT, recipients, CRYPTO, os.urandom)


def test_each_act_says_what_it_cannot_do_with_the_other_kinds() -> None:
    apart = parts.secret_info()
    bare = der.sequence(names.DATA_TYPE, parts.algorithm(names.SM4_CBC, der.octets(parts.IV)))
    encrypted = der.sequence(der.identifier(names.ENCRYPTED), der.context(0, der.sequence(parts.VERSION, apart)))
    both = parts.signed_and_enveloped(apart, parts.signer_info(parts.signed_value(CONTENT)))
    data = der.sequence(names.DATA_TYPE, der.context(0, der.octets(CONTENT)))
    strange = der.sequence(der.identifier("1.2.3.4"), der.context(0, der.NULL))
    assert verify(SEALED, MEANS).problems == ("not-signed",)
    assert verify(both, MEANS).problems == ("needs-key",)
    assert open_message(SIGNED, MEANS, OPENING_KEY).problems == ("not-enveloped",)
    assert open_message(data, MEANS, OPENING_KEY).problems == ("not-enveloped",)
    assert open_message(encrypted, MEANS, OPENING_KEY).problems == ("needs-shared-key",)
    assert open_message(parts.enveloped(secret=bare), MEANS, OPENING_KEY).problems == ("no-ciphertext",)
    assert inspect(data, MEANS).good and inspect(encrypted, MEANS).good
    assert inspect(strange, MEANS).problems == ("unknown-type",) and not inspect(strange, MEANS).good


def test_a_message_inside_an_envelope_is_noted() -> None:
    sealed = envelop_content(SIGNED, [RECIPIENT.certificate], CRYPTO, os.urandom)
    report = open_message(sealed, MEANS, OPENING_KEY)
    assert report.content == SIGNED and "nested" in report.caveats


def test_an_rsa_recipient_beside_ours_does_not_stand_in_the_way() -> None:
    other_kind = der.tlv(0xA1, der.integer(3))
    told = der.tlv(der.SET, parts.recipient_info(), other_kind)
    report = open_message(parts.enveloped(infos=told), MEANS, OPENING_KEY)
    assert report.verdict == "opened" and "other-recipients" in report.caveats


def test_floods_are_refused() -> None:
    many = parts.signed(certificates=der.context(0, *[SIGNER.der] * (MEMBERS + 1)))
    deep = b"\x24\x80" * 40 + b"\0\0" * 40
    for octets in (many, parts.signed(content=der.sequence(names.DATA_TYPE, der.context(0, deep)))):
        with pytest.raises(Refused) as caught:
            inspect(octets, MEANS)
        assert caught.value.details == {"reason": "too-deep-or-many"}


@settings(max_examples=300)
@given(st.data())
def test_hostile_bytes_only_raise_trouble_and_never_verify(data: st.DataObject) -> None:
    both = parts.signed_and_enveloped(parts.secret_info(), parts.signer_info(parts.signed_value(CONTENT)))
    start = data.draw(st.sampled_from([b"", SIGNED, SEALED, both]))
    cut, skip = data.draw(st.integers(0, len(start))), data.draw(st.integers(0, 20))
    hostile = start[:cut] + data.draw(st.binary(max_size=40)) + start[cut + skip:]
    try:
        inspect(hostile, MEANS)
        opened = open_message(hostile, MEANS, OPENING_KEY)
        verified = verify(hostile, MEANS)
    except Trouble as refused:
        assert refused.code is codes.CMS_UNREADABLE
        return
    assert verified.content in (None, CONTENT)
    assert opened.verdict != "opened-verified" or opened.content == CONTENT


@given(st.binary(max_size=200))
def test_a_signature_value_is_two_numbers_or_nothing(octets: bytes) -> None:
    found = normal(octets)
    assert found is None or normal(found) == found


def test_the_reader_of_the_wire_and_the_tolerant_one_agree() -> None:
    strict, tolerant = read_signed(SIGNED), read_message(SIGNED)
    assert tolerant.content is not None and tolerant.content.octets == strict.content
    signer = tolerant.signers[0]
    assert (signer.holder.issuer, signer.holder.serial) == (strict.issuer, strict.serial)
    assert (tolerant.certificates, signer.signature) == ((strict.certificate_der,), strict.signature)
    envelope, told = read_enveloped(SEALED), read_message(SEALED)
    assert told.secret is not None and told.secret.octets == envelope.secret
    assert [one.wrapped for one in told.recipients] == [one.wrapped for one in envelope.recipients]
    assert not tolerant.quirks and not told.quirks


def _openssl(openssl: str, *arguments: str) -> bytes:
    done = subprocess.run([openssl, *arguments], capture_output=True, check=True, timeout=60)
    return done.stdout


def test_openssl_reads_the_structures_and_verifies_the_signature_inside(
    server: Callable[[str, str], str], tmp_path: Path
) -> None:
    openssl = server("openssl", "openssl")
    for name, octets in (("signed", SIGNED), ("sealed", SEALED), ("content", CONTENT)):
        (tmp_path / name).write_bytes(octets)
    for name in ("signed", "sealed"):
        told = _openssl(openssl, "asn1parse", "-inform", "DER", "-in", str(tmp_path / name)).decode()
        assert "sm3" in told.lower() or "sm4-cbc" in told.lower()
    public = der.sequence(
        der.sequence(der.identifier("1.2.840.10045.2.1"), der.identifier("1.2.156.10197.1.301")),
        der.tlv(3, b"\0" + SIGNER.public),
    )
    (tmp_path / "public").write_bytes(
        b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(public) + b"-----END PUBLIC KEY-----\n"
    )
    (tmp_path / "signature").write_bytes(read_signed(SIGNED).signature)
    arguments = ("dgst", "-sm3", "-verify", str(tmp_path / "public"), "-signature", str(tmp_path / "signature"))
    told = _openssl(openssl, *arguments, "-sigopt", "distid:1234567812345678", str(tmp_path / "content")).decode()
    assert "Verified OK" in told
