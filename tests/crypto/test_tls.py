"""TLS of WIRE §7: real handshakes over memory, both ends ours; what is not exactly right is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from OpenSSL import SSL
from OpenSSL import crypto as openssl
from OpenSSL._util import lib

from node.crypto import tls
from node.crypto.chain import CertificateTrust
from node.crypto.issuance import Term
from node.crypto.tls import RFC8998, TLS13, Channels, Profile, TlsKey, assert_pinnable
from node.model import codes
from node.model.certificate import Role
from node.model.instant import Instant
from node.model.trouble import Hold, Trouble
from node.ports import SM2_ID
from tests.crypto.handshake import SIGNED_BY_CLIENT, SIGNED_BY_SERVER, Ends, certificate_verify, shake
from tests.crypto.papers import (
    CRYPTO,
    DAY,
    NOW,
    Paper,
    channels,
    lists,
    make_leaf,
    make_root,
    revoke,
    the_authority,
    the_leaf,
    the_root,
    trust,
)

CENTRE, DEPT = the_leaf(Role.TLS, "centre"), the_leaf(Role.TLS, "dept-a")
TLS_ID = b"TLSv1.3+GM+Cipher+Suite"


def ends(server: Channels | None = None, client: Channels | None = None) -> Ends:
    return shake((server or channels(CENTRE)).server(), (client or channels(DEPT)).client())


def bare(
    profile: Profile = RFC8998, paper: Paper | None = DEPT, held: CertificateTrust | None = trust(),
    chain: tuple[bytes, ...] = (the_authority().der,),
) -> SSL.Context:
    """Return a client context not made by `Channels`, for peers that are otherwise; no trust means the root alone."""
    context = tls._pinned(SSL.Context(SSL.TLS_CLIENT_METHOD), profile)
    if held is None:
        tls._store(context).add_cert(openssl.load_certificate(openssl.FILETYPE_ASN1, the_root().der))
    else:
        held.fill(tls._store(context))
    context.set_verify(SSL.VERIFY_PEER)
    if paper is not None:
        context.use_certificate(x509.load_der_x509_certificate(paper.der))
        private = openssl.load_privatekey(openssl.FILETYPE_ASN1, paper.pkcs8)
        assert lib.SSL_CTX_use_PrivateKey(context._context, private._pkey) == 1
        for der in chain:
            context.add_extra_chain_cert(x509.load_der_x509_certificate(der))
    return context


def code_of(act: Callable[[], object]) -> object:
    with pytest.raises(Trouble) as caught:
        act()
    return caught.value.code


def test_both_ends_meet_over_sm2_sm3_and_sm4_and_know_each_other() -> None:
    server, client = channels(CENTRE), channels(DEPT)
    pair = ends(server, client)
    assert not pair.refused
    assert client.assert_channel(pair.client, {CENTRE.certificate.fingerprint}) == CENTRE.certificate
    assert server.assert_channel(pair.server) == DEPT.certificate
    assert (pair.client.get_cipher_name(), pair.client.get_group_name()) == ("TLS_SM4_GCM_SM3", "curveSM2")
    assert pair.carry(b"to the centre" * 999) == b"to the centre" * 999


def test_a_peer_that_sends_no_intermediate_is_known_all_the_same() -> None:
    assert not shake(channels(CENTRE).server(), bare(chain=())).refused


def test_a_peer_that_knows_only_the_root_gets_the_intermediate_from_us() -> None:
    assert not shake(channels(CENTRE).server(), bare(held=None)).refused


def test_a_client_without_a_certificate_is_refused() -> None:
    assert "peer did not return a certificate" in str(shake(channels(CENTRE).server(), bare(paper=None)).server_error)


@pytest.mark.parametrize("profile", [
    Profile("aes", ("TLS_AES_128_GCM_SHA256",), ("curveSM2",)),
    Profile("group", ("TLS_SM4_GCM_SM3",), ("X25519",)),
    Profile("signature", ("TLS_SM4_GCM_SM3",), ("curveSM2",), ("ecdsa_secp256r1_sha256",)),
])
def test_a_client_of_another_suite_group_or_signature_is_refused(profile: Profile) -> None:
    assert shake(channels(CENTRE).server(), bare(profile)).server_error is not None


def test_a_client_of_tls_1_2_is_refused() -> None:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    assert "unsupported protocol" in str(shake(channels(CENTRE).server(), context).server_error)


def test_a_revoked_client_is_refused() -> None:
    server = channels(CENTRE, trust(revoke(DEPT)))
    assert "certificate revoked" in str(ends(server).client_error)


def test_a_revoked_server_is_refused() -> None:
    assert ends(client=channels(DEPT, trust(revoke(CENTRE)))).client_error is not None


def test_an_expired_certificate_is_refused_at_either_end() -> None:
    old = make_leaf(the_authority(), Role.TLS, "dept-old", Term(NOW - 9 * DAY, NOW - DAY))
    assert ends(client=channels(old)).server_error is not None
    assert ends(server=channels(old)).client_error is not None


def test_a_stranger_is_refused_at_either_end() -> None:
    top = make_root("外省根CA")
    paper = make_leaf(top, Role.TLS, "stranger")
    strange = channels(paper, CertificateTrust(CRYPTO, [top.der, the_root().der], [the_authority().der], [
        top.revoking(), *lists()]))
    assert ends(client=strange).server_error is not None
    assert ends(server=strange).client_error is not None


def test_a_wrong_node_behind_a_good_certificate_is_refused() -> None:
    client, other = channels(DEPT), channels(the_leaf(Role.TLS, "dept-b"))
    pair = ends(other, client)
    assert not pair.refused
    assert code_of(lambda: client.assert_channel(pair.client, {CENTRE.certificate.fingerprint})) is codes.TLS_PEER
    assert code_of(lambda: client.assert_channel(pair.client, ())) is codes.TLS_PEER


def test_a_signing_certificate_makes_no_channel() -> None:
    """OpenSSL would let it pass: it may sign, and no purpose forbids it."""
    server = channels(CENTRE)
    pair = shake(server.server(), bare(paper=the_leaf(Role.SIGN)))
    assert not pair.refused
    assert code_of(lambda: server.assert_channel(pair.server)) is codes.CHANNEL
    signing = the_leaf(Role.SIGN)
    assert code_of(lambda: channels(signing)) is codes.KEY_ROLE


def test_a_channel_is_not_asserted_before_its_handshake() -> None:
    client = channels(DEPT)
    connection = SSL.Connection(client.client(), None)
    connection.set_connect_state()
    assert code_of(lambda: client.assert_channel(connection)) is codes.CHANNEL


def test_a_channel_that_was_not_pinned_is_found_out_afterwards() -> None:
    loose = Profile("loose", ("TLS_AES_128_GCM_SHA256", "TLS_SM4_GCM_SM3"), ("X25519", "curveSM2"))
    strict, server = channels(DEPT), channels(CENTRE)
    server.profile = loose
    pair = shake(server.server(), bare(loose))
    assert not pair.refused
    assert code_of(lambda: strict.assert_channel(pair.client)) is codes.CHANNEL


def foreign(method: int, profile: Profile) -> SSL.Context:
    """Return a context that verifies nobody and shows a self-signed certificate of another curve."""
    context, key = SSL.Context(method), ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([]), datetime.now(timezone.utc)
    certificate = x509.CertificateBuilder(name, name, key.public_key(), 5, now, now + timedelta(1)).sign(key, SHA256())
    context.use_certificate(certificate)
    context.use_privatekey(key)
    if profile.suites:
        context.set_tls13_ciphersuites(":".join(profile.suites).encode())
        assert lib.SSL_CTX_set1_curves_list(context._context, ":".join(profile.groups).encode()) == 1
    else:
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
    return context


@pytest.mark.parametrize(("profile", "what"), [
    (Profile("old", (), ()), "version"),
    (Profile("aes", ("TLS_AES_128_GCM_SHA256",), ("curveSM2",)), "cipher suite"),
    (Profile("group", ("TLS_SM4_GCM_SM3",), ("X25519",)), "group"),
    (Profile("curve", ("TLS_SM4_GCM_SM3",), ("curveSM2",)), "certificate"),
])
def test_each_part_of_a_channel_is_asserted_by_itself(profile: Profile, what: str) -> None:
    pair = shake(foreign(SSL.TLS_SERVER_METHOD, profile), foreign(SSL.TLS_CLIENT_METHOD, profile))
    assert not pair.refused
    for end, found in ((pair.client, what), (pair.server, "no certificate" if what == "certificate" else what)):
        with pytest.raises(Hold) as caught:
            channels(DEPT).assert_channel(end)
        assert (caught.value.code, caught.value.details) == (codes.CHANNEL, {"what": found})


def test_who_is_revoked_after_the_handshake_is_no_longer_asserted() -> None:
    held = trust()
    server = channels(CENTRE, held)
    pair = ends(server)
    server.assert_channel(pair.server)
    held.renew([the_root().der], [the_authority().der], lists(revoke(DEPT)))
    assert code_of(lambda: server.assert_channel(pair.server)) is codes.CERT_REVOKED
    assert "certificate revoked" in str(ends(server).client_error)


def test_contexts_are_made_again_when_lists_change_and_only_then() -> None:
    held = trust()
    made = channels(CENTRE, held)
    first = made.server(), made.client()
    assert (made.server(), made.client()) == first
    held.renew([the_root().der], [the_authority().der], lists())
    assert made.server() is not first[0] and made.client() is not first[1]


def stale(grace: Instant) -> CertificateTrust:
    crls = [paper.revoking(this=NOW - 9 * DAY, due=NOW - DAY) for paper in (the_root(), the_authority())]
    return CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], crls, grace=grace)


def test_a_list_past_its_next_update_closes_the_channel_after_its_grace() -> None:
    assert ends(channels(CENTRE, stale(0))).server_error is not None
    server = channels(CENTRE, stale(2 * DAY))
    pair = ends(server)
    assert not pair.refused
    server.assert_channel(pair.server)
    assert ends(channels(CENTRE, stale(2 * DAY), now=NOW + 3 * DAY)).server_error is not None


def test_no_session_is_ever_resumed() -> None:
    server, client = channels(CENTRE), channels(DEPT)
    first = ends(server, client)
    said = len(first.from_server)
    assert first.carry(b"x") == b"x"
    assert len(first.from_server) == said, "a ticket was sent"
    session = first.client.get_session()
    second = shake(server.server(), client.client(), session)
    assert not second.refused
    assert lib.SSL_session_reused(second.server._ssl) == 0
    assert len(second.from_server) > 1200 and len(second.from_client) > 1200, "no certificates were sent"


def test_plain_tls_1_3_holds_only_between_ends_that_both_want_it() -> None:
    server, client = channels(CENTRE, profile=TLS13.name), channels(DEPT, profile=TLS13.name)
    pair = ends(server, client)
    assert not pair.refused
    assert pair.client.get_cipher_name() == "TLS_AES_256_GCM_SHA384"
    assert client.assert_channel(pair.client, {CENTRE.certificate.fingerprint}) == CENTRE.certificate
    assert ends(server).server_error is not None
    assert ends(client=client).server_error is not None
    assert code_of(lambda: channels(CENTRE).assert_channel(pair.client)) is codes.CHANNEL
    assert shake(server.server(), bare(TLS13, paper=None)).server_error is not None


def test_a_key_of_another_certificate_or_form_is_refused() -> None:
    certificate = CENTRE.certificate
    assert code_of(lambda: Channels(TlsKey(certificate, DEPT.pkcs8), trust(), CRYPTO.sm3, lambda: NOW)) is \
        codes.KEY_ROLE
    other = ec.generate_private_key(ec.SECP256R1())
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    plain = other.private_bytes(pem, pkcs8, serialization.NoEncryption())
    locked = other.private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"secret"))
    assert code_of(lambda: Channels(TlsKey(certificate, plain), trust(), CRYPTO.sm3, lambda: NOW)) is codes.KEY_ROLE
    for octets in (locked, b"", b"no key", CENTRE.pkcs8[:-9]):
        key = TlsKey(certificate, octets)
        assert code_of(lambda: Channels(key, trust(), CRYPTO.sm3, lambda: NOW)) is codes.KEY_FILE


def test_the_key_is_not_shown() -> None:
    key = TlsKey(CENTRE.certificate, CENTRE.pkcs8)
    assert CRYPTO.sm2_scalar(CENTRE.key).hex() not in repr(key)
    assert repr(CENTRE.pkcs8)[5:40] not in repr(key)


def test_the_binding_is_asserted_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_pinnable()

    class Without:
        """The library of a release that lacks the private call."""

    monkeypatch.setattr(tls, "lib", Without())
    with pytest.raises(Hold) as caught:
        assert_pinnable()
    assert caught.value.code is codes.SELFTEST


def test_an_unknown_group_is_found_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "PROFILES", {"x": Profile("x", ("TLS_SM4_GCM_SM3",), ("curveNone",))})
    with pytest.raises(Hold) as caught:
        assert_pinnable()
    assert caught.value.code is codes.SELFTEST


@pytest.mark.parametrize(("signer", "paper"), [(SIGNED_BY_SERVER, CENTRE), (SIGNED_BY_CLIENT, DEPT)])
def test_a_recorded_certificate_verify_is_sm2_under_the_identity_of_tls(signer: bytes, paper: Paper) -> None:
    """RFC 8998 §3.2.1: another identity than every other signature of ours, so neither passes for the other."""
    server, secrets = channels(CENTRE).server(), list[bytes]()
    server.set_keylog_callback(lambda connection, line: secrets.append(line))
    pair = shake(server, channels(DEPT).client())
    assert not pair.refused
    scheme, signature, content = certificate_verify(pair, secrets, signer)
    public = paper.key.public
    assert scheme == 0x0708  # sm2sig_sm3
    assert CRYPTO.sm2_verify(public, content, signature, TLS_ID)
    assert not CRYPTO.sm2_verify(public, content, signature, SM2_ID)
    assert not CRYPTO.sm2_verify(public, content, signature, b"")
    assert not CRYPTO.sm2_verify(public, content + b"\0", signature, TLS_ID)
