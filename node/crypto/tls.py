"""TLS between nodes: TLS 1.3 with TLS_SM4_GCM_SM3, curveSM2 and sm2sig_sm3 (RFC 8998), always mutual (WIRE §7).

Rule 1: suite, group and signature algorithm are pinned before the handshake and asserted after it.
Rule 2: every handshake is a full one: no tickets, no resumption, no early data.
Rule 3: a handshake proves a key; which node speaks is said by the registry, through the certificate's fingerprint.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from OpenSSL import crypto as openssl
from OpenSSL._util import lib  # groups and signature algorithms have no public call; `assert_pinnable` guards these

from node.crypto.certificates import Digest, parse, split
from node.crypto.chain import CertificateTrust, path_fault
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.trouble import Trouble, trouble
from node.ports import Clock

VERSION = "TLSv1.3"
DEPTH = 4
"""The most certificates between a peer's and a root."""

_CRL_HAS_EXPIRED = 12  # X509_V_ERR_CRL_HAS_EXPIRED


@dataclass(frozen=True, slots=True)
class Profile:
    """What a channel offers and accepts; no groups named means the library's own."""

    name: str
    suites: tuple[str, ...]
    groups: tuple[str, ...]
    signatures: tuple[str, ...] = ("sm2sig_sm3",)


RFC8998 = Profile("rfc8998", ("TLS_SM4_GCM_SM3",), ("curveSM2",))
TLS13 = Profile(
    "tls13", ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"),
    ("X25519MLKEM768", "X25519", "secp256r1", "secp384r1"),
)
"""Standard suites, only where both ends' settings say so; the certificates are SM2's all the same."""

PROFILES = {profile.name: profile for profile in (RFC8998, TLS13)}


@dataclass(frozen=True, slots=True)
class TlsKey:
    """Our end's certificate and its private key as clear PKCS#8 octets, in memory only."""

    certificate: Certificate
    pkcs8: bytes = field(repr=False)


def assert_pinnable() -> None:
    """Return if this library can be pinned to RFC 8998; raise Hold(SELFTEST) otherwise; called at start."""
    for profile in PROFILES.values():
        _pinned(SSL.Context(SSL.TLS_METHOD), profile)


class Channels:
    """Makes the contexts of both directions and judges what came of them.

    A context is made again when roots or CRLs change; connections made before keep the old one, and whoever holds
    them closes those that `CertificateTrust.check` no longer accepts.  `refused` is told of each certificate that a
    handshake failed for, with its fingerprint: the library tells nobody.
    """

    def __init__(
        self, key: TlsKey, trust: CertificateTrust, sm3: Digest, clock: Clock, profile: str = RFC8998.name,
        refused: Callable[[Trouble], None] | None = None,
    ) -> None:
        if Role.TLS not in key.certificate.roles:
            raise trouble(codes.KEY_ROLE, name=key.certificate.fingerprint, role=Role.TLS.value)
        self._certificate = key.certificate
        self._private = _private_key(key)
        self._trust, self._sm3, self._clock, self._refused = trust, sm3, clock, refused
        self.profile = PROFILES[profile]
        self._made: dict[int, tuple[int, SSL.Context]] = {}

    def server(self) -> SSL.Context:
        """Return the context of accepted connections under the present roots and CRLs."""
        return self._context(SSL.TLS_SERVER_METHOD)

    def client(self) -> SSL.Context:
        """Return the context of connections we open under the present roots and CRLs."""
        return self._context(SSL.TLS_CLIENT_METHOD)

    def assert_channel(self, connection: SSL.Connection, expected: Collection[str] | None = None) -> Certificate:
        """Return the peer's TLS certificate after a handshake that is all it must be.

        `expected` are the fingerprints registered for the node we mean to speak to; None (an accepting end) leaves the
        fingerprint to the caller's registry.  Raises Hold(CHANNEL) for a wrong version, suite, group or kind of
        certificate, Hold(TLS_PEER) for another node, and what `Trust.check` raises.
        """
        profile = self.profile
        if connection.get_protocol_version_name() != VERSION:
            raise trouble(codes.CHANNEL, what="version")
        if connection.get_cipher_name() not in profile.suites:
            raise trouble(codes.CHANNEL, what="cipher suite")
        if (connection.get_group_name() or "").lower() not in {group.lower() for group in profile.groups}:
            raise trouble(codes.CHANNEL, what="group")
        peer = self._peer(connection)
        if Role.TLS not in peer.roles:
            raise trouble(codes.CHANNEL, what="certificate usage")
        if expected is not None and peer.fingerprint not in expected:
            raise trouble(codes.TLS_PEER, fingerprint=peer.fingerprint)
        self._trust.check(peer, self._clock())
        return peer

    def _peer(self, connection: SSL.Connection) -> Certificate:
        """The signature algorithm cannot be asked for, but an SM2 key under the pinned list leaves only sm2sig_sm3."""
        peer = connection.get_peer_certificate(as_cryptography=True)
        if peer is None:
            raise trouble(codes.CHANNEL, what="no certificate")
        try:
            return parse(peer.public_bytes(Encoding.DER), self._sm3)
        except Trouble:
            raise trouble(codes.CHANNEL, what="certificate") from None

    def _context(self, method: int) -> SSL.Context:
        generation = self._trust.generation
        made = self._made.get(method)
        if made is None or made[0] != generation:
            made = self._made[method] = (generation, self._make(method))
        return made[1]

    def _make(self, method: int) -> SSL.Context:
        context = _pinned(SSL.Context(method), self.profile)
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, self._verify)
        context.set_verify_depth(DEPTH)
        self._trust.fill(_store(context))
        context.use_certificate(x509.load_der_x509_certificate(self._certificate.der))
        # The public call takes only keys of `cryptography`, which has no SM2, or warns at each use.
        if lib.SSL_CTX_use_PrivateKey(context._context, self._private._pkey) != 1:
            raise trouble(codes.KEY_ROLE, name=self._certificate.fingerprint, role=Role.TLS.value)
        for der in self._trust.way(self._certificate):
            context.add_extra_chain_cert(x509.load_der_x509_certificate(der))
        return context

    def _verify(self, connection: SSL.Connection, member: openssl.X509, error: int, depth: int, good: int) -> bool:
        """OpenSSL's verdict stands, but for a CRL within the grace that `Trust` allows."""
        if good:
            return True
        try:
            certificate = parse(openssl.dump_certificate(openssl.FILETYPE_ASN1, member), self._sm3)
        except Trouble as malformed:
            return self._refuse(malformed)
        if error == _CRL_HAS_EXPIRED and self._trust.tolerates(certificate, self._clock()):
            return True
        return self._refuse(trouble(path_fault(error), fingerprint=certificate.fingerprint))

    def _refuse(self, why: Trouble) -> bool:
        if self._refused is not None:
            self._refused(why)
        return False


def _pinned(context: SSL.Context, profile: Profile) -> SSL.Context:
    try:
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_max_proto_version(SSL.TLS1_3_VERSION)
        context.set_tls13_ciphersuites(":".join(profile.suites).encode())
        groups = lib.SSL_CTX_set1_curves_list(context._context, ":".join(profile.groups).encode())
        signatures = lib.SSL_CTX_set1_sigalgs_list(context._context, ":".join(profile.signatures).encode())
        early = lib.SSL_CTX_set_max_early_data(context._context, 0)
    except (AttributeError, SSL.Error):
        raise trouble(codes.SELFTEST, item=f"TLS {profile.name}") from None
    if (groups, signatures, early) != (1, 1, 1):
        raise trouble(codes.SELFTEST, item=f"TLS {profile.name}")
    return context


def _store(context: SSL.Context) -> openssl.X509Store:
    store = context.get_cert_store()
    if store is None:
        raise trouble(codes.SELFTEST, item="TLS store")
    return store


def _private_key(key: TlsKey) -> openssl.PKey:
    """DER only: the PEM reader of the library would ask a terminal for a passphrase."""
    try:
        ders = split(key.pkcs8, "PRIVATE KEY")
        private = openssl.load_privatekey(openssl.FILETYPE_ASN1, ders[0])
    except (ValueError, IndexError, openssl.Error):
        raise trouble(codes.KEY_FILE, name="TLS", reason="PKCS#8") from None
    public = openssl.dump_publickey(openssl.FILETYPE_ASN1, private)
    if not public.endswith(key.certificate.public):
        raise trouble(codes.KEY_ROLE, name=key.certificate.fingerprint, role=Role.TLS.value)
    return private
